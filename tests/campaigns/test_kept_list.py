"""The list that the ledger keeps of a campaign: whatever damage it has, its rows are read or the error is clear."""

import json
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.campaigns.campaign_record import KeptList
from alovoice_cli.campaigns.kept_list import CampaignList, keep_numbers
from alovoice_cli.errors import CheckFailedError, UsageError

NUMBERS = ("998901110001", "998901110002")
KEPT = keep_numbers(NUMBERS)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["utf-16", "rot13"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _read(kept: KeptList) -> None:
    """Reads all of it, as a report does."""
    people = CampaignList(kept)
    assert len(list(people.rows())) == sum(people.count_verdicts().values())
    assert set(people.keys()) <= {row.key for row in people.rows()}
    assert isinstance(people.headings, list)


def test_a_whole_list_is_read() -> None:
    _read(KEPT)
    assert tuple(CampaignList(KEPT).keys()) == NUMBERS


@given(field=st.sampled_from(sorted(json.loads(KEPT.reading))), value=ANY_JSON)
def test_any_value_in_the_reading_is_read_or_refused(field: str, value: object) -> None:
    with suppress(UsageError, CheckFailedError):
        _read(KeptList(KEPT.packed, json.dumps(json.loads(KEPT.reading) | {field: value})))


@given(content=st.binary(max_size=80), encoding=st.sampled_from(["utf-8", "cp1251", "utf-16", "utf-8-sig"]))
def test_any_content_is_read_or_refused(content: bytes, encoding: str) -> None:
    reading = json.dumps(json.loads(KEPT.reading) | {"encoding": encoding})
    with suppress(UsageError, CheckFailedError):
        _read(KeptList(zlib.compress(content), reading))


@pytest.mark.parametrize("reading", ["", "null", "7", "[]", "{}", "[" * 100_000, '{"columns": [0]}'])
def test_a_reading_that_is_none_is_refused(reading: str) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        CampaignList(KeptList(KEPT.packed, reading))


@pytest.mark.parametrize("packed", [b"", b"noise", zlib.compress(b"9")[:-2], zlib.compress(b"\xff\xfe" * 50)])
def test_bytes_that_are_no_list_are_refused(packed: bytes) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        CampaignList(KeptList(packed, KEPT.reading))

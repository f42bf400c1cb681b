"""Whom not to call: read as carefully as whom to call, and on the safe side where it cannot be read."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from alovoice_cli.campaigns.exclusion import DoNotCall, called_from, parse_do_not_call
from alovoice_cli.errors import UsageError

DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def listed(text: str) -> DoNotCall:
    return parse_do_not_call(io.BytesIO(text.encode()), "dnc.csv", DAY)


def test_an_entry_ends_with_its_day() -> None:
    found = listed(
        "phone;until\n901234567;2026-11-24\n911234567;2026-11-25\n931234567;26.11.2026\n941234567;\n951234567;2020.01.01\n"
    )
    assert found.numbers == {998911234567, 998931234567, 998941234567}
    assert "2 entries have expired" in found.note


@pytest.mark.parametrize("heading", ["until", "Expires", "valid to", "до", "Срок", "Действует до", "muddat", "муддати"])
def test_the_column_of_the_end_is_known_by_its_heading(heading: str) -> None:
    assert listed(f"added;{heading};phone\n2020-01-01;2026-11-01;901234567\n").numbers == set()


def test_a_day_under_another_heading_ends_nothing() -> None:
    assert listed("added;phone\n2020-01-01;901234567\n").numbers == {998901234567}
    assert listed("2020-01-01;901234567\n2020-01-01;911234567\n").numbers == {998901234567, 998911234567}


def test_an_end_that_is_no_day_leaves_the_entry_in_force_and_is_told() -> None:
    found = listed("phone;until\n901234567;soon\n911234567;2026-02-30\n931234567;2020-01-01\n")
    assert found.numbers == {998901234567, 998911234567}
    (told,) = found.findings()
    assert (told.code, list(told.lines)) == ("exclude_undated", [2, 3])


def test_every_number_of_a_cell_is_excluded_and_an_entry_without_one_is_told() -> None:
    found = listed("phone\n901234567 доб 12\n911234567, 931234567\n941234567/8\nсосед\n9О1234568\n")
    assert found.numbers == {998901234567, 998911234567, 998931234567, 998941234567, 998941234568, 998901234568}
    (told,) = found.findings()
    assert (told.code, list(told.lines)) == ("exclude_unread", [5])


def test_a_heading_alone_excludes_nobody() -> None:
    assert listed("phone;until\n").numbers == set()


@pytest.mark.parametrize(("text", "span"), [("7d", timedelta(7)), ("12h", timedelta(hours=12)), ("2w", timedelta(14))])
def test_a_span_is_said_in_short(text: str, span: timedelta) -> None:
    assert NOW - called_from(text, NOW) == span


@pytest.mark.parametrize("text", ["", "7", "0d", "d", "-7d", "7 years", "1.5d", "99999999999w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--exclude-called"):
        called_from(text, NOW)

"""`campaign.toml`: what is written can be read again, and what cannot be meant is named."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.campaign_record import SubmittedFile
from alovoice_cli.campaigns.definition import KEYS, define, missing_files, read_definition, write_definition
from alovoice_cli.errors import UsageError

HERE = Path("/home/op")
RECORD = SubmittedFile("promo.mp3", "/sounds/promo.mp3", "ab")
FIELDS = {
    "name": "Куз",
    "from": "2026.11.24",
    "to": "2026.11.26",
    "fromtime": "10:00",
    "totime": "19:59",
    "trunks": "712037006, 712037007",
    "maxline": "3",
    "paused": "1",
    "timezone": "utc +5",
}


def _read(text: str) -> dict[str, object]:
    return read_definition(text.encode(), "campaign.toml", HERE)


@given(name=st.text(st.characters(exclude_categories=["Cs"])))
@examples(60)
def test_what_is_written_is_read_again_and_drives_no_terminal(name: str) -> None:
    written = write_definition(define(FIELDS | {"name": name}, RECORD, None, ["998901234567"]), ["A remark."])
    assert not set(map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066])) & set(written)
    assert _read(written) == {
        "name": name,
        "record": "/sounds/promo.mp3",
        "recipient": ["998901234567"],
        "from": "2026.11.24",
        "to": "2026.11.26",
        "fromtime": "10:00",
        "totime": "19:59",
        "trunks": ["712037006", "712037007"],
        "maxline": 3,
        "paused": True,
        "timezone": "utc +5",
        "record_sha256": "ab",
    }


def test_a_list_in_a_file_is_named_and_not_written_out() -> None:
    defined = define(FIELDS, RECORD, SubmittedFile("c.csv", "/lists/c.csv", "cd"), ["998901234567"])
    assert (defined["recipients"], defined["recipients_sha256"]) == ("/lists/c.csv", "cd")
    assert "recipient" not in defined
    assert missing_files(defined) == []


def test_a_long_list_that_lies_nowhere_is_left_to_be_given() -> None:
    defined = define(FIELDS, None, SubmittedFile("recipients.csv", "", "cd"), ["998901234567"] * 1001)
    assert missing_files(defined) == ["record", "recipients"]
    assert list(defined) == [key for key in KEYS if key in defined]


def test_paths_are_taken_from_the_files_own_folder() -> None:
    said = _read('record = "promo.mp3"\nrecipients = "/lists/c.csv"')
    assert said == {"record": "/home/op/promo.mp3", "recipients": "/lists/c.csv"}
    assert _read('recipients = "-"') == {"recipients": "-"}


def test_toml_has_days_and_times_of_its_own() -> None:
    said = _read("from = 2026-11-24\nfromtime = 10:00:00\n")
    assert said == {"from": "2026-11-24", "fromtime": "10:00"}
    assert tomllib.loads("x = 10:00:00")["x"].hour == 10


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("tries = 3", "'tries'", "did you mean tryes?"),
        ("colour = 3", "'colour'", "keys: name, record"),
        ("maxline = '3'", "maxline must be a whole number", "export"),
        ("maxline = true", "maxline must be a whole number", "export"),
        ("paused = 1", "paused must be true or false", "export"),
        ("name = 5", "name must be a text in quotes", "export"),
        ("totime = 19:59:59", "totime must be a text in quotes", "export"),
        ("trunks = [712037006]", "trunks must be a list of texts", "export"),
        ("from = 2026-11-24T10:00:00", "from must be a text", "export"),
        ("name = ", "not valid TOML", "export"),
        ("[campaign]\nname = 'x'", "'campaign'", "keys"),
    ],
)
def test_what_no_campaign_says_is_named(text: str, complaint: str, hint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        _read(text)
    assert hint in caught.value.hint


def test_one_line_may_stand_without_a_list() -> None:
    assert _read("trunks = '712037006'") == {"trunks": ["712037006"]}


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        read_definition("name = 'Куз'".encode("cp1251"), "campaign.toml", HERE)
    assert read_definition(b"\xef\xbb\xbf" + "name = 'Куз'".encode(), "c", HERE) == {"name": "Куз"}

"""`--split`: every row is in one part, with its heading, and no day has more than it should."""

import csv
import io
from datetime import date, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.draft import CampaignDraft, CampaignPart, SplitLayout, parse_split, split
from alovoice_cli.campaigns.schedule import Window
from alovoice_cli.errors import CheckFailedError, UsageError

FIRST = date(2026, 11, 24)


def _draft(days: int) -> CampaignDraft:
    zone = timezone(timedelta(hours=5))
    window = Window(FIRST, FIRST + timedelta(days=days - 1), time(10), time(19, 59), zone)
    return CampaignDraft("Куз", window, ("712037006",))


def _contents(pieces: list[CampaignPart]) -> list[list[list[str]]]:
    read = []
    for piece in pieces:
        read.append(list(csv.reader(io.StringIO(piece.people.file.read().decode(), newline=""), delimiter=";")))
    return read


@given(
    names=st.lists(st.text("aў'\";,\n ", max_size=6), min_size=1, max_size=30),
    size=st.integers(1, 12),
    header=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@examples(60)
def test_every_row_is_in_one_part_in_its_order(names: list[str], size: int, header: bool, encoding: str) -> None:
    rows = [[f"99890{number:07}", name] for number, name in enumerate(names)]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([["phone", "ism"], *rows] if header else rows)
    people = io.BytesIO(text.getvalue().encode(encoding))
    pieces = split(_draft(30), people, SplitLayout(encoding, ";", (0,), header), size)
    parts = _contents(pieces)
    heading = [["phone", "ism"]] if header else []
    assert all(part[: len(heading)] == heading for part in parts)
    bodies = [part[len(heading) :] for part in parts]
    assert [row for body in bodies for row in body] == rows
    assert [len(body) for body in bodies[:-1]] == [size] * (len(bodies) - 1)
    assert not people.closed
    days = [(piece.draft.window.first, piece.draft.window.last) for piece in pieces]
    assert days == [(FIRST + timedelta(days=number),) * 2 for number in range(len(pieces))]
    assert [piece.draft.name for piece in pieces] == [f"Куз {part + 1}/{len(pieces)}" for part in range(len(pieces))]


def test_days_that_are_too_few_are_named_before_anything_is_sent() -> None:
    people = io.BytesIO(b"998901234567\n" * 5)
    with pytest.raises(
        CheckFailedError, match="makes 3 campaigns of one day each, but --from and --to give 2 days"
    ) as caught:
        split(_draft(2), people, SplitLayout("utf-8", ",", (0,), False), 2)
    assert "--to 2026.11.26" in caught.value.hint


@pytest.mark.parametrize(("text", "size"), [("500/day", 500), (" 1 / Day ", 1), ("20/d", 20)])
def test_a_split_is_people_a_day(text: str, size: int) -> None:
    assert parse_split(text) == size


@pytest.mark.parametrize("text", ["", "500", "0/day", "-1/day", "500/hour", "1.5/day"])
def test_what_is_no_split_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="recipients per day"):
        parse_split(text)


def _numbers(rows: str, *columns: int) -> tuple[int, ...]:
    (part,) = split(_draft(1), io.BytesIO(rows.encode()), SplitLayout("utf-8", ";", columns, True), 100)
    return tuple(part.numbers)


def test_the_numbers_of_a_part_are_listed_whole_and_once() -> None:
    rows = "имя;тел\na;90 123-45-67\nb;+998901234567\n\nc;12\nd\ne;998912345678\n"
    assert _numbers(rows, 1) == (998901234567, 998912345678)


def test_the_numbers_of_all_chosen_columns_are_listed() -> None:
    assert _numbers("дом;моб\n901234567;901112233\n;90 123-45-67\n", 0, 1) == (998901234567, 998901112233)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("9О1234567", ("998901234567",)),
        ("8 90 123-45-67", ("998901234567",)),
        ("+7 912 345-67-89", ("79123456789",)),
        ("90123456", ()),
        ("9,98901E+11", ()),
        ("901234567/8", ()),
    ],
)
def test_what_the_check_reads_as_a_number_is_remembered_as_called(cell: str, numbers: tuple[str, ...]) -> None:
    assert tuple(map(str, _numbers(f"имя;тел\na;{cell}\n", 1))) == numbers

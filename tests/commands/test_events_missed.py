"""`events missed`: whom to call back, since when they wait, and who missed them."""

import json
from typing import Any

from event_rows import Rows, ago
from front_door import FrontDoor


def _missed(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    done = alovoice("events", "missed", "--json", *words)
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)
    return found


def test_a_ring_group_that_somebody_answered_owes_nobody_a_call(alovoice: FrontDoor, rows: Rows) -> None:
    at = int(ago(minutes=30))
    rows.call(at, status="304", peer=101, duration=2)
    rows.call(at - 5, status="200", peer=102)
    rows.call(at, status="304", peer=103, duration=3)
    assert [row["ring_group"] for row in _missed(alovoice)] == [True, True]
    assert _missed(alovoice, "--not-returned") == []
    told = alovoice("events", "missed", "--not-returned")
    assert (
        "2 missed calls (not answered (304): 2); 0 callers not contacted yet; "
        "2 calls answered on another extension of their ring group" in told.err
    )
    assert [line.split("\t")[4] for line in alovoice("events", "missed").out.splitlines()[1:]] == ["by 102", "by 102"]


def test_hidden_callers_are_counted_and_never_listed_to_be_called_back(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=9), "anonymous", status="304")
    rows.call(ago(minutes=8), "anonymous", status="304")
    rows.call(ago(minutes=7), "901234567", status="304")
    assert [row["number"] for row in _missed(alovoice, "--not-returned")] == ["998901234567"]
    assert len(_missed(alovoice)) == 3
    told = alovoice("events", "missed", "--not-returned").err
    assert "3 missed calls (not answered (304): 3); 1 caller not contacted yet; 2 calls with a hidden number" in told


def test_who_waits_longer_than_a_span_is_known_from_their_first_missed_call(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=90), "901111111", status="304", duration=0)
    rows.call(ago(minutes=5), "901111111", status="304", duration=0)
    rows.call(ago(minutes=20), "902222222", status="304", duration=0)
    (first, second) = _missed(alovoice, "--not-returned")
    assert (first["number"], first["waited_minutes"]) == ("998901111111", None)
    assert 90 <= first["waiting_minutes"] <= 95
    assert 20 <= second["waiting_minutes"] <= 25
    assert [row["number"] for row in _missed(alovoice, "--not-returned", "--older-than", "45m")] == ["998901111111"]
    assert _missed(alovoice, "--not-returned", "--older-than", "3h") == []
    assert alovoice("events", "missed", "--older-than", "soon").code == 2


def test_the_minutes_until_the_call_back_are_from_the_end_of_the_missed_call(alovoice: FrontDoor, rows: Rows) -> None:
    at = int(ago(minutes=60))
    rows.call(at, status="304", duration=30)
    rows.call(at + 750, direction="out", status="486")
    rows.call(at + 930, direction="out", status="200")
    (row,) = _missed(alovoice)
    assert (row["returned"], row["waited_minutes"], row["waiting_minutes"]) == ("called back", 15, None)
    assert alovoice("events", "missed", "--columns", "waited").out.splitlines()[1] == "15 min 00 s"


def test_extensions_have_the_names_of_the_profiles_file(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=9), status="304", peer=101)
    rows.call(ago(minutes=8), "902222222", status="486", peer=102)
    names = alovoice.home / "names.csv"
    names.write_text("101;Дилноза Каримова\n", "utf-8")
    assert alovoice("config", "set", "peer_names", str(names)).code == 0
    assert [(row["peer"], row["peer_name"]) for row in _missed(alovoice)] == [
        ("102", None),
        ("101", "Дилноза Каримова"),
    ]
    assert alovoice("events", "missed", "--columns", "peer").out == "peer\n102\n101 Дилноза Каримова\n"
    assert "Дилноза" in alovoice("events", "missed", terminal=True).out
    names.write_text("101;Дилноза\nx;y\n", "utf-8")
    told = alovoice("events", "missed", "--columns", "peer")
    assert (told.code, told.out) == (0, "peer\n102\n101\n")
    assert "names of extensions are missing: " in told.err
    assert "row 2" in told.err

"""One reader of phone numbers: the same spelling is the same person in lists, rules, events and single calls."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phonenumbers
import pytest
from event_rows import Rows
from front_door import FrontDoor
from hypothesis import example, given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events.hiding import Hiding
from alovoice_cli.phones import canonical, is_dialable, key_of_number, numbers_in, read_cell, spelled
from alovoice_cli.phones.plan import OPEN_NETWORKS, kind_by_library
from alovoice_cli.routing.numbers import Number, NumberSet, doubt_about, key_of, prefix_of
from alovoice_cli.stores.event_engine import opened, writing

KEY = "998902220010"
DIGITS = ("998902220010", "+998902220010", "902220010", "8902220010", "0902220010", "00998902220010", "810998902220010")
SPELLINGS = (
    *DIGITS,
    "8 90 222-00-10",
    "+998 (90) 222 00 10",
    "8 10 998 90 222 00 10",
    "&#43;998902220010",
    "%2B998902220010",
    "sip:+998902220010@10.0.0.5",
    "<sip:902220010@pbx.example.uz;user=phone>",
    "tel:+998902220010",
    "p:+998902220010",
    "тел. 90 222 00 10",
    '"Anvar" <902220010>',
    "998902220010 (complained)",
    "998902220010.0",
    "+998902220010\\ud83d",
    "\u200e902220010\u200f",
)
"""As files, rules and events have it; one row each, for one person."""

DRESSES = (
    "{}",
    " {} ",
    "p:{}",
    "тел. {}",
    "тел.{}",
    "моб.: {}",
    "tel:{}",
    "Anvar {}",
    "{} (complained)",
    "\"Anvar O'g'li\" <{}>",
    ":::{}:::",
    "{};",
    "{}, Али",
    "Али - {}",
    "{} не звонить с 25.04.2025",
    "25.04.2025 10:30 {}",
    "«{}»",
    "[{}]",
    "WhatsApp {} ✅",
    "{}\n{}",
    "ok|{}|STOP",
    "https://wa.me/{}",
    "name=Anvar; phone={}",
    "Ўктам ака {} қўнғироқ қилманг",
    "кв. 12, {}",
    "отказ, сумма 50 000 сум, {}",
)
PLAIN_FORMS = ("{}", "+{}", "00{}")
HOME = st.builds(
    lambda network, rest: 998 * 10**9 + network * 10**7 + rest,
    st.sampled_from(sorted(OPEN_NETWORKS)),
    st.integers(0, 10**7 - 1),
)


@pytest.mark.parametrize("text", [*SPELLINGS, "+998902220010\ud83d", "+998902220010 (доб. 12)", "902220010;ext=12"])
def test_a_spelling_has_the_key_of_the_plain_number(text: str) -> None:
    assert canonical(text) == KEY
    assert [key_of_number(number) for number in numbers_in(text)] == [KEY]
    assert is_dialable(text)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_rule_knows_a_caller_in_any_spelling(text: str) -> None:
    assert NumberSet([key_of(text)]).has(Number.of(KEY))
    assert NumberSet([key_of(KEY)]).has(Number.of(text))


@pytest.mark.parametrize(
    "text",
    [
        *("", "anonymous", "10.0.0.5", "25.04.2025", "2025-04-25 10:00", "901234567, 911234567", "901234567911234567"),
        *("ali998901234567@mail.uz", "https://crm.uz/lead/998901234567", "ID 901234567", "901234567 сум", "$901234567"),
        *("550e8400-e29b-41d4-a716-446655440000", "9.98901E+11", "AB901234567", "20208 000 9 01234567 001", "кв 12"),
    ],
)
def test_what_holds_no_number_or_several_has_no_key(text: str) -> None:
    assert canonical(text) == ""
    assert read_cell(text).number == 0


@pytest.mark.parametrize(
    ("text", "key"), [("2005", "2005"), ("20-05", "2005"), ("sip:101@pbx", "101"), ("+103", "103")]
)
def test_the_pbx_s_own_short_numbers_stay(text: str, key: str) -> None:
    assert (canonical(text), is_dialable(text)) == (key, True)


@pytest.mark.parametrize("text", ["1", "203700", "101234567", "998101234567", "+71111111111", "89055550011", "", "Ali"])
def test_what_no_telephone_plan_knows_is_not_dialable(text: str) -> None:
    assert not is_dialable(text)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Ali 901234567, 911234567", "two_numbers"),
        ("Ali 901234567 доб 12", "extension"),
        ("+998901234567 (доб. 12)", "extension"),
        ("Ali 901234567/8", "variants"),
        ("1. 901234567", "too_long"),
        ("901234567.50", "too_long"),
        ("90 123 45 67 89", "too_long"),
    ],
)
def test_a_number_beside_digits_that_may_belong_to_it_is_no_reading(cell: str, code: str) -> None:
    assert (read_cell(cell).number, read_cell(cell).code) == (0, code)


def test_a_number_that_is_there_twice_is_one() -> None:
    verdict = read_cell("901234567, +998 90 123-45-67")
    assert (verdict.number, verdict.remark) == (998901234567, "text_around")


@examples(60)
@given(HOME, st.sampled_from(DRESSES), st.sampled_from(PLAIN_FORMS))
def test_a_number_is_found_in_any_dress(number: int, dress: str, form: str) -> None:
    cell = dress.replace("{}", "{}" if "wa.me" in dress else form).replace("{}", str(number))
    assert list(numbers_in(cell)) == [number]
    assert read_cell(cell).number == number
    assert list(numbers_in(f"{cell} 2-подъезд")) == [number]  # beside digits, which a list would have to be asked about


@examples(60)
@given(HOME, HOME, st.sampled_from(DRESSES), st.sampled_from((" ", ", ", "; ", "\n", " / ", " и ")))
def test_two_numbers_are_never_one(first: int, second: int, dress: str, between: str) -> None:
    cell = dress.format(f"+{first}", f"+{first}") + between + f"+{second}"
    assert set(numbers_in(cell)) == {first, second}
    assert canonical(cell) == (key_of_number(first) if first == second else "")


@examples(150)
@given(st.text(max_size=40) | st.text(alphabet="+0123456789 ()-.,;/@:доб#xEОsip\xa0\ud83d", max_size=40))
@example("+376712345")
@example("00376712345")
@example("+8802123456")
@example("+4402079460958")
def test_any_text_has_a_stable_key(text: str) -> None:
    key = canonical(text)
    assert key == "" or (key.isascii() and key.isdigit())
    assert canonical(key) == key
    assert read_cell(text).code
    for number in numbers_in(text):
        assert list(numbers_in(spelled(number))) == [number]
        assert canonical(spelled(number)) == key_of_number(number)


def test_a_long_cell_is_read() -> None:
    for filling in ("9", "a", "90 ", "ext ", "+", "wa.me/", "1.", "@a", "12:3"):
        list(numbers_in(filling * (2_000 // len(filling))))
        read_cell(filling * (2_000 // len(filling)))


def test_the_open_networks_are_those_of_the_library() -> None:
    data = phonenumbers.PhoneMetadata.metadata_for_region("UZ")
    assert data is not None
    for network in range(100):
        kinds = {kind_by_library(network * 1000 + rest) for rest in range(1000)}
        told = None if "" in kinds else kinds.pop() if len(kinds) == 1 else ""
        assert OPEN_NETWORKS.get(network) == told, f"{network}: run again with the library's new data"


def test_a_plain_number_is_judged_without_the_library() -> None:
    code = (
        "import sys; from alovoice_cli.phones import is_dialable, canonical, read_cell;"
        "assert is_dialable('+998901234567') and read_cell('901234567').code == 'mobile';"
        "assert 'alovoice_cli.phones.search' not in sys.modules;"
        "assert canonical('8 71 203-70-06') and read_cell('+998 (71) 203-70-06').code == 'landline';"
        "assert 'phonenumbers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- through the commands ------------------------------------------------------------------------------------------


def test_a_list_of_all_spellings_is_one_person(alovoice: FrontDoor) -> None:
    rows = "".join('"{}"\n'.format(text.replace('"', '""')) for text in SPELLINGS)
    (alovoice.home / "people.csv").write_text("phone\n" + rows, "utf-8")
    result = alovoice("numbers", "check", "people.csv", "--json")
    found = json.loads(result.out)["recipients"]
    assert (found["good"], found["duplicate"], found["invalid"]) == (1, len(SPELLINGS) - 1, 0)


def _rules(home: Path, blocked: str, entries: str = "") -> None:
    (home / "blocked.csv").write_text("phone\n" + blocked, "utf-8")
    (home / "rules.toml").write_text(
        'fallback = { queue = "6000" }\n[lists]\nblocked = { file = "blocked.csv", column = "phone" }\n'
        f'[[rule]]\nname = "blocked"\nwhen = {{ from = ["@blocked"{entries}] }}\nthen = {{ hangup = true }}\n',
        "utf-8",
    )


def _is_blocked(alovoice: FrontDoor, caller: str) -> bool:
    result = alovoice("route", "test", "rules.toml", "--from", caller, "--json")
    return bool(json.loads(result.out)["action_type"] == "hangup")


BLOCKED = """+998 (90) 555-00-01
8 90 555 00 02
00998905550003
810998905550004
8905550005
998905550006
90 555-00-09
+7 905 555 00 10
89055550011
0905550012
"""


def test_whoever_is_blocked_in_any_spelling_does_not_get_through(alovoice: FrontDoor) -> None:
    _rules(alovoice.home, BLOCKED)
    callers = [f"+9989055500{n:02}" for n in (1, 2, 3, 4, 5, 6, 9, 12)]
    assert all(_is_blocked(alovoice, caller) for caller in [*callers, "+79055550010"])
    assert not _is_blocked(alovoice, "+998905550011")


def test_who_can_be_no_caller_is_a_warning(alovoice: FrontDoor) -> None:
    _rules(alovoice.home, BLOCKED, ', "998101234567", "2005"')
    result = alovoice("route", "check", "rules.toml", "--json")
    found = [item for item in json.loads(result.out)["findings"] if item["code"] == "no-caller"]
    assert [(Path(item["file"]).name, item["line"], item["severity"]) for item in found] == [
        ("blocked.csv", 10, "warning"),
        ("rules.toml", 6, "warning"),
    ]
    assert alovoice("route", "check", "rules.toml", "--strict").code == 8


@pytest.mark.parametrize(
    ("prefix", "read_as"),
    [
        *(
            ("0099871*", "+99871"),
            ("81099871*", "+99871"),
            ("+998 71*", "+99871"),
            ("0871*", "+998871"),
            ("071*", "+99871"),
        ),
        *(("890*", "+99890"), ("71*", "71"), ("99871*", "99871"), ("88*", "88"), ("24*", "24"), ("007495*", "+7495")),
    ],
)
def test_a_prefix_is_read_as_a_number_is_dialled(prefix: str, read_as: str) -> None:
    assert prefix_of(prefix) == read_as


@pytest.mark.parametrize("prefix", ["871*", "+99810*", "99810*", "00*", "861*"])
def test_a_prefix_of_other_callers_than_it_seems_is_doubted(prefix: str) -> None:
    assert doubt_about(prefix)


@pytest.mark.parametrize("prefix", ["99871*", "71*", "0099871*", "90*", "2*", "+7495*", "86*", "+99*", "998*"])
def test_a_prefix_of_callers_is_not_doubted(prefix: str) -> None:
    assert doubt_about(prefix) == ""


@pytest.mark.parametrize("back", SPELLINGS)
def test_a_caller_called_back_in_another_spelling_is_owed_no_call(
    alovoice: FrontDoor, tmp_path: Path, back: str
) -> None:
    rows = Rows(tmp_path / "events.db")
    now = datetime.now(UTC)
    rows.call(now - timedelta(hours=2), "+998902220010", status="304", duration=0)
    rows.call(now - timedelta(hours=1), back, direction="out")
    result = alovoice("events", "missed", "--not-returned", "--json", "--store", rows.url)
    assert (result.code, result.out.strip()) == (0, "[]")


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("+998902220010 (доб. 12)", KEY),
        ("&#43;998902220010", KEY),
        ("sip:+998902220010@10.0.0.5", KEY),
        ("+998902220010\ud83d", KEY),
        (902220010, KEY),
        (2005, "2005"),
        ("anonymous", "anonymous"),
        ("10.0.0.5 / 25.04.2025", "10.0.0.5 / 25.04.2025"),
    ],
)
def test_an_event_has_the_number_and_no_glued_digits(tmp_path: Path, told: object, number: str) -> None:
    rows = Rows(tmp_path / "events.db")
    event = rows.deliver("callstart", 1_745_571_727, {"number": told, "line": "712037006", "type": "inc"})
    assert [fact.number for fact in event.facts] == [number]


def test_a_store_of_an_older_version_has_its_numbers_read_anew(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "events.db")
    rows.call(1_745_571_727, "8 90 222-00-10", line="00998712037006", call_id="glued")
    rows.call(1_745_571_800, "anonymous", call_id="hidden")
    with opened(rows.url) as connection, writing(connection):
        for table in ("fact", "call"):
            glued = f"UPDATE {table} SET number = '8902220010', line = '00998712037006' WHERE number = ?"
            connection.execute(glued, (KEY,))
        connection.execute("UPDATE schema_version SET version = 1")
    with opened(rows.url) as connection:
        calls = connection.execute("SELECT number, line FROM call ORDER BY call_id").fetchall()
        facts = connection.execute("SELECT number FROM fact WHERE type = 'callstart'").fetchall()
    assert calls == [(KEY, "998712037006"), ("anonymous", "998712037006")]
    assert facts == [(KEY,), ("anonymous",)]


@pytest.mark.parametrize("number", DIGITS)
def test_a_single_call_is_noted_under_the_number_s_key(alovoice: FrontDoor, number: str) -> None:
    assert alovoice("call", "out", "--from", "2424", "--to", number, "-p", "sandbox").code == 0
    (receipt,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    assert receipt["numbers"] == [KEY]


def test_what_has_no_key_is_hidden_in_an_export_all_the_same() -> None:
    shown = Hiding(b"key").number("901234567, 911234567")
    assert "901234567" not in shown
    assert "•" in shown

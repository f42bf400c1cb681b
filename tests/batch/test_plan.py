"""Rows become steps: what they say, not where they stand."""

import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.batch.plan import ANALYSIS, CONFERENCE, IVR, OUT, BatchForm, BatchPlan, Planner, parse_map
from alovoice_cli.batch.table import read_table
from alovoice_cli.errors import CheckFailedError, UsageError


def _plan(
    text: str, form: BatchForm = OUT, *mapped: str, profile: str = "p", encoding: str = "utf-8", **defaults: str
) -> BatchPlan:
    planner = Planner(form, profile, parse_map(mapped, form), defaults)
    return planner.plan(read_table(io.BytesIO(text.encode(encoding)), "list", planner.knows))


def _payloads(plan: BatchPlan) -> list[object]:
    return [dict(step.payload) for step in plan.rows]


def _keys(plan: BatchPlan) -> list[str]:
    return [step.key for step in plan.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_excels_delimiters_and_encodings_are_read(delimiter: str, encoding: str) -> None:
    text = "\r\n".join(
        delimiter.join(row) for row in (["Клиент", "Номер", "inner_phone"], ["Али", "901234567", "2424"])
    )
    plan = _plan(text, OUT, "number=Номер", encoding=encoding)
    assert _payloads(plan) == [{"inner_phone": "2424", "number": "901234567"}]
    assert plan.ignored == ("Клиент",)


def test_the_options_own_spellings_are_headings() -> None:
    for heading in ("--inner-phone", "Inner phone", "inner_phone", "from"):
        assert _payloads(_plan(f"{heading},to\n7,901234567\n")) == [{"inner_phone": "7", "number": "901234567"}]


def test_options_on_the_command_line_are_defaults_for_rows_that_do_not_say_it() -> None:
    plan = _plan("number,inner_phone\n901234567,\n901234568,8\n", inner_phone="7")
    assert [step.payload["inner_phone"] for step in plan.rows] == ["7", "8"]


def test_a_conference_rings_several_in_turn() -> None:
    plan = _plan('callfrom,callto\n712037006:uz,"994412860:ru 977076909"\n', CONFERENCE)
    assert _payloads(plan) == [
        {
            "callfrom": {"phone": "712037006", "lang": "uz"},
            "callto": [{"phone": "994412860", "lang": "ru"}, {"phone": "977076909"}],
        }
    ]
    assert plan.rows[0].numbers == ("998712037006", "998994412860", "998977076909")
    lines = json.dumps({"from": "712037006", "to": ["994412860:ru", "977076909"]})
    assert _plan(lines, CONFERENCE).rows[0].payload["callto"] == plan.rows[0].payload["callto"]


def test_a_conference_connects_to_phones_or_to_a_queue() -> None:
    with pytest.raises(CheckFailedError, match="row 2"):
        _plan("callfrom,queue,callto\n712037006,6000,994412860\n", CONFERENCE)
    assert _payloads(_plan("callfrom,queue\n712037006,6000\n", CONFERENCE))[0] == {
        "callfrom": {"phone": "712037006"},
        "queue": "6000",
    }


def test_a_row_is_known_by_what_it_says() -> None:
    plain = _plan("number\n901234567\n901234568\n", inner_phone="7")
    spelled = _plan("name;to;inner_phone\nx;+998 90 123-45-68;7\n;(90) 1234567;7\n", inner_phone="9")
    assert sorted(_keys(plain)) == sorted(_keys(spelled))
    for other in (
        _plan("number\n901234567\n901234568\n", inner_phone="8"),
        _plan("number\n901234567\n901234568\n", profile="q", inner_phone="7"),
        _plan("number,user_id\n901234567,1\n901234568,1\n", inner_phone="7"),
    ):
        assert not set(_keys(plain)) & set(_keys(other))


@examples(40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_keys_are_those_of_the_rows_whatever_their_order(picks: list[int], chance: random.Random) -> None:
    rows = [f"90123456{pick}" for pick in picks]
    keys = _keys(_plan("\n".join(["number", *rows]), inner_phone="7"))
    chance.shuffle(rows)
    assert sorted(_keys(_plan("\n".join(["number", *rows]), inner_phone="7"))) == sorted(keys)
    assert len(set(keys)) == len(rows), "equal rows are different steps"


@examples(60)
@given(st.text(max_size=60))
def test_no_text_is_a_fault_of_ours(text: str) -> None:
    try:
        plan = _plan(text.encode("utf-8", "replace").decode(), inner_phone="7")
    except (UsageError, CheckFailedError):
        return
    assert all(step.numbers for step in plan.rows)


def test_of_a_call_an_analysis_is_asked_for_once() -> None:
    plan = _plan("call_id\n1\n2\n1\n", ANALYSIS)
    assert ([step.our_id for step in plan.rows], plan.repeated) == (["1", "2"], 1)
    with pytest.raises(CheckFailedError, match="row 2"):
        _plan("call_id\n../../x\n", ANALYSIS)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("number,inner_phone\n901234567,7\n12,7\n", "row 3, column 1"),
        ("number,inner_phone\n901234567,\n", "row 2, column 2"),
        ("number,inner_phone\n901234567,7\n'901234567/8',7\n", "row 3"),
        ('{"number": "901234567", "inner_phone": 7}\n{"number": "", "inner_phone": 7}\n', "row 2"),
    ],
)
def test_a_row_that_cannot_be_sent_is_named_by_its_place(text: str, where: str) -> None:
    with pytest.raises(CheckFailedError, match=where):
        _plan(text)


def test_all_bad_rows_are_told_and_the_many_counted() -> None:
    with pytest.raises(CheckFailedError) as told:
        _plan("number\n" + "12\n" * 30, inner_phone="7")
    assert "row 12" in told.value.detail
    assert "19 more" in told.value.detail


@pytest.mark.parametrize("cell", ["9.98901E+11", "9,98901E+11"])
def test_what_a_spreadsheet_has_damaged_is_no_usable_file(cell: str) -> None:
    with pytest.raises(CheckFailedError, match="row 2"):
        _plan(f"number;name\n{cell};A\n", inner_phone="7")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "number\n",
        "number,number\n1,2\n",
        "number,to,inner_phone\n901234567,901234568,7\n",
        "number,name\n901234567,1,2\n",
        '{"number": 1',
        "{]",
        '{"number": {"a": 1}}',
        '{"number": true}',
        'number\n"9012\n',
    ],
)
def test_what_is_no_list_is_said(text: str) -> None:
    with pytest.raises(CheckFailedError if text else UsageError):
        _plan(text, inner_phone="7")


def test_a_map_names_options_of_the_command() -> None:
    assert parse_map(["from=Линия", "callto=Кому"], CONFERENCE) == {"callfrom": "Линия", "callto": "Кому"}
    for word in ("number", "number=", "nosuch=x", "=x"):
        with pytest.raises(UsageError):
            parse_map([word], IVR)

"""Rows become steps: what they say, not where they stand."""

import io
import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.batch.plan import ANALYSIS, CONFERENCE, IVR, OUT, BatchForm, BatchPlan, Planner, parse_map
from alovoice_cli.batch.table import read_table
from alovoice_cli.errors import CheckFailedError, UsageError

IVR_ROW = {"callto": "901234567", "ivrid": "5", "fromline": "712037006", "lang": "ru", "extid": "x1"}
CONFERENCE_ROW = {"callfrom": "901234567:uz", "callto": ["901234568", "901234569:ru"], "extid": "x1"}


def _plan(
    text: str,
    form: BatchForm = OUT,
    *mapped: str,
    profile: str = "p",
    encoding: str = "utf-8",
    **defaults: str | Sequence[str],
) -> BatchPlan:
    planner = Planner(form, profile, parse_map(mapped, form), defaults)
    return planner.plan(read_table(io.BytesIO(text.encode(encoding)), "list", planner.knows))


def _refusal(text: str, form: BatchForm = OUT, *mapped: str, **defaults: str) -> tuple[str, str, str]:
    """Returns message, hint and detail of the error."""
    with pytest.raises(CheckFailedError) as told:
        _plan(text, form, *mapped, **defaults)
    return told.value.message, told.value.hint, told.value.detail


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
    for heading in ("--inner-phone", "Inner phone", "inner_phone", " inner _PHONE ", "from"):
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


@pytest.mark.parametrize(
    ("form", "row", "changes"),
    [
        (IVR, IVR_ROW, [{"callto": "901234568"}, {"ivrid": "6"}, {"fromline": "712037007"}, {"lang": "uz"}]),
        (IVR, IVR_ROW, [{"lang": None}, {"extid": "x2"}, {"extid": None}]),
        (CONFERENCE, CONFERENCE_ROW, [{"callfrom": "901234567:ru"}, {"callfrom": "901234570:uz"}, {"extid": "x2"}]),
        (CONFERENCE, CONFERENCE_ROW, [{"callto": ["901234568"]}, {"callto": ["901234569:ru", "901234568"]}]),
    ],
)
def test_rows_that_say_different_things_have_different_keys(
    form: BatchForm, row: dict[str, object], changes: list[dict[str, object]]
) -> None:
    keys = [_keys(_plan(json.dumps({**row, **change}), form))[0] for change in ({}, *changes)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("form", "row", "change"),
    [
        (IVR, IVR_ROW, {"callto": "+998 90 123-45-67", "fromline": "998712037006", "lang": "RU", "ivrid": " 5 "}),
        (CONFERENCE, CONFERENCE_ROW, {"callfrom": "tel:+998901234567:UZ"}),
    ],
)
def test_every_spelling_of_a_row_has_one_key(
    form: BatchForm, row: dict[str, object], change: dict[str, object]
) -> None:
    assert _keys(_plan(json.dumps({**row, **change}), form)) == _keys(_plan(json.dumps(row), form))


def test_a_row_has_the_key_that_it_has_in_the_journals_of_earlier_versions() -> None:
    """With another key the row would be a new one, and its call would be placed a second time."""
    assert _keys(_plan(json.dumps(IVR_ROW), IVR)) == [
        "db417b7696833f5b9d9283bf0812ce780bdbcb7f9e65c43f30ad9cf39725d47a"
    ]
    assert _keys(_plan(json.dumps(CONFERENCE_ROW), CONFERENCE)) == [
        "08c0fcb5fd07cf911be5ff8991fc56597fedd4c4377614636793c2177f13cffc"
    ]


def test_a_row_knows_its_line_its_cells_and_our_id() -> None:
    (_, second) = _plan("number,inner_phone,call_id\n901234567,7,a1\n(90) 1234568,7,\n").rows
    assert (second.line, second.our_id) == (3, "")
    assert second.cells == {"number": "(90) 1234568", "inner_phone": "7", "call_id": ""}
    assert _plan("number,inner_phone,call_id\n901234567,7,a1\n").rows[0].our_id == "a1"
    assert _plan(json.dumps(IVR_ROW), IVR).rows[0].our_id == "x1"


def test_a_cell_of_blanks_is_empty_and_a_key_without_a_name_is_no_field() -> None:
    assert _payloads(_plan("number,inner_phone,user_id\n901234567,7,  \n")) == [
        {"inner_phone": "7", "number": "901234567"}
    ]
    assert _payloads(_plan('{"": "5", "number": "901234567", "inner_phone": "7"}')) == [
        {"inner_phone": "7", "number": "901234567"}
    ]


def test_the_parties_of_a_conference_may_be_the_same_for_all_rows() -> None:
    for parties in ("994412860:ru", ["994412860:ru"]):
        assert _payloads(_plan("callfrom\n712037006\n", CONFERENCE, callto=parties)) == [
            {"callfrom": {"phone": "712037006"}, "callto": [{"phone": "994412860", "lang": "ru"}]}
        ]


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


@pytest.mark.parametrize(
    ("text", "defaults", "message", "hint"),
    [
        (
            "number,inner_phone\n12,7\n",
            {},
            "list, row 2, column 1 (number): '12': the number is too short",
            "write it with its operator or city code: 9 digits, or 998 and 9 digits",
        ),
        (
            "number,inner_phone\n901234567, \n",
            {},
            "list, row 2, column 2 (inner_phone): the cell is empty",
            "fill it in",
        ),
        ('{"number": "901234567", "from": ""}', {}, "list, row 1, from: the cell is empty", "fill it in"),
        (
            "number\n901234567\n",
            {"inner_phone": " "},
            "list, row 2, inner_phone: the cell is empty",
            "fill it in",
        ),
        (
            "number\n901234567\n",
            {"inner_phone": "a b"},
            "list, row 2, --inner-phone: 'a b' is not a number of the PBX",
            "see `alovoice peers`, or the web console",
        ),
        (
            "number,from\n901234567,9.98901E+11\n",
            {},
            "list, row 2, column 2 (from): '9.98901E+11': a spreadsheet has rounded the number",
            "its digits are lost: format the column as text, enter the numbers again, save as CSV UTF-8",
        ),
    ],
)
def test_a_bad_cell_is_told_with_its_place_and_what_to_do(
    text: str, defaults: dict[str, str], message: str, hint: str
) -> None:
    assert _refusal(text, OUT, **defaults) == (f"{message}: nothing was sent", hint, "")


def test_fields_that_contradict_each_other_are_told_with_their_row() -> None:
    assert _refusal("callfrom,queue,callto\n712037006,6000,994412860\n", CONFERENCE) == (
        "list, row 2: the row must name whom to connect, once: nothing was sent",
        "give either callto or queue",
        "",
    )


def test_all_bad_rows_are_told_and_the_many_counted() -> None:
    _, _, detail = _refusal("number\n" + "12\n" * 30, inner_phone="7")
    told = [f"list, row {row}, column 1 (number): '12': the number is too short" for row in range(3, 13)]
    assert detail.splitlines() == [*told, "and 19 more rows"]
    assert _refusal("number\n" + "12\n" * 11, inner_phone="7")[2].splitlines() == told


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
    assert parse_map(["from= a=b "], CONFERENCE) == {"callfrom": "a=b"}
    for word in ("callto", "callto=", "callto= ", "nosuch=x", "=x"):
        with pytest.raises(UsageError) as told:
            parse_map([word], IVR)
        assert told.value.hint == "write it as OPTION=COLUMN; options: callto, ivrid, fromline, lang, extid"


def test_a_mapped_column_counts_before_one_with_the_fields_own_name() -> None:
    text = "number,Second phone,from\n901234567,901234568,7\n"
    for heading in ("Second phone", "second_phone"):
        plan = _plan(text, OUT, f"number={heading}")
        assert (plan.rows[0].numbers, plan.ignored) == (("998901234568",), ("number",))
    assert _plan("Tel,tel,from\n901234567,901234568,7\n", OUT, "number=tel").rows[0].numbers == ("998901234568",)
    assert _refusal("Tel,TEL,from\n901234567,901234568,7\n", OUT, "number=tel") == (
        "list: several columns can be number: Tel, TEL",
        "choose one with --map",
        "",
    )


def test_a_column_that_is_missing_is_told() -> None:
    assert _refusal("name,number\nA,901234567\n") == (
        "list has no column 'inner_phone'",
        "its first row is name · number; name a column with --map inner_phone=COLUMN,"
        " or give --inner-phone for all rows",
        "",
    )
    for name in ("number", "user_id"):
        assert _refusal("number,from\n901234567,7\n", OUT, f"{name}=tel") == (
            "list has no column 'tel'",
            f"its first row is number · from; name a column with --map {name}=COLUMN",
            "",
        )


def test_a_planner_knows_the_columns_that_it_uses() -> None:
    planner = Planner(OUT, "p", {"number": "Телефон"}, {})
    assert [planner.knows(heading) for heading in (" Телефон ", "Inner phone", "Имя")] == [True, True, False]

"""Calls on request, and what becomes of their recordings."""

from typing import Any

import pytest

from alovoice_cli.stores.pbx import CallRow, PbxStore

from .conftest import Mounted

CONFERENCE = {"callfrom": {"phone": "712037006"}, "callto": [{"phone": "994412860"}, {"phone": "977076909"}]}


def found_call(pbx: Mounted, key: str) -> CallRow:
    """The call of this id, which is there."""
    found = PbxStore(pbx.path).find_call(key)
    assert found is not None
    return found


def conference(pbx: Mounted, key: str | int, **more: Any) -> Any:
    return pbx.ask("POST", "/requestcall/{token}", json={**CONFERENCE, "extid": key, **more})


def test_ids_count_up_and_the_callers_id_comes_back(pbx: Mounted) -> None:
    answers = [conference(pbx, key).json() for key in ("1", "", 77)]
    assert answers == [
        {"result": True, "id": 1, "extid": "1"},
        {"result": True, "id": 2, "extid": ""},
        {"result": True, "id": 3, "extid": "77"},
    ]


def test_the_called_are_rung_in_turn_until_one_answers(pbx: Mounted) -> None:
    for key in range(60):
        conference(pbx, str(key))
    calls = [found_call(pbx, str(key)) for key in range(60)]
    seen = {tuple(leg["dialstatus"] == "ANSWER" for leg in call.legs) for call in calls}
    assert seen == {(False,), (True, True), (True, False, True), (True, False, False)}
    for call in calls:
        assert call.answered == (len(call.legs) > 1 and call.legs[-1]["dialstatus"] == "ANSWER")


def test_an_answered_call_has_a_recording_and_an_unanswered_one_has_none(pbx: Mounted) -> None:
    seen = set()
    for key in map(str, range(500, 530)):
        number = conference(pbx, key).json()["id"]
        answered = found_call(pbx, key).answered
        for call_id in (key, str(number)):
            for path in (f"/callsendai/{{token}}/{call_id}", f"/callgetaireresult/{{token}}/{call_id}"):
                assert pbx.ask("GET", path).status_code == (200 if answered else 404)
            assert pbx.ask("GET", f"/stereo/{call_id}").status_code == (200 if answered else 404)
        seen.add(answered)
    assert seen == {True, False}


def test_the_same_call_asked_for_again_goes_the_same_way(pbx: Mounted) -> None:
    conference(pbx, "55")
    first = found_call(pbx, "55")
    conference(pbx, "55")
    again = found_call(pbx, "55")
    assert (first.id, again.id) == (1, 2)
    assert first.legs == again.legs


def test_a_call_out_rings_the_extension_first_which_picks_up(pbx: Mounted) -> None:
    call = {"call_id": "e5e456se456s56w456", "inner_phone": "2424", "number": "+998994412860"}
    assert pbx.ask("POST", "/outcall/{token}", json=call).text == "true"
    rung = found_call(pbx, "e5e456se456s56w456")
    assert (rung.kind, rung.legs[0]["number"], rung.legs[0]["dialstatus"]) == ("out", "2424", "ANSWER")


def test_an_unknown_extension_is_refused_with_false_and_rings_no_one(pbx: Mounted) -> None:
    call = {"call_id": "x", "inner_phone": 9999, "number": "+998994412860"}
    assert pbx.ask("POST", "/outcall/{token}", json=call).text == "false"
    assert PbxStore(pbx.path).find_call("x") is None


def test_a_department_picks_up(pbx: Mounted) -> None:
    conference(pbx, "q", callfrom={"phone": "100"}, callto=[{"queue": 6000}])
    legs = found_call(pbx, "q").legs
    assert legs[0]["dialstatus"] != "ANSWER" or legs[1]["dialstatus"] == "ANSWER"


def test_the_vendors_missing_comma_is_forgiven_and_told(pbx: Mounted) -> None:
    text = '{\n  "callto": "712037006",\n  "ivrid": 222,\n  "fromline": 712037006\n  "extid": "123123"\n}'
    answer = pbx.ask("POST", "/requestcall/{token}", content=text)
    assert answer.json()["extid"] == "123123"
    assert "comma" in answer.headers["x-alovoice-sandbox-note"]
    whole = pbx.ask("POST", "/requestcall/{token}", content=text.replace("712037006\n", "712037006,\n"))
    assert "x-alovoice-sandbox-note" not in whole.headers


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"callfrom": None}, "callfrom"),
        ({"callfrom": "712037006"}, "callfrom"),
        ({"callfrom": {"phone": "12"}}, "callfrom.phone"),
        ({"callfrom": {"phone": True}}, "callfrom.phone"),
        ({"callfrom": {"phone": "712037006", "lang": "русский"}}, "lang"),
        ({"callto": []}, "callto"),
        ({"callto": "994412860"}, "callto"),
        ({"callto": ["994412860"]}, "callto[0]"),
        ({"callto": [{"phone": "994412860"}, {"phone": "+"}]}, "callto[1].phone"),
        ({"callto": [{"phone": "99 441 28 60"}]}, "callto[0].phone"),
        ({"callto": [{}]}, "callto[0].phone"),
        ({"callto": [{"queue": []}]}, "callto[0].queue"),
        ({"callto": [{"phone": "994412860"}] * 101}, "callto"),
        ({"extid": "x" * 65}, "extid"),
        ({"extid": "a\nb"}, "extid"),
        ({"extid": {}}, "extid"),
        ({"lang": 7}, "lang"),
    ],
)
def test_a_bad_field_of_a_call_is_refused_by_its_name(pbx: Mounted, change: Any, named: Any) -> None:
    answer = pbx.ask("POST", "/requestcall/{token}", json={**CONFERENCE, **change})
    assert answer.status_code == 400
    assert named in answer.json()["error"]

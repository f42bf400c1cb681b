"""Client and sandbox, each written from the document alone, meet over a real socket; then the whole command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from contract_cases import DATA, METHODS, ask, encoding_of, sayable
from front_door import FrontDoor

from alovoice_cli.api.client import Client
from alovoice_cli.errors import AlovoiceError, ExitCode, RefusedError, TokenRefusedError

_ERRORS = {400: ExitCode.REFUSED, 401: ExitCode.AUTH, 404: ExitCode.NOT_FOUND}


def _ask(served: Any, method: dict[str, Any], case: dict[str, Any], token: str = "") -> object:
    with Client(served.url, token or served.token, encoding=encoding_of(case.get("body", {})), environ={}) as client:
        for before in case.get("after", ()):
            ask(client, METHODS[before], case)
        return ask(client, method, case)


def _assert_answer(got: object, answer: dict[str, Any]) -> None:
    if "text" in answer:
        assert got is True
        return
    if isinstance(answer["types"].get("list"), str):
        assert got == answer["values"]
        return
    first, types = (got, answer["types"])
    if "list" in types:
        assert isinstance(got, list)
        first, types = got[0], types["list"]
    assert isinstance(first, dict)
    assert list(first) == list(types)
    expected = answer.get("first") or answer.get("values") or {}
    assert {key: first[key] for key in expected} == expected


@pytest.mark.floors
@pytest.mark.parametrize(("group", "said"), sayable())
def test_client_and_sandbox_understand_each_other(served: Any, group: Any, said: Any) -> None:
    answer = said["answer"]
    if answer["status"] == 200 and answer.get("text") != "false":
        _assert_answer(_ask(served, group, said), answer)
        return
    with pytest.raises(AlovoiceError) as caught:
        _ask(served, group, said)
    assert caught.value.exit_code == _ERRORS.get(answer["status"], ExitCode.REFUSED)
    assert caught.value.status == answer["status"]
    assert all(word in caught.value.detail for word in answer.get("error_names", ()))


@pytest.mark.parametrize("name", METHODS)
def test_a_wrong_token_is_refused_by_every_method(served: Any, name: str) -> None:
    method, case = next(pair.values for pair in sayable() if pair.values[0]["name"] == name)
    with pytest.raises(TokenRefusedError):
        _ask(served, method, {**case, "after": ()}, "00000000-0000-4000-8000-000000000000")


def test_the_recording_that_an_analysis_names_can_be_fetched(served: Any, tmp_path: Path) -> None:
    with Client(served.url, served.token, environ={}) as client:
        sent = client.ai.send("31")["answer"]
        target = tmp_path / "call.audio"
        size = client.ai.audio(sent["stereoaudio"], target)
    assert size == target.stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == ["call.audio"]


def test_false_of_an_unknown_extension_is_a_refusal(served: Any) -> None:
    with Client(served.url, served.token, environ={}) as client, pytest.raises(RefusedError):
        client.call.out(inner_phone="4242", number="+998901234567")


# --- the command line on it ------------------------------------------------------------------------------------------


@pytest.fixture
def home(alovoice: FrontDoor, served: Any) -> FrontDoor:
    alovoice.environ |= {"ALOVOICE_BASE_URL": served.url, "ALOVOICE_TOKEN": served.token}
    for name in ("announcement.mp3", "recipients.csv"):
        (alovoice.home / name).write_bytes((DATA / name).read_bytes())
    return alovoice


CREATE = (
    *("autorule", "create", "--record", "announcement.mp3", "--recipients", "recipients.csv", "--name", "Куз oʻ"),
    *("--from", "tomorrow", "--to", "+2d", "--fromtime", "10:00", "--totime", "20:59", "--trunks", "all"),
    *("--night-ok", "--yes"),
)


def test_a_campaign_is_created_and_read_back(home: FrontDoor) -> None:
    created = home(*CREATE, "--json")
    assert created.code == 0, created.err
    campaign = json.loads(created.out)
    vendors = METHODS["addAutorule"]["vendor_answer"]
    assert list(campaign) == list(vendors)
    assert (campaign["name"], campaign["totime"], campaign["timezone"]) == ("Куз oʻ", "20:59:59", 18000)
    shown = home("autorule", "get", str(campaign["id"]), "--json")
    assert shown.code == 0, shown.err
    assert {**json.loads(shown.out), "updatedAt": "", "recipients": 0} == {**campaign, "updatedAt": "", "recipients": 0}
    (receipt,) = json.loads(home("call", "receipts", "list", "--json").out)
    assert (receipt["command"], receipt["outcome"], receipt["status"]) == ("autorule create", "done", 200)


def test_lines_and_extensions_come_as_the_contract_has_them(home: FrontDoor) -> None:
    lines = json.loads(home("trunks", "--json").out)
    assert lines == METHODS["getMyTrunks"]["cases"][0]["answer"]["values"]
    peers = json.loads(home("peers", "--json").out)
    assert list(peers[0]) == list(METHODS["getpeers"]["vendor_answer"][0])
    assert peers[0]["secret"].startswith("••••")
    whole = json.loads(home("peers", "--json", "--show-secrets").out)
    assert "••••" not in json.dumps(whole, ensure_ascii=False)


@pytest.mark.parametrize("encoding", ["json", "multipart", "form", "vendor-curl"])
@pytest.mark.parametrize(
    "words",
    [
        ("conference", "--callfrom", "712037006:ru", "--callto", "994412860:ru", "--callto", "977076909:uz"),
        ("conference", "--callfrom", "712037006", "--queue", "6000"),
        ("ivr", "--callto", "901234567", "--ivrid", "222", "--fromline", "712037006", "--lang", "uz"),
        ("out", "--inner-phone", "2424", "--number", "+998994412860", "--user-id", "22"),
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:-1]),
)
def test_every_call_in_every_encoding_is_accepted(home: FrontDoor, words: tuple[str, ...], encoding: str) -> None:
    result = home("call", *words, "--encoding", encoding, "--json")
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    own_id = str(shown.get("extid") or shown["call_id"])
    assert own_id.isdecimal()
    assert len(own_id) <= 15
    if isinstance(shown["answer"], dict):
        assert str(shown["answer"]["extid"]) == own_id


def test_an_unknown_extension_is_refused_with_one(home: FrontDoor) -> None:
    result = home("call", "out", "--from", "4242", "--to", "901234567", "--json")
    assert result.code == 1
    assert result.out == ""
    error = json.loads(result.err.splitlines()[-1])["error"]  # a note may stand above, at night
    assert (error["kind"], error["sent"], error["retry_safe"]) == ("refused", "yes", True)


def test_an_analysis_is_asked_for_read_and_heard(home: FrontDoor) -> None:
    assert home("ai", "send", "CALL_ID").code == 0
    result = home("ai", "result", "CALL_ID", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == METHODS["callgetaireresult"]["vendor_answer"]
    assert home("ai", "audio", "CALL_ID", "-o", "call.audio").code == 0
    assert (home.home / "call.audio").stat().st_size > 0
    assert home("ai", "audio", "CALL_ID", "-o", "call.audio").code == 2, "a file that is there is kept"
    assert home("ai", "result", "never-sent").code == 9


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("api", "GET", "/mapi/getMyTrunks"), 0),
        (("api", "GET", "/getpeers/{token}"), 0),
        (("api", "POST", "/outcall/{token}", "-F", "inner_phone=2424", "-f", "number=901234567"), 0),
        (("api", "POST", "/outcall/{token}", "-F", "inner_phone=4242", "-f", "number=901234567"), 1),
        (("api", "GET", "/callsendai/{token}/77"), 0),
        (("api", "GET", "/mapi/getAutorule/99999"), 4),
        (("api", "POST", "/requestcall/{token}", "-f", "callto=operator"), 1),
        (("autorule", "get", "99999"), 4),
        (("autorule", "get", "abc"), 1),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_the_exit_code_says_what_became_of_it(home: FrontDoor, words: tuple[str, ...], code: int) -> None:
    assert home(*words).code == code


def test_a_refused_token_is_exit_three_everywhere(home: FrontDoor) -> None:
    home.environ["ALOVOICE_TOKEN"] = "00000000-0000-4000-8000-000000000000"
    call = ("call", "out", "--from", "2424", "--to", "901234567")
    for words in (CREATE, ("trunks",), ("peers",), call, ("ai", "send", "1"), ("ai", "result", "1"), ("status",)):
        result = home(*words)
        assert result.code == 3, result.err
        assert "alovoice login" in result.err

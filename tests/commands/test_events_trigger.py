"""`alovoice events trigger`: what goes to a handler is the documented event, with the changes and no others."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crm import Asked, Crm, served
from event_rows import Rows
from front_door import FrontDoor

from alovoice_cli.events.triggering import scenario_names

DOCUMENTED = {
    "callstart": {"inner_phone", "number", "line", "type", "start_time"},
    "callend": {"call_id", "finish_time", "duration", "status_code", "record"},
    "result": {
        *("id", "from_number", "to_number", "trunk_number", "begin_time", "answer_time", "end_time", "duration"),
        *("dialstatus", "record", "externalid", "attempts"),
    },
    "route": {"from_number", "line_number", "queue_number", "direction"},
}


@pytest.fixture
def crm() -> Iterator[Crm]:
    with served() as crm:
        yield crm


def _rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_each_event_has_the_fields_of_the_document(alovoice: FrontDoor, crm: Crm, kind: str) -> None:
    result = alovoice("events", "trigger", kind, "--to", crm.url)
    assert result.code == 0, result.err
    (asked,) = crm.asked
    assert (asked.path, asked.headers["content-type"]) == (f"/{kind}", "application/json")
    assert asked.value().keys() == DOCUMENTED[kind]
    header, row = result.out.splitlines()
    assert header == "n\ttype\tstatus\tms\tanswer\terror"
    assert row.split("\t")[:3] == ["1", kind, "200"]


def test_a_handler_of_this_machine_has_a_certificate_that_the_environment_trusts(
    alovoice: FrontDoor, certificate: Path
) -> None:
    with served(certificate=certificate) as crm:
        words = ("events", "trigger", "callstart", "--to", crm.url, "--json")
        distrusted = alovoice.process(*words)
        assert distrusted.returncode == 5
        assert "certificate" in _rows(distrusted.stdout.decode())[0]["error"]
        assert b"SSL_CERT_FILE" in distrusted.stderr
        trusted = alovoice.process(*words, environ={"SSL_CERT_FILE": str(certificate)})
        assert trusted.returncode == 0, trusted.stderr
    assert [asked.kind for asked in crm.asked] == ["callstart"]


def test_what_is_set_is_sent_and_what_is_unset_is_not(alovoice: FrontDoor, crm: Crm) -> None:
    words = ("--set", "number=Номаълум", "--set", 'line="712037006"', "--set", "inner_phone=2001", "--unset", "type")
    began = time.time()
    result = alovoice("events", "trigger", "callstart", "--to", crm.url, *words, "--json")
    assert result.code == 0, result.err
    body = crm.asked[0].value()
    assert int(began) <= body.pop("start_time") <= time.time()
    assert body == {"inner_phone": 2001, "number": "Номаълум", "line": "712037006"}
    (row,) = _rows(result.out)
    assert (row["status"], row["answer"], row["error"], row["body"]["number"]) == (200, "1", None, "Номаълум")
    assert "Номаълум".encode() in crm.asked[0].body


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("callstart", "--set", "numbr=1"), "did you mean number?"),
        (("callend", "--unset", "number"), "paths: call_id, finish_time, duration, status_code, record"),
        (("callend", "--set", "number"), "has no value"),
        ((), "no event is chosen, or more than one"),
        (("callend", "--scenario", "answered"), "no event is chosen, or more than one"),
        (("--scenario", "nosuch"), "scenarios: answered, busy-twice,"),
        (("--scenario", "answered", "--set", "queue_number=1"), "no 'queue_number'"),
        (("--scenario", "answered", "--count", "2"), "--count and --rate cannot be used together"),
        (("--from-event", "e1"), "there is no event store"),
        (("--from-event", "e1", "--scenario", "answered"), "no event is chosen, or more than one"),
    ],
)
def test_wrong_words_send_nothing(alovoice: FrontDoor, crm: Crm, words: tuple[str, ...], message: str) -> None:
    result = alovoice("events", "trigger", *words, "--to", crm.url)
    assert result.code == 2
    assert message in result.err
    assert crm.asked == []


@pytest.mark.parametrize(
    "to", ["ftp://127.0.0.1/x", "127.0.0.1:80", "http://", "http://u:p@127.0.0.1/", "http://h/a b", "callend=http://h/"]
)
def test_a_target_that_is_none_is_refused(alovoice: FrontDoor, to: str) -> None:
    result = alovoice("events", "trigger", "callstart", "--to", to)
    assert result.code == 2
    assert "--to" in result.err
    assert alovoice("events", "trigger", "callstart").code == 2


def test_many_events_differ_in_their_number_and_a_number_that_is_set_stays(alovoice: FrontDoor, crm: Crm) -> None:
    result = alovoice("events", "trigger", "callstart", "--to", crm.url, "--count", "12", "--rate", "1000", "--json")
    assert result.code == 0, result.err
    assert [row["n"] for row in _rows(result.out)] == list(range(1, 13))
    assert [row["body"]["number"] for row in _rows(result.out)] == [f"+9980012345{place}" for place in range(67, 79)]
    assert len({row["answer"] for row in _rows(result.out)}) == 12
    crm.asked.clear()
    alovoice("events", "trigger", "callend", "--to", crm.url, "--count", "3", "--set", "call_id=7")
    assert [asked.value()["call_id"] for asked in crm.asked] == [7, 7, 7]


def test_a_rate_does_not_wait_for_slow_answers(alovoice: FrontDoor) -> None:
    waiting, most = 0, 0

    def slow(asked: Asked) -> tuple[int, bytes]:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        time.sleep(0.1)
        waiting -= 1
        return 200, b"true"

    with served(slow) as crm:
        alovoice("events", "trigger", "callend", "--to", crm.url, "--count", "5", "--rate", "200")
        assert most > 1
        most = 0
        alovoice("events", "trigger", "callend", "--to", crm.url, "--count", "2")
        assert most == 1


def test_a_call_of_a_scenario_ends_under_the_id_that_its_start_was_answered_with(alovoice: FrontDoor) -> None:
    ids = iter((b"first-call", b"002"))
    with served(lambda asked: (200, next(ids) if asked.kind == "callstart" else b"true")) as crm:
        result = alovoice("events", "trigger", "--scenario", "missed-then-callback", "--to", crm.url, "--json")
    assert result.code == 0, result.err
    start, missed, back, ended = (asked.value() for asked in crm.asked)
    assert [asked.kind for asked in crm.asked] == ["callstart", "callend"] * 2
    assert (missed["call_id"], missed["status_code"]) == ("first-call", 304)
    assert (ended["call_id"], ended["status_code"]) == ("002", 200)
    assert (start["type"], back["type"]) == ("inc", "out")
    assert start["number"] == back["number"]
    assert back["start_time"] - start["start_time"] == 451
    assert ended["finish_time"] <= time.time() + 1
    assert [row["event"] for row in _rows(result.out)] == ["missed", "missed", "callback", "callback"]


@pytest.mark.parametrize(
    ("answer", "call_id"), [(b"17", 17), (b"", None), (b'{"callto": "991234567"}', None), (b"<html>", None)]
)
def test_a_call_without_an_id_ends_without_one(alovoice: FrontDoor, answer: bytes, call_id: int | None) -> None:
    with served(lambda asked: (200, answer if asked.kind == "callstart" else b"true")) as crm:
        assert alovoice("events", "trigger", "--scenario", "answered", "--to", crm.url).code == 0
    assert crm.asked[1].value().get("call_id") == call_id
    assert ("call_id" in crm.asked[1].value()) == (call_id is not None)


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_is_played_in_order_and_takes_changes(alovoice: FrontDoor, crm: Crm, name: str) -> None:
    result = alovoice("events", "trigger", "--scenario", name, "--to", crm.url, "--json", "--set", "line=551234567")
    if name == "routed":  # its question calls the line otherwise, its call does not
        assert crm.asked[0].kind == "route"
    assert result.code == 0, result.err
    times = [
        body.get("start_time") or body.get("finish_time") or body.get("end_time")
        for body in (asked.value() for asked in crm.asked)
        if "from_number" not in body or "end_time" in body
    ]
    assert times == sorted(times)
    assert all(asked.value()["line"] == 551234567 for asked in crm.asked if asked.kind == "callstart")
    assert len(crm.asked) == len(result.out.splitlines()) >= 2


def test_the_type_is_added_to_a_base_and_an_exact_url_is_taken_as_it_is(alovoice: FrontDoor, crm: Crm) -> None:
    words = ("events", "trigger", "--scenario", "routed", "--to")
    for to, paths in (
        ([f"{crm.url}/h/s3cret/"], ["/h/s3cret/route", "/h/s3cret/callstart", "/h/s3cret/callend"]),
        ([f"{crm.url}/x/callend"], ["/x/route", "/x/callstart", "/x/callend"]),
        ([f"{crm.url}/x/{{type}}/in"], ["/x/route/in", "/x/callstart/in", "/x/callend/in"]),
        ([f"{crm.url}/hook.php?k=1"], ["/hook.php?k=1"] * 3),
        ([crm.url, "--to", f"route={crm.url}/ask"], ["/ask", "/callstart", "/callend"]),
    ):
        crm.asked.clear()
        assert alovoice(*words, *to).code == 0
        assert [asked.path for asked in crm.asked] == paths


def test_a_stored_event_goes_as_it_came_or_with_the_changes(alovoice: FrontDoor, crm: Crm) -> None:
    raw = b'{"[]id": 5, "to_number": "901234567", "dialstatus": "ANSWER",}'
    event = Rows(alovoice.store_url).deliver("result", 1_750_000_000, raw)
    assert alovoice("events", "trigger", "--from-event", event.delivery.id, "--to", crm.url).code == 0
    words = ("--set", "id=6", "--set", "externalid=9", "--unset", "to_number")
    assert alovoice("events", "trigger", "--from-event", "e1", "--to", crm.url, *words).code == 0
    assert alovoice("events", "trigger", "callend", "--from-event", "e1", "--to", crm.url).code == 2
    untouched, changed = crm.asked
    assert (untouched.path, untouched.body) == ("/result", raw)
    assert changed.value() == {"id": 6, "dialstatus": "ANSWER", "externalid": 9}
    crm.asked.clear()
    assert alovoice("events", "trigger", "result", "--from-event", "e1", "--to", crm.url, "--count", "2").code == 0
    assert [asked.value()["id"] for asked in crm.asked] == [5, 6]


def test_a_stored_body_that_cannot_be_read_can_be_sent_and_not_changed(alovoice: FrontDoor, crm: Crm) -> None:
    Rows(alovoice.store_url).deliver("callend", 1_750_000_000, b"\xff")
    assert alovoice("events", "trigger", "--from-event", "e1", "--to", crm.url, "--set", "call_id=1").code == 2
    assert alovoice("events", "trigger", "--from-event", "e1", "--to", crm.url).code == 0
    assert [asked.body for asked in crm.asked] == [b"\xff"]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (500, 7, "1 of 1 event refused: the handler answered 500"),
        (404, 4, "check the URL and the secret in it"),
        (400, 1, "answered 400"),
        (302, 7, "redirects are not followed"),
    ],
)
def test_a_handler_that_does_not_take_the_event_is_told(
    alovoice: FrontDoor, status: int, code: int, words: str
) -> None:
    with served(lambda asked: (status, b"why")) as crm:
        result = alovoice("events", "trigger", "callend", "--to", crm.url)
    assert result.code == code
    assert result.out.splitlines()[1].split("\t")[2:] == [str(status), *result.out.splitlines()[1].split("\t")[3:]]
    assert words in result.err


def test_a_handler_that_is_not_there_is_exit_5(alovoice: FrontDoor) -> None:
    result = alovoice("events", "trigger", "callend", "--to", "http://127.0.0.1:1/", "--json")
    assert result.code == 5
    (row,) = _rows(result.out)
    assert (row["status"], row["error"]) == (None, "connection refused")
    assert json.loads(result.err)["error"]["kind"] == "network"


def test_a_rehearsal_sends_nothing_and_its_curl_sends_the_same_bytes(alovoice: FrontDoor, crm: Crm) -> None:
    words = (
        "events",
        "trigger",
        "callstart",
        "--to",
        f"{crm.url}/h/0123456789abcdef",
        "--set",
        "line=қ \"$HOME\" 'x' \\",
    )
    shown = alovoice(*words, "--dry-run")
    assert shown.code == 0, shown.err
    assert crm.asked == []
    (rehearsed,) = _rows(alovoice(*words, "--dry-run", "--json").out)
    assert (rehearsed["method"], rehearsed["body"]["line"]) == ("POST", "қ \"$HOME\" 'x' \\")
    if not shutil.which("curl"):
        pytest.skip("curl is missing")
    script = Path(alovoice.home / "again.sh")
    script.write_text(shown.out, "utf-8")
    subprocess.run(["sh", str(script)], check=True, env=alovoice.environ, capture_output=True, timeout=60)
    (asked,) = crm.asked
    assert (asked.path, asked.headers["content-type"]) == ("/h/0123456789abcdef/callstart", "application/json")
    assert asked.value()["line"] == "қ \"$HOME\" 'x' \\"


def test_a_rehearsed_scenario_says_whose_id_an_end_will_have(alovoice: FrontDoor, crm: Crm) -> None:
    result = alovoice("events", "trigger", "--scenario", "transfer", "--to", crm.url, "--dry-run", "--json")
    assert crm.asked == []
    bodies = [row["body"] for row in _rows(result.out)]
    assert [body.get("call_id") for body in bodies] == [None, None, "ID-GIVEN-TO-2", "ID-GIVEN-TO-1"]


def test_the_secret_of_a_listener_is_masked_in_what_is_shown(alovoice: FrontDoor, crm: Crm) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    result = alovoice("events", "trigger", "callend", "--to", f"{crm.url}/h/{secret}", "--json")
    assert crm.asked[0].path == f"/h/{secret}/callend"
    assert secret not in result.out + result.err
    assert "/h/••••cdef/callend" in result.out


def test_verbose_tells_each_event_and_answer_without_secret_and_number(alovoice: FrontDoor, crm: Crm) -> None:
    url = f"{crm.url}/h/0123456789abcdef"
    result = alovoice("events", "trigger", "callstart", "--to", url, "-v")
    assert f"→ POST {crm.url}/h/••••cdef/callstart" in result.err
    assert "Content-Type: application/json" in result.err
    assert '"number": "••••4567"' in result.err
    assert "← 200" in result.err
    assert result.err.splitlines()[-1].endswith("  1")
    assert "→ POST" not in alovoice("events", "trigger", "callstart", "--to", url).err
    assert "← connection refused" in alovoice("events", "trigger", "callend", "--to", "http://127.0.0.1:1", "-v").err

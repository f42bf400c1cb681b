"""What targets are sent: headers of their own, JSON whatever came, finished and missed calls; what a 2xx settles."""

import base64
import contextlib
import hashlib
import hmac
import json
import sqlite3
import string
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from strength import examples
from waiting import wait_until

from alovoice_cli.errors import UsageError
from alovoice_cli.listening.targets import parse_headers

from .conftest import START, Handler, Listening

Listen = Callable[..., Listening]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "Bearer sEcReT-cafe-0042"
PATIENCE = 60


def _sql(alovoice: FrontDoor, question: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(alovoice.home / "state" / "events.db", timeout=PATIENCE)) as connection:
        return connection.execute(question).fetchall()


# --- a callstart that a CRM is asked about


OF_NO_USE = [
    ((204, b""), "204 and no body"),
    ((200, b"<html>login</html>"), "200 and a web page"),
    ((200, b'{"id":77}'), "200 and an object without `callto`"),
]


def test_a_2xx_settles_a_callstart_and_is_told_once(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"callstart={crm.url}", "--forward", f"callend={crm.url}")
    for number in range(6):
        crm.answer = lambda _, answer=OF_NO_USE[number % 3][0]: answer  # type: ignore[misc]
        status, told = listening.post("callstart", {**START, "start_time": number})
        assert (status, told.decode()) == (200, listening.event()["id"])
    for _, reason in OF_NO_USE:
        line = listening.wait_for(reason)
        assert "12 digits" in line
        assert '{"callto": "99 123 45 67"}' in line
    listening.post("callend", {"call_id": "last"})
    crm.wait(7)
    time.sleep(1.5)  # more than a look of the dispatcher
    assert [headers["x-alovoice-type"] for headers, _ in crm.seen] == ["callstart"] * 6 + ["callend"]
    assert sum("answered a callstart" in line for line in listening.errors) == 3


def test_a_crm_that_answers_too_late_has_the_callstart_all_the_same(listen: Listen, crm: Handler) -> None:
    def slowly(body: bytes) -> tuple[int, bytes]:
        if b'"start_time": 1}' in body:
            time.sleep(0.8)
        return 200, b"4711"

    crm.answer = slowly
    listening = listen("--forward", f"callstart={crm.url}", "--forward-timeout", "0.3")
    assert listening.post("callstart", {**START, "start_time": 1})[1] == listening.event()["id"].encode()
    time.sleep(3.5)  # longer than the row waits for the attempt that is under way
    assert listening.post("callstart", {**START, "start_time": 2})[1] == b"4711"
    assert [json.loads(body)["start_time"] for _, body in crm.seen] == [1, 2]


# --- headers


def test_headers_go_with_every_post_and_are_never_shown(listen: Listen, crm: Handler, alovoice: FrontDoor) -> None:
    (alovoice.home / "headers").write_text(f"# of the CRM\n\nAuthorization: {KEY}\nX-Tenant:  shop 7 \n", "utf-8")
    crm.answer = lambda body: (200, b"4711" if b"number" in body else f"no {KEY}".encode())
    words = ("--forward-header", "@headers", "--forward-header", "X-Odd: 'a: b'", "--forward", "result=http://[::1]:9/")
    listening = listen("-v", "--forward", f"callstart={crm.url}", "--forward", f"callend={crm.url}", *words)
    listening.post("callstart", START)
    listening.post("callend", {"call_id": "a"})
    for headers, _ in crm.wait(2):
        assert headers["authorization"] == KEY
        assert headers["x-tenant"] == "shop 7"
        assert headers["x-odd"] == "'a: b'"
    listening.wait_for("authorization: ••••")
    wait_until(lambda: sum("← 200" in line for line in listening.errors) == 2, "two answers")
    listening.stop()
    assert sum("--forward-header is sent to each of" in line for line in listening.errors) == 1
    shown = "\n".join([*listening.errors, *(json.dumps(line) for line in listening.lines.queue)])
    assert "sEcReT" not in shown
    assert "shop 7" not in shown


def test_a_unit_holds_no_header_but_the_file_of_one(alovoice: FrontDoor) -> None:
    (alovoice.home / "headers").write_text(f"Authorization: {KEY}\n", "utf-8")
    forward = ("listen", "--forward", "https://crm.example.com/x", "--print-systemd", "--forward-header")
    refused = alovoice(*forward, f"Authorization: {KEY}")
    assert refused.code == 2
    assert "it would contain --forward-header" in refused.err
    assert "sEcReT" not in refused.out + refused.err
    printed = alovoice(*forward, "@headers")
    assert printed.code == 0
    assert f":{alovoice.home / 'headers'}" in printed.out
    assert "sEcReT" not in printed.out + printed.err


@pytest.mark.parametrize(
    "line",
    ["sEcReT", "Bad Name: sEcReT", ": sEcReT", "X-A:", "X-A: sEcReT\x01", "X-A: сЕкрет sEcReT", "webhook-id: sEcReT",
     "Content-Type: sEcReT/x", "x-alovoice-type: sEcReT", "transfer-encoding: sEcReT", "A: sEcReT\r\nB: sEcReT"],
)  # fmt: skip
def test_a_line_that_is_no_header_is_refused_without_showing_it(alovoice: FrontDoor, line: str) -> None:
    forward = ("listen", "--forward", "http://127.0.0.1:1/x", "--print-nginx", "--port", "8787", "--forward-header")
    for word in (line, "@headers"):
        (alovoice.home / "headers").write_text(f"X-Good: 1\n{line}\n", "utf-8")
        if word == "@headers" and "\r" in line:
            continue  # in a file these are two lines
        refused = alovoice(*forward, word, "--json")
        assert refused.code == 2, line
        assert "sEcReT" not in refused.out + refused.err
        assert ("headers, row 2" if word == "@headers" else "--forward-header") in refused.err
    assert alovoice(*forward, "@nowhere").code == 2


@examples(100)
@given(st.lists(st.text(max_size=30) | st.text(string.printable, max_size=30).map("x-a: {}".format), max_size=4))
def test_any_lines_are_headers_that_http_takes_or_refused(lines: list[str]) -> None:
    try:
        headers = parse_headers((f"line {number}", line) for number, line in enumerate(lines))
    except UsageError:
        return
    for name, value in headers.items():
        assert name == name.strip().lower()
        assert value.isascii()
        assert value == value.strip()
        assert not set("\r\n\0") & set(name + value)


# --- JSON, and what is signed


def test_any_body_is_forwarded_as_json_with_a_signature_over_its_bytes(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", crm.url, "--forward-json", "--sign-secret", SECRET)
    bodies: list[tuple[bytes, str, Any]] = [
        (b'{"call_id": 5, "name": "\xd0\xa8\xd0\xbe"}', "text/plain", {"call_id": 5, "name": "Шо"}),
        (b"call_id=6&status_code=200", "application/x-www-form-urlencoded", {"call_id": "6", "status_code": "200"}),
        ('{"call_id": 7, "name": "Шо"}'.encode("cp1251"), "x/y; charset=windows-1251", {"call_id": 7, "name": "Шо"}),
        (b'{"call_id": 8, "number": "+998\\ud83d"}', "", {"call_id": 8, "number": "+998\ufffd"}),
        (b"\xff\xfe\xfd", "text/plain", {"base64": "//79"}),
        (b"what is this", "text/plain", "what is this"),
    ]
    for number, (body, content_type, value) in enumerate(bodies, 1):
        listening.post("callend", body, content_type=content_type)
        printed = listening.event()
        headers, seen = crm.wait(number)[-1]
        assert headers["content-type"] == "application/json"
        told = Webhook(SECRET).verify(seen, headers)
        assert told == printed
        assert told["body"] == value
        assert ("problem" in told) == (not isinstance(value, dict) or "base64" in value)
        assert headers["webhook-id"] == told["id"]
        assert headers.get("x-alovoice-call-id") == told["event_call_id"]


def test_a_crm_is_asked_in_json_too(listen: Listen, crm: Handler) -> None:
    crm.answer = lambda _: (200, b"4711")
    listening = listen("--forward", f"callstart={crm.url}", "--forward-json", "--sign-secret", SECRET)
    assert listening.post("callstart", START, content_type="application/x-www-form-urlencoded") == (200, b"4711")
    event = listening.event()
    ((headers, seen),) = crm.wait(1)
    asked = {"call_id": event["id"], "event_call_id": event["id"], "crm_call_id": None}  # the CRM gives its id now
    assert Webhook(SECRET).verify(seen, headers) == {**event, **asked}
    assert headers["x-alovoice-call-id"] == event["id"]


def test_a_callstart_that_the_crm_renames_while_it_is_under_way_is_sent_once(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    slow, is_renamed = Handler(), threading.Event()
    slow.answer = lambda body: (200 if b"number" not in body or is_renamed.wait(PATIENCE) else 500, b"true")
    slow.start()
    try:
        crm.answer = lambda _: (200, b"C-1") if slow.wait(1, PATIENCE) else (500, b"")
        listening = listen("--forward", f"callstart={crm.url}", "--forward", slow.url, "--forward-timeout", "20")
        listening.post("callstart", START)
        asked = "SELECT 1 FROM outbox WHERE queue LIKE '%C-1' AND state = 'due'"
        wait_until(lambda: _sql(alovoice, asked), "the event under its name", pause=0.05)
        listening.post("result", {"id": 17, "to_number": "901234567"})
        slow.wait(2)
        is_renamed.set()
        listening.post("callend", {"call_id": "C-1", "status_code": 200})
        slow.wait(3)
        assert [headers["x-alovoice-type"] for headers, _ in slow.seen] == ["callstart", "result", "callend"]
    finally:
        is_renamed.set()
        slow.stop()


def test_every_post_names_its_call_and_is_signed_by_its_bytes(listen: Listen, crm: Handler) -> None:
    crm.answer = lambda body: (200, "Ғ-1".encode() if b"number" in body else b"true")
    words = ("--forward", f"callstart={crm.url}", "--forward", crm.url, "--forward", f"call={crm.url}/call")
    listening = listen(*words, "--sign-secret", SECRET)
    listening.post("callstart", START)
    body = b'{"call_id": "\x92-1", "status_code": 200}'  # no UTF-8
    listening.post("callend", {"call_id": "Ғ-1", "status_code": 200})
    listening.post("result", {"id": 17, "to_number": "901234567"})
    listening.post("callend", body, content_type="text/plain; charset=windows-1251")
    seen = crm.wait(6)
    named = {headers["x-alovoice-type"]: headers["x-alovoice-call-id"] for headers, sent in seen if sent != body}
    assert named.pop("callstart") in ("%D2%92-1", seen[0][0]["x-alovoice-call-id"])
    assert named == {"callend": "%D2%92-1", "call": "%D2%92-1", "result": "17"}
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    for headers, sent in seen:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + sent
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
    assert body in [sent for _, sent in seen]


# --- finished calls


def _of(crm: Handler, kind: str) -> list[dict[str, Any]]:
    return [json.loads(body) for headers, body in list(crm.seen) if headers["x-alovoice-type"] == kind]


def test_a_finished_call_is_told_once_whatever_comes_late_or_again(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    listening = listen("--forward", f"call={crm.url}", "--no-dedupe", "--sign-secret", SECRET)
    call_id = listening.post("callstart", START)[1].decode()
    listening.post("result", {"id": call_id, "externalid": 9, "to_number": "901234567", "record": "https://x/r.mp3"})
    end = {"call_id": call_id, "finish_time": START["start_time"] + 60, "duration": 55, "status_code": 200}
    listening.post("callend", end)
    listening.post("callend", end)
    listening.post("callend", {**end, "record": "https://x/late.mp3"})
    listening.post("callstart", START)
    ((headers, body),) = crm.wait(1)
    told = Webhook(SECRET).verify(body, headers)
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == told["id"] == f"{call_id}-call"
    shown = {name: told[name] for name in ("type", "event_id", "call_id", "number", "line", "direction", "peer")}
    assert shown == {
        "type": "call",
        "event_id": call_id,
        "call_id": call_id,
        "number": "998901234567",
        "line": "998712037006",
        "direction": "inc",
        "peer": "2000",
    }
    assert (told["started_at"], told["ended_at"], told["duration"]) == (START["start_time"], end["finish_time"], 55)
    assert (told["status"], told["record"], told["external_id"]) == ("200", "https://x/r.mp3", "9")
    listening.stop()
    again = listen("--forward", f"call={crm.url}")
    again.post("callend", {**end, "record": "https://x/later.mp3"})
    other = again.post("callstart", {**START, "start_time": 5})[1].decode()
    again.post("callend", {"call_id": other, "status_code": 486})
    crm.wait(2)
    assert [one["event_call_id"] for one in _of(crm, "call")] == [call_id, other]
    assert len(_sql(alovoice, "SELECT 1 FROM outbox WHERE message <> ''")) == 2


def test_a_call_outlives_a_kill_and_a_crm_that_is_away(listen: Listen, crm: Handler) -> None:
    crm.stop()
    words = ("--forward", f"call={crm.url}", "--forward", f"missed={crm.url}")
    listening = listen(*words)
    ids = [listening.post("callstart", {**START, "start_time": at})[1].decode() for at in range(0, 60, 20)]
    for call_id in ids:
        listening.post("callend", {"call_id": call_id, "status_code": 304, "duration": 0})
    for _ in range(6):
        listening.event()
    listening.process.kill()
    listening.process.wait()
    crm.start()
    listen(*words)
    crm.wait(6, PATIENCE)
    assert sorted(one["event_call_id"] for one in _of(crm, "call")) == sorted(ids)
    assert sorted(one["event_call_id"] for one in _of(crm, "missed")) == sorted(ids)
    assert len({headers["webhook-id"] for headers, _ in crm.seen}) == 6


def test_a_call_has_the_crm_s_id_also_where_its_end_came_first(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"callstart={crm.url}/start", "--forward", f"call={crm.url}")

    def answer(body: bytes) -> tuple[int, bytes]:
        if b"inner_phone" in body:
            listening.post("callend", {"call_id": 4711, "finish_time": START["start_time"] + 9, "status_code": 200})
            return 200, b"4711"
        return 200, b"true"

    crm.answer = answer
    assert listening.post("callstart", START) == (200, b"4711")
    crm.wait(2)
    (told,) = _of(crm, "call")
    assert (told["event_call_id"], told["number"], told["status"]) == ("4711", "998901234567", "200")
    assert told["event_id"] != "4711"


def test_a_crm_that_counts_its_ids_anew_gets_every_call(listen: Listen, crm: Handler) -> None:
    crm.answer = lambda body: (200, b"1" if b"inner_phone" in body else b"true")
    listening = listen("--forward", f"callstart={crm.url}/start", "--forward", f"call={crm.url}")
    for at in (100, 200, 300):
        listening.post("callstart", {**START, "start_time": at})
        listening.post("callend", {"call_id": 1, "finish_time": at + 50, "status_code": 200})
    crm.wait(6)
    assert [(one["started_at"], one["ended_at"]) for one in _of(crm, "call")] == [(100, 150), (200, 250), (300, 350)]


RING = [
    ({"2001": "304", "2002": "200", "2003": "304"}, 0),
    ({"2001": "304", "2002": "304", "2003": "603"}, 1),
    ({"2001": "200"}, 0),
    ({"2001": "486"}, 1),
]


def test_a_caller_whom_nobody_talked_to_is_missed_once(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"missed={crm.url}", "--forward", f"call={crm.url}/calls")
    for number, (ends, _) in enumerate(RING):
        caller = {**START, "number": f"+99890123456{number}"}
        ids = {peer: listening.post("callstart", {**caller, "inner_phone": peer})[1].decode() for peer in ends}
        for peer, status in sorted(ends.items(), key=lambda end: end[1] == "200"):  # who answers talks on
            listening.post("callend", {"call_id": ids[peer], "status_code": status})
    out = listening.post("callstart", {**START, "type": "out"})[1].decode()
    listening.post("callend", {"call_id": out, "status_code": "486"})
    crm.wait(9 + 2)
    time.sleep(0.3)
    assert len(_of(crm, "call")) == 9
    assert [one["number"] for one in _of(crm, "missed")] == ["998901234561", "998901234563"]


def test_a_program_is_started_for_a_finished_call(listen: Listen, alovoice: FrontDoor) -> None:
    out = alovoice.home / "out.jsonl"
    script = alovoice.home / "hook.py"
    script.write_text(
        "import json,os,sys\n"
        f"open({str(out)!r}, 'a').write(json.dumps([json.load(sys.stdin), os.environ['ALOVOICE_EVENT_TYPE']]) + '\\n')"
    )
    listening = listen("--exec", f"missed={sys.executable} {script}", "--exec", f"call={sys.executable} {script}")
    call_id = listening.post("callstart", {**START, "number": "+998\ud83d901234567"})[1].decode()
    listening.post("callend", {"call_id": call_id, "status_code": "304"})
    wait_until(lambda: out.exists() and out.read_text().count("\n") == 2, "what two programs wrote")
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted((one["type"], kind) for one, kind in told) == [("call", "call"), ("missed", "missed")]
    assert {one["event_call_id"] for one, _ in told} == {call_id}


def test_a_target_s_unknown_type_is_no_url(alovoice: FrontDoor) -> None:
    assert alovoice("listen", "--forward", "calls=http://127.0.0.1:1/x").code == 2

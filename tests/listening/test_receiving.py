"""The listener receives: what it answers, what it keeps, whom it lets in, and how it ends."""

import gzip
import json
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor

from alovoice_cli.language import spaced

from .conftest import START, Handler, Listening, sql

pytestmark = pytest.mark.usefixtures("profile_store")

IDS = ("event_call_id", "pbx_call_id", "crm_call_id")

Listen = Callable[..., Listening]


def _bodies(alovoice: FrontDoor) -> list[bytes]:
    return [row[0] for row in sql(alovoice, "SELECT body FROM delivery WHERE type <> 'probe' ORDER BY seq")]


def test_the_first_line_says_where_it_listens_and_that_it_works(listen: Listen, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    listening = listen("--ready-file", str(ready))
    assert list(listening.urls) == ["callstart", "callend", "result", "route"]
    secret = listening.urls["callstart"].split("/")[-2]
    assert len(secret) == 32
    assert int(secret, 16) >= 0
    assert json.loads(ready.read_text())["urls"] == listening.urls
    assert ready.stat().st_mode & 0o777 == 0o600
    assert listening.post("callend", {"call_id": 1}) == (200, b"true")
    assert listening.event()["seq"] == 2  # its own probe was the first
    listening.stop()
    assert not ready.exists()


def test_the_secret_is_kept_for_the_profile(listen: Listen, alovoice: FrontDoor) -> None:
    def path(listening: Listening) -> str:
        return listening.urls["callstart"].partition("/h/")[2]

    first = listen()
    first.stop()
    assert path(listen()) == path(first)
    assert path(listen("--secret", "own-secret-1234")) == "own-secret-1234/callstart"
    assert "/h/" not in listen("--secret", "none").urls["callstart"]
    kept = alovoice.home / "config" / "listen.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert path(listen("-p", "sandbox")) != path(first)


def test_a_callstart_is_answered_with_an_id_that_a_repetition_gets_too(listen: Listen) -> None:
    listening = listen()
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: listening.post("callstart", START), range(24)))
    (answer,) = set(answers)
    assert answer[0] == 200
    assert 0 < len(answer[1]) <= 32
    events = [listening.event() for _ in range(24)]
    assert sum(event["duplicate_of"] is None for event in events) == 1
    assert {event["event_call_id"] for event in events} == {answer[1].decode()}
    other = listening.post("callstart", {**START, "start_time": START["start_time"] + 1})
    assert other != answer
    listening.stop()
    again = listen()
    assert again.post("callstart", START) == answer
    assert again.event()["duplicate_of"] == answer[1].decode()


def test_an_event_has_the_promised_keys(listen: Listen) -> None:
    listening = listen()
    listening.post("callstart", START)
    event = listening.event()
    assert list(event) == ["id", "seq", "type", "received_at", "call_id", *IDS, "duplicate_of", "body"]
    assert (event["type"], event["body"], event["event_call_id"]) == ("callstart", START, event["id"])
    assert event["received_at"].endswith("Z")


BODIES: list[tuple[bytes, str, Any]] = [
    (b'{"id": 1, "externalid": 7}', "text/plain", {"id": 1, "externalid": 7}),
    (b"[]id=12&[]to_number=%2B998901234567", "application/x-www-form-urlencoded", {"id": "12"}),
    (b'{"[]id": 12, "duration[]": 3}', "application/json", {"id": 12, "duration": 3}),
    (b'[{"id": 1}, {"id": 2}]', "application/x-www-form-urlencoded", [{"id": 1}, {"id": 2}]),
    (b'{"id": 1, "end_time": 2,}', "application/json", {"id": 1, "end_time": 2}),
    (b"\xff\xfe not text", "application/json", {"base64": "//4gbm90IHRleHQ="}),
    (b"hello", "application/json", "hello"),
    (b"", "application/json", ""),
    (b"[" * 100_000, "application/json", "[" * 100_000),
    (b'{"id": ' + b"9" * 5000 + b"}", "application/json", '{"id": ' + "9" * 5000 + "}"),
]


def test_whatever_comes_is_kept_and_answered(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    for body, content_type, read in BODIES:
        assert listening.post("result", body, content_type=content_type) == (200, b"true"), body[:40]
        seen = listening.event()["body"]
        assert {key: seen[key] for key in read} == read if isinstance(read, dict) else seen == read
    assert _bodies(alovoice) == [body for body, _, _ in BODIES]


def test_a_wrong_path_gets_an_empty_404_and_leaves_no_trace(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    right = listening.urls["callstart"]
    wrong = right.replace("/h/", "/h/0")
    paths = [wrong, right + "x", right.rpartition("/")[0], right.partition("/h/")[0] + "/callstart", right + "/a"]
    for url in paths:
        assert listening.request("POST", url, b"{}") == (404, b"")
    assert listening.request("GET", right) == (405, b"")
    assert listening.post("callend", b"{}") == (200, b"true")
    assert _bodies(alovoice) == [b"{}"]


def test_only_those_who_are_allowed_deliver_whatever_they_say_of_themselves(listen: Listen) -> None:
    listening = listen("--allow-from", "203.0.113.0/24")
    assert listening.post("callend", b"{}")[0] == 403
    assert listening.post("callend", b"{}", x_forwarded_for="203.0.113.7")[0] == 403
    behind = listen("--allow-from", "203.0.113.0/24", "--trusted-proxy", "127.0.0.0/8")
    assert behind.post("callend", b"{}", x_forwarded_for="203.0.113.7")[0] == 200
    assert behind.post("callend", b"{}", x_forwarded_for="203.0.113.7, 198.51.100.1")[0] == 403


def test_a_route_question_gets_a_valid_step_and_is_kept_with_it(listen: Listen) -> None:
    listening = listen("--fallback", "queue:6000")
    status, answer = listening.post("route", {"from_number": "974244100", "line_number": "712037006"})
    assert (status, json.loads(answer)) == (200, {"action_type": "queue", "action_data": "6000"})
    assert listening.event()["answer"]["step"] == {"action_type": "queue", "action_data": "6000"}
    assert json.loads(listening.post("route", b"\xff")[1])["action_type"] == "queue"


def test_a_signal_drains_and_says_so_by_its_exit_code(listen: Listen, alovoice: FrontDoor) -> None:
    assert listen().stop(signal.SIGTERM) == 143
    assert listen().stop(getattr(signal, "SIGHUP", signal.SIGTERM)) == 143
    listening = listen()
    listening.post("callend", {"call_id": "a"})
    assert listening.stop(signal.SIGINT) == 130
    listed = json.loads(alovoice("events", "list", "--json").out)
    assert [event["event_call_id"] for event in listed] == ["a"]


def test_systemd_is_told_when_it_works(listen: Listen, alovoice: FrontDoor, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        told.settimeout(10)
        alovoice.environ["NOTIFY_SOCKET"] = address
        listening = listen()
        assert told.recv(100) == b"READY=1"
        listening.stop()
        assert told.recv(100) == b"STOPPING=1"


def test_the_proof_from_outside_arrives_in_the_store(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    base = listening.urls["callend"].removesuffix("/callend")
    for url in (base, listening.urls["route"], base + "/"):
        checked = alovoice("listen", "check", "--url", url, "--json")
        assert checked.code == 0, checked.err
        assert json.loads(checked.out)["reached"] is True
    traced = alovoice("listen", "check", "--url", base, "-v").err
    assert f"→ POST {base[:-32]}••••{base[-4:]}/probe" in traced
    assert alovoice("listen", "check", "--url", base + "0").code == 8
    assert alovoice("listen", "check", "--url", base.removeprefix("http://")).code == 2
    assert alovoice("listen", "check", "--url", base, "--store", str(alovoice.home / "other.db")).code == 2
    listening.stop()
    assert alovoice("listen", "check", "--url", base).code == 5
    assert json.loads(alovoice("events", "list", "--json").out) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_https_is_served_with_the_operator_s_certificate(listen: Listen, tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    listening = listen("--tls-cert", str(certificate), "--tls-key", str(key))
    url = listening.urls["callend"]
    assert url.startswith("https://127.0.0.1:")
    port, path = url.removeprefix("https://127.0.0.1:").split("/", 1)
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", int(port)))) as connection:
        connection.sendall(f"POST /{path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "words",
    [
        ("--secret", "a/b"),
        ("--secret", "short"),
        ("--fallback", "queue:"),
        ("--fallback", "nowhere:1"),
        ("--forward", "ftp://127.0.0.1/"),
        ("--exec", "'unbalanced"),
        ("--exec", ""),
        ("--allow-from", "300.0.0.0/8"),
        ("--tls-cert", "there-is-none.pem"),
        ("--store", "mysql://there/db"),
        ("--sign-secret", "not base64!"),
        ("--host", "192.0.2.1"),
        ("--forward-timeout", "-1"),
        ("--csv",),
        ("--columns", "id"),
    ],
)
def test_wrong_words_are_told_before_anything_is_bound(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    result = alovoice("listen", "--port", "0", *words, *([] if "--csv" in words else ["--json"]))
    assert (result.code, result.out) == (2, "")
    assert "--csv" in words or json.loads(result.err.splitlines()[-1])["error"]["hint"]


def test_a_ready_file_that_cannot_be_written_is_told(alovoice: FrontDoor) -> None:
    result = alovoice("listen", "--port", "0", "--ready-file", "nosuch/ready", "--quiet")
    assert (result.code, result.out) == (2, "")
    assert "error: --ready-file nosuch/ready cannot be written" in result.err


def test_a_port_in_use_is_told(listen: Listen, alovoice: FrontDoor) -> None:
    port = listen().urls["route"].split(":")[2].partition("/")[0]
    result = alovoice("listen", "--port", port)
    assert result.code == 2
    assert port in result.err


def test_a_reader_who_leaves_ends_it_without_a_word(alovoice: FrontDoor) -> None:
    process = alovoice.start("listen", "--port", "0", "--json", "--fallback", "queue:6000")
    assert process.stdout is not None
    assert process.stderr is not None
    url = json.loads(process.stdout.readline())["urls"]["callend"]
    process.stdout.close()
    assert Listening(process).request("POST", url, b"{}")[0] == 200
    assert process.wait(20) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_hangup_drains_as_sigterm_does(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    assert listening.post("callstart", START)[0] == 200
    assert listening.stop(signal.SIGHUP) == 143
    assert len(json.loads(alovoice("events", "list", "--json").out)) == 1


def test_packed_bodies_and_queries_are_stored_as_they_came_and_read(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    listening = listen("--forward", crm.url)
    raw = gzip.compress(json.dumps(START).encode())
    call_id = listening.post("callstart", raw, content_encoding="gzip")[1].decode()
    assert listening.event()["body"] == START
    listening.post(f"{listening.urls['callend']}?call_id={call_id}&status_code=486&name=%D0%A8", b"")
    event = listening.event()
    assert (event["event_call_id"], event["query"]["status_code"], event["query"]["name"]) == (call_id, "486", "Ш")
    assert "problem" not in event
    seen = crm.wait(2)
    assert [(headers.get("content-encoding"), body) for headers, body in seen] == [("gzip", raw), (None, b"")]
    assert seen[1][0]["x-alovoice-query"] == f"call_id={call_id}&status_code=486&name=%D0%A8"
    listening.stop()
    listed = json.loads(alovoice("events", "list", "--number", "901234567", "--json").out)
    assert listed == [event, {**listed[1], "body": START}]
    shown = json.loads(alovoice("events", "show", call_id, "--json").out)
    assert shown["call"]["status"] == "486"
    assert _bodies(alovoice) == [raw, b""]


def test_a_body_over_the_limit_is_told_once_with_its_size(listen: Listen) -> None:
    listening = listen("--fallback", "queue:6000")
    size = (1 << 20) + 17
    for kind, status in (("callend", 413), ("callend", 413), ("route", 200), ("nowhere", 404)):
        url = listening.urls["callend"].replace("callend", kind)
        assert listening.post(url, b" " * size)[0] in (status, 413)
    listening.wait_for(f"a route of {spaced(size)} bytes is larger than 1 048 576 bytes")
    assert sum(f"a callend of {spaced(size)} bytes" in line for line in listening.errors) == 1

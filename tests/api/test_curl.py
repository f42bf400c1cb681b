"""The curl of a dry run, run by a real shell, sends what the client sends; the token is in no process's arguments."""

import contextlib
import io
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api.endpoints import match
from alovoice_cli.api.rehearsal import Rehearsed
from alovoice_cli.api.request import Fields, FilePart, Multipart, Raw, Request

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="curl or sh is not installed")

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
NASTY = "a\"b\\c $HOME ${PATH} `id` $(id) 'q' қўнғироқ 😀 \\n %41 {a,b} [1-2] & ; | < >"
BOUNDARY = re.compile(rb"boundary=(\S+)")
ENCODINGS = ("json", "multipart", "form", "vendor-curl")


def answer(c: Any) -> None:
    c.read()
    c.answer("200 OK", b"true")


def run(command: str, cwd: Path) -> str:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "ALOVOICE_TOKEN": TOKEN,
        "http_proxy": "http://127.0.0.1:9",
    }
    done = subprocess.run(["sh", "-c", command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def essence(seen: Any) -> tuple[object, ...]:
    """What must be equal, multipart boundaries aside."""
    kind, body = seen.header("content-type").encode(), seen.body
    found = BOUNDARY.search(kind)
    if found:
        kind, body = kind.replace(found[1], b"B"), body.replace(found[1], b"B")
    extra = sorted((name.lower(), value) for name, value in seen.headers if name.lower().startswith("x-"))
    return (seen.method, seen.target, kind, seen.header("authorization"), seen.header("token"), extra, body)


def check_equal(request: Request, serve: Any, client: Any, cwd: Path, encoding: str = "json") -> None:
    server = serve(answer)
    with pytest.raises(Rehearsed) as caught:
        client(server, encoding=encoding, rehearse=True, token=None).raw(request)
    assert server.connections == 0
    assert TOKEN not in caught.value.curl
    client(server, encoding=encoding).raw(request)
    assert run(caught.value.curl, cwd) == "true"
    ours, curls = server.requests
    assert essence(curls) == essence(ours)


def request(method: str, path: str, body: Any = None, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    found = match(method, path)
    return Request(found.endpoint, found.path, body, headers)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", ["/outcall/{token}", "/requestcall/{token}"])
def test_fields_of_every_encoding_travel_alike(
    path: str, encoding: str, serve: Any, client: Any, tmp_path: Path
) -> None:
    fields = Fields({"a": NASTY, "n": 7, "deep": {"x": ["@file", "<in", "line\nline\r\n\tend"]}, "@": "@x", "<": "<y"})
    check_equal(request("POST", path, fields), serve, client, tmp_path, encoding)


@settings(examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30), encoding=st.sampled_from(ENCODINGS))
def test_any_text_travels_alike(text: str, encoding: str, serve: Any, client: Any, tmp_path: Path) -> None:
    text = text.replace("\0", "")  # no shell can say it
    check_equal(request("POST", "/outcall/{token}", Fields({"a": text})), serve, client, tmp_path, encoding)


@pytest.mark.parametrize("name", ["x.mp3", 'қ "q" $HOME `id`.mp3', "a\\b.mp3", "@at;type=text.mp3"])
def test_an_upload_travels_alike(name: str, serve: Any, client: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfb\0\x01" * 500)
    with path.open("rb") as file:
        parts = (
            ("record", FilePart(str(path), "audio/mpeg", file, str(path))),
            ("recipients", FilePart("r.csv", "text/csv", io.BytesIO(b'@998901234567;"a,b"\r\n=\\n$HOME\n'))),
            ("name", NASTY),
            ("from", "@2025.04.25"),
            ("to", "<2025.04.25"),
            ("trunks", "712037006,712037007;type=x"),
            ("timezone", "utc +5"),
        )
        check_equal(request("POST", "/mapi/addAutorule", Multipart(parts)), serve, client, tmp_path)


def test_a_list_that_is_no_text_is_read_from_a_file_that_the_command_names(
    serve: Any, client: Any, tmp_path: Path
) -> None:
    content = "имя;901234567\n".encode("cp1251")
    (tmp_path / "r.csv").write_bytes(content)
    parts = (("recipients", FilePart("r.csv", "text/csv", io.BytesIO(content))),)
    check_equal(request("POST", "/mapi/addAutorule", Multipart(parts)), serve, client, tmp_path)


@pytest.mark.parametrize(
    "asked",
    [
        request("GET", "/callsendai/{token}/a%20b%5B1-2%5D"),
        request("DELETE", "/mapi/x?token={token}&a=%D2%9B{token}z"),
        request("PUT", "/x/{token}", Raw(b'{"a": "$HOME"}')),
        request("POST", "/x/{token}", Raw(b"@body", "text/plain"), (("X-A", 'q"$HOME\\'), ("X-Empty", ""))),
        request("GET", "/getpeers/x", Raw(b"")),
        request("POST", "/mapi/y", Raw(b"<in"), (("Content-Type", "application/vnd.a+json"),)),
    ],
    ids=lambda asked: f"{asked.method} {asked.path}",
)
def test_any_request_of_api_travels_alike(asked: Request, serve: Any, client: Any, tmp_path: Path) -> None:
    if asked.endpoint.reads:
        asked = request("PATCH", "/getpeers/x", asked.body)
    check_equal(asked, serve, client, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
def test_the_token_is_in_no_process_arguments(serve: Any, client: Any, unsafe: Any, tmp_path: Path) -> None:
    arguments: list[bytes] = []

    def look(c: Any) -> None:
        c.read()
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # a process that has ended meanwhile
                if place.with_name("cwd").readlink() == tmp_path:  # not one of another test
                    arguments.append(place.read_bytes())
        c.answer("200 OK", b"true")

    server = serve(look)
    with pytest.raises(Rehearsed) as caught:
        unsafe["outcall"](client(server, rehearse=True))
    run(caught.value.curl, tmp_path)
    assert any(b"curl\0" in argument for argument in arguments)
    assert not any(TOKEN.encode() in argument for argument in arguments)


def test_a_rehearsal_shows_the_request_and_touches_nothing(serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    server = serve(answer)
    shown: dict[str, Any] = {}
    for name, call in unsafe.items():
        with pytest.raises(Rehearsed) as caught:
            call(client(server, rehearse=True, token=None))
        shown[name] = caught.value.as_json()
    assert server.connections == 0
    assert book.intents == []
    assert shown["outcall"]["url"] == f"{server.url}/outcall/$ALOVOICE_TOKEN"
    assert shown["outcall"]["headers"] == {"Content-Type": "application/json"}
    assert shown["outcall"]["body"] == {"call_id": "7", "inner_phone": 2424, "number": "+998994412860"}
    assert shown["addAutorule"]["headers"]["Authorization"] == "Bearer $ALOVOICE_TOKEN"
    record = shown["addAutorule"]["body"][0]
    assert record == {"name": "record", "filename": "x.mp3", "type": "audio/mpeg", "size": 602}
    assert shown["callsendai"]["body"] is None


def test_a_rehearsal_reads_for_real(serve: Any, client: Any) -> None:
    def lines(c: Any) -> None:
        c.read()
        c.answer("200 OK", b'["712037006"]')

    assert client(serve(lines), rehearse=True).trunks.list() == ["712037006"]

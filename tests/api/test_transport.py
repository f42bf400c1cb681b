"""One request on its way: by which proxy and certificates it goes, what is sent, what is traced of it."""

import io
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from alovoice_cli.api.address import parse_address
from alovoice_cli.api.endpoints import match
from alovoice_cli.api.request import Fields, FilePart, Multipart, Raw, Request
from alovoice_cli.api.send_guard import Abandoned
from alovoice_cli.api.transport import hashed_folder, proxy_of, shown_proxy
from alovoice_cli.errors import AlovoiceError, UnreachableError, UsageError

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
OUTCALL = "/outcall/{token}"
TRUNKS = "/mapi/getMyTrunks"


def a_request(method: str, path: str, body: Any = None, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    found = match(method, path)
    return Request(found.endpoint, found.path, body, headers)


def says(status: str, body: bytes = b"", *headers: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body, *headers)

    return act


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL of this machine that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- proxies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "unproxied", "bypassed"),
    [
        ("https://h.uz", "", False),
        ("https://h.uz", "a.uz,H.UZ", True),
        ("https://h.uz", " h . uz ", True),
        ("https://h.uz", ",", False),
        ("https://h.uz.", "a.uz,", False),
        ("https://h.uz", "uz", True),
        ("https://h.uz", "*.uz", True),
        ("https://h.uz", "*uz", True),
        ("https://h.uz", "z", False),
        ("https://h.uz", "*", True),
        ("https://h.uz", "*:443", False),
        ("https://h.uz", "h.uz:443", True),
        ("https://h.uz", "h.uz:80", False),
        ("https://h.uz:8443", "h.uz:8443", True),
        ("https://h.uz", "a.uz:443", False),
        ("https://h.uz", "h.uz:x", False),
        ("https://10.0.0.5", "10.0.0.5", True),
        ("https://[fd00::10]", "fd00::10", True),
        ("https://[fd00::10]", "[fd00::10]", True),
        ("https://[fd00::10]", "[fd00::10]:443", True),
        ("https://[fd00::10]", "[fd00::10]:80", False),
        ("https://[fd00::10]", "fd00::1", False),
        ("https://[fd00::a]", "FD00::A", True),
        ("https://[fd00::]", "fd00::443", False),
    ],
)
def test_no_proxy_names_hosts_domains_ports_and_addresses(url: str, unproxied: str, bypassed: bool) -> None:
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": unproxied}
    assert proxy_of(parse_address(url), environ) == ("" if bypassed else "http://p:1")


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://h.uz", {}, ""),
        ("https://h.uz", {"NO_PROXY": "a.uz"}, ""),
        ("https://h.uz", {"https_proxy": "", "HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://h.uz", {"HTTPS_PROXY": "p:1", "ALL_PROXY": "q:2"}, "http://p:1"),
        ("http://h.uz", {"all_proxy": "https://p:1"}, "https://p:1"),
        ("https://localhost", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("http://127.0.0.1", {"HTTP_PROXY": "p:1"}, ""),
    ],
)
def test_the_first_variable_that_is_set_names_the_proxy(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_of(parse_address(url, insecure=True), environ) == proxy


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("", ""),
        ("HTTP://user:secret@p.uz:3128/path?a#b", "http://p.uz:3128"),
        ("http://user:p@ss@p.uz", "http://p.uz"),
        ("http://user:se://cret@p.uz", "http://p.uz"),
        ("http://user:se/cret@p.uz:3128", "http://p.uz:3128"),
        ("http://user:secret@[::1", "http://[::1"),
        ("http://[x]:3", "http://[x]:3"),
    ],
)
def test_of_a_proxy_scheme_host_and_port_are_shown(proxy: str, shown: str) -> None:
    assert shown_proxy(proxy) == shown


@pytest.mark.parametrize("proxy", ["http://u:secret@[::1", "http://u:secret@[x]:3", "gopher://u:secret@p:1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(scheme: str, proxy: str, client: Any) -> None:
    pbx = client(f"{scheme}://h.uz", insecure=True, environ={f"{scheme}_proxy": proxy})
    with pytest.raises(UsageError) as caught:
        pbx.trunks.list()
    assert caught.value.message == f"the proxy {shown_proxy(proxy)} cannot be used"
    assert caught.value.hint.startswith(f"set {scheme.upper()}_PROXY to http://HOST:PORT")


def test_a_proxy_that_fails_is_the_one_that_is_named(dead: str, client: Any) -> None:
    pbx = client("http://h.uz", insecure=True, environ={"http_proxy": dead})
    assert pbx.proxy == dead
    with pytest.raises(UnreachableError, match=f"^the proxy {dead} refuses connections$"):
        pbx.trunks.list()


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "used"), [(49, False), (50, True)])
def test_a_folder_is_the_system_s_if_it_holds_fifty_authorities(
    count: int, used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    for number in range(count):
        (tmp_path / f"{number:08x}.0").touch()
    (tmp_path / "ca-certificates.crt").touch()
    assert hashed_folder() == (str(tmp_path) if used else "")


def test_without_a_folder_of_the_system_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath="/nowhere/certs")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    assert hashed_folder() == ""


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_are_read_from_the_given_environment_alone(
    name: str, serve: Any, client: Any, tls: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath="/nowhere/certs")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setenv(name, "/nowhere/ca.pem" if name == "SSL_CERT_FILE" else str(certificate.parent))
    server = serve(says("200 OK", b"[]"), context=tls)
    with pytest.raises(UnreachableError, match="certificate"):
        client(server).trunks.list()


def test_certificates_that_cannot_be_read_are_named(client: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(UsageError) as caught:
            client("https://h.uz", environ={"SSL_CERT_FILE": str(path)}).trunks.list()
        assert caught.value.message == f"the certificates in {path} cannot be read"
        assert caught.value.detail.startswith("[")  # as the system or the TLS library says it


def test_http_needs_no_authorities(serve: Any, client: Any) -> None:
    environ = {"SSL_CERT_FILE": "/nowhere/ca.pem"}
    assert client(serve(says("200 OK", b"[]")), environ=environ).trunks.list() == []


# --- what is sent ----------------------------------------------------------------------------------------------------


class Wire(httpx.BaseTransport):
    """A network in this process; it keeps what it was given."""

    def __init__(self, body: bytes = b"true") -> None:
        self.body = body
        self.requests: list[httpx.Request] = []
        self.closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return httpx.Response(200, content=self.body)

    def close(self) -> None:
        self.closed = True


def test_a_given_transport_replaces_the_network_and_its_proxy(client: Any) -> None:
    wire = Wire()
    pbx = client("https://h.uz", transport=wire, environ={"HTTPS_PROXY": "p:1"})
    assert pbx.proxy == ""
    assert pbx.raw(a_request("POST", OUTCALL)).reply.body == b"true"
    pbx.close()
    assert wire.closed


def test_the_guard_is_asked_before_the_first_byte(serve: Any, client: Any) -> None:
    server = serve(says("200 OK", b"true"))
    pbx = client(server)
    pbx.raw(a_request("POST", OUTCALL))
    assert pbx.send_guard.anything_left
    pbx.send_guard.guard(0)
    with pytest.raises(Abandoned):
        pbx.raw(a_request("POST", OUTCALL))
    assert len(server.requests) == 1


def headers_of(request: httpx.Request) -> dict[str, str]:
    """Returns the headers in their own spelling, without those that httpx adds by itself."""
    raw = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    assert len(raw) == len(dict(raw))
    return {name: value for name, value in raw if name not in ("Host", "Content-Length", "User-Agent")}


def test_each_header_is_sent_once_and_one_given_by_hand_has_priority(client: Any) -> None:
    wire = Wire()
    pbx = client("https://h.uz", transport=wire)
    pbx.raw(a_request("POST", OUTCALL, Fields({"a": 1})))
    pbx.raw(a_request("POST", "/mapi/x", Raw(b"x"), (("content-type", "text/x"), ("Accept", "a/b"), ("x-A", "1"))))
    pbx.raw(a_request("GET", "/getpeers/{token}", None, (("Token", "mine"),)))
    usual = {"Accept": "*/*", "Accept-Encoding": "identity"}
    alone = {"Connection": "close"}
    assert [headers_of(request) for request in wire.requests] == [
        {**usual, **alone, "Content-Type": "application/json"},
        {
            **alone,
            "Accept-Encoding": "identity",
            "Accept": "a/b",
            "content-type": "text/x",
            "x-A": "1",
            "Authorization": f"Bearer {TOKEN}",
        },
        {**usual, "Token": "mine"},
    ]
    assert [(request.method, request.url.raw_path, request.content) for request in wire.requests] == [
        ("POST", f"/outcall/{TOKEN}".encode(), b'{"a": 1}'),
        ("POST", b"/mapi/x", b"x"),
        ("GET", f"/getpeers/{TOKEN}".encode(), b""),
    ]
    assert all(request.headers["User-Agent"].startswith("alovoice/") for request in wire.requests)


def test_an_upload_is_counted_over_all_its_files(client: Any) -> None:
    wire, steps = Wire(b'{"id": 1}'), []
    pbx = client("https://h.uz", transport=wire, environ={})
    pbx.autorule.create(
        {"name": "N"},
        record=FilePart("/a/x.mp3", "audio/mpeg", io.BytesIO(b"abc")),
        recipients=FilePart("r.csv", "text/csv", io.BytesIO(b"de")),
        progress=lambda *step: steps.append(step),
    )
    assert steps == [(3, 5), (5, 5)]
    assert b'name="record"; filename="x.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nabc\r\n' in wire.requests[0].content


def test_a_second_try_sends_all_files_again_and_sees_that_one_changed(client: Any) -> None:
    recipients = io.BytesIO(b"de")
    parts = Multipart((("name", "N"), ("recipients", FilePart("r.csv", "text/csv", recipients))))
    with socket.socket() as taken:  # bound, not listening: refuses
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        pbx = client(url, sleep=lambda _: recipients.truncate(1))
        with pytest.raises(UsageError, match=r"r\.csv changed"):
            pbx.raw(a_request("POST", "/mapi/addAutorule", parts))


LONG = b'"' + b"a" * (1 << 20) + b'"'


@pytest.mark.parametrize(
    ("method", "path", "whole"),
    [("POST", OUTCALL, False), ("POST", "/new/thing", True), ("GET", TRUNKS, True)],
)
def test_only_the_answer_of_a_known_dial_is_limited_to_a_megabyte(
    method: str, path: str, whole: bool, client: Any
) -> None:
    pbx = client("https://h.uz", transport=Wire(LONG))
    if whole:
        assert pbx.raw(a_request(method, path)).reply.body == LONG
    else:
        with pytest.raises(AlovoiceError, match="too large"):
            pbx.raw(a_request(method, path))


# --- what is traced --------------------------------------------------------------------------------------------------


def traced(client: Any, where: Any, method: str, path: str, **options: Any) -> list[str]:
    lines: list[str] = []
    pbx = client(where, trace=lines.append, uniform=lambda low, high: high, **options)
    try:
        pbx.raw(a_request(method, path, Raw(b"{}") if method == "POST" else None))
    except AlovoiceError as error:
        lines.append(f"code {error.exit_code:d}")
    return lines


def test_a_lost_answer_is_traced_once(serve: Any, client: Any) -> None:
    server = serve(lambda c: c.read())
    assert traced(client, server, "POST", OUTCALL) == [
        f"→ POST {server.url}/outcall/••••a022",
        "  application/json: {}",
        "← localhost closed the connection without a response",
        "code 6",
    ]
    lines = traced(client, server, "GET", TRUNKS)
    tries = ["← localhost closed the connection without a response", f"→ GET {server.url}{TRUNKS}"]
    assert [line for line in lines if not line.startswith("↻")] == [tries[1], tries[0]] * 4 + ["code 5"]


def test_a_request_that_never_left_is_traced_for_each_try(dead: str, client: Any) -> None:
    lines = traced(client, dead, "POST", OUTCALL)
    assert lines == [
        f"→ POST {dead}/outcall/••••a022",
        "  application/json: {}",
        "← 127.0.0.1 refuses connections",
        "↻ ConnectError: try 2 in 0.50 s",
        f"→ POST {dead}/outcall/••••a022",
        "  application/json: {}",
        "← 127.0.0.1 refuses connections",
        "↻ ConnectError: try 3 in 1.00 s",
        f"→ POST {dead}/outcall/••••a022",
        "  application/json: {}",
        "← 127.0.0.1 refuses connections",
        "code 5",
    ]


@pytest.mark.parametrize(("method", "path"), [("POST", OUTCALL), ("GET", TRUNKS)])
def test_an_answer_is_traced_once(method: str, path: str, client: Any) -> None:
    lines = traced(client, "https://h.uz", method, path, transport=Wire(b"true"))
    assert [line for line in lines if line.startswith("←")] == [lines[-2]]
    assert lines[-2].startswith("← 200 OK ")
    assert lines[-1] == "  true"


@pytest.mark.parametrize(("method", "path"), [("POST", OUTCALL), ("GET", TRUNKS)])
def test_a_late_answer_is_traced_with_the_time_that_was_given(method: str, path: str, serve: Any, client: Any) -> None:
    def hang(c: Any) -> None:
        c.read()
        c.hang()

    lines = traced(client, serve(hang), method, path, timeout=0.25)
    assert "← localhost sent no complete response within 0.25 s" in lines

"""Base URLs, proxies and settings that would give the token away are refused before anything is sent."""

from typing import Any

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api.address import is_loopback, parse_address
from alovoice_cli.api.transport import CERTIFI, hashed_folder, proxy_of, shown_proxy
from alovoice_cli.errors import TokenMissingError, UsageError

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://cld.alovoice.uz", "https://cld.alovoice.uz"),
        ("https://cld.alovoice.uz:443/pbx/", "https://cld.alovoice.uz/pbx"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://127.0.0.9", "http://127.0.0.9"),
        ("http://[::1]:80", "http://[::1]"),
        ("HTTP://Sandbox.LocalHost", "http://sandbox.localhost"),
    ],
)
def test_a_base_url_is_taken(url: str, plain: str) -> None:
    assert parse_address(url).url == plain


@pytest.mark.parametrize(
    "url",
    [
        "http://cld.alovoice.uz",
        "http://127.0.0.1.evil.uz",
        "http://localhost.evil.uz",
        "https://user:pass@cld.alovoice.uz",
        "https://user@cld.alovoice.uz",
        "ftp://cld.alovoice.uz",
        "cld.alovoice.uz",
        "https://",
        "https://h:99999",
        "https://h/?q=1",
        "https://h/#f",
        "https://h/a/../b",
        "https://h/%2e%2e",
        "https://[::1",
    ],
)
def test_a_base_url_that_would_give_the_token_away_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_address(url)


def test_plain_http_to_another_machine_needs_the_profiles_word() -> None:
    assert parse_address("http://pbx.office", insecure=True).host == "pbx.office"


@examples(60)
@given(st.text())
def test_any_base_url_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = parse_address(text)
    except UsageError:
        return
    assert address.scheme == "https" or is_loopback(address.host)


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://h.uz", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://h.uz", {"https_proxy": "p:1", "HTTPS_PROXY": "q:2"}, "http://p:1"),
        ("https://h.uz", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://h.uz", {"HTTP_PROXY": "http://p:1"}, ""),
        ("https://h.uz", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.uz, h.uz"}, ""),
        ("https://x.h.uz", {"HTTPS_PROXY": "http://p:1", "no_proxy": ".h.uz"}, ""),
        ("https://xh.uz", {"HTTPS_PROXY": "http://p:1", "no_proxy": "h.uz"}, "http://p:1"),
        ("https://h.uz", {"HTTPS_PROXY": "http://p:1", "no_proxy": "h.uz:8443"}, "http://p:1"),
        ("https://h.uz", {"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, ""),
        ("http://localhost:9", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"}, ""),
    ],
)
def test_the_proxy_follows_the_usual_variables(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_of(parse_address(url), environ) == proxy


def test_a_proxys_password_is_not_shown() -> None:
    assert shown_proxy("http://user:secret@p.uz:3128") == "http://p.uz:3128"


def test_a_loopback_server_is_never_reached_through_a_proxy(serve: Any, client: Any) -> None:
    def empty(c: Any) -> None:
        c.read()
        c.answer("200 OK", b"[]")

    proxy, server = serve(empty), serve(empty)
    assert client(server, environ={"HTTP_PROXY": proxy.url, "ALL_PROXY": proxy.url}).trunks.list() == []
    assert (proxy.connections, server.connections) == (0, 1)


@pytest.mark.parametrize(
    "environ", [{"HTTPS_PROXY": "socks5://p:1"}, {"HTTPS_PROXY": "gopher://p:1"}, {"SSL_CERT_FILE": "/nowhere/ca.pem"}]
)
def test_a_setting_that_cannot_be_used_is_named_before_anything_is_sent(environ: dict[str, str], client: Any) -> None:
    with pytest.raises(UsageError):
        client("https://h.uz", environ=environ).trunks.list()


def test_without_a_token_nothing_is_sent(serve: Any, client: Any, unsafe: Any, reading: Any, book: Any) -> None:
    server = serve(lambda c: c.read())
    for call in (*unsafe.values(), *reading.values()):
        with pytest.raises(TokenMissingError, match="no token for the profile test"):
            call(client(server, token=None))
    assert server.connections == 0
    assert book.intents == []


def test_the_client_says_which_proxy_and_authorities_are_in_force(client: Any) -> None:
    environ = {"HTTPS_PROXY": "http://u:secret@p.uz:3128", "SSL_CERT_FILE": "/etc/ca.pem"}
    through = client("https://h.uz", environ=environ)
    assert (through.proxy, through.authorities) == ("http://p.uz:3128", "/etc/ca.pem")
    bare = client("https://h.uz")
    assert (bare.proxy, bare.authorities) == ("", hashed_folder() or CERTIFI)
    assert client("http://localhost", environ=environ).authorities == ""


@pytest.mark.parametrize(
    "host",
    [
        "a" * 64 + ".uz",
        "қ" * 70 + ".uz",
        "a." * 150 + "uz",
        "a..uz",
        ".uz",
        "a b.uz",
        "a%20b.uz",
        "*.uz",
        "☎.uz",
        "xn--.uz",
        "xn--a.uz",
        "1.2.3.999",
        "[fe80::1%25eth0]",
        "h:0",
        "h:99999",
        "h:abc",
    ],
)
def test_a_host_that_there_cannot_be_is_a_sentence_about_the_url(host: str, alovoice: FrontDoor) -> None:
    alovoice.environ |= {"ALOVOICE_BASE_URL": f"https://{host}", "ALOVOICE_TOKEN": TOKEN}
    result = alovoice("call", "out", "--from", "2424", "--to", "+998994412860")
    assert (result.code, result.out) == (2, "")
    assert "URL" in next(line for line in result.err.splitlines() if line.startswith("error: "))
    assert "error in alovoice" not in result.err


@pytest.mark.parametrize(
    "host", ["a" * 63 + ".uz", "pbx_1.uz", "h.uz.", "қўнғироқ.uz", "атс.уз", "[::1]", "10.0.0.5", "pbx"]
)
def test_a_host_that_there_can_be_is_taken(host: str) -> None:
    assert parse_address(f"https://{host}").url == f"https://{host}"

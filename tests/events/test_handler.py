"""Where an event goes: exact URLs, bases, and what no URL may be."""

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.events.handler import Handlers, checked_url, shown_url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h", "http://h/route"),
        ("http://h/", "http://h/route"),
        ("http://h:8787/h/0123", "http://h:8787/h/0123/route"),
        ("http://h/crm/callstart", "http://h/crm/route"),
        ("http://h/crm/callstart/", "http://h/crm/route"),
        ("http://h/crm/{type}.php", "http://h/crm/route.php"),
        ("http://h/hook?event={type}", "http://h/hook?event=route"),
        ("http://h/hook.php", "http://h/hook.php"),
        ("http://h/hook?key=1", "http://h/hook?key=1"),
        ("http://[::1]:80/x", "http://[::1]:80/x/route"),
        ("https://h/ўзбек", "https://h/%D1%9E%D0%B7%D0%B1%D0%B5%D0%BA/route"),
    ],
)
def test_the_type_is_added_where_it_belongs(base: str, url: str) -> None:
    assert Handlers.from_words([base], "--to").url("route") == url


def test_an_exact_url_stands_beside_a_base_or_alone() -> None:
    handlers = Handlers.from_words(["route=http://r/x?y=1", "http://h"], "--to")
    assert (handlers.url("route"), handlers.url("callend")) == ("http://r/x?y=1", "http://h/callend")
    alone = Handlers.from_words(["route=http://r/x"], "--to")
    assert alone.url("callend") is None
    with pytest.raises(UsageError, match="no URL for callend"):
        alone.needed("callend", "--to")


@pytest.mark.parametrize(
    "words",
    [
        ["http://a", "http://b"],
        ["route=http://a", "route=http://b"],
        ["probe=http://a"],
        ["route="],
        [""],
        ["http://h#x"],
    ],
)
def test_what_is_no_target_or_said_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        Handlers.from_words(words, "--to")


@pytest.mark.parametrize(
    "url", ["http://h:99999/", "http://[::1/", "http://h/\x1b[2J", "file:///etc/passwd", "http:///x"]
)
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked_url(url, "--to")


def test_what_is_shown_of_a_url_holds_no_secret() -> None:
    assert shown_url("http://h/h/0123456789abcdef/route?key=s3cret") == "http://h/h/••••cdef/route?…"
    handlers = Handlers.from_words(["http://h/h/0123456789abcdef", "route=http://r/x?k=1"], "--to")
    assert handlers.shown == "http://h/h/••••cdef, route=http://r/x?…"

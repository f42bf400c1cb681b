"""A base URL carries the token in its paths: where it may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.config.urls import check_base_url, is_loopback


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("https://cld.alovoice.uz", "https://cld.alovoice.uz"),
        ("https://cld.alovoice.uz/", "https://cld.alovoice.uz"),
        ("https://pbx.example:8443/api/", "https://pbx.example:8443/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST./", "http://LOCALHOST."),
        ("http://sandbox.localhost", "http://sandbox.localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_sound_url_loses_only_its_last_slash(text: str, checked: str) -> None:
    assert check_base_url(text) == checked


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("http://pbx.example", "must be https"),
        ("http://127.0.0.1.evil.example", "must be https"),
        ("http://localhost.evil.example", "must be https"),
        ("ftp://pbx.example", "start with https"),
        ("pbx.example", "name a host"),
        ("https://", "name a host"),
        ("", "name a host"),
        ("https://user:pass@pbx.example", "user name"),
        ("https://@pbx.example", "user name"),
        ("https://pbx.example?token=1", r"\? or #"),
        ("https://pbx.example#x", r"\? or #"),
        ("https://pbx.example?", r"\? or #"),
        ("https://pbx.example:0", "name a host"),
        ("https://pbx.example:99999", "port"),
        ("https://pbx.example:x", "port"),
        ("https://pbx. example", "spaces"),
        ("https://pbx.example\\@evil.example", "backslashes"),
        ("https://pbx\n.example", "control"),
        ("http://127.0.0.1\\.evil.example", "backslashes"),
        ("https://[::1", "is not a valid URL"),
        ("https://u:pass℀@x", "is not a valid URL"),
    ],
)
def test_a_url_that_could_lead_elsewhere_is_refused(text: str, trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble) as caught:
        check_base_url(text)
    assert "pass" not in str(caught.value).replace("password", "")


def test_plain_http_to_another_host_needs_consent() -> None:
    assert check_base_url("http://10.0.0.5:3000", insecure=True) == "http://10.0.0.5:3000"


@given(st.text())
@examples(200)
def test_any_text_is_taken_or_refused_with_a_value_error(text: str) -> None:
    for candidate in (text, f"https://{text}", f"http://{text}"):
        try:
            checked = check_base_url(candidate)
        except ValueError:
            continue
        assert checked.isprintable()
        assert checked.startswith("https://") or is_loopback(
            checked.removeprefix("http://").split("/")[0].split(":")[0]
        )

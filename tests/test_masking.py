"""What hides tokens and secrets, and what disarms control characters."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.language import Translated
from alovoice_cli.masking import DOTS, Masker, disarm, is_secret_key, mask, mask_fields

UUID = "cafe0000-dead-4eef-8bad-f00dfeed0042"
ARMED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
TOKENS = st.text("".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "/?#%\\"), min_size=9, max_size=60)
SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=40)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(0, 10**9), st.text("0123456789 .:", max_size=12))
SECRET_KEYS = [
    "secret",
    "windowsapp",
    "mobileqr",
    "Secret2",
    "sip_password",
    "passwd",
    "API-Token",
    "qrcode",
    "xTOKENx",
]
PLAIN_KEYS = ["id", "number", "username", "status", "lastip", "новое", "key", "x"]


def _spellings(token: str) -> list[str]:
    raw = token.encode()
    return [
        token,
        quote(token, safe=""),
        quote_plus(token),
        json.dumps(token)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        f"Bearer {token}",
        f"https://pbx.example/outcall/{quote(token, safe='')}?token={quote(token, safe='')}",
    ]


# --- tokens in texts -------------------------------------------------------------------------------------------------


@examples(300)
@given(token=TOKENS, which=st.lists(st.integers(0, 7), min_size=1, max_size=5), glue=st.text("0123456789 ", max_size=3))
def test_no_spelling_of_a_token_survives_in_any_text(token: str, which: list[int], glue: str) -> None:
    assume(token not in DOTS and set(token) - set("0123456789"))
    spellings = _spellings(token)
    text = glue.join(spellings[place] for place in which)
    hidden = Masker([token]).hide(text)
    for spelling in spellings[:6]:
        assert spelling.rstrip("=") not in hidden
    assert mask(token) in hidden


@examples(100)
@given(text=st.text(max_size=60), token=TOKENS)
def test_a_text_without_the_token_stays_as_it_is(text: str, token: str) -> None:
    assume(not any(spelling.rstrip("=") in text for spelling in _spellings(token)[:6]))
    assert Masker([token]).hide(text) == text


def test_the_first_part_of_a_token_does_not_survive_either() -> None:
    for spelling in _spellings(UUID):
        hidden = Masker([UUID]).hide(f"<{spelling}>")
        assert UUID[:28] not in hidden
        assert base64.b64encode(UUID.encode()).decode()[:28] not in hidden
    assert Masker([UUID]).hide(UUID) == DOTS + "0042"


def test_of_two_tokens_the_longer_is_hidden_first() -> None:
    masker = Masker([UUID[:12], UUID])
    assert masker.hide(f"{UUID} {UUID[:12]}") == f"{DOTS}0042 {DOTS}{UUID[8:12]}"


@pytest.mark.parametrize("short", ["", "a", "true", "12345"])
def test_what_is_too_short_to_be_a_secret_tears_up_no_words(short: str) -> None:
    assert Masker([short]).hide("true 12345 a") == "true 12345 a"


JSON: st.SearchStrategy[Any] = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PLAIN_KEYS), inner, max_size=3)
)


@examples(100)
@given(value=JSON)
def test_hiding_in_a_value_keeps_its_shape_and_reaches_keys_and_depths(value: Any) -> None:
    masker = Masker([UUID])
    assert masker.hide_in(value) == value
    laden = {"a": [value, {UUID: {"deep": f"x{UUID}x"}}], "b": value}
    hidden = masker.hide_in(laden)
    assert UUID not in json.dumps(hidden)
    assert hidden == {"a": [value, {f"{DOTS}0042": {"deep": f"x{DOTS}0042x"}}], "b": value}


# --- secrets by their names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("voip123", DOTS), ("12345678", DOTS), ("123456789", DOTS + "6789"), ("x", DOTS), (UUID, DOTS + "0042")],
)
def test_a_short_secret_shows_no_tail(secret: str, shown: str) -> None:
    assert mask(secret) == shown


@examples(100)
@given(
    plain=st.dictionaries(st.sampled_from(PLAIN_KEYS), PLAIN, max_size=4),
    secret=st.dictionaries(
        st.sampled_from(SECRET_KEYS),
        SECRETS | st.lists(SECRETS, max_size=2) | st.fixed_dictionaries({"a": SECRETS}),
        min_size=1,
        max_size=4,
    ),
    depth=st.integers(0, 3),
)
def test_of_a_secret_field_five_letters_in_a_row_are_never_shown(
    plain: dict[str, Any], secret: dict[str, Any], depth: int
) -> None:
    peer: Any = {**plain, **secret}
    for _ in range(depth):
        peer = {"outer": [peer]}
    masked = mask_fields(peer)
    shown = json.dumps(masked, ensure_ascii=False)
    shown = re.sub(r'"[^"]*":|true|false|null', "", shown)
    assert not re.search("[a-zA-Z]{5}", shown), shown
    for _ in range(depth):
        masked = masked["outer"][0]  # type: ignore[index] # of the shape that was laid in
    assert {key: masked[key] for key in plain} == plain  # type: ignore[index] # same


def test_what_is_empty_or_yes_or_no_under_a_secrets_name_is_no_secret() -> None:
    empty = {"secret": None, "token": "", "qr": False, "password": True}
    assert mask_fields(empty) == empty
    assert mask_fields({"secret": 123456789012}) == {"secret": DOTS + "9012"}


@pytest.mark.parametrize("name", [*SECRET_KEYS, "Authorization"])
def test_a_secrets_name_is_known(name: str) -> None:
    assert is_secret_key(name)


@pytest.mark.parametrize("name", [*PLAIN_KEYS, "answer", "stereoaudio", "extnumber", "trunk_id", "begin_time", "name"])
def test_an_ordinary_name_is_none(name: str) -> None:
    assert not is_secret_key(name)


# --- control characters ----------------------------------------------------------------------------------------------


@examples(200)
@given(text=st.text(st.characters(codec=None), max_size=40) | st.text("\x1b\x9b\x07\r\n\t\u202e\u2066\ud800a[31m"))
def test_nothing_armed_is_left_and_nothing_else_is_touched(text: str) -> None:
    line, lines = disarm(text), disarm(text, one_line=False)
    assert not ARMED.search(line)
    assert not ARMED.search(lines)
    assert not {"\n", "\t"} & set(line)
    assert lines.count("\n") == text.count("\n")
    assert disarm(line) == line
    if not ARMED.search(text):
        assert lines == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "^[[31m"),
        ("\x00\x7f", "^@^?"),
        ("\x9b", "\\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\tb\nc\r", "a\\tb\\nc\\r"),
        ("\ud83d", "\\ud83d"),
        ("oʻzbek қўшиқ 😀", "oʻzbek қўшиқ 😀"),
    ],
)
def test_each_is_shown_so_that_it_can_be_recognised(text: str, shown: str) -> None:
    assert disarm(text) == shown


@pytest.mark.parametrize(
    "secret",
    ["abcdef", "pass word 12/x", 'pa"ss\\wörd', "a+b/c?d=e&f", "ключ-слово", "\ud800secret", "abcdeW", "aa?aaW"],
)
def test_a_secret_is_hidden_in_each_of_its_spellings(secret: str) -> None:
    raw = secret.encode("utf-8", "surrogatepass")
    for spelling in (
        secret,
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ):
        assert Masker([secret]).hide(f"<{spelling}>") == f"<{mask(secret)}>"


def test_the_longest_spelling_of_all_secrets_is_known() -> None:
    masker = Masker()
    assert (masker.longest, masker.hide("")) == (0, "")
    masker.learn("short")
    assert masker.longest == 0
    for secret in ("abcdef", "a/b/c/d/e/f/", "abcdefgh"):
        masker.learn(secret)
    assert masker.longest == len("a%2Fb%2Fc%2Fd%2Fe%2Ff%2F")
    assert masker.hide("abcdef abcdefgh a/b/c/d/e/f/") == f"{DOTS} {DOTS} {DOTS}e/f/"


def test_a_secret_is_hidden_in_both_languages_of_a_text() -> None:
    hidden = Masker([UUID]).hide(Translated(f"ключ {UUID}", f"key {UUID}"))
    assert isinstance(hidden, Translated)
    assert (str(hidden), hidden.english) == (f"ключ {DOTS}0042", f"key {DOTS}0042")


def test_other_values_than_texts_stay_and_every_key_becomes_a_text() -> None:
    value = {7: [UUID, None, 1.5, True, {UUID: 0}]}
    assert Masker([UUID]).hide_in(value) == {"7": [f"{DOTS}0042", None, 1.5, True, {f"{DOTS}0042": 0}]}


def test_under_a_secrets_name_every_text_and_number_is_masked_at_any_depth() -> None:
    value = {"secret": {"a": [12345678901, "", None, False, {"b": "abcdefghij"}]}, "id": ["abcdefghij", {"qr": "x"}]}
    assert mask_fields(value) == {
        "secret": {"a": [f"{DOTS}8901", "", None, False, {"b": f"{DOTS}ghij"}]},
        "id": ["abcdefghij", {"qr": DOTS}],
    }
    assert mask_fields("secret") == "secret"


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1f", "^_"), ("\x20", " "), ("\x7f", "^?"), ("\x80", "\\x80"), ("\x9f", "\\x9f"), ("\xa0", "\xa0"),
        ("\u2028", "\\u2028"), ("\u2069", "\\u2069"), ("\ud800", "\\ud800"), ("\udfff", "\\udfff"), ("\r", "\\r"),
    ],
)  # fmt: skip
def test_each_border_of_the_armed_characters(character: str, shown: str) -> None:
    assert disarm(character) == disarm(character, one_line=False) == shown
    assert disarm("\t\n", one_line=False) == "\t\n"

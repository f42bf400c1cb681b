"""Secrets in text that is not the JSON it should be: cut, wrong, or no JSON at all."""

import json
import time

import pytest
from front_door import TOKEN, FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from raw_server import Connection, RawServer
from strength import examples

from alovoice_cli.api.reply import readable
from alovoice_cli.masking import Masker, mask_text

SECRET = "SUPERSECRETSIP1"
BODY = json.dumps([{"number": 1, "secret": SECRET, "windowsapp": f"https://x/{SECRET}", "dnd": False}])


def _pieces() -> set[str]:
    return {SECRET[place : place + 5] for place in range(len(SECRET) - 4)}


@given(st.integers(0, len(BODY)))
def test_wherever_an_answer_is_cut_no_piece_of_a_secret_shows(place: int) -> None:
    assert not any(piece in mask_text(BODY[:place]) for piece in _pieces())


def test_key_and_value_of_a_form_and_of_escaped_json_are_masked_and_the_rest_stays() -> None:
    assert mask_text(f"a=1&secret={SECRET}&b=2") == "a=1&secret=••••&b=2"
    assert SECRET not in mask_text(json.dumps({"inner": BODY}))
    assert mask_text("assalomu alaykum, 12:30") == "assalomu alaykum, 12:30"


def test_a_text_with_every_secret_name_shows_none_of_their_values() -> None:
    names = ("secret", "passwd", "token", "mobileqr", "windowsapp", "Authorization")
    assert mask_text("&".join(f"{name}={SECRET}" for name in names)) == "&".join(f"{name}=••••" for name in names)


def test_an_answer_that_is_no_json_shows_no_secret_anywhere(alovoice: FrontDoor) -> None:
    bodies = [BODY.replace("false", "NaN"), BODY[:-9], BODY + "\udcff", f"<p>secret={SECRET}</p>"]

    for body in bodies:

        def answers(connection: Connection, body: str = body) -> None:
            connection.read()
            connection.answer("200 OK", body.encode("utf-8", "surrogateescape"))

        server = RawServer([answers])
        alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
        for words in (
            ["peers", "-v"],
            ["peers", "--json"],
            ["api", "GET", "/getpeers", "-i", "-v"],
            ["ai", "send", "1"],
        ):
            result = alovoice(*words)
            assert not any(piece in result.out + result.err for piece in _pieces()), f"{words}: {result}"
        server.stop()
    for path in (alovoice.home / "state").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_lines_that_come_as_numbers_are_dialled_by_too(alovoice: FrontDoor) -> None:
    assert alovoice("-p", "sandbox", "trunks").code == 0

    def answers(connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            connection.answer("200 OK", b"[551234567]" if seen.method == "GET" else b'{"id": 7}')

    from pathlib import Path

    import alovoice_cli

    mp3 = Path(alovoice_cli.__file__).parent / "sandbox" / "scenarios" / "announcement.mp3"
    server = RawServer([answers])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    result = alovoice(
        *("autorule", "create", "--record", str(mp3), "--recipient", "901234567", "--from", "tomorrow"),
        *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "all", "--night-ok", "--yes"),
    )
    server.stop()
    assert result.code == 0, result.err
    assert b"551234567" in server.requests[-1].body


# --- time ------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "a",
    "7",
    "a=",
    '"token":',
    "secret",
    "secret ",
    'qr":"\\',
    "token=\\",
    'token="\\',
    "token=[",
    'x\\"',
    "qr \t",
]


def _work(text: str) -> float:
    """Seconds of this process for masking the text, the quickest of three times."""
    took = []
    for _ in range(3):
        started = time.process_time()
        mask_text(text)
        took.append(time.process_time() - started)
    return min(took)


@pytest.mark.parametrize("opening", ["", "token=", "token=[", 'token=\\"', "secret: '"])
def test_masking_takes_time_in_proportion_to_the_text(opening: str) -> None:
    for unit in HOSTILE:
        short, long = (_work(opening + unit * (size // len(unit))) for size in (4_000, 64_000))
        assert long < 16 * max(short, 0.0005) * 5, unit  # 16 times the length; were it squared, 256 times the work


@examples(25)
@given(st.lists(st.sampled_from([*HOSTILE, '"', "\\", "{", "]", "'", ",", "qr"]), min_size=1, max_size=4))
def test_no_mixture_of_pieces_makes_masking_slow(pieces: list[str]) -> None:
    unit = "".join(pieces)
    short, long = (_work(unit * (size // len(unit))) for size in (2_000, 32_000))
    assert long < 16 * max(short, 0.0005) * 5


# --- what a parser would have found ----------------------------------------------------------------------------------

KEYS = st.sampled_from(["secret", "my secret key", "Authorization", "mobileqr", "api_token", "пароль (password)"])
VALUES = st.recursive(
    st.just(SECRET),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b]", 'c"', "d\\"]), inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


@examples(80)
@given(key=KEYS, value=VALUES, cut=st.integers(0, 200), ascii_only=st.booleans())
def test_a_secret_that_is_a_list_or_an_object_is_masked_in_cut_json_too(
    key: str, value: object, cut: int, ascii_only: bool
) -> None:
    text = json.dumps([{"id": 7, key: value, "status": "on"}], ensure_ascii=ascii_only)
    assert not any(piece in mask_text(text[: len(text) - cut]) for piece in _pieces())
    assert mask_text(text).endswith('"status": "on"}]')


@examples(60)
@given(st.text("ab ,\"'\\", max_size=12))
def test_a_secret_of_any_letters_in_json_inside_of_json_is_masked_whole(letters: str) -> None:
    inner = json.dumps({"secret": f"{letters}{SECRET}{letters}", "status": "on"})
    masked = mask_text(json.dumps({"inner": inner})[:-1])
    assert SECRET not in masked
    assert "status" in masked


def test_the_word_before_the_credentials_of_a_header_is_no_secret_and_the_credentials_are() -> None:
    assert mask_text("Authorization: Bearer abcdef; next") == "Authorization: ••••; next"
    assert mask_text("the token is wrong, and the qr too") == "the token is wrong, and the qr too"
    assert mask_text("see https://pbx.example/tokens/list") == "see https://pbx.example/tokens/list"


# --- long answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", range(64 * 1024 - 40, 64 * 1024 + 1, 4))
def test_where_a_long_answer_is_cut_no_half_of_a_token_is_left(before: int) -> None:
    body = TOKEN * (before // len(TOKEN)) + " " * (before % len(TOKEN)) + TOKEN * 9
    shown = readable(body.encode(), Masker([TOKEN]), 10**6)
    assert TOKEN[:6] not in shown
    assert shown.endswith("…")

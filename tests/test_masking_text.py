"""Secrets in text that is not the JSON it should be: cut, wrong, or no JSON at all."""

import json

from front_door import TOKEN, FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from raw_server import Connection, RawServer

from alovoice_cli.masking import mask_text

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

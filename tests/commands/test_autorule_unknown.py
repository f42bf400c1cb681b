"""What is asked of campaigns that the PBX does not know, or that its API cannot do."""

import json
from collections.abc import Iterator

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([Connection.reset])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield server
    server.stop()


def _answers(pbx: RawServer, status: str, body: bytes) -> None:
    def answer(connection: Connection) -> None:
        while connection.read() is not None:
            connection.answer(status, body)

    pbx.acts = [answer]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", b'{"error": "there is no campaign 125"}'),
        ("404 Not Found", b"<html>404</html>"),
        ("410 Gone", b""),
        ("400 Bad Request", b'{"error": "Autorule not found"}'),
        ("422 No", '{"message": "Автообзвон не найден"}'.encode()),
        ("200 OK", b'{"error": "Not Found"}'),
        ("200 OK", b"null"),
        ("200 OK", b"{}"),
        ("200 OK", b"[]"),
        ("200 OK", b'""'),
        ("200 OK", b"false"),
        ("200 OK", b" \n"),
    ],
)
def test_an_unknown_id_is_not_found_however_the_pbx_says_so(
    alovoice: FrontDoor, pbx: RawServer, status: str, body: bytes
) -> None:
    _answers(pbx, status, body)
    result = alovoice("autorule", "get", "125", "--json")
    error = json.loads(result.err)["error"]
    assert (result.code, error["kind"], error["message"]) == (4, "not_found", "there is no campaign 125")
    assert "autorule list" in error["hint"]
    assert alovoice("autorule", "watch", "125").code == 4


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [("400 Bad Request", b'{"error": "id"}', 1), ("200 OK", b"<html>login</html>", 7), ("401 No", b"not found", 3)],
)
def test_any_other_trouble_is_told_as_what_it_is(
    alovoice: FrontDoor, pbx: RawServer, status: str, body: bytes, code: int
) -> None:
    _answers(pbx, status, body)
    assert alovoice("autorule", "get", "125").code == code


@pytest.mark.parametrize("verb", ["stop", "pause", "resume", "delete", "update"])
def test_what_the_api_cannot_do_is_said_with_the_place_where_it_can_be_done(
    alovoice: FrontDoor, pbx: RawServer, verb: str
) -> None:
    assert alovoice("autorule", "list", "--help").code == 0  # loads a module that has the name of a type
    result = alovoice("autorule", verb, "124", "--json")
    error = json.loads(result.err)["error"]
    assert (result.code, error["kind"], pbx.connections) == (2, "usage", 0)
    assert f"cannot {verb} campaign 124" in error["message"]
    assert "web console" in error["hint"]
    assert alovoice("-p", "sandbox", "autorule", verb).code == 2


def test_words_that_mean_nothing_are_still_unknown_commands(alovoice: FrontDoor) -> None:
    assert "no such command: explode" in alovoice("autorule", "explode", "124").err
    assert "stop" not in alovoice("autorule", "--help").out

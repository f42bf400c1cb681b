"""One call by hand: which numbers are called, how they are spelled on the wire, and at which hours."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from front_door import TOKEN, FrontDoor
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from raw_server import Connection, RawServer
from strength import examples

OUT = ("call", "out", "--inner-phone", "2424", "--night-ok", "--number")


def _answers(connection: Connection) -> None:
    while connection.read() is not None:
        connection.answer("200 OK", b"true")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_answers])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield server
    server.stop()


def _sent(pbx: RawServer) -> dict[str, object]:
    body: dict[str, object] = json.loads(pbx.requests[-1].body)
    return body


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("901234567", "901234567"),
        ("998901234567", "998901234567"),
        ("+998901234567", "+998901234567"),
        ("8 90 123-45-67", "+998901234567"),
        ("00998901234567", "+998901234567"),
        ("tel:+998901234567", "+998901234567"),
        ("тел. 90 123 45 67", "+998901234567"),
        ("+49 30 1234567", "+49301234567"),
        ("2424", "2424"),
        ("24", "24"),
        (" 24242 ", "24242"),
    ],
)
def test_any_spelling_of_a_number_is_called_and_a_changed_one_is_told(
    alovoice: FrontDoor, pbx: RawServer, typed: str, sent: str
) -> None:
    result = alovoice(*OUT, typed)
    assert (result.code, _sent(pbx)["number"]) == (0, sent), result.err
    assert (f"is sent as {sent}" in result.err) == (typed.strip() != sent)


@pytest.mark.parametrize("typed", ["123456", "1234567", "998121234567", "+99890123456", "901234567/8"])
def test_a_number_that_no_plan_knows_is_refused_by_every_single_call(
    alovoice: FrontDoor, pbx: RawServer, typed: str
) -> None:
    for words in (
        (*OUT, typed),
        ("call", "ivr", "--ivrid", "222", "--fromline", "712037006", "--callto", typed),
        ("call", "conference", "--from", "901234567", "--to", f"{typed}:uz"),
        ("call", "conference", "--from", typed, "--queue", "6000"),
    ):
        result = alovoice(*words)
        assert (result.code, pbx.connections) == (8, 0), result.err
        assert "--no-check" in result.err


def test_no_check_calls_what_no_plan_knows_as_it_is_written(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*OUT, "1234567", "--no-check").code == 0
    assert _sent(pbx)["number"] == "1234567"
    for typed in ("abc", "", "+"):
        assert alovoice(*OUT, typed).code == alovoice(*OUT, typed, "--no-check").code == 2
    assert len(pbx.requests) == 1


def test_the_language_of_a_party_stands_behind_the_last_colon(alovoice: FrontDoor, pbx: RawServer) -> None:
    words = ("call", "conference", "--from", "tel:+998901234567:UZ", "--to", "8 90 123 45 68:ru", "--to", "tel:2424")
    assert alovoice(*words, "--night-ok").code == 0
    sent = _sent(pbx)
    assert sent["callfrom"] == {"phone": "+998901234567", "lang": "uz"}
    assert sent["callto"] == [{"phone": "+998901234568", "lang": "ru"}, {"phone": "2424"}]
    assert alovoice("call", "conference", "--from", "901234567:7", "--queue", "6000").code == 2


@given(typed=st.text(max_size=20) | st.text(alphabet="+0123456789 ()-.:telx", max_size=20))
@example(typed="--help")
@settings(examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_number_or_refused_before_anything_is_sent(alovoice: FrontDoor, typed: str) -> None:
    result = alovoice("call", "conference", "--queue", "6000", "--dry-run", "--json", f"--from={typed}")
    assert result.code in (0, 2, 8), result.err
    assert "error in alovoice" not in result.err
    if result.code == 0:
        phone = json.loads(result.out)["body"]["callfrom"]["phone"]
        assert phone.removeprefix("+").isdigit()


def _at(home: FrontDoor, moment: datetime) -> None:
    home.ahead = moment - datetime.now(UTC)


def test_quiet_hours_of_the_profile_refuse_a_single_call_and_the_usual_ones_are_noted(
    alovoice: FrontDoor, pbx: RawServer
) -> None:
    words = tuple(word for word in (*OUT, "901234567") if word != "--night-ok")
    night, day = datetime(2026, 11, 25, 18, 30, tzinfo=UTC), datetime(2026, 11, 25, 7, 0, tzinfo=UTC)  # 23:30, 12:00
    _at(alovoice, night)
    noted = alovoice(*words)
    assert (noted.code, "23:30, in the quiet hours 21:00-08:00" in noted.err) == (0, True)
    assert alovoice("config", "set", "quiet_hours", "22:00-09:00").code == 0
    refused = alovoice(*words)
    assert (refused.code, len(pbx.requests)) == (8, 1)
    assert "--night-ok" in refused.err
    assert alovoice(*words, "--dry-run").code == 0
    assert alovoice(*words, "--night-ok").code == 0
    _at(alovoice, day + timedelta(minutes=1))
    assert "quiet" not in alovoice(*words).err
    assert len(pbx.requests) == 3

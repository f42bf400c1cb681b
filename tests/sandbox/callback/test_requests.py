"""Calls that were asked for through the API, and campaigns, are told of with their results."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from waiting import wait_until

from alovoice_cli.sandbox.opening import EMBEDDED_URL
from alovoice_cli.sandbox.scenario import data

from .conftest import Calling, Handler

CONFERENCE = {"callfrom": {"phone": "712037006"}, "callto": [{"phone": "994412860"}, {"phone": "977076909"}]}


@pytest.fixture
def calling_back(small_day: Calling) -> Iterator[Any]:
    """A PBX that calls back and has no day: what it is asked for, and no more."""
    small_day.rate = small_day.day = None
    sandbox, board, poster = small_day.open()

    def ask(path: str, **body: Any) -> Any:
        async def send() -> Any:
            transport = httpx.ASGITransport(app=sandbox.app)
            async with httpx.AsyncClient(transport=transport, base_url=EMBEDDED_URL) as client:
                return await client.post(path, headers={"Authorization": "Bearer t"}, **body)

        answer = asyncio.run(send())
        assert answer.status_code == 200, answer.text
        return answer

    with poster:
        board.start()
        yield ask
        board.stop()


def wait_for(small_day: Calling, count: int, counted: Callable[[Any], int] = len) -> Any:
    """The calls that have been told of to their ends, once `counted` of them is so much. Others may have begun."""

    def told() -> Any:
        done = [account for account in small_day.accounts() if _is_told(account)]
        return done if counted(done) >= count else None

    return wait_until(told, small_day.accounts, pause=0.02)


def _is_told(account: Any) -> Any:
    answered = all(one.status for one in account.deliveries)
    return bool(account.deliveries) and not account.imbalance and answered


def people(accounts: Sequence[Any]) -> Any:
    """How many different numbers were called: a campaign calls one who did not answer again."""
    return len({account.course.number for account in accounts})


def test_a_conference_has_its_start_its_end_and_a_result_with_the_callers_id(
    calling_back: Any, small_day: Calling, handler: Handler
) -> None:
    number = calling_back("/requestcall/t", json={**CONFERENCE, "extid": "123123"}).json()["id"]
    (account,) = wait_for(small_day, 1)
    assert [got.kind for got in handler.got] == ["callstart", "callend", "result"]
    start, end, result = (got.fields for got in handler.got)
    assert (account.id, account.kind, account.key) == (number, "conference", "123123")
    assert (start["number"], start["type"], int(start["inner_phone"])) == ("+998712037006", "out", 0)
    assert (str(end["call_id"]), int(end["duration"])) == ("1001", int(result["duration"]))
    assert (int(result["id"]), int(result["externalid"])) == (number, 123123)
    assert int(result["end_time"]) == int(end["finish_time"]) >= int(start["start_time"]) == int(result["begin_time"])
    assert (result["dialstatus"] == "ANSWER") == (str(end["status_code"]) == "200") == bool(result["record"])


def test_requests_tell_of_themselves_as_the_ringing_went(
    calling_back: Any, small_day: Calling, handler: Handler
) -> None:
    for key in range(30):
        calling_back("/requestcall/t", json={**CONFERENCE, "extid": str(key + 100)})
    accounts = wait_for(small_day, 30)
    results = {int(got.fields["externalid"]): got.fields for got in handler.of("result")}
    assert sorted(results) == list(range(100, 130))
    assert {fields["dialstatus"] for fields in results.values()} >= {"ANSWER", "NOANSWER"}
    assert {type(fields["attempts"]) for fields in results.values()} == {list, dict, str}
    for account in accounts:
        fields = results[int(account.key)]
        assert (fields["dialstatus"] == "ANSWER") == (account.course.answered_at is not None)
        assert account.course.answered_at is None or int(fields["duration"]) > 0


def test_a_call_from_the_crm_has_its_extension_and_the_crms_id_where_the_handler_gives_none(
    calling_back: Any, small_day: Calling, handler: Handler
) -> None:
    handler.answers["callstart"] = lambda _: b""
    calling_back("/outcall/t", json={"call_id": "e5e456", "inner_phone": 2424, "number": "+998994412860"})
    wait_for(small_day, 1)
    start, end, _ = (got.fields for got in handler.got)
    assert (int(start["inner_phone"]), start["number"], start["type"]) == (2424, "+998994412860", "out")
    assert end["call_id"] == "e5e456"


def test_a_call_into_a_menu_names_the_menu_and_its_line(
    calling_back: Any, small_day: Calling, handler: Handler
) -> None:
    calling_back("/requestcall/t", json={"callto": "994412860", "ivrid": 222, "fromline": 712037006, "extid": "0077"})
    wait_for(small_day, 1)
    start, _, result = (got.fields for got in handler.got)
    assert (int(start["inner_phone"]), str(start["line"]), start["number"]) == (222, "712037006", "+998994412860")
    assert (result["from_number"], result["to_number"], result["externalid"]) == ("712037006", "994412860", "0077")


def test_each_attempt_of_a_campaign_is_a_call(calling_back: Any, small_day: Calling, handler: Handler) -> None:
    day = time.strftime("%Y.%m.%d", time.gmtime(time.time() + 5 * 3600 + 86_400))
    fields = {
        "name": "Eslatma",
        "from": day,
        "to": day,
        "fromtime": "10:00",
        "totime": "20:59",
        "trunks": "712037006",
        "maxline": "3",
        "tryes": "2",
    }
    files = {
        "record": ("a.mp3", data("announcement.mp3").read_bytes(), "audio/mpeg"),
        "recipients": ("r.csv", data("recipients.csv").read_bytes(), "text/csv"),
    }
    calling_back("/mapi/addAutorule", data=fields, files=files)
    accounts = wait_for(small_day, 6, counted=people)
    assert {account.kind for account in accounts} == {"campaign"}
    assert people(accounts) == 6
    statuses = [(account.course.status_code, account.course.answered_at is not None) for account in accounts]
    assert all((code == "200") == answered for code, answered in statuses)
    for account in accounts:
        assert account.course.line == "712037006"
        body = json.loads(next(one.body for one in account.deliveries if one.type == "callstart"))
        assert body["number"].startswith("+")

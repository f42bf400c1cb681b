"""What a search reads of ledger and event store: the requests that could be confused, and their events."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor

from alovoice_cli.batch import resolve
from alovoice_cli.batch.call_evidence import HORIZON, MICRO, PlacedCall, read_receipt
from alovoice_cli.batch.resolve import CallSearch, CallVerdict, Delays
from alovoice_cli.errors import ExitCode
from alovoice_cli.events.event import TRIAL_HEADER
from alovoice_cli.receipts import Intent, RequestOutcome
from alovoice_cli.session import Session

T0 = 1_764_000_000
ANNA, BOB, CLARA = "998901234567", "998901234568", "998901234569"
DAY = 86400


class Office:
    """A user's ledger and event store, with a clock that stands still. Moments are seconds from T0 on."""

    def __init__(self, alovoice: FrontDoor) -> None:
        self.at = 60.0
        self._url = alovoice.store_url
        text = io.StringIO
        self.session = Session(
            [],
            stdin=text(),
            stdout=text(),
            stderr=text(),
            environ=alovoice.environ,
            now=lambda: datetime.fromtimestamp(T0 + self.at, UTC),
        )

    @property
    def rows(self) -> Rows:
        """Returns the event store, made where there is none."""
        return Rows(self._url)

    @property
    def search(self) -> CallSearch:
        """Returns a new search."""
        return CallSearch(self.session)

    def listen(self, since: float = -9 * DAY, until: float = 9 * DAY) -> None:
        """A listener runs all the time."""
        self.rows.listened((T0 + since, T0 + until, True))

    def ask(
        self, our_id: str = "170", number: str = ANNA, at: float = 0, *, outcome: Any = None, profile: str = "default"
    ) -> PlacedCall:
        """Requests a call."""
        now, self.at = self.at, at
        request = {"callto": number, "fromline": "712037006"}
        intent = Intent(profile, "call ivr", "POST", "/requestcall/{token}", (number,), our_id, request)
        receipt = self.session.ledger.intend(intent)
        if outcome is not None:
            self.session.ledger.settle(receipt, RequestOutcome(outcome, ExitCode.DONE, "yes"))
        self.at = now
        asked = read_receipt(self.session.ledger.receipt(receipt))
        assert asked is not None
        return asked

    def call(self, number: str = ANNA, at: float = 1, status: str | None = "486", call_id: str | None = None) -> str:
        """A call appears in the store."""
        return self.rows.call(T0 + at, number, status=status, duration=0, direction="out", call_id=call_id)

    def result(self, our_id: str = "170", at: float = 1, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """The result of a call that was busy appears in the store."""
        body = {"id": 5, "externalid": our_id, "dialstatus": "BUSY"}
        self.rows.deliver("result", T0 + at, body, headers=headers)

    def answer(self, asked: PlacedCall) -> str:
        """Returns the answer for a request at this moment."""
        (verdict,) = self.search.look([asked])
        return verdict.answer


@pytest.fixture
def office(alovoice: FrontDoor) -> Office:
    return Office(alovoice)


def test_unknown_calls_of_this_pbx_are_found_oldest_first(office: Office) -> None:
    first, second = office.ask("1"), office.ask("2", at=5)
    office.ask("3", outcome="done")
    office.ask("4", profile="tashkent")
    office.session.ledger.intend(Intent("default", "ai send", "POST", "/callsendai/{token}", (), "5"))
    assert office.search.unknown() == [first, second]


def test_without_an_event_store_no_listener_ever_ran(office: Office) -> None:
    asked = office.ask()
    assert (office.answer(asked), office.search.uptimes, office.search.is_listened()) == ("cannot_know", [], False)
    assert not office.search.store.exists
    office.listen()
    assert (office.answer(asked), office.search.is_listened()) == ("no_trace_yet", True)
    assert office.search.look([]) == []


def test_another_store_can_be_named(office: Office, alovoice: FrontDoor) -> None:
    other = f"sqlite:///{alovoice.home / 'other.db'}"
    Rows(other).listened((T0, T0 + DAY, True))
    assert [CallSearch(office.session, url).is_listened() for url in (other, None)] == [True, False]


def test_a_call_is_found_by_our_id_and_by_number_and_time(office: Office) -> None:
    office.listen()
    by_id, by_number = office.ask("170", ANNA), office.ask("171", BOB)
    office.result("170")
    office.call(BOB)
    verdicts = office.search.look([by_id, by_number])
    assert [(verdict.answer, verdict.basis) for verdict in verdicts] == [("rang", "id"), ("rang", "number_and_time")]


def test_a_call_of_an_own_id_is_found_also_where_its_number_is_not_told(office: Office) -> None:
    office.listen()
    intent = Intent("default", "call out", "POST", "/outcall/{token}", (ANNA,), "170", {"inner_phone": "101"})
    asked = read_receipt(office.session.ledger.receipt(office.session.ledger.intend(intent)))
    assert asked is not None
    office.rows.deliver("callend", T0 + 61, {"call_id": "170", "status_code": 404, "duration": 0})
    assert office.answer(asked) == "did_not_ring"


@pytest.mark.parametrize(("at", "answer"), [(-5, "rang"), (-6, "no_trace_yet")])
def test_calls_from_five_seconds_before_the_request_on_are_read(office: Office, at: float, answer: str) -> None:
    office.listen()
    asked = office.ask()
    office.call(at=at)
    assert office.answer(asked) == answer


def test_a_made_up_result_is_no_evidence(office: Office) -> None:
    office.listen()
    asked = office.ask()
    office.result(headers=((TRIAL_HEADER, "1"),))
    assert office.answer(asked) == "no_trace_yet"
    office.result(at=2)
    assert office.answer(asked) == "rang"


def test_the_results_of_many_ids_are_read_in_parts(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "_CHUNK", 2)
    office.listen()
    asked = [office.ask(f"{170 + place}", f"99890123450{place}") for place in range(5)]
    for each in asked:
        office.result(each.our_id)
    assert [verdict.answer for verdict in office.search.look(asked)] == ["rang"] * 5


@pytest.mark.parametrize(
    ("rival", "answer"),
    [
        ({}, "two_candidates"),
        ({"at": -HORIZON / MICRO + 10}, "two_candidates"),
        ({"at": 9}, "rang"),
        ({"number": BOB}, "rang"),
        ({"outcome": "refused"}, "rang"),
        ({"profile": "tashkent"}, "rang"),
    ],
)
def test_requests_of_this_pbx_to_the_same_number_are_rivals_for_a_call(
    office: Office, rival: dict[str, Any], answer: str
) -> None:
    office.listen()
    asked = office.ask()
    office.ask("171", **rival)
    office.call(at=2)
    assert office.answer(asked) == answer


def test_a_request_with_the_same_id_is_a_rival_for_its_result_however_old_it_is(office: Office) -> None:
    office.listen()
    office.ask("170", BOB, -3 * DAY)
    asked = office.ask("170", ANNA)
    office.result("170")
    assert office.answer(asked) == "two_candidates"


def test_of_several_calls_the_oldest_decides_from_when_on_requests_are_read(office: Office) -> None:
    office.listen()
    old = office.ask("170", ANNA, -2 * DAY)
    office.ask("171", ANNA, -2 * DAY - 9)
    new = office.ask("172", BOB)
    office.call(ANNA, -2 * DAY + 1)
    assert [verdict.answer for verdict in office.search.look([old, new])] == ["two_candidates", "no_trace_yet"]


def test_silence_is_told_with_the_delays_of_30_days_which_a_search_learns_once(office: Office) -> None:
    office.listen(-60 * DAY)
    for our_id, number, at, late in (("1", BOB, -29.5 * DAY, 7), ("2", CLARA, -31 * DAY, 99)):
        office.ask(our_id, number, at)
        office.call(number, at + late, call_id=f"c{our_id}")
    asked, search = office.ask(), office.search
    assert [verdict.delays for verdict in search.look([asked])] == [Delays(1, 7.0)]
    office.ask("3", CLARA, -DAY)
    office.call(CLARA, -DAY + 20, call_id="c3")
    assert [verdict.delays for verdict in search.look([asked])] == [Delays(1, 7.0)]
    assert [verdict.delays for verdict in office.search.look([asked])] == [Delays(2, 20.0)]


def _never(verdict: CallVerdict) -> bool:
    return False


def _next_time(happen: Callable[[], object]) -> Callable[[CallVerdict], bool]:
    """Returns an `is_done` that lets something happen at its first look, and holds where the call is over."""
    looks = []

    def is_done(verdict: CallVerdict) -> bool:
        looks.append(verdict)
        if len(looks) == 1:
            happen()
        return verdict.is_over

    return is_done


def test_a_watch_looks_again_until_the_call_is_over(office: Office) -> None:
    office.listen()
    asked = office.ask()
    (verdict,) = office.search.watch([asked], timedelta(seconds=60), _next_time(office.call))
    assert (verdict.answer, verdict.is_over) == ("rang", True)


def test_a_watch_waits_for_all_its_calls(office: Office) -> None:
    office.listen()
    asked = [office.ask("170", ANNA), office.ask("171", BOB)]
    office.call(ANNA)
    done = _next_time(lambda: office.call(BOB, call_id="c2"))
    verdicts = office.search.watch(asked, timedelta(seconds=60), done)
    assert [verdict.is_over for verdict in verdicts] == [True, True]


def test_a_watch_ends_with_the_patience_and_where_no_listener_runs(office: Office) -> None:
    asked = office.ask()
    (verdict,) = office.search.watch([asked], timedelta(hours=9), _never)
    assert verdict.answer == "cannot_know"
    office.listen()
    for seconds in (0, 0.01):
        (verdict,) = office.search.watch([asked], timedelta(seconds=seconds), _never)
        assert verdict.answer == "no_trace_yet"
    gone = _next_time(lambda: setattr(office, "at", 99 * DAY))
    (verdict,) = office.search.watch([asked], timedelta(hours=9), gone)
    assert verdict.answer == "no_trace_yet"

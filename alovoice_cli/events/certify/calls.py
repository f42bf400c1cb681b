"""Cases of callstart and callend together: calls that overlap, ends out of order, and load."""

from alovoice_cli.events.certify.case import Case, Kinds
from alovoice_cli.events.certify.trial import Trial

_CALL: Kinds = ("callstart", "callend")
_BURST, _RATE = 50, 50.0
_LATE_SECONDS = 30


def _overlapping(trial: Trial) -> None:
    """Three calls with the same numbers; the first one ends last."""
    ids = [trial.start(at=second) for second in range(3)]
    trial.distinct(ids)
    for second, call in enumerate(reversed(ids)):
        trial.end(call, at=60 + second)


def _same_moment(trial: Trial) -> None:
    """Eight calls of one number within one second, all at the same time on the wire."""
    ids = trial.at_once([trial.start_body(inner_phone=2400 + peer) for peer in range(8)], rate=1000.0)
    trial.distinct(ids)


def _end_first(trial: Trial) -> None:
    trial.end(f"certify-{trial.place}-first", at=0)
    trial.start(at=-5)


def _end_twice(trial: Trial) -> None:
    call = trial.start()
    trial.end(call)
    trial.end(call)


def _end_never(trial: Trial) -> None:
    """The first call's end never comes; the same person calls again."""
    first = trial.start()
    second = trial.start(at=600)
    trial.distinct([first, second])
    trial.end(second, at=660)


def _end_late(trial: Trial) -> None:
    call = trial.start(at=-2 * _LATE_SECONDS)
    trial.end(call, at=trial.late(_LATE_SECONDS))


def _start_late(trial: Trial) -> None:
    began = trial.late(_LATE_SECONDS)
    trial.end(trial.start(at=began), at=began + _LATE_SECONDS)


def _burst(trial: Trial) -> None:
    trial.distinct(trial.at_once([trial.start_body(of=call) for call in range(_BURST)], rate=_RATE))


CALLS = (
    Case(
        "call-overlapping",
        _CALL,
        "three calls at once with the same numbers",
        "tell calls apart by the id that it gave, not by their numbers",
        _overlapping,
    ),
    Case(
        "call-same-moment",
        _CALL,
        "eight calls of one number in one second",
        "give each call an id of its own, also when several come at the same time",
        _same_moment,
    ),
    Case(
        "call-end-first",
        _CALL,
        "the end before its start",
        "answer true for a call that it does not know yet, and register its start when it comes",
        _end_first,
    ),
    Case("call-end-twice", _CALL, "the same end, twice", "answer true again, and count the call once", _end_twice),
    Case(
        "call-end-never",
        _CALL,
        "no end at all, then the same person again",
        "give the second call an id of its own, and not wait for the first one's end",
        _end_never,
    ),
    Case(
        "call-end-late",
        _CALL,
        "an end that comes 30 seconds late",
        "take the time from the body and answer true, however late the event is",
        _end_late,
    ),
    Case(
        "call-start-late",
        _CALL,
        "a start that comes 30 seconds late",
        "take the time from the body, however late the event is",
        _start_late,
    ),
    Case(
        "call-burst",
        _CALL,
        "50 callstarts in one second",
        "stand 50 events a second: keep the event first, work on it afterwards",
        _burst,
    ),
)

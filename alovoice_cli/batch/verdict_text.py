"""A verdict in words and as JSON: the known facts and their evidence, and nothing more."""

from math import ceil

from alovoice_cli.batch.call_evidence import MICRO, CallEvidence
from alovoice_cli.batch.resolve import ANSWERED, LEARN_DAYS, NOT_RUNG, CallVerdict, is_answered
from alovoice_cli.events.coverage import ListenerGap
from alovoice_cli.events.event import ANSWERED_STATUS
from alovoice_cli.events.event_table import iso
from alovoice_cli.events.timeline import status_text
from alovoice_cli.moments import ClockTime, from_unix, long_text, short_text, span_text

WORDS = {
    "rang": "rang",
    "did_not_ring": "did not ring",
    "no_trace_yet": "no trace yet",
    "cannot_know": "cannot know",
    "two_candidates": "two candidates",
}
_MOST_TOLD = 3


def answered_by(verdict: CallVerdict) -> str | None:
    """Returns who talked last, in the PBX's words; None where nobody did, or nothing was said."""
    if verdict.answer != "rang" or not any(map(is_answered, verdict.traces)):
        return None
    tried = [number for trace in verdict.traces for number, word in trace.tried if word.upper() in ANSWERED]
    told = [trace.number for trace in verdict.traces if is_answered(trace) and trace.number]
    return next(iter([*reversed(tried), *told]), None)


def main_trace(verdict: CallVerdict) -> CallEvidence | None:
    """Returns the most informative evidence: with an end before without, a call before a result."""
    known = sorted(verdict.traces, key=lambda trace: (trace.status is None, trace.source != "call"))
    return known[0] if known and verdict.answer != "two_candidates" else None


def as_json(verdict: CallVerdict) -> dict[str, object]:
    """Returns the verdict's keys, always all of them.

    Moments are ISO 8601 in UTC; the PBX's times stay unix seconds.
    """
    asked, trace, listened = verdict.asked, main_trace(verdict), verdict.listened
    return {
        "receipt": asked.receipt,
        "command": asked.command,
        "profile": asked.profile,
        "our_id": asked.our_id,
        "numbers": list(asked.numbers),
        "begun_at": iso(asked.begun_at),
        "outcome": asked.outcome,
        "answer": verdict.answer,
        "why": verdict.why,
        "basis": verdict.basis,
        "is_over": verdict.is_over,
        "resend_safe": verdict.resend_safe,
        "status": trace.status if trace else None,
        "answered_by": answered_by(verdict),
        "duration": trace.duration if trace else None,
        "candidates": [_trace_as_json(each) for each in verdict.traces],
        "rivals": list(verdict.rivals),
        "listener": {
            "since": None if listened.since is None else iso(listened.since),
            "gaps": [{"begin": iso(gap.begin), "end": None if gap.is_open else iso(gap.end)} for gap in listened.gaps],
        },
        "delays": {"slowest_seconds": verdict.delays.slowest, "n": verdict.delays.n, "days": LEARN_DAYS},
    }


def _trace_as_json(trace: CallEvidence) -> dict[str, object]:
    return {
        "source": trace.source,
        "events": [f"e{seq}" for seq in trace.seqs],
        "heard_at": iso(trace.heard_at),
        "call_id": trace.call_id,  # the older name of the two below
        "event_call_id": trace.call_id if trace.source == "call" else None,
        "pbx_call_id": trace.pbx_call_id,
        "number": trace.number,
        "line": trace.line,
        "peer": trace.peer,
        "direction": trace.direction,
        "status": trace.status,
        "duration": trace.duration,
        "started_at": trace.started_at,
        "ended_at": trace.ended_at,
        "record": trace.record,
    }


def sentence(verdict: CallVerdict, clock: ClockTime) -> str:
    """Returns the verdict in one or two sentences, for an operator who must decide."""
    return _TELL[verdict.answer](verdict, clock)


def _rang(verdict: CallVerdict, clock: ClockTime) -> str:
    trace = main_trace(verdict)
    assert trace is not None
    by = answered_by(verdict)
    said = f"it rang: {_end_of(trace)}" if verdict.is_over else f"the PBX began the call at {_at(trace, clock)}"
    said += f", answered by {by}" if by else ""
    said += f" ({_events(trace)})" if verdict.is_over else f" ({_events(trace)}); its end has not been told yet"
    return said + _how_joined(verdict)


def _did_not_ring(verdict: CallVerdict, clock: ClockTime) -> str:
    trace = main_trace(verdict)
    if verdict.why == "never_left":
        return "it did not ring: the request never left this machine"
    if verdict.why == "refused" or trace is None:
        status = f" ({verdict.asked.status})" if verdict.asked.status else ""
        return f"it did not ring: the PBX refused the request{status}"
    return f"it did not ring: the call ended {status_text(trace.status)} ({_events(trace)})"


def _no_trace_yet(verdict: CallVerdict, clock: ClockTime) -> str:
    since = verdict.listened.since
    up = f"listener up without a gap since {moment_text(since, clock)}" if since is not None else "listener up"
    return f"no trace yet: {up}; {_delays(verdict)}. Not proof.{_beside(verdict, clock)}"


def _delays(verdict: CallVerdict) -> str:
    delays = verdict.delays
    if delays.slowest is None:
        return f"no call of the last {LEARN_DAYS} days to compare with"
    slowest = span_text(max(ceil(delays.slowest), 1))
    return f"the slowest call of the last {LEARN_DAYS} days showed after {slowest} (n = {delays.n})"


def _cannot_know(verdict: CallVerdict, clock: ClockTime) -> str:
    if verdict.why == "unclear_status":
        trace = main_trace(verdict)
        assert trace is not None
        ended = status_text(trace.status) or "without a status"
        more = ""
        if verdict.asked.kind == "conference" and trace.status in NOT_RUNG:
            more = " The initiator may have rung before that."
        return f"cannot know: the call ended {ended}, which does not say whether it rang ({_events(trace)}).{more}"
    if verdict.why == "nothing_to_join":
        return "cannot know: the receipt names neither an id nor a number to look for"
    if verdict.why == "never_listened":
        return "cannot know: no listener has run for this PBX. `alovoice listen` hears of the calls to come"
    gaps = verdict.listened.gaps
    told = ", ".join(_gap_text(gap, clock) for gap in gaps[:_MOST_TOLD])
    more = f" and {len(gaps) - _MOST_TOLD} more times" if len(gaps) > _MOST_TOLD else ""
    return f"cannot know: the listener was down {told}{more}.{_beside(verdict, clock)}"


def _two_candidates(verdict: CallVerdict, clock: ClockTime) -> str:
    shown = "; ".join(_candidate(trace, clock) for trace in verdict.traces[:_MOST_TOLD])
    more = len(verdict.traces) - _MOST_TOLD
    shown += f"; and {more} more" if more > 0 else ""
    if verdict.rivals:
        others = ", ".join(verdict.rivals[:_MOST_TOLD])
        return f"cannot tell: this may be of {verdict.asked.receipt}, or of {others}: {shown}"
    return f"{len(verdict.traces)} candidates: {shown}"


_TELL = {
    "rang": _rang,
    "did_not_ring": _did_not_ring,
    "no_trace_yet": _no_trace_yet,
    "cannot_know": _cannot_know,
    "two_candidates": _two_candidates,
}


def _candidate(trace: CallEvidence, clock: ClockTime) -> str:
    return f"{trace.number or 'a call'} at {_at(trace, clock)}, {_end_of(trace)} ({_events(trace)})"


def _end_of(trace: CallEvidence) -> str:
    if trace.status is None:
        return "no end told yet"
    talked = trace.duration if trace.duration or trace.status == ANSWERED_STATUS else None
    length = "" if talked is None else f", {span_text(talked)}"
    return f"{status_text(trace.status)}{length}"


def _how_joined(verdict: CallVerdict) -> str:
    return ". Joined by number and time: no id ties them" if verdict.basis == "number_and_time" else ""


def _beside(verdict: CallVerdict, clock: ClockTime) -> str:
    """Returns words for a call that fits by number and time and did not ring: another request may have made it."""
    if not verdict.traces:
        return ""
    return f" A call that may be another one: {_candidate(verdict.traces[0], clock)}."


def _events(trace: CallEvidence) -> str:
    return ", ".join(f"e{seq}" for seq in trace.seqs) or trace.source


def _at(trace: CallEvidence, clock: ClockTime) -> str:
    return moment_text(trace.heard_at, clock)


def _gap_text(gap: ListenerGap, clock: ClockTime) -> str:
    begin = moment_text(gap.begin, clock)
    return f"since {begin}" if gap.is_open else f"{begin}–{moment_text(gap.end, clock)}"


def moment_text(moment: int, clock: ClockTime, *, short: bool = True) -> str:
    """Returns unix microseconds as text, in the profile's time zone."""
    local = from_unix(moment // MICRO, clock.zone) or clock.now
    return short_text(local, clock) if short else long_text(local, clock)

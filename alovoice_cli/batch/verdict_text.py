"""A verdict in words and as JSON: the known facts and their evidence, and nothing more."""

from collections.abc import Iterator
from math import ceil

from alovoice_cli.batch.call_evidence import MICRO, CallEvidence
from alovoice_cli.batch.resolve import ANSWERED, LEARN_DAYS, NOT_RUNG, CallVerdict, is_answered
from alovoice_cli.events.coverage import ListenerGap
from alovoice_cli.events.event import ANSWERED_STATUS
from alovoice_cli.events.event_table import iso
from alovoice_cli.events.timeline import status_text
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.moments import ClockTime, from_unix, long_text, short_text, span_text

WORDS = {
    "rang": mark("rang"),
    "did_not_ring": mark("did not ring"),
    "no_trace_yet": mark("no trace yet"),
    "cannot_know": mark("cannot know"),
    "two_candidates": mark("two candidates"),
}
"""The answers in words, marked for the catalogues."""
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
    values = {"end": _end_of(trace), "time": _at(trace, clock), "number": by, "events": _events(trace)}
    if verdict.is_over and by:
        said = tr("it rang: {end}, answered by {number} ({events})", **values)
    elif verdict.is_over:
        said = tr("it rang: {end} ({events})", **values)
    elif by:
        said = tr(
            "the PBX started the call at {time}, answered by {number} ({events}); its end is not known yet", **values
        )
    else:
        said = tr("the PBX started the call at {time} ({events}); its end is not known yet", **values)
    if verdict.basis != "number_and_time":
        return said
    return joined(". ", (said, tr("It is matched by number and time: no id connects them")))


def _did_not_ring(verdict: CallVerdict, clock: ClockTime) -> str:
    trace = main_trace(verdict)
    if verdict.why == "never_left":
        return tr("it did not ring: the request never left this computer")
    if verdict.why == "refused" or trace is None:
        if verdict.asked.status:
            return tr("it did not ring: the PBX refused the request ({status})", status=verdict.asked.status)
        return tr("it did not ring: the PBX refused the request")
    return tr(
        "it did not ring: the call ended with {status} ({events})",
        status=status_text(trace.status),
        events=_events(trace),
    )


def _no_trace_yet(verdict: CallVerdict, clock: ClockTime) -> str:
    since = verdict.listened.since
    up = tr("no trace yet: the listener is running.")
    if since is not None:
        up = tr(
            "no trace yet: the listener has been running without a gap since {time}.", time=moment_text(since, clock)
        )
    return joined(" ", (up, _delays(verdict), tr("This is not proof."), *_beside(verdict, clock)))


def _delays(verdict: CallVerdict) -> str:
    delays = verdict.delays
    if delays.slowest is None:
        return tr("There is no call of the last {days} days to compare with.", days=LEARN_DAYS)
    return ngettext(
        "The slowest event of {n} call in the last {days} days came after {time}.",
        "The slowest event of {n} calls in the last {days} days came after {time}.",
        delays.n,
        days=LEARN_DAYS,
        time=span_text(max(ceil(delays.slowest), 1)),
    )


def _cannot_know(verdict: CallVerdict, clock: ClockTime) -> str:
    if verdict.why == "unclear_status":
        trace = main_trace(verdict)
        assert trace is not None
        return _unclear_end(verdict, trace)
    if verdict.why == "nothing_to_join":
        return tr("cannot know: the receipt has neither an id nor a number to look for")
    if verdict.why == "never_listened":
        return tr("cannot know: no listener has run for this PBX. `alovoice listen` receives the events of later calls")
    gaps = verdict.listened.gaps
    told = joined(", ", (_gap_text(gap, clock) for gap in gaps[:_MOST_TOLD]))
    if more := max(len(gaps) - _MOST_TOLD, 0):
        said = ngettext(
            "cannot know: the listener was down {times} and {n} more time.",
            "cannot know: the listener was down {times} and {n} more times.",
            more,
            times=told,
        )
    else:
        said = tr("cannot know: the listener was down {times}.", times=told)
    return joined(" ", (said, *_beside(verdict, clock)))


def _unclear_end(verdict: CallVerdict, trace: CallEvidence) -> str:
    values = {"status": status_text(trace.status), "events": _events(trace)}
    said = tr("cannot know: the call ended without a status ({events}).", **values)
    if values["status"]:
        said = tr("cannot know: the call ended with {status}, which does not say whether it rang ({events}).", **values)
    if verdict.asked.kind == "conference" and trace.status in NOT_RUNG:
        return joined(" ", (said, tr("The initiator may have rung before that.")))
    return said


def _two_candidates(verdict: CallVerdict, clock: ClockTime) -> str:
    calls = [_candidate(trace, clock) for trace in verdict.traces[:_MOST_TOLD]]
    if (more := len(verdict.traces) - _MOST_TOLD) > 0:
        calls.append(ngettext("and {n} more", "and {n} more", more))
    shown = joined("; ", calls)
    if verdict.rivals:
        others = ", ".join(verdict.rivals[:_MOST_TOLD])
        return tr(
            "cannot know: this may belong to {receipt} or to {others}: {calls}",
            receipt=verdict.asked.receipt,
            others=others,
            calls=shown,
        )
    return ngettext("{n} candidate: {calls}", "{n} candidates: {calls}", len(verdict.traces), calls=shown)


_TELL = {
    "rang": _rang,
    "did_not_ring": _did_not_ring,
    "no_trace_yet": _no_trace_yet,
    "cannot_know": _cannot_know,
    "two_candidates": _two_candidates,
}


def _candidate(trace: CallEvidence, clock: ClockTime) -> str:
    return tr(
        "{number} at {time}, {end} ({events})",
        number=trace.number or tr("a call"),
        time=_at(trace, clock),
        end=_end_of(trace),
        events=_events(trace),
    )


def _end_of(trace: CallEvidence) -> str:
    if trace.status is None:
        return tr("its end is not known yet")
    talked = trace.duration if trace.duration or trace.status == ANSWERED_STATUS else None
    return joined(", ", (status_text(trace.status), *([] if talked is None else [span_text(talked)])))


def _beside(verdict: CallVerdict, clock: ClockTime) -> Iterator[str]:
    """Yields words for a call that fits by number and time and did not ring: another request may have made it."""
    if verdict.traces:
        yield tr("A call that may be another one: {call}.", call=_candidate(verdict.traces[0], clock))


def _events(trace: CallEvidence) -> str:
    return ", ".join(f"e{seq}" for seq in trace.seqs) or trace.source


def _at(trace: CallEvidence, clock: ClockTime) -> str:
    return moment_text(trace.heard_at, clock)


def _gap_text(gap: ListenerGap, clock: ClockTime) -> str:
    begin = moment_text(gap.begin, clock)
    return tr("since {time}", time=begin) if gap.is_open else f"{begin}–{moment_text(gap.end, clock)}"


def moment_text(moment: int, clock: ClockTime, *, short: bool = True) -> str:
    """Returns unix microseconds as text, in the profile's time zone."""
    local = from_unix(moment // MICRO, clock.zone) or clock.now
    return short_text(local, clock) if short else long_text(local, clock)

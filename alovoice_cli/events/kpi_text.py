"""Key figures in sentences: talk, outbound calls, lines, callers, and what makes the figures less sure."""

from collections.abc import Iterator

from alovoice_cli.events.headline_figures import doubts, value_text
from alovoice_cli.events.kpi import Kpi, KpiSettings
from alovoice_cli.findings import count
from alovoice_cli.moments import span_text


def service_level_name(settings: KpiSettings) -> str:
    """Returns the variant of the service level with its target and its short limit."""
    target, short = settings.service_seconds, settings.short_abandon_seconds
    return f"net: answered within {target} s; abandoned in less than {short} s is left out"


def headline_details(kpi: Kpi) -> dict[str, str]:
    """Returns the numbers behind the headline figures, by their keys."""
    inbound, wait, callback = kpi.inbound, kpi.wait, kpi.callback
    lost, counted = inbound.abandoned - inbound.short_abandoned, inbound.ended - inbound.short_abandoned
    hidden = f", and {count(callback.still_owed_hidden, 'hidden number')}" if callback.still_owed_hidden else ""
    known = wait.asa_s is not None
    return {
        "service_level_pct": service_level_name(kpi.settings),
        "answer_rate_pct": f"{inbound.answered} of {count(inbound.ended, 'inbound call')} that ended",
        "abandon_rate_pct": f"{lost} of {counted}; {inbound.short_abandoned} short left out",
        "mean_wait_s": f"ASA; 90 % within {wait.p90_s} s, longest {wait.longest_answered_s} s" if known else "ASA",
        "still_owed": f"of {count(callback.episodes, 'missed caller')}{hidden}",
        "callback_p50_s": "the median until somebody was reached",
    }


def detail_sentences(kpi: Kpi) -> Iterator[str]:
    """Yields what the six headline figures leave out, a sentence for each part that has calls."""
    if kpi.talk.aht_talk_only_s is not None:
        yield _talk_sentence(kpi)
    if kpi.callback.episodes:
        yield _callback_sentence(kpi)
    if kpi.repeated[0].no_further_call_pct is not None or kpi.repeated[0].callers:
        yield _repeated_sentence(kpi)
    yield _outbound_sentence(kpi) if kpi.outbound.seizures else "outbound: no call has ended"
    yield _lines_sentence(kpi)


def _talk_sentence(kpi: Kpi) -> str:
    """Returns the talk of inbound calls, and what the PBX does not tell."""
    mean = value_text(kpi.talk.aht_talk_only_s, "s")
    return f"mean talk of inbound calls: {mean}, hold included; after-call work is not told"


def _outbound_sentence(kpi: Kpi) -> str:
    """Returns what was called out, with the ratios that telephone engineers know."""
    out = kpi.outbound
    return (
        f"outbound: {count(out.seizures, 'call')}, {out.answered} answered (ASR {value_text(out.asr_pct, '%')}),"
        f" network effectiveness (NER) {value_text(out.ner_pct, '%')}, mean talk {value_text(out.acd_s, 's')}"
    )


def _lines_sentence(kpi: Kpi) -> str:
    """Returns how many lines were in use, and how many the busiest hour needs."""
    lines = kpi.lines
    if lines.peak_at is None or lines.busy_hour is None:
        return "lines: none was in use"
    return (
        f"lines: at most {lines.peak} in use ({lines.peak_at:%Y-%m-%d %H:%M:%S}); busiest hour"
        f" {lines.busy_hour:%Y-%m-%d %H:%M}, {lines.busy_hour_erlangs} erlangs carried:"
        f" {count(lines.busy_hour_lines_1pct, 'line')} for {kpi.settings.loss_pct} % loss"
    )


def _callback_sentence(kpi: Kpi) -> str:
    """Returns what became of the missed callers."""
    callback = kpi.callback
    reached = f", half within {span_text(callback.reached_p50_s)}" if callback.reached_p50_s is not None else ""
    return (
        f"missed callers: {callback.called_back} called back{reached}, {callback.called_again} called again"
        f" and reached somebody, {callback.still_owed} still owed a call"
    )


def _repeated_sentence(kpi: Kpi) -> str:
    """Returns who called again, with the proxy of first-call resolution."""
    within = kpi.repeated[0]
    again = f"repeated callers: {within.callers} called again within {within.hours} h"
    if within.no_further_call_pct is None:
        return again
    return (
        f"{again}; after {value_text(within.no_further_call_pct, '%')} of answered calls nobody did"
        f" (the last {within.hours} h can still change that)"
    )


def noticed_sentences(kpi: Kpi) -> list[str]:
    """Returns what makes the figures less sure, and what they leave out, a sentence each."""
    noticed = kpi.noticed
    said = (
        (noticed.wait_unknown, "inbound call", "inbound calls", "with an unknown wait"),
        (noticed.orphan_ends, "end", "ends", "without a start, not counted"),
        (noticed.results_without_call, "call result", "call results", "without a call, not counted"),
        (noticed.duplicates, "repeated delivery", "repeated deliveries", "counted once"),
    )
    left_out = [f"{count(number, one, many)} {text}" for number, one, many, text in said if number]
    return [*doubts(kpi), *left_out]

"""Key figures in words: the headline, and the sentences that say what a figure means and why one is missing."""

from dataclasses import dataclass

from alovoice_cli.events.kpi import Kpi, KpiSettings
from alovoice_cli.findings import count
from alovoice_cli.moments import span_text

MISSING = "–"
"""Stands for a figure that cannot be known."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the six figures that stand first: its name, the figure as text, and the numbers behind it."""

    name: str
    figure: str
    detail: str


def headlines(kpi: Kpi) -> list[Headline]:
    """Returns the six figures that stand first."""
    inbound, wait, callback = kpi.inbound, kpi.wait, kpi.callback
    lost, of_calls = inbound.abandoned - inbound.short_abandoned, inbound.ended - inbound.short_abandoned
    hidden = f", and {count(callback.still_owed_hidden, 'hidden number')}" if callback.still_owed_hidden else ""
    return [
        Headline(
            "Answer rate",
            percent_text(inbound.answer_rate_pct),
            f"{inbound.answered} of {count(inbound.ended, 'inbound call')} that ended, {inbound.missed} missed",
        ),
        Headline("Service level", percent_text(kpi.service_level.net_pct), service_level_name(kpi.settings)),
        Headline(
            "Abandon rate",
            percent_text(inbound.abandon_rate_pct),
            f"{lost} of {of_calls}, without {inbound.short_abandoned} short",
        ),
        Headline(
            "Mean wait (ASA)",
            seconds_text(wait.asa_s),
            f"half within {seconds_text(wait.p50_s)}, 90 % within {seconds_text(wait.p90_s)},"
            f" longest {seconds_text(wait.longest_answered_s)}",
        ),
        Headline(
            "Mean talk", seconds_text(kpi.talk.aht_talk_only_s), "inbound; hold is within, after-call work is not told"
        ),
        Headline(
            "Owed a call",
            str(callback.still_owed),
            f"of {count(callback.episodes, 'missed caller')}{hidden}",
        ),
    ]


def service_level_name(settings: KpiSettings) -> str:
    """Returns the variant of the service level with its target and its short limit."""
    target, short = settings.service_seconds, settings.short_abandon_seconds
    return f"net: answered within {target} s; abandoned in less than {short} s is left out"


def percent_text(value: float | None) -> str:
    """Returns a percentage with its sign, or the dash."""
    return MISSING if value is None else f"{value} %"


def seconds_text(value: float | None) -> str:
    """Returns seconds with their unit, or the dash."""
    return MISSING if value is None else f"{value} s"


def why_missing(kpi: Kpi) -> str:
    """Returns one sentence that says why figures are missing; "" where none is."""
    inbound, test = kpi.inbound, kpi.duration_test
    if not inbound.ended:
        return "there was no inbound call that ended: a rate of nothing is no figure"
    if not inbound.answered:
        return "no inbound call was answered: there is neither a wait until an answer nor a talk"
    if kpi.wait.asa_s is not None and kpi.talk.aht_talk_only_s is not None:
        return ""
    if test.verdict == "total":
        votes = (
            f"{test.votes_total} of {test.votes} calls"
            if kpi.settings.duration_counts is None
            else "the profile says so"
        )
        return f"the PBX counts the ringing in `duration` ({votes}), so only call results tell waits and talk"
    if test.verdict == "unclear":
        return (
            "whether the PBX counts the ringing in `duration` is unclear, so only call results tell waits and talk;"
            " `config set duration_counts talk` settles that"
        )
    return (
        f"the wait of {kpi.noticed.wait_unknown} of {inbound.answered} answered calls is not known: no sample is left"
    )


def outbound_sentence(kpi: Kpi) -> str:
    """Returns what was called out, with the ratios that telephone engineers know."""
    out = kpi.outbound
    return (
        f"outbound: {count(out.seizures, 'call')}, {out.answered} answered (ASR {percent_text(out.asr_pct)}),"
        f" network effectiveness (NER) {percent_text(out.ner_pct)}, mean talk {seconds_text(out.acd_s)}"
    )


def lines_sentence(kpi: Kpi) -> str:
    """Returns how many lines were in use, and how many the busiest hour needs."""
    lines = kpi.lines
    if lines.peak_at is None or lines.busy_hour is None:
        return "lines: none was in use"
    return (
        f"lines: at most {lines.peak} in use ({lines.peak_at:%Y-%m-%d %H:%M:%S}); busiest hour"
        f" {lines.busy_hour:%Y-%m-%d %H:%M}, {lines.busy_hour_erlangs} erlangs carried:"
        f" {count(lines.busy_hour_lines_1pct, 'line')} for {kpi.settings.loss_pct} % loss"
    )


def callback_sentence(kpi: Kpi) -> str:
    """Returns what became of the missed callers."""
    callback = kpi.callback
    reached = f", half within {span_text(callback.reached_p50_s)}" if callback.reached_p50_s is not None else ""
    return (
        f"missed callers: {callback.called_back} called back{reached}, {callback.called_again} called again"
        f" and reached somebody, {callback.still_owed} still owed a call"
    )


def repeated_sentence(kpi: Kpi) -> str:
    """Returns who called again, with the proxy of first-call resolution."""
    within = kpi.repeated[0]
    return (
        f"repeated callers: {within.callers} called again within {within.hours} h; after"
        f" {percent_text(within.no_further_call_pct)} of answered calls nobody did"
        f" (the last {within.hours} h can still change that)"
    )


def noticed_sentences(kpi: Kpi) -> list[str]:
    """Returns what makes the figures less sure, a sentence each."""
    noticed, test = kpi.noticed, kpi.duration_test
    said = (
        (noticed.ring_group, "missed on one telephone while another of the ring group answered: counted, owed no call"),
        (noticed.clock_off, "began more than 5 minutes from when they were reported: look at the PBX's clock"),
        (noticed.wait_unknown, "inbound with an unknown wait"),
        (noticed.orphan_ends, "ends without a start: no calls"),
        (noticed.results_without_call, "call results without a call"),
        (noticed.duplicates, "repeated deliveries, counted once"),
    )
    sentences = [f"{number} {text}" for number, text in said if number]
    if test.verdict == "too_few" and kpi.inbound.answered:
        sentences.append(
            f"only {test.votes} answered calls show what `duration` counts ({kpi.settings.min_votes} are needed):"
            " taken as the talk alone"
        )
    return sentences

"""Key figures in sentences: talk, outbound calls, lines, callers, and what makes the figures less sure."""

from collections.abc import Iterator

from alovoice_cli.events.headline_figures import doubts, value_text
from alovoice_cli.events.kpi import Kpi, KpiSettings
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.moments import span_text


def service_level_name(settings: KpiSettings) -> str:
    """Returns the variant of the service level with its target and its short limit."""
    target, short = settings.service_seconds, settings.short_abandon_seconds
    return tr(
        "net: answered within {target} s; calls abandoned in less than {short} s are left out",
        target=target,
        short=short,
    )


def headline_details(kpi: Kpi) -> dict[str, str]:
    """Returns the numbers behind the headline figures, by their keys."""
    inbound, wait, callback = kpi.inbound, kpi.wait, kpi.callback
    lost, counted = inbound.abandoned - inbound.short_abandoned, inbound.ended - inbound.short_abandoned
    known = wait.asa_s is not None
    return {
        "service_level_pct": service_level_name(kpi.settings),
        "answer_rate_pct": ngettext(
            "{answered} of {n} inbound call that ended",
            "{answered} of {n} inbound calls that ended",
            inbound.ended,
            answered=inbound.answered,
        ),
        "abandon_rate_pct": tr(
            "{lost} of {counted}; short calls left out: {short}",
            lost=lost,
            counted=counted,
            short=inbound.short_abandoned,
        ),
        "mean_wait_s": tr(
            "ASA; 90 % within {p90} s, longest {longest} s", p90=wait.p90_s, longest=wait.longest_answered_s
        )
        if known
        else "ASA",
        "still_owed": joined(
            ", ", filter(None, (_episodes_text(callback.episodes), _hidden_text(callback.still_owed_hidden)))
        ),
        "callback_p50_s": tr("median time until somebody was reached"),
    }


def _episodes_text(episodes: int) -> str:
    return ngettext("of {n} missed caller", "of {n} missed callers", episodes)


def _hidden_text(hidden: int) -> str:
    return ngettext("and {n} hidden number", "and {n} hidden numbers", hidden) if hidden else ""


def detail_sentences(kpi: Kpi) -> Iterator[str]:
    """Yields what the six headline figures leave out, a sentence for each part that has calls."""
    if kpi.talk.aht_talk_only_s is not None:
        yield _talk_sentence(kpi)
    if kpi.callback.episodes:
        yield _callback_sentence(kpi)
    if kpi.repeated[0].no_further_call_pct is not None or kpi.repeated[0].callers:
        yield _repeated_sentence(kpi)
    yield _outbound_sentence(kpi) if kpi.outbound.seizures else tr("outbound: no call has ended")
    yield _lines_sentence(kpi)


def _talk_sentence(kpi: Kpi) -> str:
    """Returns the talk of inbound calls, and what the PBX does not tell."""
    mean = value_text(kpi.talk.aht_talk_only_s, "s")
    return tr("mean talk time of inbound calls: {mean}, with hold time; after-call work is not known", mean=mean)


def _outbound_sentence(kpi: Kpi) -> str:
    """Returns what was called out, with the ratios that telephone engineers know."""
    out = kpi.outbound
    return ngettext(
        "outbound: {n} call, answered {answered} (ASR {asr}), network effectiveness (NER) {ner}, mean talk {talk}",
        "outbound: {n} calls, answered {answered} (ASR {asr}), network effectiveness (NER) {ner}, mean talk {talk}",
        out.seizures,
        answered=out.answered,
        asr=value_text(out.asr_pct, "%"),
        ner=value_text(out.ner_pct, "%"),
        talk=value_text(out.acd_s, "s"),
    )


def _lines_sentence(kpi: Kpi) -> str:
    """Returns how many lines were in use, and how many the busiest hour needs."""
    lines = kpi.lines
    if lines.peak_at is None or lines.busy_hour is None:
        return tr("lines: none was in use")
    return tr(
        "lines: at most {peak} in use ({moment}); busiest hour {hour}, {erlangs} erlangs carried;"
        " lines for {loss} % loss: {needed}",
        peak=lines.peak,
        moment=f"{lines.peak_at:%Y-%m-%d %H:%M:%S}",
        hour=f"{lines.busy_hour:%Y-%m-%d %H:%M}",
        erlangs=decimal_text(lines.busy_hour_erlangs or 0, 2),
        loss=kpi.settings.loss_pct,
        needed=lines.busy_hour_lines_1pct,
    )


def _callback_sentence(kpi: Kpi) -> str:
    """Returns what became of the missed callers."""
    callback = kpi.callback
    parts = [tr("missed callers: called back {number}", number=callback.called_back)]
    if callback.reached_p50_s is not None:
        parts.append(tr("half of them within {span}", span=span_text(callback.reached_p50_s)))
    parts.append(tr("called again and reached somebody: {number}", number=callback.called_again))
    parts.append(tr("still owed a call: {number}", number=callback.still_owed))
    return joined(", ", parts)


def _repeated_sentence(kpi: Kpi) -> str:
    """Returns who called again, with the proxy of first-call resolution."""
    within = kpi.repeated[0]
    again = ngettext(
        "repeated callers: {n} called again within {hours} h",
        "repeated callers: {n} called again within {hours} h",
        within.callers,
        hours=within.hours,
    )
    if within.no_further_call_pct is None:
        return again
    nobody = tr(
        "after {share} of answered calls nobody did (the last {hours} h can still change this)",
        share=value_text(within.no_further_call_pct, "%"),
        hours=within.hours,
    )
    return joined("; ", [again, nobody])


def noticed_sentences(kpi: Kpi) -> list[str]:
    """Returns what makes the figures less sure, and what they leave out, a sentence each."""
    noticed = kpi.noticed
    said = (
        (
            noticed.wait_unknown,
            ngettext(
                "{n} inbound call has an unknown wait time",
                "{n} inbound calls have an unknown wait time",
                noticed.wait_unknown,
            ),
        ),
        (
            noticed.orphan_ends,
            ngettext(
                "{n} end without a start is not counted",
                "{n} ends without a start are not counted",
                noticed.orphan_ends,
            ),
        ),
        (
            noticed.results_without_call,
            ngettext(
                "{n} call result without a call is not counted",
                "{n} call results without a call are not counted",
                noticed.results_without_call,
            ),
        ),
        (
            noticed.duplicates,
            ngettext(
                "{n} repeated delivery is counted once", "{n} repeated deliveries are counted once", noticed.duplicates
            ),
        ),
    )
    return [*doubts(kpi), *(text for number, text in said if number)]

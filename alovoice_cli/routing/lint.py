"""Findings in a readable file: unreachable rules, hours and lines without a rule, extensions that the PBX lacks."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.findings import Finding, RulePlace, Severity, has_errors, in_order
from alovoice_cli.language import joined, mark, tr
from alovoice_cli.routing.call import Condition
from alovoice_cli.routing.conditions import (
    AllOf,
    AnyOf,
    Direction,
    HiddenNumber,
    NotClause,
    OnDays,
    OnLine,
    WithinHours,
    leaves,
)
from alovoice_cli.routing.hours import ALWAYS, WEEK, describe
from alovoice_cli.routing.implications import OF_SHOWN_NUMBERS, Facts, Ordinary, cases_of, certain_of_all, minutes_of
from alovoice_cli.routing.numbers import Number, NumberSet, national
from alovoice_cli.routing.reading import LoadedRules, load
from alovoice_cli.routing.rules import FixedStep, RoundRobin, Rule, Rules
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.routing.trials import TrialVerdict, run_trials

_WEEK = (1 << WEEK) - 1
_MOST_LINES = 50  # lines whose gaps are listed one by one
_UNSEEN = {
    "queue": mark("queues: {ids}"),
    "ivr": mark("voice menus: {ids}"),
    "hangup": mark("sound files: {ids}"),
}


class CheckedRules(NamedTuple):
    """A file with all its findings. `rules` is None for an unusable file."""

    rules: Rules | None
    loaded: LoadedRules
    findings: tuple[Finding, ...]
    verdict: TrialVerdict

    @property
    def ok(self) -> bool:
        """Returns whether the file may be served."""
        return not has_errors(self.findings)


def check(path: Path, now: datetime) -> CheckedRules:
    """Reads a file, searches it for probable mistakes, and runs its tests. Raises UsageError for an unreadable file.

    `now` (aware) is the time of tests that name none.
    """
    return judge(load(path), now)


def judge(loaded: LoadedRules, now: datetime) -> CheckedRules:
    """Checks a file that was read already, as `check` does."""
    rules = loaded.rules
    if rules is None:
        return CheckedRules(None, loaded, loaded.findings, TrialVerdict(0, ()))
    verdict = run_trials(rules, now)
    findings = in_order([*loaded.findings, *lint(rules), *verdict.failures])
    return CheckedRules(None if has_errors(findings) else rules, loaded, findings, verdict)


def lint(rules: Rules) -> Iterator[Finding]:
    """Returns warnings and notes on readable rules: none of them makes the file unusable."""
    yield from _out_of_reach(rules)
    yield from _gaps(rules)
    yield from _timeless_trials(rules)


def _out_of_reach(rules: Rules) -> Iterator[Finding]:
    earlier: list[tuple[Rule, frozenset[type[Condition]]]] = []
    for rule in rules.rules:
        cases = [(facts, minutes) for facts in cases_of(rule.conditions) if (minutes := minutes_of(facts))]
        if not cases or any(_is_empty(condition) for condition in rule.conditions):
            message = tr("the rule {rule!r} can never match: its conditions are never true together", rule=rule.name)
            hint = tr("check its hours, lines and lists")
            yield Finding.at(Severity.WARNING, "unreachable", rule.place, message, hint)
            continue
        takers = _takers(earlier, cases)
        earlier.append((rule, _kinds(rule)))
        if not takers:
            continue
        text = mark("the rule {rule!r} is never reached: an earlier rule takes all its callers: {rules}")
        if len(takers) > 1:
            text = mark("the rule {rule!r} is never reached: earlier rules together take all its callers: {rules}")
        names = joined(", ", (tr("{rule!r} (line {line})", rule=taker.name, line=taker.place.line) for taker in takers))
        code = "shadowed" if len(takers) == 1 else "unreachable"
        message = tr(text, rule=rule.name, rules=names)
        yield Finding.at(Severity.WARNING, code, rule.place, message, tr("move it up, or narrow the earlier rule"))


def _takers(earlier: Iterable[tuple[Rule, frozenset[type[Condition]]]], cases: list[tuple[Facts, int]]) -> list[Rule]:
    """Returns the earlier rules that cover all the cases, a single one if possible; none if some case is left."""
    takers: list[Rule] = []
    left = [minutes for _, minutes in cases]
    kinds = [_kinds_of_facts(facts) for facts, _ in cases]
    for rule, needed in earlier:
        # Only a fact of such a kind implies a condition, which excludes most of a thousand rules.
        if not any(needed <= known for known in kinds):
            continue
        taken = [certain_of_all(rule.conditions, facts) for facts, _ in cases]
        if not any(bits & rest for bits, rest in zip(taken, left, strict=True)):
            continue
        if all(not minutes & ~bits for (_, minutes), bits in zip(cases, taken, strict=True)):
            return [rule]
        takers.append(rule)
        left = [rest & ~bits for rest, bits in zip(left, taken, strict=True)]
        if not any(left):
            return takers
    return []


def _kinds_of_facts(facts: Facts) -> set[type[Condition]]:
    """Returns the kinds of conditions that the facts may imply."""
    kinds = {type(fact) for fact in facts}
    return kinds if kinds.isdisjoint(OF_SHOWN_NUMBERS) else {*kinds, HiddenNumber}


def _kinds(rule: Rule) -> frozenset[type[Condition]]:
    """Returns the kinds of facts that the rule certainly needs."""
    composed = (WithinHours, AllOf, AnyOf, NotClause)
    return frozenset(type(condition) for condition in rule.conditions if not isinstance(condition, composed))


def _is_empty(condition: Condition) -> bool:
    """Returns whether the condition names a list without numbers."""
    sets = getattr(condition, "sets", None)
    return sets is not None and not any(len(numbers) for numbers in sets)


def _gaps(rules: Rules) -> Iterator[Finding]:
    told: dict[str, list[str | None]] = {}
    found = gaps(rules)
    for line, gap in found:
        if gap:
            told.setdefault(_gap_text(gap, _possible_weeks(rules)), []).append(line)
    for times, names in told.items():
        text = mark("no rule matches ordinary callers: they get the fallback {step}; lines: {lines}; times: {times}")
        lines = tr("all") if len(names) == len(found) else _named(names)
        message = tr(text, step=rules.fallback, lines=lines, times=times)
        hint = tr("if this is not intended, add a rule at the end")
        yield Finding.at(Severity.NOTE, "gap", rules.fallback_place, message, hint)


def _named(lines: list[str | None]) -> str:
    named = [line for line in lines if line is not None]
    return joined(", ", [*named, *([tr("all others")] if None in lines else [])])


def gaps(rules: Rules) -> list[tuple[str | None, int]]:
    """Returns, for each line in the file and for all others (None), minutes without a rule.

    These are minutes of the week (as in `OpeningHours.bits`) at which only the fallback serves an ordinary inbound
    caller.
    """
    if not rules.rules:
        return []
    domain = _possible_weeks(rules)
    found: list[tuple[str | None, int]] = []
    for line in [*_named_lines(rules)[:_MOST_LINES], OnLine("", (NumberSet(),))]:
        facts: Facts = (Ordinary(""), Direction("", "inc"), line)
        served = 0
        for rule in rules.rules:
            served |= certain_of_all(rule.conditions, facts)
            if served & domain == domain:
                break
        found.append((line.text or None, domain & ~served))
    return found


def _possible_weeks(rules: Rules) -> int:
    """Returns all minutes in the possible states: without holidays there is one state."""
    holidays = any(hours.holidays for hours in rules.hours.values())
    return ALWAYS if holidays else _WEEK


def _gap_text(gap: int, domain: int) -> str:
    ordinary, holiday = gap & _WEEK, gap >> 3 * WEEK
    if not gap:
        return ""
    if ordinary == _WEEK:
        return tr("at all hours")
    parts = [describe(ordinary)] if ordinary else []
    if domain == ALWAYS and holiday and holiday != ordinary:
        if holiday == _WEEK:
            parts.append(tr("all day on holidays"))
        else:
            parts.append(tr("on holidays {hours}", hours=describe(holiday)))
    return joined("; ", parts) if parts else tr("around holidays")


def _named_lines(rules: Rules) -> list[OnLine]:
    """Returns a condition for each line that rules name."""
    found: dict[int, OnLine] = {}
    for numbers in (numbers for rule in rules.rules for numbers in _line_sets(rule.conditions)):
        for key in sorted(numbers.keys) if isinstance(numbers.keys, frozenset) else ():
            found.setdefault(key, OnLine(national(str(key)[1:]), (NumberSet([key]),)))
    return list(found.values())


def _line_sets(conditions: tuple[Condition, ...]) -> Iterator[NumberSet]:
    for condition in leaves(conditions):
        if isinstance(condition, OnLine):
            yield from condition.sets


def _timeless_trials(rules: Rules) -> Iterator[Finding]:
    timed = any(isinstance(leaf, WithinHours | OnDays) for rule in rules.rules for leaf in leaves(rule.conditions))
    for trial in rules.trials if timed else ():
        if trial.at is None:
            message = tr("the test has no time, but the rules depend on it: it may pass today and fail tonight")
            hint = tr("add {example}", example='at = "2026-11-23 19:00"')
            yield Finding.at(Severity.WARNING, "test-without-time", trial.place, message, hint)


def compare_with_pbx(rules: Rules, extensions: Collection[str], lines: Collection[str]) -> Iterator[Finding]:
    """Returns errors for extensions missing in `getpeers`, warnings for lines missing in `getMyTrunks`.

    Also returns a note on things that no method of the API lists.
    """
    for step, place in _steps(rules):
        if step.action_type == "peer" and step.action_data not in extensions:
            message = tr("the PBX has no extension {extension}", extension=step.action_data)
            hint = tr("see `alovoice peers`: a call that is sent to another extension ends at once")
            yield Finding.at(Severity.ERROR, "unknown-extension", place, message, hint)
    yield from _unknown_lines(rules, [Number.of(line) for line in lines])
    named = [tr(text, ids=", ".join(ids)) for kind, text in _UNSEEN.items() if (ids := _ids(rules, kind))]
    if named:
        message = tr("not checked, because the API does not list them: {things}", things=joined("; ", named))
        hint = tr("check them in the web console")
        yield Finding.at(Severity.NOTE, "not-verified", rules.fallback_place, message, hint)


def _ids(rules: Rules, kind: str) -> list[str]:
    found = {step.action_data for step, _ in _steps(rules) if step.action_type == kind}
    return sorted(data for data in found if data is not None)


def _steps(rules: Rules) -> Iterator[tuple[RouteStep, RulePlace]]:
    yield rules.fallback, rules.fallback_place
    for rule in rules.rules:
        if isinstance(rule.action, FixedStep):
            yield rule.action.step, rule.then_place
        elif isinstance(rule.action, RoundRobin):
            for step in rule.action.steps:
                yield step, rule.then_place


def _unknown_lines(rules: Rules, lines: list[Number]) -> Iterator[Finding]:
    known = {line.key for line in lines}
    for rule in rules.rules:
        for numbers in (n for leaf in leaves(rule.conditions) if isinstance(leaf, OnLine) for n in leaf.sets):
            missing = [digits for digits in numbers.some(100) if Number.of(digits).key not in known]
            if numbers.prefixes and not any(numbers.has(line) for line in lines):
                missing += [f"{prefix}*" for prefix in sorted(numbers.prefixes)]
            if missing:
                named = ", ".join(map(national, missing))
                message = tr("the PBX has no line {lines}", lines=named)
                hint = tr("see `alovoice trunks`: the rule never matches on another line")
                yield Finding.at(Severity.WARNING, "unknown-line", rule.place, message, hint)

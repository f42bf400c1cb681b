"""The `[[test]]` tables of a rules file: the expected step of a caller at a given time."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import NamedTuple

from alovoice_cli.findings import Finding, Severity, did_you_mean
from alovoice_cli.language import mark, tr
from alovoice_cli.routing.call import Question
from alovoice_cli.routing.clauses import ReadRules, check_keys, read_step, text_of, toml_of
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.history import GivenHistory
from alovoice_cli.routing.located import LocatedEntry
from alovoice_cli.routing.rules import FALLBACK, RoundRobin, Rules, RuleTrial
from alovoice_cli.routing.step import RouteStep

_GIVEN = ("from", "line", "queue", "direction", "at", "last_peer", "calls", "missed")
_TIME_FORMS = mark('write at = "2026-11-23 19:00", in the time zone of the file')


def parse_time(text: str, zone: tzinfo) -> datetime | None:
    """Parses a moment as `2026-11-23 19:00`, in the zone, or with its own offset; None for other text."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def read_trial(entry: LocatedEntry, zone: tzinfo, reading: ReadRules) -> RuleTrial | None:
    """Reads one `[[test]]`; returns None, with findings, where it cannot run."""
    check_keys(entry, ("given", "expect", "rule"), tr("a test"), reading.findings)
    given, expect = entry.table.get("given"), entry.table.get("expect")
    if given is None or expect is None:
        hint = tr("write {example}", example='given = { from = "901234567" }')
        reading.bad(entry, tr("a test needs `given` and `expect`"), hint)
        return None
    check_keys(given, _GIVEN, "`given`", reading.findings)
    step = read_step(expect, reading, "expect")
    rule = _rule(entry.table.get("rule"), reading)
    fields = {name: text_of(inner) or "" for name, inner in given.table.items()}
    at = _time(given.table["at"], zone, reading) if "at" in given.table else None
    if step is None:
        return None
    return RuleTrial(
        question=Question.from_wire(
            {
                "from_number": fields.get("from"),
                "line_number": fields.get("line"),
                "queue_number": fields.get("queue"),
                "direction": fields.get("direction", "inc"),
            }
        ),
        at=at,
        last_peer=fields.get("last_peer") or None,
        calls=_count(given.table.get("calls"), reading),
        missed=_count(given.table.get("missed"), reading),
        step=step,
        rule=rule,
        place=entry.place,
    )


def _rule(entry: LocatedEntry | None, reading: ReadRules) -> str | None:
    if entry is None:
        return None
    name = entry.value if isinstance(entry.value, str) else toml_of(entry)
    if name != FALLBACK and name not in reading.names:
        hint = did_you_mean(name, [*reading.names, FALLBACK], mark("rules: {names}"))
        reading.bad(entry, tr("there is no rule {rule!r}", rule=name), hint, "unknown-name")
    return name


def _time(entry: LocatedEntry, zone: tzinfo, reading: ReadRules) -> datetime | None:
    value = entry.value.isoformat() if isinstance(entry.value, datetime) else entry.value
    moment = parse_time(value, zone) if isinstance(value, str) else None
    if moment is None:
        reading.bad(entry, tr("`at` is not a time"), tr(_TIME_FORMS))
    return moment


def _count(entry: LocatedEntry | None, reading: ReadRules) -> int:
    if entry is None:
        return 0
    if isinstance(entry.value, bool):
        return int(entry.value)
    if not isinstance(entry.value, int) or entry.value < 0:
        reading.bad(entry, tr("this is not a number of calls"), tr("write 0, 1, 2, …"))
        return 0
    return entry.value


class TrialVerdict(NamedTuple):
    """The results of a file's tests."""

    passed: int
    failures: tuple[Finding, ...]

    @property
    def failed(self) -> int:
        """Returns how many tests failed: each has one finding."""
        return len(self.failures)


def run_trials(rules: Rules, now: datetime) -> TrialVerdict:
    """Runs the tests of a file. `now` (aware) is the time of tests that name none."""
    failures = [found for trial in rules.trials for found in _failures(rules, trial, now)]
    return TrialVerdict(len(rules.trials) - len(failures), tuple(failures))


def _failures(rules: Rules, trial: RuleTrial, now: datetime) -> Iterable[Finding]:
    history = GivenHistory(trial.last_peer, trial.calls, trial.missed)
    decision = decide(rules, trial.question, trial.at or now, history)
    decided = decision.rule or FALLBACK
    whys = [
        tr("{rule!r} did not match: {reason}", rule=tried.rule, reason=tried.why)
        for tried in decision.trail
        if tried.rule == trial.rule
    ]
    hint = whys[0] if whys and decided != trial.rule else ""
    if decision.step != trial.step and trial.step not in _also_right(rules, decision.rule):
        text = mark("the test expects {expected} and gets {step} (decided by: {rule})")
        message = tr(text, expected=trial.step, step=decision.step, rule=_named(decided))
        yield Finding.at(Severity.ERROR, "test-failed", trial.place, message, hint)
    elif trial.rule is not None and decided != trial.rule:
        text = mark("wrong rule: the test expects {expected}, decided by: {rule}")
        message = tr(text, expected=_named(trial.rule), rule=_named(decided))
        yield Finding.at(Severity.ERROR, "test-failed", trial.place, message, hint)


def _also_right(rules: Rules, name: str | None) -> tuple[RouteStep, ...]:
    """Returns whether the step is right, too: in a `round_robin` each extension is, since a test knows no turn."""
    for rule in rules.rules:
        if rule.name == name and isinstance(rule.action, RoundRobin):
            return rule.action.steps
    return ()


def _named(rule: str) -> str:
    return tr("the fallback") if rule == FALLBACK else tr("the rule {rule!r}", rule=rule)

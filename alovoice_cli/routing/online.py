"""What only the PBX knows: whether the extensions and the lines of a rules file exist."""

from collections.abc import Collection, Iterator

from alovoice_cli.findings import Finding, RulePlace, Severity
from alovoice_cli.routing.conditions import Line
from alovoice_cli.routing.numbers import Number, national
from alovoice_cli.routing.rules import Fixed, RoundRobin, Rules
from alovoice_cli.routing.sampling import leaves
from alovoice_cli.routing.step import Step

_UNSEEN = {"queue": "departments", "ivr": "voice menus", "hangup": "sound files"}


def compare_with_pbx(rules: Rules, extensions: Collection[str], lines: Collection[str]) -> Iterator[Finding]:
    """Errors for extensions that `getpeers` does not list, warnings for lines that `getMyTrunks` does not, and a note
    on what no method of the API lists."""
    for step, place in _steps(rules):
        if step.action_type == "peer" and step.action_data not in extensions:
            hint = "`alovoice peers` lists them: a call that is sent to any other ends at once"
            yield Finding.at(
                Severity.ERROR, "unknown-extension", place, f"the PBX has no extension {step.action_data}", hint
            )
    yield from _unknown_lines(rules, [Number.of(line) for line in lines])
    named = [f"{word} {', '.join(ids)}" for kind, word in _UNSEEN.items() if (ids := _ids(rules, kind))]
    if named:
        message = f"not looked up, for the API lists none of them: {'; '.join(named)}"
        yield Finding.at(
            Severity.NOTE, "not-verified", rules.fallback_place, message, "look at them in the web console"
        )


def _ids(rules: Rules, kind: str) -> list[str]:
    found = {step.action_data for step, _ in _steps(rules) if step.action_type == kind}
    return sorted(data for data in found if data is not None)


def _steps(rules: Rules) -> Iterator[tuple[Step, RulePlace]]:
    yield rules.fallback, rules.fallback_place
    for rule in rules.rules:
        if isinstance(rule.action, Fixed):
            yield rule.action.step, rule.then_place
        elif isinstance(rule.action, RoundRobin):
            for step in rule.action.steps:
                yield step, rule.then_place


def _unknown_lines(rules: Rules, lines: list[Number]) -> Iterator[Finding]:
    known = {line.key for line in lines}
    for rule in rules.rules:
        for numbers in (n for leaf in leaves(rule.conditions) if isinstance(leaf, Line) for n in leaf.sets):
            missing = [digits for digits in numbers.some(100) if Number.of(digits).key not in known]
            if numbers.prefixes and not any(numbers.has(line) for line in lines):
                missing += [f"{prefix}*" for prefix in sorted(numbers.prefixes)]
            if missing:
                named = ", ".join(map(national, missing))
                hint = "`alovoice trunks` lists them: on any other the rule never matches"
                yield Finding.at(Severity.WARNING, "unknown-line", rule.place, f"the PBX has no line {named}", hint)

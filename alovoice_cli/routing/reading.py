"""A rules file -> Rules. Reading goes on behind an error, so that one run shows everything that is wrong."""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path

from alovoice_cli.campaigns.schedule import parse_zone
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Findings, RulePlace, has_errors, in_order
from alovoice_cli.routing.actions import read_action, read_step
from alovoice_cli.routing.clauses import Reading, check_keys, read_when
from alovoice_cli.routing.conditions import cost_of
from alovoice_cli.routing.lists import Source, read_bytes
from alovoice_cli.routing.located import BadTomlError, Entry, read_toml
from alovoice_cli.routing.names import read_hours, read_lists
from alovoice_cli.routing.rules import FALLBACK, Rule, Rules
from alovoice_cli.routing.step import Step
from alovoice_cli.routing.trials import read_trial

DEFAULT_ZONE = "Asia/Tashkent"
_TOP = ("timezone", "fallback", "lists", "hours", "rule", "test")
_LARGEST = 16 * 1024 * 1024  # bytes; a thousand rules take 200 KB


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file gave. `rules` is None where any finding is an error; the sources are there in any case."""

    rules: Rules | None
    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]


def load(path: Path) -> Loaded:
    """Reads a rules file and the lists that it names. Raises UsageError where the file itself can't be opened."""
    try:
        content, source = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}", hint="give the rules file, such as rules.toml") from error
    findings = Findings()
    if len(content) > _LARGEST:
        findings.error("too-large", RulePlace(str(path)), "the file is larger than 16 MB: it is no rules file")
        return Loaded(None, tuple(findings.items), (source,))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        findings.error("encoding", RulePlace(str(path), line, column), "this is no UTF-8", "save the file as UTF-8")
        return Loaded(None, tuple(findings.items), (source,))
    return read_rules(text, path, source, findings)


def read_rules(text: str, path: Path, source: Source, findings: Findings | None = None) -> Loaded:
    """Reads the text of a rules file; lists are looked for beside `path`. Raises nothing."""
    findings = Findings() if findings is None else findings
    sources = [source]
    rules: Rules | None = None
    try:
        document = read_toml(text, str(path))
    except BadTomlError as error:
        findings.error("syntax", error.place, f"this is no TOML: {error.message}", "see https://toml.io")
    else:
        rules = _document(document, path, sources, findings)
    ordered = in_order(findings.items)
    if rules is None or has_errors(ordered):
        return Loaded(None, ordered, tuple(sources))
    return Loaded(replace(rules, sources=tuple(sources)), ordered, tuple(sources))


def _document(document: Entry, path: Path, sources: list[Source], findings: Findings) -> Rules | None:
    table = document.table
    check_keys(document, _TOP, "a rules file", findings)
    zone = _zone(table.get("timezone"), findings)
    reading = Reading(findings)
    read_lists(table.get("lists"), path, sources, reading)
    read_hours(table.get("hours"), reading)
    fallback = _fallback(table.get("fallback"), document, reading)
    rules = _rules(table.get("rule"), document, reading)
    if not has_errors(findings.items):  # else what is unused may be what is misspelt
        _find_unused(table, reading)
    trials = [read_trial(entry, zone, reading) for entry in _tables(table.get("test"), "test", reading)]
    if fallback is None:
        return None
    return Rules(
        path=path,
        zone=zone,
        fallback=fallback,
        fallback_place=table["fallback"].place,
        rules=rules,
        lists=reading.lists,
        hours=reading.hours,
        trials=tuple(trial for trial in trials if trial is not None),
    )


def _zone(entry: Entry | None, findings: Findings) -> tzinfo:
    """The zone in which hours and dates are meant; Tashkent where the file does not say."""
    name = DEFAULT_ZONE if entry is None else entry.value
    try:
        return parse_zone(name if isinstance(name, str) else "", "timezone")
    except UsageError as error:
        findings.error("bad-value", entry.place if entry else RulePlace(""), error.message, error.hint)
        return UTC


def _fallback(entry: Entry | None, document: Entry, reading: Reading) -> Step | None:
    if entry is not None:
        return read_step(entry, reading, "the fallback")
    hint = 'add fallback = { queue = "6000" } at the top: what a caller gets when anything fails'
    reading.bad(document, "the file names no fallback", hint, "no-fallback")
    return None


def _tables(entry: Entry | None, word: str, reading: Reading) -> list[Entry]:
    """The tables of `[[word]]`."""
    if entry is None:
        return []
    if not isinstance(entry.value, list) or not all(isinstance(item.value, dict) for item in entry.items):
        reading.findings.error("bad-value", entry.name, f"`{word}` is no array of tables", f"write [[{word}]]")
        return []
    return entry.items


def _rules(entry: Entry | None, document: Entry, reading: Reading) -> tuple[Rule, ...]:
    if entry is None:
        message = "the file has no rule: every caller gets the fallback"
        reading.findings.warning("no-rules", document.place, message, "add a [[rule]]")
    found = [_rule(item, reading) for item in _tables(entry, "rule", reading)]
    return tuple(rule for rule in found if rule is not None)


def _rule(entry: Entry, reading: Reading) -> Rule | None:
    check_keys(entry, ("name", "when", "then"), "a rule", reading.findings)
    name = _name(entry, reading)
    reading.rule = name or ""
    conditions = read_when(entry.table.get("when"), reading)
    then = entry.table.get("then")
    if then is None:
        reading.bad(entry, "the rule has no `then`", 'add then = { queue = "6000" }')
        return None
    action = read_action(then, conditions, reading)
    if name is None or action is None:
        return None
    return Rule(name, tuple(sorted(conditions, key=cost_of)), action, entry.place, then.place)


def _name(entry: Entry, reading: Reading) -> str | None:
    named = entry.table.get("name")
    if named is None:
        reading.bad(entry, "the rule has no name", 'add name = "…": the trail and the statistics call it by it')
        return None
    name = named.value
    if not isinstance(name, str) or not name.strip() or "\n" in name or len(name) > 100:
        reading.bad(named, "a rule's name is a text of one line, up to 100 characters", 'write name = "night"')
        return None
    if name.lower() == FALLBACK:
        reading.bad(named, "this name stands for the fallback", "call the rule otherwise")
        return None
    if name in reading.names:
        message = f"line {reading.names[name].line} has a rule of this name"
        reading.bad(named, message, "names must differ: `share` and the statistics tell rules by them", "same-name")
        return None
    reading.names[name] = named.place
    return name


def _find_unused(table: dict[str, Entry], reading: Reading) -> None:
    for kind, prefix in (("lists", "@"), ("hours", "hours ")):
        for name, entry in table[kind].table.items() if kind in table else ():
            if prefix + name not in reading.used and not (kind == "hours" and name == "holidays"):
                what = f"the list @{name}" if kind == "lists" else f"the hours {name!r}"
                hint = "a rule that should use it may name another one"
                reading.findings.warning("unused", entry.name, f"no rule uses {what}", hint)

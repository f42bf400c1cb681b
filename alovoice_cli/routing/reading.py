"""Reads a rules file with its `[lists]` and `[hours]`. Reading continues after an error: one run shows every error."""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Findings, RulePlace, did_you_mean, has_errors, in_order
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import parse_zone
from alovoice_cli.routing.clauses import (
    ReadRules,
    check_keys,
    read_action,
    read_days,
    read_numbers,
    read_step,
    read_when,
    toml_of,
)
from alovoice_cli.routing.conditions import cost_of
from alovoice_cli.routing.hours import (
    HOUR_FORMS,
    AnyHours,
    CalendarDays,
    HolidayHours,
    Holidays,
    OpeningHours,
    country_problem,
    make_hours,
    parse_windows,
)
from alovoice_cli.routing.lists import RuleSource, read_bytes, read_list, stamp_of
from alovoice_cli.routing.located import BadTomlError, LocatedEntry, read_toml
from alovoice_cli.routing.numbers import NumberSet
from alovoice_cli.routing.rules import FALLBACK, Rule, Rules
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.routing.trials import read_trial

_LIST_FORMS = 'vip = "vip.csv", vip = ["901234567", "99871*"] or vip = { file = "clients.csv", column = "phone" }'
_HOLIDAYS = "holidays"
_NEAR_COUNTRIES = ("UZ", "KZ", "KG", "TJ", "TM", "RU")
DEFAULT_ZONE = "Asia/Tashkent"
_TOP = ("timezone", "fallback", "lists", "hours", "rule", "test")
_LARGEST = 16 * 1024 * 1024  # bytes; a thousand rules take 200 KB


def read_lists(entry: LocatedEntry | None, path: Path, sources: list[RuleSource], reading: ReadRules) -> None:
    """Reads the lists, with files relative to the folder of `path`; each file is added to the sources."""
    if entry is None:
        return
    if not isinstance(entry.value, dict):
        reading.bad(entry, tr("`lists` is not a table"), tr("write [lists] and a line for each list"))
        return
    reading.known_lists = frozenset(entry.table)
    found = {name: _list(inner, path, sources, reading) for name, inner in entry.table.items()}
    reading.lists = {name: numbers for name, numbers in found.items() if numbers is not None}


def _list(entry: LocatedEntry, path: Path, sources: list[RuleSource], reading: ReadRules) -> NumberSet | None:
    if isinstance(entry.value, list):
        return _inline(entry, reading)
    file, column = entry, None
    if isinstance(entry.value, dict):
        check_keys(entry, ("file", "column"), tr("a list"), reading.findings)
        file, column = entry.table.get("file", entry), entry.table.get("column")
    if not isinstance(file.value, str) or not file.value:
        message = tr("the list is neither a file nor an array of numbers")
        reading.bad(file, message, tr("write {example}", example=_LIST_FORMS))
        return None
    wanted = str(column.value) if column is not None else None
    return _file(file, file.value, path.parent / file.value, wanted, sources, reading)


def _file(
    entry: LocatedEntry, shown: str, path: Path, column: str | None, sources: list[RuleSource], reading: ReadRules
) -> NumberSet | None:
    try:
        numbers, source = read_list(path, str(path), column, reading.findings)
    except (OSError, ValueError) as error:
        sources.append(RuleSource(path, stamp_of(path)))
        reason = getattr(error, "strerror", None) or str(error)
        hint = tr("the path is relative to the directory of the rules file")
        message = tr("the list {path!r} cannot be read: {problem}", path=shown, problem=reason)
        reading.bad(entry, message, hint, "list-file")
        return None
    sources.append(source)
    if not len(numbers):
        message = tr("the list {path!r} holds no number", path=shown)
        reading.findings.warning("empty-list", entry.place, message, tr("rules with this list never match"))
    return numbers


def _inline(entry: LocatedEntry, reading: ReadRules) -> NumberSet:
    if not entry.items:
        hint = tr("rules with this list never match")
        reading.findings.warning("empty-list", entry.place, tr("the list is empty"), hint)
    forms = tr("write {example}", example='"901234567", "+998901234567" or "99890*"')
    return read_numbers(entry.items, reading, "", forms)


def read_hours(entry: LocatedEntry | None, reading: ReadRules) -> None:
    """Reads the hours, and the holidays on which all of them are closed."""
    if entry is None:
        return
    if not isinstance(entry.value, dict):
        hint = tr("write [hours] and a line such as {example}", example='office = ["Mon-Fri 09:00-18:00"]')
        reading.bad(entry, tr("`hours` is not a table"), hint)
        return
    table = entry.table
    reading.known_hours = frozenset(table)
    holidays = _holidays(table[_HOLIDAYS], reading) if _HOLIDAYS in table else Holidays()
    found: dict[str, AnyHours] = {
        name: _named_hours(name, inner, holidays, reading) for name, inner in table.items() if name != _HOLIDAYS
    }
    if _HOLIDAYS in table:
        found[_HOLIDAYS] = HolidayHours(holidays)
    reading.hours = found


def _named_hours(name: str, entry: LocatedEntry, holidays: Holidays, reading: ReadRules) -> OpeningHours:
    windows = []
    lines = entry.items if isinstance(entry.value, list) else [entry]
    if not lines:
        reading.bad(entry, tr("the hours {name!r} are empty: they are never open", name=name), tr(HOUR_FORMS))
    for line in lines:
        found = parse_windows(line.value) if isinstance(line.value, str) else None
        if found is None:
            reading.bad(line, tr("{value} is not a range of hours", value=toml_of(line)), tr(HOUR_FORMS))
        else:
            windows += found
    return make_hours(name, windows, holidays)


def _holidays(entry: LocatedEntry, reading: ReadRules) -> Holidays:
    countries: list[str] = []
    days = CalendarDays()
    for item in entry.items if isinstance(entry.value, list) else [entry]:
        text = item.value
        if isinstance(text, str) and text[:1].isalpha():
            problem = country_problem(text)
            if problem is None:
                countries.append(text)
            else:
                hint = problem or did_you_mean(text.upper(), _NEAR_COUNTRIES, mark("countries: {names}"))
                message = tr("the holidays of {country!r} are not known", country=text)
                reading.bad(item, message, hint, "unknown-name")
        else:
            days |= read_days([item], reading, _HOLIDAYS)
    return Holidays(days, countries)


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """The content of a file. `rules` is None with any error; the sources are there in any case."""

    rules: Rules | None
    findings: tuple[Finding, ...]
    sources: tuple[RuleSource, ...]


def load(path: Path) -> LoadedRules:
    """Reads a rules file and its lists. Raises UsageError for a file that cannot be opened."""
    try:
        content, source = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = tr("{path} cannot be read: {problem}", path=path, problem=reason)
        raise UsageError(message, hint=tr("give the rules file, such as rules.toml")) from error
    findings = Findings()
    if len(content) > _LARGEST:
        message = tr("the file is larger than 16 MB: it is not a rules file")
        findings.error("too-large", RulePlace(str(path)), message)
        return LoadedRules(None, tuple(findings.items), (source,))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        place = RulePlace(str(path), line, column)
        findings.error("encoding", place, tr("the file is not UTF-8"), tr("save the file as UTF-8"))
        return LoadedRules(None, tuple(findings.items), (source,))
    return read_rules(text, path, source, findings)


def read_rules(text: str, path: Path, source: RuleSource, findings: Findings | None = None) -> LoadedRules:
    """Reads the text of a rules file; lists are looked for beside `path`. Raises nothing."""
    findings = Findings() if findings is None else findings
    sources = [source]
    rules: Rules | None = None
    try:
        document = read_toml(text, str(path))
    except BadTomlError as error:
        message = tr("the file is not valid TOML: {problem}", problem=error.message)
        findings.error("syntax", error.place, message, tr("see https://toml.io"))
    else:
        rules = _document(document, path, sources, findings)
    ordered = in_order(findings.items)
    if rules is None or has_errors(ordered):
        return LoadedRules(None, ordered, tuple(sources))
    return LoadedRules(replace(rules, sources=tuple(sources)), ordered, tuple(sources))


def _document(document: LocatedEntry, path: Path, sources: list[RuleSource], findings: Findings) -> Rules | None:
    table = document.table
    check_keys(document, _TOP, tr("a rules file"), findings)
    zone = _zone(table.get("timezone"), findings)
    reading = ReadRules(findings)
    read_lists(table.get("lists"), path, sources, reading)
    read_hours(table.get("hours"), reading)
    fallback = _fallback(table.get("fallback"), document, reading)
    rules = _rules(table.get("rule"), document, reading)
    if not has_errors(findings.items):  # otherwise an unused name may be a misspelt one
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


def _zone(entry: LocatedEntry | None, findings: Findings) -> tzinfo:
    """Returns the zone of hours and dates; Tashkent by default."""
    name = DEFAULT_ZONE if entry is None else entry.value
    try:
        return parse_zone(name if isinstance(name, str) else "", "timezone")
    except UsageError as error:
        findings.error("bad-value", entry.place if entry else RulePlace(""), error.message, error.hint)
        return UTC


def _fallback(entry: LocatedEntry | None, document: LocatedEntry, reading: ReadRules) -> RouteStep | None:
    if entry is not None:
        return read_step(entry, reading, "fallback")
    text = mark("add {example} at the top: it is used when no rule matches, and after any error")
    hint = tr(text, example='fallback = { queue = "6000" }')
    reading.bad(document, tr("the file has no fallback"), hint, "no-fallback")
    return None


def _tables(entry: LocatedEntry | None, word: str, reading: ReadRules) -> list[LocatedEntry]:
    """Returns the tables of `[[word]]`."""
    if entry is None:
        return []
    if not isinstance(entry.value, list) or not all(isinstance(item.value, dict) for item in entry.items):
        message = tr("`{key}` is not an array of tables", key=word)
        reading.findings.error("bad-value", entry.name, message, tr("write {example}", example=f"[[{word}]]"))
        return []
    return entry.items


def _rules(entry: LocatedEntry | None, document: LocatedEntry, reading: ReadRules) -> tuple[Rule, ...]:
    if entry is None:
        message = tr("the file has no rule: every caller gets the fallback")
        reading.findings.warning("no-rules", document.place, message, tr("add a [[rule]]"))
    found = [_rule(item, reading) for item in _tables(entry, "rule", reading)]
    return tuple(rule for rule in found if rule is not None)


def _rule(entry: LocatedEntry, reading: ReadRules) -> Rule | None:
    check_keys(entry, ("name", "when", "then"), tr("a rule"), reading.findings)
    name = _name(entry, reading)
    reading.rule = name or ""
    conditions = read_when(entry.table.get("when"), reading)
    then = entry.table.get("then")
    if then is None:
        reading.bad(entry, tr("the rule has no `then`"), tr("add {example}", example='then = { queue = "6000" }'))
        return None
    action = read_action(then, conditions, reading)
    if name is None or action is None:
        return None
    return Rule(name, tuple(sorted(conditions, key=cost_of)), action, entry.place, then.place)


def _name(entry: LocatedEntry, reading: ReadRules) -> str | None:
    named = entry.table.get("name")
    if named is None:
        hint = tr("add {example}: the trail and the statistics show it", example='name = "…"')
        reading.bad(entry, tr("the rule has no name"), hint)
        return None
    name = named.value
    if not isinstance(name, str) or not name.strip() or "\n" in name or len(name) > 100:
        message = tr("the name of a rule must be a text of one line, up to 100 characters")
        reading.bad(named, message, tr("write {example}", example='name = "night"'))
        return None
    if name.lower() == FALLBACK:
        reading.bad(named, tr("this name means the fallback"), tr("give the rule another name"))
        return None
    if name in reading.names:
        message = tr("a rule has this name already: line {line}", line=reading.names[name].line)
        hint = tr("names must differ: `share` and the statistics tell rules apart by them")
        reading.bad(named, message, hint, "same-name")
        return None
    reading.names[name] = named.place
    return name


def _find_unused(table: dict[str, LocatedEntry], reading: ReadRules) -> None:
    for kind, prefix in (("lists", "@"), ("hours", "hours ")):
        for name, entry in table[kind].table.items() if kind in table else ():
            if prefix + name not in reading.used and not (kind == "hours" and name == "holidays"):
                message = tr("no rule uses the hours {name!r}", name=name)
                if kind == "lists":
                    message = tr("no rule uses the list {list}", list=f"@{name}")
                hint = tr("check whether a rule has another name by mistake")
                reading.findings.warning("unused", entry.name, message, hint)

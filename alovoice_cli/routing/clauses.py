"""Reads the `when` and the `then` of a rule, with each finding at the wrong value.

`when` gives conditions; `then` and the fallback give one of the five steps, `round_robin`, or `@last_peer`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from alovoice_cli.findings import Findings, RulePlace, did_you_mean
from alovoice_cli.language import mark, tr
from alovoice_cli.routing.call import Condition
from alovoice_cli.routing.conditions import (
    AllOf,
    AnyOf,
    CallsWithin,
    Direction,
    FromNumbers,
    HiddenNumber,
    MissedWithin,
    NotClause,
    OnDays,
    OnLine,
    OnQueue,
    Share,
    SpokeWithin,
    WithinHours,
)
from alovoice_cli.routing.hours import DAY_FORMS, SPAN_FORMS, AnyHours, CalendarDays, parse_days, parse_span
from alovoice_cli.routing.located import LocatedEntry
from alovoice_cli.routing.numbers import NumberSet, doubt_about, key_of, prefix_of
from alovoice_cli.routing.rules import Action, FixedStep, LastPeer, RoundRobin
from alovoice_cli.routing.step import ACTION_TYPES, RouteStep, problem_with

_LONGEST_SHOWN = 60  # characters of a value in a message
_NUMBER_FORMS = mark('write "901234567", "+998901234567", a prefix "99890*", or a list "@name"')
_STEP_FORMS = '{ peer = "2000" }, { queue = "6000" }, { ivr = "111" }, { trunk = "998901234567" }, { hangup = true }'
LAST_PEER = "@last_peer"


@dataclass(slots=True)
class ReadRules:
    """The names that a file's clauses refer to, and the place for their findings."""

    findings: Findings
    lists: Mapping[str, NumberSet] = field(default_factory=dict)
    hours: Mapping[str, AnyHours] = field(default_factory=dict)
    known_lists: frozenset[str] = frozenset()
    """Unreadable ones included: each has one finding, where it is defined."""
    known_hours: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)
    """`@list` and `hours` names that some rule refers to."""
    names: dict[str, RulePlace] = field(default_factory=dict)
    """Names of the rules so far, with their places."""
    rule: str = ""
    """The name of the present rule."""

    def bad(self, entry: LocatedEntry, message: str, hint: str, code: str = "bad-value") -> None:
        """Notes an error at an entry's value."""
        self.findings.error(code, entry.place, message, hint)


def check_keys(table: LocatedEntry, known: tuple[str, ...], what: str, findings: Findings) -> None:
    """Adds an error for each unknown key of the table; `what` names the table, as the subject of a sentence."""
    for key, entry in table.table.items():
        if key not in known:
            hint = did_you_mean(key, known, mark("keys: {names}"))
            findings.error("unknown-key", entry.name, tr("{what} has no key {key!r}", what=what, key=key), hint)


def text_of(entry: LocatedEntry) -> str | None:
    """Returns a text, or a whole number without quotes; None for other values."""
    value = entry.value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
        return str(value)
    return value if isinstance(value, str) else None


def read_when(entry: LocatedEntry | None, reading: ReadRules) -> tuple[Condition, ...]:
    """Returns the conditions of a table, all of which must hold; none for a rule without `when`."""
    if entry is None:
        return ()
    if not isinstance(entry.value, dict):
        hint = tr("write {example}", example='when = { from = "@vip", hours = "office" }')
        reading.bad(entry, tr("`when` is not a table"), hint)
        return ()
    check_keys(entry, tuple(_READERS), "`when`", reading.findings)
    found = [_READERS[key](inner, reading) for key, inner in entry.table.items() if key in _READERS]
    return tuple(condition for condition in found if condition is not None)


def _written(key: str, entry: LocatedEntry) -> str:
    return f"{key} = {toml_of(entry)}"


def toml_of(entry: LocatedEntry) -> str:
    """Returns the entry as TOML, shortened if long."""
    if isinstance(entry.value, dict):
        return "{ " + ", ".join(f"{key} = {toml_of(inner)}" for key, inner in entry.table.items()) + " }"
    if isinstance(entry.value, list):
        more = ", …" if len(entry.items) > 3 else ""
        return "[" + ", ".join(map(toml_of, entry.items[:3])) + more + "]"
    if isinstance(entry.value, bool):
        return str(entry.value).lower()
    text = f'"{entry.value}"' if isinstance(entry.value, str) else str(entry.value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def _each(entry: LocatedEntry, reading: ReadRules, what: str) -> list[LocatedEntry]:
    """Yields the entries of an array, or the one value. An empty array matches nothing: an error."""
    if not isinstance(entry.value, list):
        return [entry]
    if not entry.items:
        message = tr("{key} is empty: the rule can never match", key=what)
        reading.bad(entry, message, tr("leave the condition out, or fill it"))
    return entry.items


def _numbers(entry: LocatedEntry, reading: ReadRules, what: str) -> tuple[NumberSet, ...]:
    sets: list[NumberSet] = []
    own: list[LocatedEntry] = []
    for item in _each(entry, reading, what):
        text = text_of(item)
        if text is not None and text.startswith("@"):
            sets += _named_list(item, text, reading)
        else:
            own.append(item)
    numbers = read_numbers(own, reading, what, tr(_NUMBER_FORMS))
    return (*sets, numbers) if len(numbers) else tuple(sets)


def read_numbers(entries: Sequence[LocatedEntry], reading: ReadRules, key: str, forms: str) -> NumberSet:
    """Returns numbers and prefixes of a file; a wrong one is an error, an improbable caller a warning.

    `key` is the key of the condition, or '' in a list; `forms` is the hint.
    """
    keys, prefixes = [], []
    for entry in entries:
        text = text_of(entry) or ""
        if number := key_of(text):
            keys.append(number)
        elif prefix := prefix_of(text):
            prefixes.append(prefix)
        else:
            written = f"{key} {toml_of(entry)}".strip()
            reading.bad(entry, tr("{value} is not a phone number", value=written), forms)
            continue
        if key != "line" and (doubt := doubt_about(text)):  # a line is a number of the PBX itself
            hint = tr("write it as +998901234567 or +99890*")
            reading.findings.warning("no-caller", entry.place, doubt, hint)
    return NumberSet(keys, prefixes)


def _named_list(entry: LocatedEntry, text: str, reading: ReadRules) -> list[NumberSet]:
    name = text[1:]
    reading.used.add(text)
    if name not in reading.known_lists:
        hint = did_you_mean(name, sorted(reading.known_lists), mark("lists: {names}"))
        hint = hint or tr("add {name} = [...] under [lists]", name=name)
        reading.bad(entry, tr("there is no list {list}", list=text), hint, "unknown-name")
    return [reading.lists[name]] if name in reading.lists else []


def _among(entry: LocatedEntry, reading: ReadRules, kind: type[FromNumbers | OnLine], key: str) -> Condition | None:
    return kind(_written(key, entry), _numbers(entry, reading, key))


def _queue(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    queues = set()
    for item in _each(entry, reading, "queue"):
        text = text_of(item)
        if text is None or not (text.isascii() and text.isdigit()):
            message = tr("queue {value} is not the number of a queue", value=toml_of(item))
            reading.bad(item, message, tr("write {example}", example='queue = "6000"'))
        else:
            queues.add(text)
    return OnQueue(_written("queue", entry), frozenset(queues))


def _direction(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    if entry.value not in ("inc", "out"):
        hint = tr('write "inc" for inbound calls, "out" for outbound calls')
        reading.bad(entry, tr("{value} is not a direction", value=toml_of(entry)), hint)
        return None
    return Direction(_written("direction", entry), str(entry.value))


def _hours(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    found: list[AnyHours] = []
    for item in _each(entry, reading, "hours"):
        name = item.value if isinstance(item.value, str) else toml_of(item)
        reading.used.add(f"hours {name}")
        if name in reading.hours:
            found.append(reading.hours[name])
        elif name not in reading.known_hours:
            known = sorted(reading.known_hours)
            hint = did_you_mean(name, known, mark("hours: {names}"))
            hint = hint or tr("add {name} = [...] under [hours]", name=name)
            reading.bad(item, tr("there are no hours {name!r}", name=name), hint, "unknown-name")
    return WithinHours(_written("hours", entry), tuple(found))


def _date(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    return OnDays(_written("date", entry), read_days(_each(entry, reading, "date"), reading, "date"))


def read_days(entries: list[LocatedEntry], reading: ReadRules, key: str) -> CalendarDays:
    """Returns the days of some entries: texts, or TOML's own dates."""
    days = CalendarDays()
    for item in entries:
        written = item.value.isoformat()[:10] if isinstance(item.value, date) else item.value
        found = parse_days(written) if isinstance(written, str) else None
        if found is None:
            reading.bad(item, tr("{key} {value} is not a date", key=key, value=toml_of(item)), tr(DAY_FORMS))
        else:
            days |= found
    return days


def read_span(entry: LocatedEntry, reading: ReadRules, key: str) -> timedelta | None:
    """Returns a length of time; None, and a finding, for other values."""
    span = parse_span(entry.value) if isinstance(entry.value, str) else None
    if span is None:
        reading.bad(entry, tr("{key} {value} is not a span of time", key=key, value=toml_of(entry)), tr(SPAN_FORMS))
    return span


def _within(
    entry: LocatedEntry, reading: ReadRules, kind: type[SpokeWithin | MissedWithin], key: str
) -> Condition | None:
    window = read_span(entry, reading, key)
    return kind(_written(key, entry), window) if window else None


def _calls_within(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    table = entry.table
    if "count" not in table or "window" not in table:
        hint = tr("write {example}", example='calls_within = { count = 3, window = "1h" }')
        reading.bad(entry, tr("calls_within needs count and window"), hint)
        return None
    check_keys(entry, ("count", "window"), "calls_within", reading.findings)
    count, window = table["count"].value, read_span(table["window"], reading, "window")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 10_000:
        message = tr("count {value} is not a number of calls", value=toml_of(table["count"]))
        reading.bad(table["count"], message, tr("write 1, 2, 3, …"))
        return None
    return CallsWithin(_written("calls_within", entry), count, window) if window else None


def _share(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    percent = entry.value
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 < percent < 100:
        hint = tr(
            "write share = 20 for a fifth of the callers; for none or all callers, leave out the rule or the share"
        )
        reading.bad(entry, tr("share {value} is not between 0 and 100 per cent", value=toml_of(entry)), hint)
        return None
    return Share(_written("share", entry), float(percent), reading.rule)


def _hidden(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    if not isinstance(entry.value, bool):
        hint = tr("write hidden = true for callers without a number, hidden = false for all others")
        reading.bad(entry, tr("hidden {value} is neither true nor false", value=toml_of(entry)), hint)
        return None
    return HiddenNumber(_written("hidden", entry), entry.value)


def _composed(entry: LocatedEntry, reading: ReadRules, kind: type[AllOf | AnyOf], word: str) -> Condition | None:
    if not isinstance(entry.value, list) or not entry.items:
        hint = tr("write {example}", example=f'{word} = [{{ from = "@vip" }}, {{ hours = "office" }}]')
        reading.bad(entry, tr("`{key}` is not an array of conditions", key=word), hint)
        return None
    return kind(_written(word, entry), tuple(_joined(item, reading, word) for item in entry.items))


def _joined(entry: LocatedEntry, reading: ReadRules, word: str) -> Condition:
    """Returns a table of conditions as one condition."""
    if not entry.table:
        message = tr("`{key}`: {value} is not a condition", key=word, value=toml_of(entry))
        reading.bad(entry, message, tr("write {example}", example='{ hours = "office" }'))
    parts = read_when(entry, reading) if entry.table else ()
    return parts[0] if len(parts) == 1 else AllOf(toml_of(entry), parts)


def _not(entry: LocatedEntry, reading: ReadRules) -> Condition | None:
    return NotClause(_written("not", entry), _joined(entry, reading, "not"))


_READERS: dict[str, Callable[[LocatedEntry, ReadRules], Condition | None]] = {
    "from": partial(_among, kind=FromNumbers, key="from"),
    "hidden": _hidden,
    "line": partial(_among, kind=OnLine, key="line"),
    "queue": _queue,
    "direction": _direction,
    "hours": _hours,
    "date": _date,
    "spoke_within": partial(_within, kind=SpokeWithin, key="spoke_within"),
    "calls_within": _calls_within,
    "missed_within": partial(_within, kind=MissedWithin, key="missed_within"),
    "share": _share,
    "all": partial(_composed, kind=AllOf, word="all"),
    "any": partial(_composed, kind=AnyOf, word="any"),
    "not": _not,
}


def _write_a_step() -> str:
    return tr("write {example}", example=_STEP_FORMS)


def read_step(entry: LocatedEntry, reading: ReadRules, key: str) -> RouteStep | None:
    """Returns one of the five steps from a table with one key; None, and a finding, for other values."""
    check_keys(entry, ACTION_TYPES, f"`{key}`", reading.findings)
    found = [(name, inner) for name, inner in entry.table.items() if name in ACTION_TYPES]
    if len(found) != 1:
        if found or not entry.table:
            message = tr("`{key}` has {number} steps, but must have one", key=key, number=len(found))
            if not found:
                message = tr("`{key}` has no step", key=key)
            reading.bad(entry, message, _write_a_step(), "bad-action")
        return None
    return _step(*found[0], reading)


def _step(action_type: str, entry: LocatedEntry, reading: ReadRules) -> RouteStep | None:
    if action_type == "hangup" and entry.value is True:
        return RouteStep("hangup")
    text = text_of(entry)
    if action_type == "hangup" and (entry.value is False or text is None):
        reading.bad(entry, tr("hangup needs true, or the id of a sound file"), _write_a_step(), "bad-action")
        return None
    # A missing text means no argument: of the five only hangup needs none, and it was read above.
    if problem := problem_with(action_type, text if text is not None else ""):
        reading.bad(entry, problem, _write_a_step(), "bad-action")
        return None
    return RouteStep(action_type, text)


def read_action(entry: LocatedEntry, conditions: tuple[Condition, ...], reading: ReadRules) -> Action | None:
    """Returns the action of a rule; None, and a finding, without a valid argument."""
    table = entry.table
    if list(table) == ["round_robin"]:
        return _round_robin(table["round_robin"], reading)
    peer = table.get("peer")
    if list(table) == ["peer"] and peer is not None and isinstance(peer.value, str) and peer.value.startswith("@"):
        return _last_peer(peer, conditions, reading)
    if "round_robin" in table:
        message = tr("`{key}` has {number} steps, but must have one", key="then", number=len(table))
        reading.bad(entry, message, _write_a_step(), "bad-action")
        return None
    step = read_step(entry, reading, "then")
    return FixedStep(step) if step else None


def _round_robin(entry: LocatedEntry, reading: ReadRules) -> Action | None:
    hint = tr("write {example}", example='round_robin = ["2000", "2001"]')
    if not entry.items:
        reading.bad(entry, tr("round_robin is not an array of extensions"), hint, "bad-action")
        return None
    steps = [_step("peer", item, reading) for item in entry.items]
    return RoundRobin(tuple(step for step in steps if step)) if None not in steps else None


def _last_peer(entry: LocatedEntry, conditions: tuple[Condition, ...], reading: ReadRules) -> Action | None:
    if entry.value != LAST_PEER:
        message = tr("there is no peer {peer!r}", peer=entry.value)
        reading.bad(entry, message, tr("did you mean {word}?", word=LAST_PEER), "unknown-name")
        return None
    windows = [condition.window for condition in _always_true(conditions) if isinstance(condition, SpokeWithin)]
    if not windows:
        message = tr("{peer} needs the time within which the caller spoke with somebody", peer=LAST_PEER)
        hint = tr("add {example} to `when`", example='spoke_within = "7d"')
        reading.bad(entry, message, hint, "bad-action")
        return None
    return LastPeer(min(windows))


def _always_true(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """Returns the conditions that hold whenever the rule matches."""
    for condition in conditions:
        yield condition
        if isinstance(condition, AllOf):
            yield from _always_true(condition.parts)

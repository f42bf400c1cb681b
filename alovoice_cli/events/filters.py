"""Which events, or which calls: a period and a condition, from options and from the language of `--where`.

`status = 486 and duration < 5`, `not (line = 712037006 or peer in (101, 102))`. The parser is written by hand: the
grammar has six rules, and its errors name the column.

    or    = and {"or" and}          and   = not {"and" not}
    not   = "not" not | "(" or ")" | comparison
    comparison = FIELD ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") VALUE
               | FIELD ["not"] "in" "(" VALUE {"," VALUE} ")"
    VALUE = word | 'text' | "text" | none
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple, NoReturn

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import (
    ALWAYS,
    EVENT_FIELDS,
    And,
    Compare,
    Condition,
    EventField,
    Not,
    Operator,
    Or,
    Value,
    all_of,
    fields_of,
    holds,
)
from alovoice_cli.events.event import Call, Event, Fact
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import ClockTime, parse_moment, parse_span, unix_microseconds
from alovoice_cli.phones import canonical

LONGEST = 4000
_DEEPEST = 50
_LARGEST = 2**63 - 1  # the limit of every database
_TOKEN = re.compile(
    r"""(?P<op><=|>=|!=|<>|!~|==|[=<>~])|(?P<mark>[(),])|(?P<text>'[^']*'|"[^"]*")|(?P<word>[^\s=<>!~(),'"]+)"""
)
_UNREADABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_KEYWORDS = ("and", "or", "not", "in", "none")
_ORDERED = ("number", "seconds", "microseconds")
_FOR_TEXT: tuple[Operator, ...] = ("=", "!=", "~", "!~")
_FOR_NUMBERS: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
_SPELLINGS: Mapping[str, Operator] = {
    "==": "=",
    "<>": "!=",
    **{sign: sign for sign in (*_FOR_TEXT, *_FOR_NUMBERS)},
}

ReadMoment = Callable[[str], datetime]
"""Reads text as a moment, as `--since` takes it; raises UsageError."""
_KNOWN_OF_CALL = ("external_id", "pbx_call_id", "number", "line", "peer", "direction")
_OLDER_NAMES = {"call_id": mark("event_call_id is the id that answered the callstart, pbx_call_id is the PBX's own id")}
EVER = "all"
"""`--since all`: from the first event."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        word = self.text.lower()
        return word if self.kind == "word" and word in _KEYWORDS else ""


def parse_where(text: str, fields: Mapping[str, EventField], read_moment: ReadMoment) -> Condition:
    """Returns the text as a condition on these fields. Raises UsageError with the column of the error (from 1)."""
    return _Parser(text, fields, read_moment).parse()


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, EventField], read_moment: ReadMoment) -> None:
        self._text = re.sub(r"\s", " ", text)
        self._fields, self._read_moment = fields, read_moment
        if len(text) > LONGEST:
            self._fail(LONGEST, tr("the condition is longer than {most} characters", most=LONGEST))
        self._tokens = self._scan()
        self._next = self._depth = 0

    def parse(self) -> Condition:
        condition = self._or()
        if self._here.kind != "end":
            self._fail_here(tr("'and', 'or' or the end"))
        return condition

    def _scan(self) -> list[_Token]:
        if bad := _UNREADABLE.search(self._text):
            self._fail(bad.start(), tr("a character that cannot be searched for"))
        tokens, at = [], 0
        while at < len(self._text):
            if self._text[at] == " ":
                at += 1
                continue
            match = _TOKEN.match(self._text, at)
            if match is None:
                what = tr("{sign!r} has no meaning here", sign=self._text[at])
                if self._text[at] in "'\"":
                    what = tr("a quote that is not closed")
                self._fail(at, what)
            tokens.append(_Token(str(match.lastgroup), match.group(), at))
            at = match.end()
        return [*tokens, _Token("end", "", len(self._text))]

    @property
    def _here(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._here
        self._next += token.kind != "end"
        return token

    def _takes(self, text: str) -> bool:
        if text in (self._here.keyword, self._here.text if self._here.kind == "mark" else ""):
            self._take()
            return True
        return False

    def _or(self) -> Condition:
        terms = [self._and()]
        while self._takes("or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _and(self) -> Condition:
        terms = [self._not()]
        while self._takes("and"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _not(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(self._here.at, tr("nested deeper than {most} levels", most=_DEEPEST))
        if self._takes("not"):
            condition: Condition = Not(self._not())
        elif self._takes("("):
            condition = self._or()
            if not self._takes(")"):
                self._fail_here("')'")
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        token = self._here
        if token.kind != "word" or token.keyword:
            self._fail_here(tr("a field"))
        self._take()
        field = self._fields.get(token.text.lower())
        if field is None:
            near = get_close_matches(token.text.lower(), self._fields, n=1)
            older = _OLDER_NAMES.get(token.text.lower())
            hint = tr(older) if older else tr("did you mean {name}?", name=near[0]) if near else ""
            self._fail(token.at, tr("there is no field {name!r}", name=token.text), hint)
        if self._takes("not"):
            if self._here.keyword != "in":
                self._fail_here("'in'")
            return Not(self._membership(field))
        return self._membership(field) if self._here.keyword == "in" else self._sign_and_value(field)

    def _membership(self, field: EventField) -> Condition:
        self._take()
        if not self._takes("("):
            self._fail_here(tr("'(' and values"))
        values = [self._value(field, "in")]
        while self._takes(","):
            values.append(self._value(field, "in"))
        if not self._takes(")"):
            self._fail_here(tr("',' or ')'"))
        return Compare(field.name, "in", tuple(values))

    def _sign_and_value(self, field: EventField) -> Condition:
        token = self._here
        if token.kind != "op":
            self._fail_here(tr("a sign after {field}, such as =", field=field.name))
        self._take()
        operator = _SPELLINGS[token.text]
        fitting = _FOR_NUMBERS if field.kind in _ORDERED else _FOR_TEXT
        if operator not in fitting:
            what = tr("{field} is a text: use {signs} or in", field=field.name, signs=", ".join(fitting))
            if field.kind in _ORDERED:
                what = tr(
                    "{field} is a number or a time: use {signs} or in", field=field.name, signs=", ".join(fitting)
                )
            self._fail(token.at, what)
        return Compare(field.name, operator, self._value(field, operator))

    def _value(self, field: EventField, operator: Operator) -> Value:
        token = self._here
        if token.keyword == "none" and operator in ("=", "!="):
            self._take()
            return None
        if token.kind not in ("word", "text") or token.keyword:
            self._fail_here(tr("a value (in quotes if it is a word such as and, or, in)"))
        self._take()
        text = token.text[1:-1] if token.kind == "text" else token.text
        try:
            return _READ[field.kind](text, self, field, operator)
        except UsageError as error:
            if error.message.startswith("--where"):
                raise
            self._fail(token.at, error.message, error.hint)

    def read_moment(self, text: str) -> datetime:
        return self._read_moment(text)

    def _fail_here(self, wanted: str) -> NoReturn:
        token = self._here
        found = tr("the end") if token.kind == "end" else repr(token.text)
        self._fail(token.at, tr("expected {wanted}, found {found}", wanted=wanted, found=found))

    def _fail(self, at: int, what: str, hint: str = "") -> NoReturn:
        raise UsageError(
            tr("--where, column {column}: {problem}", column=at + 1, problem=what),
            hint=hint or tr("fields: {names}", names=", ".join(self._fields)),
            detail=f"{self._text[:200]}\n{' ' * at}^" if at < 200 else "",
        )


def _text(text: str, parser: _Parser, field: EventField, operator: Operator) -> Value:
    if field.choices and operator in ("=", "!=", "in") and text not in field.choices:
        raise UsageError(
            tr("{field} is one of {names}, not {value!r}", field=field.name, names=", ".join(field.choices), value=text)
        )
    return text


def _phone(text: str, parser: _Parser, field: EventField, operator: Operator) -> Value:
    if operator in ("~", "!~"):
        digits = "".join(letter for letter in text if letter in "0123456789")
        return digits or text
    return canonical(text) or text


def _number(text: str, parser: _Parser, field: EventField, operator: Operator) -> Value:
    if field.name == "duration" and re.fullmatch(r"[0-9]{1,6}[smh]", text.lower()):
        return int(parse_span(text, "").total_seconds())
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or abs(int(text)) > _LARGEST:
        raise UsageError(tr("{field} is a whole number, not {value!r}", field=field.name, value=text))
    return int(text)


def _seconds(text: str, parser: _Parser, field: EventField, operator: Operator) -> Value:
    return int(text) if re.fullmatch(r"[0-9]{9,11}", text) else unix_microseconds(parser.read_moment(text)) // 1_000_000


def _microseconds(text: str, parser: _Parser, field: EventField, operator: Operator) -> Value:
    seconds = re.fullmatch(r"[0-9]{9,11}", text)
    return int(text) * 1_000_000 if seconds else unix_microseconds(parser.read_moment(text))


_READ: Mapping[str, Callable[[str, _Parser, EventField, Operator], Value]] = {
    "text": _text,
    "phone": _phone,
    "number": _number,
    "seconds": _seconds,
    "microseconds": _microseconds,
}


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to before `until`, in unix microseconds; None means no bound."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Events received in the period that meet the condition; made-up events only `with_trials`."""

    period: Period = field(default_factory=Period)
    condition: Condition = ALWAYS
    with_trials: bool = False


@dataclass(frozen=True, slots=True)
class FilterWords:
    """The options as typed."""

    since: str | None = None
    until: str | None = None
    type: str | None = None
    number: str | None = None
    line: str | None = None
    peer: str | None = None
    status: str | None = None
    where: str | None = None
    with_trials: bool = False


def read_period(words: FilterWords, clock: ClockTime) -> Period:
    """Returns the period of `--since` and `--until`; a day alone means the whole day.

    Raises UsageError, also if the period ends before it begins.
    """
    since = until = None
    if words.since is not None and words.since.strip().lower() != EVER:
        since = unix_microseconds(parse_moment(words.since, clock, "--since").at)
    if words.until is not None:
        until = unix_microseconds(parse_moment(words.until, clock, "--until").end)
    if since is not None and until is not None and since >= until:
        raise UsageError(
            tr("--since {since} is not before --until {until}", since=words.since, until=words.until),
            hint=tr("the earlier time belongs to --since"),
        )
    return Period(since, until)


def read_filter(words: FilterWords, fields: Mapping[str, EventField], clock: ClockTime) -> Filter:
    """Returns the options as a filter on these fields. Raises UsageError for options that contradict each other."""
    condition = all_of(
        _among("type", words.type, choices=EVENT_FIELDS["type"].choices),
        _among("number", words.number, is_phone=True),
        _among("line", words.line, is_phone=True),
        _among("peer", words.peer),
        _among("status", words.status),
        _where(words.where, fields, clock),
    )
    if "type" in fields and "type" not in fields_of(condition):
        # The listener's own test request is no event of the PBX.
        condition = all_of(Compare("type", "!=", "probe"), condition)
    return Filter(read_period(words, clock), condition, words.with_trials)


def _where(text: str | None, fields: Mapping[str, EventField], clock: ClockTime) -> Condition | None:
    if text is None:
        return None
    if not text.strip():
        raise UsageError(tr("--where is empty"), hint=tr("leave it out to see all"))
    return parse_where(text, fields, lambda moment: parse_moment(moment, clock, "").at)


def _among(name: str, text: str | None, *, choices: Sequence[str] = (), is_phone: bool = False) -> Condition | None:
    """Returns a condition for one value, or for several values separated by commas."""
    if text is None:
        return None
    values = [value.strip() for value in text.split(",") if value.strip()]
    for value in values:
        if choices and value not in choices:
            raise UsageError(
                tr("{option} {value!r} is not known", option=f"--{name}", value=value),
                hint=tr("choose from {names}", names=", ".join(choices)),
            )
        if not value.isprintable():
            raise UsageError(tr("{option} {value!r} is not valid", option=f"--{name}", value=value))
    if not values:
        raise UsageError(tr("{option} is empty", option=f"--{name}"), hint=tr("leave it out to see all"))
    meant = tuple((canonical(value) or value) if is_phone else value for value in values)  # `anonymous` is no number
    return Compare(name, "=", meant[0]) if len(meant) == 1 else Compare(name, "in", meant)


def meeting(condition: Condition, event: Event, calls: Mapping[str, Call]) -> Event:
    """Returns the event with only those of its facts that meet the condition; see `conditions` for a fact's fields.

    `calls` are by id. If no fact meets the condition, returns the event unchanged.
    """
    facts = tuple(fact for fact in event.facts if holds(condition, _values(event, fact, calls.get(fact.call_id or ""))))
    return replace(event, facts=facts) if facts else event


def _values(event: Event, fact: Fact, call: Call | None) -> dict[str, Value]:
    """Returns the fields of one fact by the names of EVENT_FIELDS; missing values come from its call."""
    delivery, of_call = event.delivery, call or Call("", 0)
    both = {name: getattr(fact, name) or getattr(of_call, name) for name in _KNOWN_OF_CALL}
    of_fact = {name: getattr(fact, name) for name in ("status", "duration", "record", "queue")}
    return {
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "event_call_id": None if delivery.type == "result" and call is None else fact.call_id,
        "received": delivery.received_at,
        "sender": delivery.peer,
        "rule": event.rule,
        "duplicate_of": event.duplicate_of,
        "problem": event.problem or None,
        "answered": fact.answered_at,
        "ended": fact.ended_at,
        "started": fact.started_at or of_call.started_at,
        **both,
        **of_fact,
    }

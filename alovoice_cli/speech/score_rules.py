"""Reads a rules file for scores, such as `EXAMPLE`.

Reading continues after an error: one run shows all errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, Findings, RulePlace, did_you_mean, has_errors, in_order
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.routing.clauses import check_keys
from alovoice_cli.routing.located import BadTomlError, LocatedEntry, read_toml
from alovoice_cli.speech.folding import fold, foldings
from alovoice_cli.speech.measures import Measures
from alovoice_cli.speech.phrases import SoughtPhrase, found_in, misplaced_star, read_phrase
from alovoice_cli.speech.talk import Talk
from alovoice_cli.speech.turns import SpeechTurn


class JudgedCall(NamedTuple):
    """What the checks look at: a talk, its measures, its turns."""

    talk: Talk
    measures: Measures
    turns: Sequence[SpeechTurn]


class Test(Protocol):
    """Whether a condition holds for a call; None where the call does not show it."""

    def holds(self, call: JudgedCall) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a score: its name, its weight, and its test."""

    name: str
    weight: float
    test: Test


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """A rules file. `bar` is the average score below which `ai score` fails, if the file has one."""

    checks: tuple[Check, ...]
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class HasTag:
    """The analysis has this tag, or lacks it (`wanted` False)."""

    name: str
    wanted: bool = True

    def holds(self, call: JudgedCall) -> bool:
        sought = set(foldings(self.name))
        return any(sought.intersection(foldings(name)) for name in call.talk.tag_names) == self.wanted


@dataclass(frozen=True, slots=True)
class Says:
    """One of the phrases occurs in a turn, in any spelling; or none does (`wanted` False).

    `within_ms`: the phrase's fragment begins within this time of the call's beginning.
    """

    phrases: tuple[SoughtPhrase, ...]
    wanted: bool = True
    speaker: str | None = None
    within_ms: float | None = None

    def holds(self, call: JudgedCall) -> bool:
        fragments = call.talk.fragments
        said = any(
            self.within_ms is None or (fragments[found.place].begin_ms or 0) <= self.within_ms
            for found in found_in(call.turns, self.phrases, speaker=self.speaker)
        )
        return said == self.wanted


@dataclass(frozen=True, slots=True)
class Lies:
    """A measure is between two optional bounds; None for a call without this measure."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, call: JudgedCall) -> bool | None:
        value = MEASURES[self.measure](call.measures)
        if value is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


MEASURES: Mapping[str, Callable[[Measures], float | None]] = {
    "talk_ratio": lambda found: found.talk_ratio,
    "longest_monologue": lambda found: found.longest_monologue_ms / 1000,
    "dead_air": lambda found: found.longest_silence_ms / 1000,
    "silence_share": lambda found: found.silence_share,
    "interruptions": lambda found: float(found.operator_interruptions),
    "first_word": lambda found: _seconds(found.first_operator_ms),
    "length": lambda found: found.length_ms / 1000,
}
"""The operator's share of the talk (0 to 1), the operator's longest monologue, the longest silence and the share of
silence, how often the operator broke in, when the operator first spoke, the length. Times in seconds."""


_KINDS = ("say", "never_say", "tag", "without_tag", "measure")
_OF_WORDS = ("speaker", "within")
_OF_MEASURES = ("at_least", "at_most")
_LARGEST = 1024 * 1024
_SPEAKERS = ("operator", "client")


@dataclass(frozen=True, slots=True)
class LoadedScores:
    """The content of a file. `rules` is None with any error."""

    rules: ScoreRules | None
    findings: tuple[Finding, ...]


EXAMPLE = """\
# What a good call is, for `alovoice ai score --rules FILE`. A score is the share of the weights that the call passed,
# 0 to 100. `alovoice ai score --rules FILE --check` checks this file. A line that begins with # is a comment.

bar = 80                       # an average below it ends `ai score` with exit code 8

# One of these phrases is said. Spelling does not count: Uzbek in Latin and Cyrillic, ё and е, case, apostrophes.
# A star is any ending: "здравствуй*" is also здравствуйте; "to'lov*" is also to'lovni, тўловга.
[[check]]
name = "Greets"
weight = 3                     # 1 where it is left out
say = ["assalomu alaykum", "salom*", "здравствуй*", "добр* день"]
speaker = "operator"           # or "client"; leave the line out for both
within = 15                    # seconds from the beginning

# None of these phrases is said.
[[check]]
name = "No promise of a refund"
weight = 2
never_say = ["pulni qaytar*", "верн* деньги"]
speaker = "operator"

# The PBX gave the call this tag; `without_tag` is the opposite.
[[check]]
without_tag = "Жалоба"

# The operator's share of the talk, 0 to 1. Give at_least, at_most or both.
[[check]]
measure = "talk_ratio"
at_least = 0.3
at_most = 0.7

# Seconds in which nobody speaks. Other measures: longest_monologue, silence_share, interruptions, first_word, length.
[[check]]
measure = "dead_air"
at_most = 10
"""

OtherForm = Callable[[SoughtPhrase, str | None], str | None]
"""Returns another form of a word that this speaker (None: anybody) said: `to'lovni (call 8001)`; None without one."""


def load(path: Path, other_form: OtherForm | None = None) -> LoadedScores:
    """Reads a rules file; with `other_form` a phrase of one word without a star is a warning.

    Raises UsageError for a file that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            tr("{path} cannot be read: {problem}", path=path, problem=error.strerror or error),
            hint=tr("give the rules file, such as qa.toml"),
        ) from error
    findings = Findings()
    rules = None
    if len(content) > _LARGEST:
        message = tr("the file is larger than 1 MB: it is not a rules file")
        findings.error("too-large", RulePlace(str(path)), message)
        return LoadedScores(None, tuple(findings.items))
    try:
        rules = _read(read_toml(content.decode("utf-8-sig"), str(path)), findings, other_form)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        findings.error(
            "encoding", RulePlace(str(path), line), tr("the file is not UTF-8"), tr("save the file as UTF-8")
        )
    except BadTomlError as error:
        message = tr("the file is not valid TOML: {problem}", problem=error.message)
        findings.error("syntax", error.place, message, tr("see https://toml.io"))
    ordered = in_order(findings.items)
    return LoadedScores(None if has_errors(ordered) else rules, ordered)


def load_sound(path: Path) -> ScoreRules:
    """Returns the rules of a file without errors. Raises CheckFailedError with the first errors."""
    loaded = load(path)
    if loaded.rules is not None:
        return loaded.rules
    errors = [finding for finding in loaded.findings if finding.severity == "error"]
    raise CheckFailedError(
        ngettext("{path} has {n} error", "{path} has {n} errors", len(errors), path=path),
        hint=tr("`alovoice ai score --rules {path} --check` shows all", path=path),
        detail=joined("\n", (str(error) for error in errors[:3])),
    )


def _read(document: LocatedEntry, findings: Findings, other_form: OtherForm | None) -> ScoreRules:
    check_keys(document, ("bar", "check"), tr("a rules file"), findings)
    reading = _Reading(findings, other_form)
    bar = reading.number(document.table.get("bar"), "bar", lowest=0, highest=100)
    entry = document.table.get("check")
    if entry is None:
        findings.error("no-checks", document.place, tr("the file has no check"), tr("add a [[check]]"))
        return ScoreRules(())
    if not isinstance(entry.value, list) or not all(isinstance(item.value, dict) for item in entry.items):
        findings.error("bad-value", entry.name, tr("`check` is not an array of tables"), tr("write [[check]]"))
        return ScoreRules(())
    checks = [reading.check(item, place) for place, item in enumerate(entry.items, start=1)]
    if checks and not any(check.weight for check in checks if check is not None):
        message = tr("every check has the weight 0")
        findings.error("no-weight", entry.name, message, tr("give one of them a weight"))
    return ScoreRules(tuple(check for check in checks if check is not None), bar)


class _Reading:
    """Reads checks; errors become findings."""

    def __init__(self, findings: Findings, other_form: OtherForm | None) -> None:
        self._findings, self._other_form = findings, other_form
        self._names: set[str] = set()

    def check(self, entry: LocatedEntry, place: int) -> Check | None:
        """Returns one `[[check]]`, None where it has nothing to judge."""
        table, findings = entry.table, self._findings
        kinds = [kind for kind in _KINDS if kind in table]
        if len(kinds) != 1:
            message = tr("check {number} has nothing to check", number=place)
            if kinds:
                text = mark("check {number} checks several things: {names}")
                message = tr(text, number=place, names=", ".join(kinds))
            findings.error("bad-check", entry.place, message, tr("give one of {names}", names=", ".join(_KINDS)))
            check_keys(entry, ("name", "weight", *_KINDS, *_OF_WORDS, *_OF_MEASURES), tr("a check"), findings)
            return None
        (kind,) = kinds
        check_keys(entry, ("name", "weight", kind, *_MORE[kind]), tr("a check of `{kind}`", kind=kind), findings)
        weight = self.number(table.get("weight"), "weight", lowest=0, highest=1_000_000)
        test = _READERS[kind](self, table[kind], table)
        name = self._name(table.get("name"), _own_name(kind, table[kind]))
        return None if test is None else Check(name, 1 if weight is None else weight, test)

    def number(self, entry: LocatedEntry | None, what: str, *, lowest: float, highest: float) -> float | None:
        """Returns a number within the bounds; None if missing or wrong."""
        if entry is None:
            return None
        value = entry.value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        text = mark("{key} must be a number from {lowest} to {highest}")
        message = tr(text, key=what, lowest=f"{lowest:.0f}", highest=f"{highest:.0f}")
        self._findings.error("bad-value", entry.place, message)
        return None

    def says(self, entry: LocatedEntry, table: Mapping[str, LocatedEntry], *, wanted: bool) -> Test | None:
        """Returns the test of `say` and `never_say`: a phrase or a list of phrases."""
        items = entry.items if isinstance(entry.value, list) else [entry]
        if not items:
            message = tr("the list of phrases is empty")
            self._findings.error("bad-value", entry.place, message, tr("give a phrase, or leave it out"))
        speaker = table.get("speaker")
        if speaker is not None and speaker.value not in _SPEAKERS:
            hint = did_you_mean(str(speaker.value), _SPEAKERS, mark("speakers: {names}"))
            message = tr("there is no speaker {speaker!r}", speaker=speaker.value)
            self._findings.error("bad-value", speaker.place, message, hint)
        within = self.number(table.get("within"), "within", lowest=0, highest=86_400)
        who = None if speaker is None else str(speaker.value)
        phrases = [phrase for item in items if (phrase := self._phrase(item, who)) is not None]
        if not phrases:
            return None
        return Says(tuple(phrases), wanted, who, None if within is None else within * 1000)

    def _phrase(self, entry: LocatedEntry, speaker: str | None) -> SoughtPhrase | None:
        text = self.text(entry, mark("{value} is not a text: a phrase is a text in quotes"))
        if text is None:
            return None
        hint = tr("put it at the end of a word: {examples}", examples=""""to'lov*", "доставк*\"""")
        if misplaced_star(text):
            message = tr("{phrase!r}: `*` is the ending of a word", phrase=text)
            self._findings.error("bad-value", entry.place, message, hint)
            return None
        phrase = read_phrase(text, word=True)
        longer = None if phrase is None else phrase.with_endings
        if phrase is not None and longer is not None and self._other_form is not None:
            form = self._other_form(phrase, speaker)
            message = tr("{phrase!r} matches only this form of the word", phrase=text)
            if form is not None:
                message = tr("{phrase!r} matches only this form of the word, not {form}", phrase=text, form=form)
            hint = tr("for any ending write {phrase!r}", phrase=longer.text)
            self._findings.warning("one-form", entry.place, message, hint)
        return phrase

    def tag(self, entry: LocatedEntry, *, wanted: bool) -> Test | None:
        """Returns the test of `tag` and `without_tag`."""
        name = self.text(entry, mark("{value} is not a text: a tag is a text in quotes"))
        return None if name is None else HasTag(name, wanted)

    def measure(self, entry: LocatedEntry, table: Mapping[str, LocatedEntry]) -> Test | None:
        """Returns the test of `measure` with one bound or both."""
        if entry.value not in MEASURES:
            hint = did_you_mean(str(entry.value), MEASURES, mark("measures: {names}"))
            message = tr("there is no measure {measure}", measure=_shown(entry))
            self._findings.error("unknown-name", entry.place, message, hint)
            return None
        bounds = [self.number(table.get(name), name, lowest=0, highest=1e9) for name in _OF_MEASURES]
        if not any(name in table for name in _OF_MEASURES):
            message = tr("the measure has no bound")
            self._findings.error("bad-check", entry.name, message, tr("give at_least, at_most or both"))
        low, high = bounds
        if low is not None and high is not None and low > high:
            message = tr("at_most is below at_least: no call can pass")
            self._findings.error("bad-value", table["at_most"].place, message)
        return Lies(str(entry.value), low, high)

    def text(self, entry: LocatedEntry, message: str) -> str | None:
        """Returns a text that can be searched for; the marked `message` is the error for any other value."""
        if isinstance(entry.value, str) and fold(entry.value):
            return entry.value
        self._findings.error("bad-value", entry.place, tr(message, value=_shown(entry)))
        return None

    def _name(self, entry: LocatedEntry | None, otherwise: str) -> str:
        name = (
            otherwise
            if entry is None
            else self.text(entry, mark("{value} is not a text: a name is a text in quotes")) or otherwise
        )
        if name in self._names and entry is not None:
            message = tr("another check has the name {name!r} too", name=name)
            self._findings.warning("same-name", entry.place, message)
        self._names.add(name)
        return name


def _own_name(kind: str, entry: LocatedEntry) -> str:
    """Returns the name of a check without a name: `talk_ratio`, `tag Прощание`, `never_say pulni qaytaramiz`."""
    first = entry.items[0] if entry.items else entry
    return str(first.value) if kind == "measure" else f"{kind} {first.value}"


def _shown(entry: LocatedEntry) -> str:
    if isinstance(entry.value, list):
        return _shown(entry.items[0]) if entry.items else "[]"
    return repr(entry.value) if isinstance(entry.value, str) else "this"


_Reader = Callable[[_Reading, LocatedEntry, Mapping[str, LocatedEntry]], Test | None]
_READERS: Mapping[str, _Reader] = {
    "say": lambda reading, entry, table: reading.says(entry, table, wanted=True),
    "never_say": lambda reading, entry, table: reading.says(entry, table, wanted=False),
    "tag": lambda reading, entry, table: reading.tag(entry, wanted=True),
    "without_tag": lambda reading, entry, table: reading.tag(entry, wanted=False),
    "measure": lambda reading, entry, table: reading.measure(entry, table),
}
_MORE: Mapping[str, tuple[str, ...]] = {
    "say": _OF_WORDS,
    "never_say": _OF_WORDS,
    "tag": (),
    "without_tag": (),
    "measure": _OF_MEASURES,
}

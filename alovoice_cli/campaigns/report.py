"""What became of every row of a campaign's list: one category a row, and counts that add up to the rows."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Literal, NamedTuple, get_args

from alovoice_cli.campaigns.attempts import AttemptOutcome, CampaignAttempt, CampaignCall, CampaignScope
from alovoice_cli.campaigns.kept_list import CampaignList, ListRow, RowVerdict
from alovoice_cli.events.coverage import Coverage, ListenerGap, Uptime, cover
from alovoice_cli.events.filters import Period
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.moments import from_unix

RowCategory = Literal[
    "reached",
    "short",
    "busy",
    "no_answer",
    "failed",
    "not_tried",
    "unknown",
    "ambiguous",
    "duplicate",
    "invalid",
    "excluded",
]
CATEGORIES: tuple[RowCategory, ...] = get_args(RowCategory)
"""The categories in the order in which they are shown."""

ATTEMPT_OUTCOMES = tuple(outcome for outcome in get_args(AttemptOutcome) if outcome != "lost")
"""The outcomes that are counted in groups: a lost call has no line."""

By = Literal["status", "hour", "line", "attempt"]

GAP_SECONDS = 10
"""A shorter time without a listener hides no call."""
_FUTURE_SECONDS = 60
_MICRO = 1_000_000
_PLAIN: tuple[AttemptOutcome, ...] = ("busy", "no_answer", "failed")
CALLED_AGAIN: frozenset[RowCategory] = frozenset(("busy", "no_answer", "failed", "not_tried"))
"""The rows to call again: nobody was reached."""
_OPEN: frozenset[AttemptOutcome] = frozenset(("unknown", "ambiguous", "lost"))


@dataclass(frozen=True, slots=True)
class ListenerCoverage:
    """When somebody listened, from the first window on; `listened.gaps` are those that may hide calls.

    `is_over`: the last window has closed.
    """

    listened: Coverage
    is_over: bool

    @property
    def is_complete(self) -> bool:
        """Returns whether somebody listened in all windows that have begun."""
        return not self.listened.gaps


def pace_of(calls: Iterable[CampaignCall], created_at: int) -> float:
    """Returns how much faster than ours a simulated PBX's clock runs since the campaign's creation; usually 1.

    Only calls that begin later than their events arrive show such a clock.
    """
    latest = max(calls, key=lambda call: call.begin, default=None)
    if latest is None or latest.begin <= latest.received_at + _FUTURE_SECONDS:
        return 1.0
    return (latest.begin - created_at) / max(1, latest.received_at - created_at)


def cover_windows(
    scope: CampaignScope, uptimes: Sequence[Uptime], now: float, *, created_at: int = 0, pace: float = 1.0
) -> ListenerCoverage:
    """Returns the coverage of the windows at `now` (unix seconds); `created_at` and `pace` are as in `pace_of`."""
    windows = [
        (
            int((created_at + (opens - created_at) / pace) * _MICRO),
            int((created_at + (closes - created_at) / pace) * _MICRO),
        )
        for opens, closes in scope.windows
    ]
    at, least = int(now * _MICRO), GAP_SECONDS * _MICRO / pace
    gaps = [gap for opens, closes in windows if opens < at for gap in _gaps(uptimes, opens, closes, at)]
    whole = cover(uptimes, Period(windows[0][0], windows[-1][1]), at)
    hiding = tuple(gap for gap in gaps if gap.end - gap.begin >= least)
    return ListenerCoverage(replace(whole, gaps=hiding), is_over=at >= windows[-1][1])


def _gaps(uptimes: Sequence[Uptime], opens: int, closes: int, now: int) -> Iterator[ListenerGap]:
    """Yields the times without a listener within a window that has begun, up to `now` (unix microseconds)."""
    covered = cover(uptimes, Period(opens, closes), now)
    yield ListenerGap(opens, covered.end if covered.begin is None else covered.begin)
    yield from covered.gaps


class ReportedRow(NamedTuple):
    """A row of the list and what became of it. Times are unix seconds; `talk_seconds` is of all its attempts."""

    row: ListRow
    category: RowCategory
    why: str = ""
    attempts: Sequence[CampaignAttempt] = ()
    """The campaign's own attempts, without ambiguous and lost calls."""
    is_doubtful: bool = False
    """Whether a call to it has no known outcome, or may be another campaign's."""

    @property
    def first_try(self) -> int | None:
        """Returns the begin of the first attempt."""
        return self.attempts[0].begin if self.attempts else None

    @property
    def last_try(self) -> int | None:
        """Returns the begin of the last attempt."""
        return self.attempts[-1].begin if self.attempts else None

    @property
    def talk_seconds(self) -> int:
        """Returns the seconds of talk, as far as they are known."""
        return sum(attempt.talk_seconds or 0 for attempt in self.attempts)

    def is_to_call_again(self, also: Collection[RowCategory] = ()) -> bool:
        """Returns whether nobody can have been reached; rows of the categories `also` are wanted, too."""
        is_sure = not self.is_doubtful or "unknown" in also
        return self.category in also or (self.category in CALLED_AGAIN and is_sure)


@dataclass(slots=True)
class AttemptGroup:
    """The attempts that have one hour, line, status or ordinal number. `attempts` are those without ambiguous ones."""

    name: str
    attempts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    talk_seconds: int = 0

    def add(self, attempt: CampaignAttempt) -> None:
        """Adds one attempt."""
        self.attempts += attempt.outcome != "ambiguous"
        self.outcomes[attempt.outcome] += 1
        self.talk_seconds += attempt.talk_seconds or 0

    @property
    def parts(self) -> tuple[int, int, int]:
        """Returns how many attempts reached somebody, how many did not, and how many are unknown or ambiguous."""
        unknown = self.outcomes["unknown"] + self.outcomes["ambiguous"]
        return self.outcomes["reached"], self.outcomes.total() - self.outcomes["reached"] - unknown, unknown

    def as_json(self) -> dict[str, object]:
        """Returns the group's counts."""
        told: dict[str, object] = {name: self.outcomes[name] for name in ATTEMPT_OUTCOMES}
        return {"group": self.name, "attempts": self.attempts, **told, "talk_seconds": self.talk_seconds}


class CampaignReport:
    """The rows of one campaign. `attempts` are by number, as `find_attempts` returns them."""

    def __init__(
        self,
        scope: CampaignScope,
        people: CampaignList,
        attempts: Mapping[str, Sequence[CampaignAttempt]],
        coverage: ListenerCoverage,
    ) -> None:
        self.scope, self.people, self.coverage = scope, people, coverage
        self._attempts = attempts
        self._told = {number: _told(made) for number, made in attempts.items()}
        self._silent = _silence(coverage)

    @property
    def has_calls(self) -> bool:
        """Returns whether any call may be the campaign's."""
        return bool(self._attempts)

    def rows(self) -> Iterator[ReportedRow]:
        """Yields all rows of the list in its order."""
        for row in self.people.rows():
            if row.verdict != "good":
                yield ReportedRow(row, row.verdict, tr(NOT_CALLED[row.verdict]))
            elif (told := self._told.get(row.key)) is not None:
                yield ReportedRow(row, *told)
            else:
                yield ReportedRow(row, *self._silent)

    def counts(self) -> dict[str, int]:
        """Returns `rows`, the number of rows of each category, and the sums of attempts and talk."""
        verdicts = self.people.count_verdicts()
        counts = dict.fromkeys(("rows", *CATEGORIES, "attempts", "talk_seconds"), 0)
        counts |= {verdict: verdicts[verdict] for verdict in NOT_CALLED}
        counts["rows"] = verdicts.total()
        # Each number with attempts stands in one good row: no need to build all rows of a long list.
        counts[self._silent[0]] += verdicts["good"] - len(self._told)
        for told in self._told.values():
            counts[told.category] += 1
            counts["attempts"] += len(told.attempts)
            counts["talk_seconds"] += sum(attempt.talk_seconds or 0 for attempt in told.attempts)
        return counts

    def groups(self, by: By, zone: tzinfo) -> list[AttemptGroup]:
        """Returns the attempts by hour, line, status or ordinal number; ambiguous ones too, lost ones not."""
        groups: dict[str, AttemptGroup] = {}
        for made in self._attempts.values():
            placed = [attempt for attempt in made if attempt.outcome != "lost"]
            for ordinal, attempt in enumerate(placed, 1):
                name = _group_name(attempt, ordinal, by, zone)
                groups.setdefault(name, AttemptGroup(name)).add(attempt)
        if by in ("hour", "attempt"):
            return sorted(groups.values(), key=lambda group: group.name.rjust(20))
        return sorted(groups.values(), key=lambda group: (-group.attempts, group.name))

    def notes(self) -> Iterator[str]:
        """Yields sentences on calls that the categories do not show."""
        made = [attempt for attempts in self._attempts.values() for attempt in attempts]
        kinds = Counter(attempt.outcome for attempt in made)
        if kinds["ambiguous"]:
            yield ngettext(
                "{n} call is ambiguous: another campaign fits too, or result and callend contradict each other",
                "{n} calls are ambiguous: another campaign fits too, or result and callend contradict each other",
                kinds["ambiguous"],
            )
        if kinds["lost"]:
            yield ngettext(
                "{n} call to a number of the list has no line or a wrong time, and cannot be assigned",
                "{n} calls to numbers of the list have no line or a wrong time, and cannot be assigned",
                kinds["lost"],
            )
        tries = self.scope.tries
        often = sum(1 for attempts in self._attempts.values() if sum(one.outcome != "lost" for one in attempts) > tries)
        if often:
            yield ngettext(
                "{n} number has more attempts than tryes ({tries})",
                "{n} numbers have more attempts than tryes ({tries})",
                often,
                tries=tries,
            )


NOT_CALLED: Mapping[RowVerdict, str] = {
    "invalid": mark("no good number"),
    "excluded": mark("not to be called"),
    "duplicate": mark("an earlier row has the number"),
}
"""The verdicts that a row keeps, whatever the events say, and why."""


def _silence(coverage: ListenerCoverage) -> tuple[RowCategory, str]:
    """Returns the category of a row without any event."""
    if not coverage.is_complete:
        return "unknown", tr("no event, and the listener was not running all the time")
    return "not_tried", "" if coverage.is_over else tr("not yet")


class _ToldRow(NamedTuple):
    """What the events say of a number: the last four values of a ReportedRow."""

    category: RowCategory
    why: str
    attempts: Sequence[CampaignAttempt]
    is_doubtful: bool


def _told(attempts: Sequence[CampaignAttempt]) -> _ToldRow:
    own = [attempt for attempt in attempts if attempt.outcome not in ("ambiguous", "lost")]
    return _ToldRow(*_judge(attempts), own, any(one.outcome in _OPEN or one.is_doubtful for one in attempts))


def _judge(attempts: Sequence[CampaignAttempt]) -> tuple[RowCategory, str]:
    """Returns the first category that fits, and why."""
    for category in ("reached", "ambiguous", "short"):
        found = next((attempt for attempt in attempts if attempt.outcome == category), None)
        if found is not None:
            return found.outcome, found.why  # type: ignore[return-value] # one of the three
    told = [attempt for attempt in attempts if attempt.outcome in _PLAIN]
    if told:
        return told[-1].outcome, told[-1].why  # type: ignore[return-value] # one of _PLAIN
    return "unknown", attempts[-1].why


def _group_name(attempt: CampaignAttempt, ordinal: int, by: By, zone: tzinfo) -> str:
    if by == "hour":
        local = from_unix(attempt.begin, zone)
        return f"{local:%Y-%m-%d %H:00}" if local else "unknown"
    if by == "attempt":
        return str(ordinal)
    return (attempt.line if by == "line" else attempt.status) or "none"

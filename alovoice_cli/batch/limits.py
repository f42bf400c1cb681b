"""The profile's limits: some are checked before the first row, the free lines before each dial."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.call_evidence import MICRO, SKEW, PlacedCall, read_receipt
from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.batch.pacing import (
    HOLD,
    LONGEST_CALL,
    HeardCalls,
    LineClaim,
    LineLimit,
    count_busy,
    heard_from,
    need_of,
    why_closed,
)
from alovoice_cli.batch.verbs import BatchVerb
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.dialling import DAY, numbers_outside, quota_of
from alovoice_cli.errors import AlovoiceError, CheckFailedError, UsageError
from alovoice_cli.findings import count, name_lines
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.stores.ledger import Quota
from alovoice_cli.stores.line_calls import STORE_NAME, LineCalls, LineClaims
from alovoice_cli.stores.pbx_calls import PbxCalls, StrangeId

if TYPE_CHECKING:
    from alovoice_cli.session import Session


LIMITS = ("max_calls_per_run", "max_calls_per_day", "allowed_prefixes", "ai_budget_per_day", "reserve_lines")


def line_limit(session: "Session", verb: BatchVerb, overridden: Collection[str]) -> LineLimit | None:
    """Returns how many lines a batch must leave free, or None. Raises UsageError for contradictory settings."""
    settings = session.settings
    trunk, reserve = settings.trunk_lines, settings.reserve_lines
    if reserve is None or not verb.dials or "reserve_lines" in overridden:
        return None
    if trunk is None:
        raise UsageError(
            f"the profile's reserve_lines is {reserve}, and how many lines a trunk has is not said: nothing was sent",
            hint="`alovoice config set trunk_lines N`; or --override-limit reserve_lines",
        )
    if reserve >= trunk:
        raise UsageError(
            f"the profile's reserve_lines is {reserve}, and trunk_lines {trunk}: no line is left to call by",
            hint="`alovoice config set reserve_lines N`, less than trunk_lines; or --override-limit reserve_lines",
        )
    return LineLimit(trunk, reserve)


def check_limits(session: "Session", verb: BatchVerb, options: BatchOptions, rows: Sequence[BatchRow]) -> None:
    """Raises CheckFailedError for rows beyond a limit that `--override-limit` does not name, or beyond `--budget`."""
    overridden, budget = frozenset(options.override_limit), options.budget
    for name in overridden - set(LIMITS):
        raise UsageError(f"--override-limit {name!r} is no limit", hint=f"limits: {', '.join(LIMITS)}")
    settings = session.settings
    most = settings.max_calls_per_run
    if verb.dials and most is not None and len(rows) > most and "max_calls_per_run" not in overridden:
        raise CheckFailedError(
            f"{count(len(rows), 'call')}, and the profile's max_calls_per_run is {most}: nothing was sent",
            hint="--override-limit max_calls_per_run, if that is meant",
        )
    outside = [row.line for row in rows if numbers_outside(settings, row.numbers)]
    if outside and "allowed_prefixes" not in overridden:
        allowed = ", ".join(settings.allowed_prefixes or ())
        raise CheckFailedError(
            f"{name_lines(outside)}: a number outside the prefixes {allowed} that the profile allows: nothing was sent",
            hint="--override-limit allowed_prefixes, if that is meant",
        )
    _check_lines(rows, line_limit(session, verb, overridden))
    if budget is not None:
        check_budget(session, verb.path, budget, len(rows))
    quota = quota_of(settings, verb.path, session.now())
    if quota is None or quota.name in overridden:
        return
    if session.ledger.count(settings.profile, quota) + len(rows) > quota.most:
        raise quota.spent(len(rows))


def check_budget(session: "Session", path: str, budget: int, more: int) -> None:
    """Raises CheckFailedError where `more` requests to a path (or its beginning) exceed `--budget` within 24 hours."""
    asked = session.ledger.count(session.settings.profile, Quota("--budget", budget, (path,), session.now() - DAY))
    if more and asked + more > budget:
        raise CheckFailedError(
            f"{asked} analyses were asked for in the last 24 hours; {more} more would pass the budget of {budget}",
            hint=f"nothing was sent; {max(budget - asked, 0)} more fit into it",
        )


_TOLD = 3


def check_call_ids(
    session: "Session", call_ids: Collection[str], *, error: type[AlovoiceError] = UsageError, store: str | None = None
) -> None:
    """Raises the error for ids that the event store knows as other than the PBX's: their analysis would be paid for.

    An event store that cannot be read is a warning: most ids are typed from the PBX's own console.
    """
    try:
        found = PbxCalls(session.event_store_url(store)).strange_ids(call_ids)
    except UsageError as trouble:
        session.warn(f"whether these are ids of the PBX is not checked: {trouble.message}")
        return
    if found:
        raise strange_error(found, error)


def strange_error(found: Sequence[StrangeId], error: type[AlovoiceError] = UsageError) -> AlovoiceError:
    """Returns the error for ids that are not the PBX's, with the right ids where they are known."""
    first, right = found[0], [one.pbx_call_id for one in found if one.pbx_call_id is not None]
    hint = f"see `alovoice events show {first.id}`: no link to a recording tells the PBX's id of this call"
    if right:
        hint = f"the PBX's {'id is' if len(right) == 1 else 'ids are'} {' '.join(right[:_TOLD])}"
    more = count(len(found) - 1, "more id is", "more ids are")
    others = f" ({more} not the PBX's either)" if len(found) > 1 else ""
    return error(f"{first.id} is not the PBX's id of a call, but {first.whose}{others}: nothing was sent", hint=hint)


def _check_lines(rows: Sequence[BatchRow], limit: LineLimit | None) -> None:
    """Raises CheckFailedError for rows that would wait for ever: a conference can need two lines."""
    beyond = [row.line for row in rows if limit is not None and need_of(row)[1] > limit.usable]
    if limit is not None and beyond:
        raise CheckFailedError(
            f"{name_lines(beyond)}: a conference takes 2 lines, and {limit.usable} of {limit.trunk}"
            f" {'is' if limit.usable == 1 else 'are'} not reserved (reserve_lines {limit.reserve}): nothing was sent",
            hint="--override-limit reserve_lines, if that is meant",
        )


_ASSUMED = f"each call from here is taken to hold its line for {HOLD // MICRO // 60} minutes"
_HELD = timedelta(microseconds=HOLD)


class LineGuard:
    """Lets every row through: the profile has no limit of lines."""

    def has_line(self, row: BatchRow) -> bool:
        """Returns whether the row has a line, and takes that line."""
        return True

    def give_back(self, row: BatchRow) -> None:
        """Gives the line of a row back that was not sent."""


@contextmanager
def line_keeper(session: "Session", limit: LineLimit | None) -> Iterator[LineGuard]:
    """Yields what tells whether a row may be sent, and takes its line."""
    if limit is None:
        yield LineGuard()
        return
    claims = LineClaims(session.store_place(STORE_NAME), session.settings.profile, HOLD)
    keeper = LineKeeper(session, limit, LineCalls(session.event_store_url()), claims)
    try:
        yield keeper
    finally:
        keeper.close()


class LineKeeper(LineGuard):
    """Counts the busy lines anew for each row. For one thread at a time."""

    def __init__(self, session: "Session", limit: LineLimit, calls: LineCalls, claims: LineClaims) -> None:
        self._session, self._limit, self._calls, self._claims = session, limit, calls, claims
        self._warned: set[str] = set()
        self._waiting = ""  # the key of the waiting row
        self._told: set[str | None] = set()  # trunks that are known to be full
        self._heard: tuple[int, HeardCalls | None] = (0, None)
        self._taken = 0  # the number of the latest claim

    def has_line(self, row: BatchRow) -> bool:
        """Returns whether the row has a line, and takes that line.

        Reports why not, once while rows wait for the trunk.
        """
        line, need = need_of(row)
        now = unix_microseconds(self._session.now())
        with self._claims.turn(now) as turn:
            asked = self._asked(now)
            busy, where = count_busy(asked, [LineClaim(*row) for row in turn.claims], self._listen(asked, now)).on(line)
            if is_free := busy + need <= self._limit.usable:
                self._taken = turn.take(LineClaim(self._session.masker.hide(row.our_id), line, need, now))
        if is_free:
            if self._waiting != row.key:
                self._told.discard(line)
        elif line not in self._told:
            self._told.add(line)
            self._session.note(why_closed(busy, where, need, self._limit))
        self._waiting = "" if is_free else row.key
        return is_free

    def give_back(self, row: BatchRow) -> None:
        with self._claims.turn(unix_microseconds(self._session.now())) as turn:
            turn.give_back(self._taken)

    def close(self) -> None:
        """Closes the files."""
        self._calls.close()
        self._claims.close()

    def _asked(self, now: int) -> list[PlacedCall]:
        """Returns the calls that this machine placed lately, from all commands and processes."""
        entries = self._session.ledger.placed(self._session.settings.profile, self._session.now() - _HELD)
        found = [asked for entry in entries if (asked := read_receipt(entry)) is not None]
        # Their time is in the future: the clock was set back. They would hold their lines until that time comes.
        return [asked for asked in found if asked.begun_at <= now + HOLD]

    def _listen(self, asked: list[PlacedCall], now: int) -> HeardCalls | None:
        """Returns what the event store knows. After an error the last reading stays valid for a while, then None."""
        try:
            heard = hear_calls(self._calls, {number for each in asked for number in each.numbers}, now)
        except Exception as error:  # the batch continues, with careful assumptions
            self._warn("store", f"the event store cannot be read ({error}): {_ASSUMED}")
            then, heard = self._heard
            return heard if now - then <= HOLD else None
        if heard is None:
            self._warn("listener", f"no listener runs for this PBX: {_ASSUMED}")
        self._heard = now, heard
        return heard

    def _warn(self, what: str, text: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._session.warn(text)


def hear_calls(calls: LineCalls, numbers: Collection[str], now: int) -> HeardCalls | None:
    """Returns the calls in progress at this moment (unix microseconds) and the calls to these numbers.

    Returns None where no listener runs.
    """
    since, until = heard_from(calls.uptimes(now - LONGEST_CALL), now), (now + HOLD) // MICRO
    if since is None:
        return None
    # Calls to our numbers first: a call that begins between the two reads is then counted twice instead of never.
    ours = calls.to_numbers(sorted(numbers), (now - HOLD - SKEW) // MICRO, until)
    return HeardCalls(calls.going(since // MICRO, until), ours)

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
from alovoice_cli.findings import name_rows
from alovoice_cli.language import ngettext, tr
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
            tr("the profile's reserve_lines is {number}, but trunk_lines is not set: nothing was sent", number=reserve),
            hint=tr("set it with `alovoice config set trunk_lines N`, or give --override-limit reserve_lines"),
        )
    if reserve >= trunk:
        raise UsageError(
            tr(
                "the profile's reserve_lines is {number}, and trunk_lines is {lines}: no line is left for calls",
                number=reserve,
                lines=trunk,
            ),
            hint=tr(
                "set it to less than trunk_lines with `alovoice config set reserve_lines N`,"
                " or give --override-limit reserve_lines"
            ),
        )
    return LineLimit(trunk, reserve)


def check_limits(session: "Session", verb: BatchVerb, options: BatchOptions, rows: Sequence[BatchRow]) -> None:
    """Raises CheckFailedError for rows beyond a limit that `--override-limit` does not name, or beyond `--budget`."""
    overridden, budget = frozenset(options.override_limit), options.budget
    for name in overridden - set(LIMITS):
        raise UsageError(
            tr("--override-limit {value} is not a valid limit", value=repr(name)),
            hint=tr("limits: {names}", names=", ".join(LIMITS)),
        )
    settings = session.settings
    most = settings.max_calls_per_run
    if verb.dials and most is not None and len(rows) > most and "max_calls_per_run" not in overridden:
        raise CheckFailedError(
            ngettext(
                "{n} call, and the profile's max_calls_per_run is {limit}: nothing was sent",
                "{n} calls, and the profile's max_calls_per_run is {limit}: nothing was sent",
                len(rows),
                limit=most,
            ),
            hint=tr("if this is intended, give --override-limit {name}", name="max_calls_per_run"),
        )
    outside = [row.line for row in rows if numbers_outside(settings, row.numbers)]
    if outside and "allowed_prefixes" not in overridden:
        allowed = ", ".join(settings.allowed_prefixes or ())
        raise CheckFailedError(
            tr(
                "{rows}: a number has none of the prefixes that the profile allows ({prefixes}): nothing was sent",
                rows=name_rows(outside),
                prefixes=allowed,
            ),
            hint=tr("if this is intended, give --override-limit {name}", name="allowed_prefixes"),
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
            tr(
                "analyses requested in the last 24 hours: {asked}; {more} more would exceed the budget of {budget}",
                asked=asked,
                more=more,
                budget=budget,
            ),
            hint=tr("nothing was sent; the budget has room for {number} more", number=max(budget - asked, 0)),
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
        session.warn(tr("it was not checked that these are ids of the PBX: {problem}", problem=trouble.message))
        return
    if found:
        raise strange_error(found, error)


def strange_error(found: Sequence[StrangeId], error: type[AlovoiceError] = UsageError) -> AlovoiceError:
    """Returns the error for ids that are not the PBX's, with the right ids where they are known."""
    first, right = found[0], [one.pbx_call_id for one in found if one.pbx_call_id is not None]
    hint = tr("see `alovoice events show {id}`: no recording link has the PBX's id of this call", id=first.id)
    if right:
        ids = " ".join(right[:_TOLD])
        hint = ngettext("the PBX's id is {ids}", "the PBX's ids are {ids}", len(right), ids=ids)
    if len(found) == 1:
        message = tr(
            "{id} is not the PBX's id of a call, but {whose}: nothing was sent", id=first.id, whose=first.whose
        )
    else:
        message = ngettext(
            "{id} is not the PBX's id of a call, but {whose} ({n} more id is not the PBX's either): nothing was sent",
            "{id} is not the PBX's id of a call, but {whose} ({n} more ids are not the PBX's either): nothing was sent",
            len(found) - 1,
            id=first.id,
            whose=first.whose,
        )
    return error(message, hint=hint)


def _check_lines(rows: Sequence[BatchRow], limit: LineLimit | None) -> None:
    """Raises CheckFailedError for rows that would wait for ever: a conference can need two lines."""
    beyond = [row.line for row in rows if limit is not None and need_of(row)[1] > limit.usable]
    if limit is not None and beyond:
        raise CheckFailedError(
            tr(
                "{rows}: a conference needs 2 lines, and only {free} of {lines} may be used"
                " (reserve_lines is {reserve}): nothing was sent",
                rows=name_rows(beyond),
                free=limit.usable,
                lines=limit.trunk,
                reserve=limit.reserve,
            ),
            hint=tr("if this is intended, give --override-limit {name}", name="reserve_lines"),
        )


_HELD_MINUTES = HOLD // MICRO // 60
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
            self._warn(
                "store",
                tr(
                    "the event store cannot be read ({problem}): it is assumed that each call from this computer"
                    " uses its line for {minutes} minutes",
                    problem=error,
                    minutes=_HELD_MINUTES,
                ),
            )
            then, heard = self._heard
            return heard if now - then <= HOLD else None
        if heard is None:
            self._warn(
                "listener",
                tr(
                    "no listener runs for this PBX: it is assumed that each call from this computer uses its line for"
                    " {minutes} minutes",
                    minutes=_HELD_MINUTES,
                ),
            )
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

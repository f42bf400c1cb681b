"""Whether a row may take a line of its trunk: the profile's `reserve_lines`, asked before each dial of a batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.asked import Asked, read_receipt
from alovoice_cli.batch.lines import HOLD, Busy, Claim, Heard, LineLimit, count_busy, need_of, why_closed
from alovoice_cli.batch.steps import Step
from alovoice_cli.batch.traces import MICRO
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.stores.line_claims import LineClaims, Turn

if TYPE_CHECKING:
    from alovoice_cli.session import Session
    from alovoice_cli.stores.line_calls import LineCalls

_ASSUMED = f"each call from here is taken to hold its line for {HOLD // MICRO // 60} minutes"
_HELD = timedelta(microseconds=HOLD)


@contextmanager
def line_keeper(session: "Session", limit: LineLimit | None) -> Iterator[Callable[[Step], bool]]:
    """Says of a row whether it may go, and takes its line if so; any may, where there is no limit."""
    if limit is None:
        yield lambda step: True
        return
    claims = LineClaims(session.paths.state / "lines.db", session.settings.profile)
    keeper = LineKeeper(session, limit, session.line_calls(), claims)
    try:
        yield keeper.has_line
    finally:
        keeper.close()


class LineKeeper:
    """Counts the busy lines anew for each row. For one thread at a time."""

    def __init__(self, session: "Session", limit: LineLimit, calls: "LineCalls", claims: LineClaims) -> None:
        self._session, self._limit, self._calls, self._claims = session, limit, calls, claims
        self._warned: set[str] = set()
        self._waiting = ""  # the key of the row that waits
        self._told: set[str | None] = set()  # trunks that are known to be full
        self._heard: tuple[int, Heard | None] = (0, None)

    def has_line(self, step: Step) -> bool:
        """Whether there is a line for it, which then is its own; tells why not, once while rows wait for the trunk."""
        line, need = need_of(step)
        now = unix_microseconds(self._session.now())
        with self._claims.turn(now) as turn:
            busy, where = self._busy(turn, now).on(line)
            if is_free := busy + need <= self._limit.usable:
                turn.take(Claim(self._session.masker.hide(step.our_id), line, need, now))
        if is_free:
            if self._waiting != step.key:
                self._told.discard(line)
        elif line not in self._told:
            self._told.add(line)
            self._session.note(why_closed(busy, where, need, self._limit))
        self._waiting = "" if is_free else step.key
        return is_free

    def close(self) -> None:
        """Gives its files back."""
        self._calls.close()
        self._claims.close()

    def _busy(self, turn: Turn, now: int) -> Busy:
        asked = self._asked(now)
        return count_busy(asked, turn.claims, self._listen(asked, now))

    def _asked(self, now: int) -> list[Asked]:
        """The calls that this machine placed lately, whichever command and process."""
        entries = self._session.ledger.placed(self._session.settings.profile, self._session.now() - _HELD)
        found = [asked for entry in entries if (asked := read_receipt(entry)) is not None]
        # Of a clock that was set back since: they would hold their lines until it comes there again.
        return [asked for asked in found if asked.begun_at <= now + HOLD]

    def _listen(self, asked: list[Asked], now: int) -> Heard | None:
        """What the event store knows. One that cannot be read is believed for a while as it was, then nothing is."""
        try:
            heard = self._calls.heard({number for each in asked for number in each.numbers}, now)
        except Exception as error:  # whatever it is, the batch goes on, with care
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

"""`alovoice top`: the present day, live."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.events.day import LiveDay
    from alovoice_cli.events.day_text import ScreenLine

app = CommandApp()
_HEIGHT = 23
_LOOK_SECONDS = 1.0
_SHARE_OF_CORE = 0.02
"""The share of a core for reading the store: on a day with more calls the store is read less often."""
_SHORTEST_PAUSE = 2.0
_LONGEST_PAUSE = 10.0
"""Seconds after which the figures are read again also without news: waiting times grow, a listener may be gone."""


@app.command(
    "top",
    epilog=examples("alovoice top", "alovoice top --json | jq -c '[.now.calls_in, .figures.still_owed.value]'"),
)
def watch_day(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Show the day once and exit.", show_default=False)] = False,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="Event store (default: the profile's)."),
    ] = None,
) -> None:
    """Show the current day, live.

    It shows what `alovoice day` shows, and calls in progress, waiting callers, the listener and the outbox. Ctrl-C
    ends it. In a pipe and with --json each change is one JSON line.
    """
    session: Session = ctx.obj
    watched = _WatchedDay(session, store)
    live = watched.look()  # an unreadable store is reported before the screen is taken
    as_lines = session.options.json or not session.stdout.isatty()
    if once:
        _show_once(session, live, as_lines=as_lines)
        return
    with session.display.live_screen() as screen:
        told: object = None
        while True:
            if screen is not None:
                screen.draw(_screen(session, live, screen.height, screen.width))
            elif live.signature != told:
                told = live.signature
                _tell(session, live, as_lines=as_lines)
            time.sleep(_LOOK_SECONDS)
            live = watched.look()


def _show_once(session: Session, live: "LiveDay", *, as_lines: bool) -> None:
    if as_lines:
        _tell(session, live, as_lines=True)
    else:
        session.display.screen(_screen(session, live, _HEIGHT, session.display.width))


def _screen(session: Session, live: "LiveDay", height: int, width: int) -> "list[ScreenLine]":
    from alovoice_cli.events.day_text import day_screen  # noqa: PLC0415 - help needs no events

    return day_screen(live.day, height=height, width=width, ascii_only=session.display.ascii_only, live=live)


def _tell(session: Session, live: "LiveDay", *, as_lines: bool) -> None:
    """Prints the day as an object, or as a line for a terminal that cannot be drawn over."""
    from alovoice_cli.events.day_text import live_line  # noqa: PLC0415 - help needs no events

    if as_lines:
        session.display.line(live.as_json(), ours=True)
    else:
        session.display.write(live_line(live) + "\n")


class _WatchedDay:
    """The present day, read again when the store has new events, as often as the share of a core allows."""

    def __init__(self, session: Session, store: str | None) -> None:
        self._session, self._reader = session, session.day_reader(store)
        self._live: LiveDay | None = None
        self._reached = 0
        self._read_at = self._pause = 0.0

    def look(self) -> "LiveDay":
        """Returns the day as it was read last, or reads it now."""
        from alovoice_cli.events.day_span import read_days  # noqa: PLC0415 - help needs no events

        past = time.monotonic() - self._read_at
        if self._live is not None and past < self._pause:
            return self._live
        span = read_days("today", self._session.clock)
        newest = self._reader.newest(self._reached, span)
        if self._live is None or newest != self._reached or past > _LONGEST_PAUSE:
            begun = time.process_time()
            self._live, self._reached, self._read_at = self._reader.live(span), newest, time.monotonic()
            self._pause = max((time.process_time() - begun) / _SHARE_OF_CORE, _SHORTEST_PAUSE)
        return self._live

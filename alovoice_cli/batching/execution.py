"""Sends the rows that are to go, tells of each, and accounts for all of them at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from alovoice_cli.batch.pacing import Gate, Hours, parse_rate
from alovoice_cli.batch.runner import Ending, Runner, Stop
from alovoice_cli.batch.steps import LEFT_OUT, Course, Result, Step
from alovoice_cli.batching.account import row_json, shown_state, sums, worst_code, write_report
from alovoice_cli.batching.limits import line_limit
from alovoice_cli.batching.lines import line_keeper
from alovoice_cli.batching.processor import on_one_processor
from alovoice_cli.batching.sending import send
from alovoice_cli.batching.signals import Signals, counted
from alovoice_cli.batching.verbs import Verb
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.findings import count
from alovoice_cli.campaigns.rest import QuietHours
from alovoice_cli.campaigns.schedule import parse_zone
from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, ServerError, UsageError
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_TROUBLED = (
    Column("row", "Row", numeric=True),
    Column("numbers", "Numbers"),
    Column("outcome", "Outcome"),
    Column("problem", "Problem"),
    Column("receipt", "Receipt"),
)


class Rows(Protocol):
    """Where the rows' states are kept: the journal, or memory for what only reads."""

    def listed(self) -> Iterator[tuple[Step, Course]]:
        """The rows of the latest list."""

    def share_sync(self) -> Callable[[], None]:
        """What puts the intents on the disk, from now on."""

    def intend(self, key: str, *, risk: bool = False) -> Course:
        """Before a row is sent."""

    def settle(self, key: str, result: Result) -> Course:
        """After it."""


class Memory:
    """The states of rows that only read: nothing is kept, for running it again repeats nothing."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._courses = {step.key: Course() for step in steps}

    def listed(self) -> Iterator[tuple[Step, Course]]:
        """All rows."""
        return ((step, self._courses[step.key]) for step in self._steps)

    def share_sync(self) -> Callable[[], None]:
        """Nothing is kept on a disk."""
        return lambda: None

    def intend(self, key: str, *, risk: bool = False) -> Course:
        """Notes that it is on its way."""
        course = Course("intent", self._courses[key].attempts + 1)
        self._courses[key] = course
        return course

    def settle(self, key: str, result: Result) -> Course:
        """Notes its end."""
        course = result.end(self._courses[key], "")
        self._courses[key] = course
        return course


class Times:
    """The hours, the pace and the lines of a batch, checked before anything is sent.

    Raises UsageError, CheckFailedError.
    """

    def __init__(self, session: "Session", verb: Verb, wish: Wish) -> None:
        zone = self._zone = parse_zone(session.settings.timezone)
        self._now = session.now
        self.spacing = parse_rate(wish.rate) if wish.rate else 0.0
        self.window = Hours.parse(wish.window, zone) if wish.window else None
        quiet = QuietHours.parse(session.settings.quiet_hours) if verb.dials and not wish.night_ok else None
        self.lines = line_limit(session, verb, wish.override_limit)
        self.quiet = Hours(quiet.begin, quiet.end, zone) if quiet else None

    def check(self) -> None:
        """Raises CheckFailedError in the quiet hours, where no window says when to begin."""
        if self.quiet is not None and self.window is None and self.quiet.holds(self._now()):
            raise CheckFailedError(
                f"it is within the quiet hours {self.quiet}: nothing was sent",
                hint="give --night-ok if that is meant, or --window 10:00-19:00 to wait for it",
            )

    def gate(self, stop: Stop, told: Callable[[str], None], has_line: Callable[[Step], bool]) -> Gate:
        """The gate that keeps them."""
        return Gate(
            spacing=self.spacing,
            window=self.window,
            quiet=self.quiet,
            clock=time.monotonic,
            now=self._now,
            wait=stop.wait,
            told=told,
            has_line=has_line,
            zone=self._zone,
        )


class Execution:
    """One run of a batch. `name` is its journal's; empty for what only reads."""

    def __init__(
        self,
        session: "Session",
        verb: Verb,
        wish: Wish,
        rows: Rows,
        name: str,
        times: Times,
        keep: Callable[[str, Any], None] | None = None,
    ) -> None:
        self._session, self._verb, self._wish, self._rows, self._name = session, verb, wish, rows, name
        self._keep = keep
        self._times = times
        self._streams = session.options.json or not session.stdout.isatty()
        self._troubled: list[dict[str, object]] = []

    def run(self, steps: Sequence[Step], risky: frozenset[str], adopted: Sequence[Step] = ()) -> int:
        """Sends these rows and returns the exit code, by the worst row of the list.

        `adopted` are rows that were found to be sent before: they are told too.
        """
        untold = self._tell_others({step.key for step in steps}, {step.key for step in adopted})
        ending, signals = (Ending(untold=untold), Signals()) if untold else self._send(steps, risky)
        self._session.send_guard.command_told_all()
        return self._account(ending, signals)

    def _tell_others(self, going: set[str], adopted: set[str]) -> BaseException | None:
        """Rows that are left out, or that an earlier run left unknown, are told each time: nobody is forgotten."""
        rows = [
            (step, course)
            for step, course in self._rows.listed()
            if step.key in adopted
            or (step.key not in going and (shown_state(course) == "unknown" or course.state in LEFT_OUT))
        ]
        try:
            if rows:
                self._tell(rows)
        except OSError as error:
            return error
        return None

    def _send(self, steps: Sequence[Step], risky: frozenset[str]) -> tuple[Ending, Signals]:
        stop = Stop()
        client = self._session.client_for(
            encoding=self._wish.encoding, override_limits=frozenset(self._wish.override_limit)
        )
        with counted() as signals, self._closing() as stack:
            stack.enter_context(on_one_processor())
            if not self._verb.reads:
                # The seal asks the ledger before anything is connected: it syncs the journal too.
                stack.enter_context(self._session.ledger.kept_open(self._rows.share_sync()))
            has_line = stack.enter_context(line_keeper(self._session, self._times.lines))
            tick = stack.enter_context(self._session.display.counting(self._verb.command, len(steps)))
            runner = Runner(
                self._rows,
                lambda step: send(self._session, client, self._verb, step),
                self._times.gate(stop, self._session.note, has_line),
                stop,
                jobs=self._wish.jobs,
                most_failures=self._wish.stop_after_failures,
                interruptions=lambda: signals.count,
                risky=risky,
            )

            def told(rows: Sequence[tuple[Step, Course]]) -> None:
                for _ in rows:
                    tick()
                self._tell(rows)

            return runner.run(steps, told), signals

    @contextmanager
    def _closing(self) -> Iterator[ExitStack]:
        """What a run needs open. Trouble as it is closed, such as a full disk, is told, and changes no outcome."""
        stack = ExitStack()
        try:
            yield stack
        except BaseException:
            with suppress(UsageError):
                stack.close()
            raise
        try:
            stack.close()
        except UsageError as trouble:
            self._session.warn(trouble.message)

    def _tell(self, rows: Sequence[tuple[Step, Course]]) -> None:
        if self._keep is not None:
            for step, course in rows:
                if course.state == "done":
                    self._keep(str(step.payload["call_id"]), course.answer)
        if self._streams:
            self._session.display.lines([row_json(step, course) for step, course in rows])
            return
        for step, course in rows:
            if course.state != "done":
                numbers = ", ".join(step.numbers) or step.our_id
                self._troubled.append({**row_json(step, course), "numbers": numbers})

    # --- afterwards --------------------------------------------------------------------------------------------------

    def _account(self, ending: Ending, signals: Signals) -> int:
        session, listed = self._session, list(self._rows.listed())
        courses = [course for _, course in listed]
        code = worst_code(courses)
        unwritten = self._write_report(listed)
        if self._troubled:
            session.show(Listing(self._troubled, _TROUBLED))
        session.note(sums(courses) + (f" (batch {self._name})" if self._name else ""))
        self._warn(courses, ending)
        if code == ExitCode.UNKNOWN_OUTCOME:
            return code
        trouble = self._own_trouble(ending) or (signals.code if ending.interrupted else code)
        return ExitCode.SERVER if unwritten and trouble == ExitCode.DONE else trouble

    def _write_report(self, listed: Sequence[tuple[Step, Course]]) -> bool:
        """Writes the report that is asked for; whether that failed."""
        if self._wish.report is None:
            return False
        try:
            write_report(self._wish.report, listed)
        except UsageError as problem:
            shown = f"; `alovoice call batches show {self._name}` has the rows" if self._name else ""
            self._session.warn(f"{problem.message}{shown}")
            return True
        return False

    def _warn(self, courses: Sequence[Course], ending: Ending) -> None:
        unknown = sum(shown_state(course) == "unknown" for course in courses)
        if unknown:
            self._session.warn(
                f"{count(unknown, 'row is', 'rows are')} unknown: it may have been carried out, and is never sent again"
                f" by itself; {self._advice}"
            )
        waiting = sum(course.state == "pending" for course in courses)
        if ending.reason and waiting and not isinstance(ending.untold, BrokenPipeError):
            self._session.warn(
                f"stopped: {ending.reason}; {count(waiting, 'row was', 'rows were')} not sent: the same line goes on"
            )

    @property
    def _advice(self) -> str:
        """What to do about rows that are unknown."""
        shown = f"see `alovoice call batches show {self._name} --state unknown`"
        return f"{shown}, and `alovoice call resolve --batch {self._name}`: did it ring?" if self._verb.dials else shown

    def _own_trouble(self, ending: Ending) -> int:
        """The exit code of trouble of this machine; 0 for none. Once anything left, it is not told as nothing done."""
        if isinstance(ending.untold, BrokenPipeError):
            return ExitCode.READER_GONE
        trouble = ending.trouble or ending.untold
        if trouble is None:
            return 0
        left = self._session.send_guard.anything_left
        message = trouble.message if isinstance(trouble, AlovoiceError) else f"{type(trouble).__name__}: {trouble}"
        hint = "mend it, then run the same line again: it goes on where it stopped"
        error = ServerError(message, hint=hint, sent="yes") if left else UsageError(message, hint=hint)
        self._session.display.error(error)
        return error.exit_code


def moment(text: str) -> str:
    """A moment of the journal as people read it, in UTC."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else ""

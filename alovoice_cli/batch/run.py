"""One run of a batch: its values, and the way from the first row to the report."""

import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from alovoice_cli.batch.batch_report import row_json, shown_state, sums, worst_code, write_report
from alovoice_cli.batch.limits import LineGuard, line_keeper, line_limit
from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.batch.pacing import Gate, parse_rate, parse_window
from alovoice_cli.batch.send_rows import RowStates, RunEnding, Runner, SignalCount, StopSwitch, counted
from alovoice_cli.batch.verbs import BatchVerb, send
from alovoice_cli.batch_rows import LEFT_OUT, BatchRow, RowProgress, RowResult
from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, ServerError, UsageError
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.moments import DailyHours, parse_zone
from alovoice_cli.output.listing import Column, Listing, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.spreadsheet import format_for
from alovoice_cli.stores.journal_places import JournalPlace

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client
    from alovoice_cli.session import Session


_TROUBLED = (
    Column("row", "Row", numeric=True),
    Column("numbers", "Numbers"),
    Column("outcome", "Outcome", words=state_word, tone=tone_by("outcome", STATE_TONES)),
    Column("problem", "Problem"),
    Column("receipt", "Receipt"),
)


class MemoryStates:
    """Keeps row states in memory, for a command that only reads: a second run changes nothing on the PBX."""

    def __init__(self, rows: Sequence[BatchRow]) -> None:
        self._rows = rows
        self._courses = {row.key: RowProgress() for row in rows}

    def listed(self) -> Iterator[tuple[BatchRow, RowProgress]]:
        """Returns all rows with their states."""
        return ((row, self._courses[row.key]) for row in self._rows)

    def is_due(self, key: str) -> bool:
        """Returns True: no other process has these rows."""
        return True

    def seconds_to_wait(self) -> float:
        """Returns 0: no other process sends these rows."""
        return 0.0

    def hold_back(self, seconds: float) -> None:
        """Does nothing: no other process sends these rows."""

    def intend(self, key: str, *, risk: bool = False) -> RowProgress:
        """Notes that the row will be sent now."""
        course = RowProgress("intent", self._courses[key].attempts + 1)
        self._courses[key] = course
        return course

    def settle(self, key: str, result: RowResult) -> RowProgress:
        """Notes how the row ended."""
        course = result.end(self._courses[key], "")
        self._courses[key] = course
        return course


class CatchUp(Protocol):
    """Learns how the rows ended that other machines sent."""

    def __call__(self, *, waits: bool) -> AbstractSet[str]:
        """Returns the keys of rows that are still being sent; may wait for them to end."""


_SENDING = RowProgress("pending", problem=mark("another machine is sending it"))


class RunTimes:
    """The hours, the pace and the lines of a batch, checked before anything is sent.

    Raises UsageError, CheckFailedError.
    """

    def __init__(self, session: "Session", verb: BatchVerb, options: BatchOptions) -> None:
        self._zone = parse_zone(session.settings.timezone)
        self._now = session.now
        self._is_shared = options.shared
        self.spacing = parse_rate(options.rate) if options.rate else 0.0
        self.window = parse_window(options.window) if options.window else None
        obeys_quiet = verb.dials and not options.night_ok
        self.quiet = DailyHours.parse(session.settings.quiet_hours) if obeys_quiet else None
        self.lines = line_limit(session, verb, options.override_limit)

    def check(self) -> None:
        """Raises CheckFailedError in the quiet hours, unless a window says when to begin."""
        if self.quiet is not None and self.window is None and self.quiet.hold(self._now().astimezone(self._zone)):
            raise CheckFailedError(
                tr("these are the quiet hours ({hours}): nothing was sent", hours=self.quiet),
                hint=tr("to wait, give --window 10:00-19:00; if this is intended, give --night-ok"),
            )

    def gate(self, stop: StopSwitch, told: Callable[[str], None], lines: LineGuard, rows: RowStates) -> Gate:
        """Returns the gate for these hours, this rate and these lines."""
        return Gate(
            spacing=0.0 if self._is_shared else self.spacing,
            common_pace=rows.seconds_to_wait,
            window=self.window,
            quiet=self.quiet,
            clock=time.monotonic,
            now=self._now,
            wait=stop.wait,
            told=told,
            has_line=lines.has_line,
            give_back=lines.give_back,
            zone=self._zone,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """The values of one run of a batch, from its start to its report.

    `path` is the journal's place; None for a command that only reads. `excluded` are the numbers of the do-not-call
    files. `keep` receives the call's id and the answer of each row of a command that reads.
    """

    session: "Session"
    verb: BatchVerb
    options: BatchOptions
    times: RunTimes
    path: JournalPlace | None = None
    excluded: frozenset[int] = frozenset()
    keep: Callable[[str, Any], None] | None = None

    @property
    def journal_path(self) -> JournalPlace:
        """Returns the journal's place, for a command that sends."""
        assert self.path is not None
        return self.path

    def client(self) -> "Client":
        options = self.options
        return self.session.client_for(encoding=options.encoding, override_limits=frozenset(options.override_limit))

    @property
    def name(self) -> str:
        """Returns the journal's name; '' for a command that only reads."""
        return self.path.name if self.path else ""


class Execution:
    """Sends the rows of one run, shows each row, and reports on all rows at the end."""

    def __init__(self, run: Run, rows: RowStates, catch_up: CatchUp | None = None) -> None:
        self._run, self._session, self._rows, self._catch_up = run, run.session, rows, catch_up
        self._streams = run.session.options.json or not run.session.stdout.isatty()
        self._troubled: list[dict[str, object]] = []

    def send(
        self, rows: Sequence[BatchRow], risky: frozenset[str] = frozenset(), adopted: Sequence[BatchRow] = ()
    ) -> int:
        """Sends these rows and returns the exit code, by the worst row of the list.

        `adopted` are rows that an earlier request sent already: they are shown too.
        """
        untold = self._tell_others({row.key for row in rows}, {row.key for row in adopted})
        ending, signals = (RunEnding(untold=untold), SignalCount()) if untold else self._send(rows, risky)
        self._session.send_guard.command_told_all()
        return self._account(ending, signals)

    def _tell_others(self, going: set[str], adopted: set[str]) -> BaseException | None:
        """Shows, in every run, the rows that are left out and the rows that an earlier run left unknown."""
        # A row in flight at another machine is that machine's to show.
        told = {"unknown", *LEFT_OUT} if self._catch_up else {"unknown", "intent", *LEFT_OUT}
        rows = [
            (row, course)
            for row, course in self._rows.listed()
            if row.key in adopted or (row.key not in going and course.state in told)
        ]
        try:
            if rows:
                self._tell(rows)
        except OSError as error:
            return error
        return None

    def _send(self, rows: Sequence[BatchRow], risky: frozenset[str]) -> tuple[RunEnding, SignalCount]:
        stop = StopSwitch()
        client = self._run.client()  # here once, before several threads need it
        with counted() as signals, self._closing() as stack:
            if not self._run.verb.reads:
                stack.enter_context(self._session.ledger.database.kept_open())
            lines = stack.enter_context(line_keeper(self._session, self._run.times.lines))
            tick = stack.enter_context(self._session.display.counting(self._run.verb.command, len(rows)))
            runner = Runner(
                self._rows,
                lambda row: send(self._session, client, self._run.verb, row),
                self._run.times.gate(stop, self._session.note, lines, self._rows),
                stop,
                jobs=self._run.options.jobs,
                most_failures=self._run.options.stop_after_failures,
                interruptions=lambda: signals.count,
                risky=risky,
            )

            def told(rows: Sequence[tuple[BatchRow, RowProgress]]) -> None:
                for _ in rows:
                    tick()
                self._tell(rows)

            return runner.run(rows, told), signals

    @contextmanager
    def _closing(self) -> Iterator[ExitStack]:
        """Keeps the run's resources open. An error at closing (a full disk) is a warning and changes no outcome."""
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

    def _tell(self, rows: Sequence[tuple[BatchRow, RowProgress]]) -> None:
        if self._run.keep is not None:
            for row, course in rows:
                if course.state == "done":
                    self._run.keep(str(row.payload["call_id"]), course.answer)
        if self._streams:
            self._session.display.lines([row_json(row, course) for row, course in rows])
            return
        for row, course in rows:
            if course.state != "done":
                numbers = ", ".join(row.numbers) or row.our_id
                self._troubled.append({**row_json(row, course), "numbers": numbers})

    # --- afterwards --------------------------------------------------------------------------------------------------

    def _account(self, ending: RunEnding, signals: SignalCount) -> int:
        session, elsewhere = self._session, self._elsewhere(ending)
        listed = [(row, _SENDING if row.key in elsewhere else course) for row, course in self._rows.listed()]
        courses = [course for _, course in listed]
        code = worst_code(courses)
        unwritten = self._write_report(listed)
        if self._troubled:
            session.show(Listing(self._troubled, _TROUBLED))
        told = sums(courses)
        session.note(tr("{rows} (batch {name})", rows=told, name=self._run.name) if self._run.name else told)
        self._warn(courses, ending)
        if code == ExitCode.UNKNOWN_OUTCOME:
            return code
        trouble = self._own_trouble(ending) or (signals.code if ending.interrupted else code)
        return ExitCode.SERVER if unwritten and trouble == ExitCode.DONE else trouble

    def _elsewhere(self, ending: RunEnding) -> AbstractSet[str]:
        """Returns the rows that other machines are sending now, after a wait where nothing else is left to do."""
        if self._catch_up is None:
            return frozenset()
        try:
            found = self._catch_up(waits=not ending.reason)
        except UsageError as trouble:
            self._session.warn(tr("it is not known what other machines sent: {problem}", problem=trouble.message))
            return frozenset()
        if found:
            self._session.note(
                ngettext(
                    "{n} row is being sent by another machine", "{n} rows are being sent by other machines", len(found)
                )
            )
        return found

    def _write_report(self, listed: Sequence[tuple[BatchRow, RowProgress]]) -> bool:
        """Writes the report of `--report`, and returns whether that failed."""
        if self._run.options.report is None:
            return False
        try:
            form = format_for(excel=self._session.options.excel)
            write_report(self._run.options.report, listed, form)
        except UsageError as problem:
            shown = tr("`alovoice call batches show {name}` has the rows", name=self._run.name)
            self._session.warn(joined("; ", (problem.message, *([shown] if self._run.name else []))))
            return True
        return False

    def _warn(self, courses: Sequence[RowProgress], ending: RunEnding) -> None:
        unknown = sum(shown_state(course) == "unknown" for course in courses)
        if unknown:
            warning = ngettext(
                "{n} row is unknown: the request may have been carried out, and is not sent again automatically",
                "{n} rows are unknown: the requests may have been carried out, and are not sent again automatically",
                unknown,
            )
            self._session.warn(joined("; ", (warning, self._advice)))
        waiting = sum(course.state == "pending" for course in courses)
        if ending.reason and waiting and not isinstance(ending.untold, BrokenPipeError):
            self._session.warn(
                ngettext(
                    "stopped: {reason}; {n} row was not sent; running the same command again continues",
                    "stopped: {reason}; {n} rows were not sent; running the same command again continues",
                    waiting,
                    reason=ending.reason,
                )
            )

    @property
    def _advice(self) -> str:
        """Returns what to do about unknown rows."""
        name = self._run.name
        if self._run.verb.dials:
            return tr(
                "see `alovoice call batches show {name} --state unknown`;"
                " `alovoice call resolve --batch {name}` finds out whether they rang",
                name=name,
            )
        return tr("see `alovoice call batches show {name} --state unknown`", name=name)

    def _own_trouble(self, ending: RunEnding) -> int:
        """Returns the exit code of trouble of this machine, 0 for none. Once a request has left, the code is not 2."""
        if isinstance(ending.untold, BrokenPipeError):
            return ExitCode.READER_GONE
        trouble = ending.trouble or ending.untold
        if trouble is None:
            return 0
        left = self._session.send_guard.anything_left
        message = trouble.message if isinstance(trouble, AlovoiceError) else f"{type(trouble).__name__}: {trouble}"
        hint = tr("fix this and run the same command again: it continues where it stopped")
        error = ServerError(message, hint=hint, sent="yes") if left else UsageError(message, hint=hint)
        self._session.display.error(error)
        return error.exit_code

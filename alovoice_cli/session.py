"""What one invocation owns: streams, environment, clock, settings, client, stores; each built when first asked for.

Tests swap the constructor's arguments; nothing here knows that tests exist. Imports inside the properties are meant:
`alovoice --help` pays for none of them.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alovoice_cli.errors import UsageError
from alovoice_cli.masking import Masker
from alovoice_cli.output.options import Options
from alovoice_cli.output.terminal import open_controlling_terminal

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx

    from alovoice_cli.api.client import Client
    from alovoice_cli.api.poster import Poster
    from alovoice_cli.api.seal import Seal
    from alovoice_cli.campaigns.papers import Papers
    from alovoice_cli.config.paths import Paths
    from alovoice_cli.config.settings import Flags, Settings, Token
    from alovoice_cli.errors import BadConfigError
    from alovoice_cli.events.event import Delivery
    from alovoice_cli.output.columns import Column
    from alovoice_cli.output.display import Display
    from alovoice_cli.output.listing import Listing, Record
    from alovoice_cli.output.terminal import OpenTerminal
    from alovoice_cli.stores.analyses import Analyses
    from alovoice_cli.stores.campaigns import CampaignStore
    from alovoice_cli.stores.events import EventStore
    from alovoice_cli.stores.history import StoredPast
    from alovoice_cli.stores.ledger import Ledger
    from alovoice_cli.stores.line_calls import LineCalls


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Session:
    """One run of the program. Commands read it, `main` makes it."""

    def __init__(
        self,
        *,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        cwd: Path | None = None,
        now: Callable[[], datetime] = _utc_now,
        transport: "httpx.BaseTransport | None" = None,
        open_terminal: "OpenTerminal | None" = None,
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.environ = environ
        self.cwd = cwd or Path.cwd()
        self.now = now
        self.transport = transport
        self.open_terminal = open_terminal
        self.options = Options()
        self.masker = Masker()
        self.encoding: str | None = None
        self.given_token: str | None = None
        self._spent_seconds = 0.0
        self.argv: Sequence[str] = ()
        self.allow_new_profile = False
        self.overridden: frozenset[str] = frozenset()  # limits of the profile that `--override-limit` lets pass
        self.papers: Papers | None = None  # of the campaign that is about to be sent, for its ledger

    @classmethod
    def of_process(cls) -> "Session":
        """The session of this process: its streams never die of a letter that their encoding lacks."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return cls(
            stdin=sys.stdin,
            stdout=sys.stdout,
            stderr=sys.stderr,
            environ=os.environ,
            open_terminal=open_controlling_terminal,
        )

    # --- options -----------------------------------------------------------------------------------------------------

    def fold(self, name: str, value: object) -> None:
        """Takes one global option's value as given on either side of the verb."""
        setattr(self.options, name, value)
        if self.options.json and self.options.csv:
            raise UsageError("--json and --csv exclude each other", hint="choose one of them")

    def check_listing(self, columns: "tuple[Column, ...] | None") -> None:
        """Raises UsageError where `--csv` or `--columns` do not fit the command, before it does anything."""
        if columns is None and (self.options.csv or self.options.columns is not None):
            word = "--csv" if self.options.csv else "--columns"
            raise UsageError(f"{word} is for lists: this command shows no list", hint="use --json instead")
        if columns is not None and self.options.columns is not None:
            from alovoice_cli.output.columns import choose_columns

            choose_columns(columns, self.options.columns)

    # --- settings and stores -----------------------------------------------------------------------------------------

    @cached_property
    def paths(self) -> "Paths":
        from alovoice_cli.config.paths import Paths

        return Paths.from_environ(self.environ)

    @cached_property
    def settings(self) -> "Settings":
        from alovoice_cli.config.settings import resolve

        return resolve(self._flags(), self.environ, self.paths, self.cwd, allow_new_profile=self.allow_new_profile)

    def settings_or_defaults(self) -> "tuple[Settings, BadConfigError | None]":
        """The settings, and what is wrong with the configuration file where defaults stand in for it."""
        from alovoice_cli.config.settings import resolve_leniently

        return resolve_leniently(self._flags(), self.environ, self.paths, self.cwd)

    def _flags(self) -> "Flags":
        from alovoice_cli.config.settings import Flags

        options = self.options
        return Flags(options.profile, options.base_url, options.timeout, self.encoding, options.no_permission_check)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts what happens within, the token command above all, against the first request's `--timeout`."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._spent_seconds += time.monotonic() - begun

    def find_token(self) -> "Token | None":
        """The token of the profile, where one is known and belongs to the server; raises as the settings do."""
        with self.counted():
            return self.settings.find_token()

    @cached_property
    def ledger(self) -> "Ledger":
        from alovoice_cli.stores.ledger import Ledger

        return Ledger(self.paths.state / "ledger.db", self.now)

    @cached_property
    def analyses(self) -> "Analyses":
        from alovoice_cli.stores.analyses import STORE_NAME, Analyses

        return Analyses(self.paths.state / STORE_NAME, self.settings.profile, self.now)

    def turn(self, command: str) -> "AbstractContextManager[None]":
        """Waits until no other process runs this command's critical part, `timeout` seconds at most."""
        from alovoice_cli.stores.turns import hold

        lock = self.paths.state / f"{command.replace(' ', '-')}.lock"
        return hold(lock, f"`alovoice {command}` is at work", patience=self.settings.timeout)

    def event_store(self, flag: str | None = None) -> "EventStore":
        """The event store to read: `--store`, or the profile's."""
        from alovoice_cli.config.profile_places import event_store_url
        from alovoice_cli.stores.events import EventStore

        return EventStore(event_store_url(self.settings, flag))

    def line_calls(self) -> "LineCalls":
        """What the profile's event store knows of the calls that go on."""
        from alovoice_cli.config.profile_places import event_store_url
        from alovoice_cli.stores.line_calls import LineCalls

        return LineCalls(event_store_url(self.settings, None))

    def past(self, flag: str | None = None) -> "StoredPast":
        """The callers' past in the event store, for rules that ask for it."""
        from alovoice_cli.config.profile_places import event_store_url
        from alovoice_cli.stores.history import StoredPast

        return StoredPast(event_store_url(self.settings, flag))

    def event_json(self, flag: str | None = None) -> "Callable[[Delivery], Mapping[str, object]]":
        """Tells a stored delivery as `events show` would, with all that is known of it."""
        from alovoice_cli.events.event import Event
        from alovoice_cli.events.rendering import event_as_json

        store = self.event_store(flag)
        return lambda delivery: event_as_json(store.event(delivery.id) or Event(delivery))

    @cached_property
    def poster(self) -> "Poster":
        """Sends bytes to handlers, untouched; makes no connection before the first."""
        from alovoice_cli.api.poster import Poster

        return Poster()

    @cached_property
    def campaigns(self) -> "CampaignStore":
        from alovoice_cli.stores.campaigns import STORE_NAME, CampaignStore

        return CampaignStore(self.paths.state / STORE_NAME, self.now)

    @cached_property
    def seal(self) -> "Seal":
        from alovoice_cli.api.seal import Seal
        from alovoice_cli.dialling import GuardedLedger

        settings, ledger, campaigns = lambda: self.settings, lambda: self.ledger, lambda: self.campaigns
        papers, overridden = lambda: self.papers, lambda: self.overridden
        return Seal(GuardedLedger(settings, ledger, self.warn, campaigns, papers, self.now, overridden))

    @property
    def named_profile(self) -> str | None:
        """The profile that -p or ALOVOICE_PROFILE names, whether it exists or not."""
        return self.options.profile or self.environ.get("ALOVOICE_PROFILE")

    def own_id(self, given: str | None) -> str:
        """The id of a call: the operator's own, else one made here (decimal, at most 15 digits, never twice)."""
        return given or self.ledger.make_id()

    @cached_property
    def client(self) -> "Client":
        """The client of the chosen profile. Makes no connection; raises UsageError for a bad profile or URL."""
        from alovoice_cli.api.client import Client

        settings, transport, token = self.settings, self.transport, None
        base_url = settings.base_url
        if settings.ignored:
            self.note(f"the profile sandbox ignores {' and '.join(settings.ignored)}: it is the simulated PBX")
        if settings.embedded and transport is None:
            transport, base_url, token = self._embedded_pbx()
        else:
            found = None if self.given_token else self.find_token()
            token = found.value if found else self.given_token
            if warning := settings.warn_of_permissions():
                self.warn(warning)
        self.masker.learn(token or "")
        return Client(
            base_url,
            token,
            timeout=settings.timeout,
            spent=self._spent_seconds,
            encoding=settings.encoding,
            insecure=settings.insecure,
            environ=self.environ,
            transport=transport,
            seal=self.seal,
            profile=settings.profile,
            trace=self.display.trace if self.options.verbose else None,
            rehearse=self.options.dry_run,
        )

    def _embedded_pbx(self) -> "tuple[httpx.BaseTransport, str, str]":
        from alovoice_cli.api.inprocess import InProcess
        from alovoice_cli.sandbox import EMBEDDED_URL, STATE_NAME, open_sandbox

        sandbox = open_sandbox(self.paths.state / STATE_NAME, now=self.now)
        return InProcess(sandbox.app), EMBEDDED_URL, sandbox.token

    def close(self) -> None:
        """Closes the connections that were opened."""
        for name in ("client", "poster"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def tell_trouble(self) -> None:
        """Warns where the ledger could not write how a request ended: its receipt will read `unknown`."""
        seal: Seal | None = self.__dict__.get("seal")
        if seal is not None and seal.trouble is not None:
            self.warn(f"the ledger could not note the outcome of {seal.last_receipt or 'the request'}: {seal.trouble}")

    @property
    def last_receipt(self) -> str:
        """The receipt of the latest request that dials, creates or costs, or nothing."""
        seal: Seal | None = self.__dict__.get("seal")
        return seal.last_receipt if seal is not None else ""

    def guard(self, code: int) -> int:
        """The exit code that may be told, given what left: the seal's word over that of any local trouble."""
        seal: Seal | None = self.__dict__.get("seal")  # not made here: nothing dials without it
        return seal.guard(code) if seal else code

    # --- what is shown -----------------------------------------------------------------------------------------------

    @cached_property
    def display(self) -> "Display":
        from alovoice_cli.output.display import Display

        streams = self.stdin, self.stdout, self.stderr
        return Display(*streams, self.environ, self.options, self.masker, self.open_terminal)

    def show(self, thing: "Listing | Record") -> None:
        """Prints a list or a record on stdout in the form that was asked for, or that the stream calls for."""
        self.display.show(thing)

    def report(self, text: str, **fields: object) -> None:
        """Says what was done where nothing else is to be shown: a remark, or with `--json` the fields on stdout."""
        if self.options.json:
            from alovoice_cli.output.listing import Record

            self.show(Record(fields, ours=True))
        else:
            self.note(text)

    def warn(self, text: str) -> None:
        """Prints a warning on stderr, also when quiet."""
        self.display.message("warning", text)

    def note(self, text: str) -> None:
        """Prints a remark on stderr, unless quiet."""
        if not self.options.quiet:
            self.display.message("note", text)

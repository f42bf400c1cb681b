"""The session of one command line: words, streams, environment, clock, settings, client, stores.

Each part is built at its first use, and its module imported then, so that `alovoice --help` needs none of them. Tests
give the constructor other arguments.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alovoice_cli.language import tr
from alovoice_cli.output.options import GlobalOptions

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx

    from alovoice_cli.api.client import Client
    from alovoice_cli.api.poster import Poster
    from alovoice_cli.api.send_guard import SendGuard
    from alovoice_cli.config.paths import Paths
    from alovoice_cli.config.settings import Flags, Settings, Token
    from alovoice_cli.dialling import GuardedLedger
    from alovoice_cli.errors import BadConfigError
    from alovoice_cli.events.peer_names import PeerNames
    from alovoice_cli.masking import Masker
    from alovoice_cli.moments import ClockTime
    from alovoice_cli.output.display import Display
    from alovoice_cli.output.listing import Listing, Record
    from alovoice_cli.output.terminal import OpenTerminal
    from alovoice_cli.stores.analyses import Analyses
    from alovoice_cli.stores.campaigns import CampaignStore
    from alovoice_cli.stores.days import DayReader
    from alovoice_cli.stores.events import EventStore
    from alovoice_cli.stores.history import StoredPast
    from alovoice_cli.stores.ledger import Ledger
    from alovoice_cli.stores.outbox_orders import OutboxOrders


class Session:
    """One run of the program. Commands read it, `main` runs it."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        cwd: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: "httpx.BaseTransport | None" = None,
        open_terminal: "OpenTerminal | None" = None,
    ) -> None:
        self.argv = argv
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.environ = environ
        self.cwd = cwd or Path.cwd()
        self.now = now
        self.options = GlobalOptions()
        self._transport = transport
        self._open_terminal = open_terminal
        self._spent_seconds = 0.0
        self._clients: list[Client] = []
        self._told: set[str] = set()

    def set_options(self, options: GlobalOptions) -> None:
        """Replaces the global options."""
        stale = ["display"]
        if (options.profile, options.store) != (self.options.profile, self.options.store):
            stale += ["settings", "token", "client", "ledger", "campaigns", "analyses", "peer_names", "send_guard"]
        self.options = options
        for name in stale:  # each was made with the old options
            self.__dict__.pop(name, None)

    # --- settings ----------------------------------------------------------------------------------------------------

    @cached_property
    def paths(self) -> "Paths":
        from alovoice_cli.config.paths import Paths

        return Paths.from_environ(self.environ)

    @cached_property
    def settings(self) -> "Settings":
        return self.resolve_settings()

    def resolve_settings(self, profile: str | None = None, *, allow_new_profile: bool = False) -> "Settings":
        """Returns the settings of the profile in use, or of another; raises as config.settings.resolve does."""
        from alovoice_cli.config.settings import resolve

        flags = self._flags(profile)
        return resolve(flags, self.environ, self.paths, self.cwd, allow_new_profile=allow_new_profile)

    @property
    def clock(self) -> "ClockTime":
        """Returns the present moment, in the profile's time zone."""
        from alovoice_cli.moments import ClockTime

        return ClockTime(self.now(), self._zone())

    def _zone(self) -> tzinfo:
        from alovoice_cli.moments import parse_zone

        return parse_zone(self.settings.timezone, tr("the profile's timezone"))

    def settings_or_defaults(self) -> "tuple[Settings, BadConfigError | None]":
        """Returns the settings; for a malformed configuration file defaults, and the error."""
        from alovoice_cli.config.settings import resolve_leniently

        return resolve_leniently(self._flags(), self.environ, self.paths, self.cwd)

    def _flags(self, profile: str | None = None) -> "Flags":
        from alovoice_cli.config.settings import Flags

        given = self.options
        return Flags(profile or given.profile, given.base_url, given.timeout, given.no_permission_check, given.lang)

    @property
    def named_profile(self) -> str | None:
        """Returns the profile of -p or ALOVOICE_PROFILE, whether it exists or not."""
        return self.options.profile or self.environ.get("ALOVOICE_PROFILE")

    # --- stores ------------------------------------------------------------------------------------------------------

    def use_store(self, flag: str | None) -> None:
        """Makes this run keep receipts, batches and campaigns on the server of `--store`, if it names one."""
        if flag and flag.startswith(("postgresql://", "postgres://")):
            self.set_options(self.options._replace(store=flag))

    def store_place(self, name: str) -> "Path | str":
        """Returns the place of a store: the server of the run's store, which machines share, or a file here."""
        url = self.event_store_url()
        if url.startswith("postgres"):
            from alovoice_cli.store_urls import is_server_url

            return url if is_server_url(url) else self.paths.state / name
        return self.paths.state / name

    @cached_property
    def ledger(self) -> "Ledger":
        from alovoice_cli.stores.ledger import STORE_NAME, Ledger

        return Ledger(self.store_place(STORE_NAME), self.now)

    @cached_property
    def campaigns(self) -> "CampaignStore":
        from alovoice_cli.stores.campaigns import STORE_NAME, CampaignStore

        return CampaignStore(self.store_place(STORE_NAME), self.now)

    @cached_property
    def analyses(self) -> "Analyses":
        from alovoice_cli.stores.analyses import STORE_NAME, Analyses

        return Analyses(self.paths.state / STORE_NAME, self.settings.profile, self.now, note=self.note)

    def event_store_url(self, flag: str | None = None) -> str:
        """Returns the event store's URL: `--store`, or the profile's. A password in it is never shown."""
        url = self.settings.event_store_url(flag or self.options.store)
        if url.startswith("postgres"):
            from alovoice_cli.store_urls import passwords_of

            for password in passwords_of(url):
                self.masker.learn(password)
                self._warn_of_password()
        return url

    def _warn_of_password(self) -> None:
        from alovoice_cli.store_urls import HOW_TO_LOG_IN

        if "store password" not in self._told:
            self._told.add("store password")
            self.warn(tr("all users of this computer can read the password of --store: {hint}", hint=tr(HOW_TO_LOG_IN)))

    def event_store(self, flag: str | None = None) -> "EventStore":
        """Returns the event store to read: `--store`, or the profile's."""
        from alovoice_cli.stores.events import EventStore

        return EventStore(self.event_store_url(flag))

    def outbox(self, flag: str | None = None) -> "OutboxOrders":
        """Returns the outbox of `--store`, or of the profile's event store, for an operator."""
        from alovoice_cli.stores.outbox_orders import OutboxOrders

        return OutboxOrders(self.event_store_url(flag))

    def past(self, flag: str | None = None) -> "StoredPast":
        """Returns the callers' past, for rules about the past."""
        from alovoice_cli.stores.history import StoredPast

        return StoredPast(self.event_store_url(flag))

    @cached_property
    def peer_names(self) -> "PeerNames":
        """Returns the extensions' names: those of the profile's file, and the last ones from the PBX."""
        from alovoice_cli.errors import AlovoiceError
        from alovoice_cli.events.peer_names import PeerNames, names_kept

        told = names_kept(self.settings.told_names_path, self.settings.base_url)
        if self.settings.peer_names is None:
            return told
        from alovoice_cli.campaigns.peer_list import read_peer_names

        try:
            own = read_peer_names(self.paths.from_home(self.settings.peer_names))
        except AlovoiceError as error:  # a list of calls is useful without names too
            self.warn(tr("names of extensions are missing: {problem}", problem=error))
            return told
        return PeerNames({**told.names, **own.names})

    def day_reader(self, flag: str | None = None) -> "DayReader":
        """Returns the reader of days in the event store, with the targets and limits of the profile."""
        from alovoice_cli.events.day import DaySettings
        from alovoice_cli.events.headline_figures import DayTargets
        from alovoice_cli.events.kpi import KpiSettings
        from alovoice_cli.stores.days import DayReader

        settings = self.settings
        targets = DayTargets(
            settings.target_service_level,
            settings.target_answer_rate,
            settings.target_abandon_rate,
            settings.target_wait,
            settings.target_owed,
            settings.target_callback,
        )
        limits = KpiSettings(
            settings.service_seconds, settings.short_abandon_seconds, duration_counts=settings.duration_counts
        )
        of_profile = DaySettings(settings.profile, targets, limits, self.peer_names, settings.trunk_lines)
        return DayReader(self.event_store(flag), self.outbox(flag), of_profile)

    def turn(self, command: str) -> "AbstractContextManager[None]":
        """Holds the lock of this command's critical part during the block; waits for it at most `timeout` seconds."""
        what, patience = tr("`alovoice {command}` is running", command=command), self.settings.timeout
        place = self.store_place(f"{command.replace(' ', '-')}.lock")
        if isinstance(place, str):
            from alovoice_cli.stores.server_database import hold_on_server

            return hold_on_server(place, command, what, patience=patience)
        from alovoice_cli.stores.process_lock import hold

        return hold(place, what, patience=patience)

    # --- the client --------------------------------------------------------------------------------------------------

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts the time of the block (mainly the token command's) as part of the first request's `--timeout`."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._spent_seconds += time.monotonic() - begun

    @cached_property
    def token(self) -> "Token | None":
        """Returns the profile's token, if there is one, for its server only; raises as the settings do."""
        with self.counted():
            return self.settings.find_token()

    @cached_property
    def client(self) -> "Client":
        """Returns the client of the chosen profile, see `client_for`."""
        return self.client_for()

    def client_for(
        self,
        *,
        settings: "Settings | None" = None,
        token: str | None = None,
        encoding: str | None = None,
        override_limits: frozenset[str] = frozenset(),
    ) -> "Client":
        """Makes a client with these settings, token and encoding in place of the chosen profile's.

        `override_limits` names the limits of the profile that do not apply. Makes no connection; raises UsageError for
        a bad profile or URL.
        """
        from alovoice_cli.api.client import Client

        settings = settings or self.settings
        display = self.display  # loaded before a request leaves: reporting its outcome then needs no further file
        transport, base_url = self._transport, settings.base_url
        embedded = settings.embedded and transport is None
        if token is None and not embedded:
            token = self.token.value if self.token else None
        if settings.ignored:
            names = ", ".join(settings.ignored)
            self.note(tr("the profile sandbox is the simulated PBX and ignores {variables}", variables=names))
        if embedded:
            transport, base_url, token = self._embedded_pbx()
        elif warning := settings.warn_of_permissions():
            self.warn(warning)
        self.masker.learn(token or "")
        spent, self._spent_seconds = self._spent_seconds, 0.0
        client = Client(
            base_url,
            token,
            timeout=settings.timeout,
            spent=spent,
            encoding=encoding or settings.encoding,
            insecure=settings.insecure,
            environ=self.environ,
            transport=transport,
            send_guard=self.send_guard,
            override_limits=override_limits,
            profile=settings.profile,
            trace=display.trace if self.options.verbose else None,
            rehearse=self.options.dry_run,
        )
        self._clients.append(client)
        return client

    def _embedded_pbx(self) -> "tuple[httpx.BaseTransport, str, str]":
        from alovoice_cli.api.inprocess import InProcess
        from alovoice_cli.sandbox.opening import EMBEDDED_URL, STATE_NAME, open_sandbox

        sandbox = open_sandbox(self.paths.state / STATE_NAME, now=self.now)
        return InProcess(sandbox.app), EMBEDDED_URL, sandbox.token

    @cached_property
    def poster(self) -> "Poster":
        """Returns the poster of unchanged bytes to handlers; it makes no connection before its first use."""
        from alovoice_cli.api.poster import Poster

        return Poster()

    def close(self) -> None:
        """Closes the open connections."""
        for client in self._clients:
            client.close()
        if "poster" in self.__dict__:
            self.poster.close()

    @cached_property
    def send_guard(self) -> "SendGuard":
        from alovoice_cli.api.send_guard import SendGuard

        return SendGuard(self._open_guarded_ledger)

    def _open_guarded_ledger(self) -> "GuardedLedger":
        from alovoice_cli.dialling import GuardedLedger

        return GuardedLedger(self.settings, self.ledger, lambda: self.campaigns, self.warn, self.now)

    @property
    def used_send_guard(self) -> "SendGuard | None":
        """Returns the guard of this run's requests that dial, create or cost; None if no client was made."""
        return self.__dict__.get("send_guard")

    @property
    def last_receipt(self) -> str:
        """Returns the receipt of the latest request that dials, creates or costs, or ''."""
        return self.used_send_guard.last_receipt if self.used_send_guard else ""

    # --- output ------------------------------------------------------------------------------------------------------

    @cached_property
    def masker(self) -> "Masker":
        """Returns the masker of this run's tokens in all output."""
        from alovoice_cli.masking import Masker

        return Masker()

    @cached_property
    def display(self) -> "Display":
        from alovoice_cli.output.display import Display

        streams = self.stdin, self.stdout, self.stderr
        return Display(*streams, self.environ, self.options, self.masker, self._open_terminal, self._zone, self.now)

    def show(self, thing: "Listing | Record", *, lines: bool = False, show_secrets: bool = False) -> frozenset[str]:
        """Prints a list or a record on stdout, in the form for the options or the stream: `Display.show`."""
        return self.display.show(thing, lines=lines, show_secrets=show_secrets)

    def report(self, text: str, **fields: object) -> None:
        """Reports the result of a command without data: a remark, or with `--json` the fields on stdout."""
        if self.options.json:
            from alovoice_cli.output.listing import Record

            self.show(Record(fields, ours=True))
        else:
            self.note(text)

    def warn(self, text: str) -> None:
        """Prints a warning on stderr, also with `--quiet`."""
        self.display.message("warning", text)

    def note(self, text: str, **fields: object) -> None:
        """Prints a remark on stderr, unless `--quiet`; a log of JSON lines also has the fields."""
        if not self.options.quiet:
            self.display.message("note", text, **fields)

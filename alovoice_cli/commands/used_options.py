"""The global options that each command uses. A command refuses the others, and no help or completion offers them there.

Not listed, because every command uses them: --profile, --json, --quiet, --verbose, --color, --lang,
--no-permission-check, --help, --version.
"""

from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.output.options import GlobalOptions

_LIST = frozenset({"csv", "columns", "no_headers", "excel"})
_RECORD = frozenset({"no_headers"})
_SERVER = frozenset({"timeout", "base_url"})
_POSTS = frozenset({"timeout"})
"""For commands that send requests, but not to the PBX."""
_ASKS = frozenset({"yes"})
_REHEARSES = frozenset({"dry_run"})
_NONE: frozenset[str] = frozenset()
CHOOSABLE = _LIST | _SERVER | _ASKS | _REHEARSES
"""The global options that not every command uses."""

_COMMANDS: dict[frozenset[str], tuple[str, ...]] = {
    _NONE: (
        *("autorule export", "config get", "config path", "demo", "completion", "help", "version"),
        *("sandbox serve", "sandbox path"),
    ),
    _RECORD: ("call receipts show", "events tail", "day", "top", "route test"),
    _LIST: (
        *("autorule report", "numbers check", "call resolve", "call batches list", "call batches show"),
        *("call receipts list", "events list", "events show", "events stats", "events missed", "events gaps"),
        *("events export", "events outbox list", "route diff", "ai show", "ai list", "ai grep", "ai report"),
        *("config list", "store check"),
    ),
    _SERVER | _LIST: (*("autorule check", "autorule list", "trunks", "peers", "route check", "ai result", "ai audio"),),
    _SERVER | _RECORD: ("autorule get", "autorule watch", "status"),
    _SERVER | _REHEARSES: ("api", "login"),
    _SERVER | _ASKS | _REHEARSES | {"no_headers", "excel"}: (
        *("autorule create", "call conference", "call ivr", "call out"),
    ),
    _SERVER | _ASKS | {"excel"}: ("call batches resume",),
    _SERVER | _ASKS | _REHEARSES | _LIST: ("ai send",),
    _POSTS: ("listen",),
    _POSTS | _RECORD: ("listen check",),
    _POSTS | _REHEARSES: ("notify login",),
    _POSTS | _REHEARSES | _LIST: ("events trigger", "events replay", "events certify", "notify test"),
    _ASKS: ("call batches forget",),
    _ASKS | _REHEARSES: ("events prune", "events outbox drop", "ai prune", "sandbox reset"),
    _REHEARSES: (
        *("events import", "events outbox retry", "route init", "sandbox sample", "logout", "notify logout"),
        *("config set", "config unset", "config use", "skill"),
    ),
    _REHEARSES | _RECORD: ("route override",),
    _REHEARSES | _LIST: ("ai score", "store copy"),
}
USED_OPTIONS = {name: used for used, names in _COMMANDS.items() for name in names}
"""The names of the choosable global options that a command uses, by its words after `alovoice`."""

_WRITES_CSV = {"clean", "rejected", "report", "unreached"}
"""Options by which a command writes a CSV file."""


def used_by(words: str) -> frozenset[str]:
    """Returns the choosable global options that the command uses; all for a group, and for no command."""
    return USED_OPTIONS.get(words, CHOOSABLE)


def check_used(options: GlobalOptions, ctx: Any) -> None:
    """Raises UsageError for a global option that the context's command does not use, or not in this way."""
    unused = CHOOSABLE - used_by(ctx.command_path.partition(" ")[2])
    for name in sorted(unused):
        if getattr(options, name) not in (None, False):
            from alovoice_cli.commands.usage_errors import unused_option  # noqa: PLC0415 - most words are right

            raise unused_option(ctx, f"--{name.replace('_', '-')}")
    columns = getattr(ctx.command.callback, "columns", None)
    if options.columns is not None and columns is not None:
        from alovoice_cli.output.listing import choose_columns  # noqa: PLC0415 - help shows no list

        choose_columns(columns, options.columns)
    if options.excel and not options.csv and not _WRITES_CSV & {param.name for param in ctx.command.params}:
        raise UsageError(
            tr("--excel needs --csv, or an option that writes a CSV file"), hint=tr("add --csv, or leave it out")
        )

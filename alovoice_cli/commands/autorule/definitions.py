"""What `--from-file`, `--like` and `export` are about: a campaign's options in a file, or in the ledger."""

from pathlib import Path

import typer

from alovoice_cli.campaigns.definition import KEYS, Definition, define, read_definition
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.campaigns.papers import FILES, describe
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

_INSTEAD = {"recipients": "recipient", "recipient": "recipients"}
"""Two ways to say one thing: the one on the command line takes the other's place too."""


class Filled:
    """Stands for the context's map of defaults: answers for options by their names in the function.

    The definition is read when the first option is asked for that it might hold.
    """

    def __init__(self, ctx: typer.Context) -> None:
        self.file: str | None = None
        self.like: str | None = None
        self._ctx = ctx
        self._session: Session = ctx.obj
        # `--from` is `first` in the function: the file knows the words of the command line.
        self._options = {
            str(param.name): flag.removeprefix("--")
            for param in ctx.command.params
            for flag in param.opts[:1]
            if flag.startswith("--")
        }
        self._definition: Definition | None = None

    def get(self, name: str) -> object:
        """The value behind an option of this name in the function, or None."""
        option = self._options.get(name, "")
        if option not in KEYS or self._is_given(_INSTEAD.get(option, "")):
            return None  # `--like` itself is asked for early, before `-p` is known
        if self._definition is None:
            self._definition = self._read()
        value = self._definition.get(option)
        if option in FILES and isinstance(value, str):
            self._tell_changes(option, value)
        return ",".join(value) if option == "trunks" and isinstance(value, list) else value

    def _is_given(self, option: str) -> bool:
        given = self._ctx.params
        return any(given.get(name) for name, flag in self._options.items() if flag == option)

    def _read(self) -> Definition:
        if self.file is not None and self.like is not None:
            raise UsageError("--from-file and --like exclude each other", hint="choose one of them")
        if self.file == "-":
            return read_definition(self._session.stdin.buffer.read(), "stdin", self._session.cwd)
        if self.file is not None:
            path = Path(self.file)
            with open_regular(path) as file:
                return read_definition(file.read(), self.file, path.parent)
        return defined(self._session, str(self.like))

    def _tell_changes(self, option: str, path: str) -> None:
        """Warns where a file is no longer the one that the definition was made of."""
        known = (self._definition or {}).get(f"{option}_sha256")
        if known is None or path == "-":
            return
        with open_regular(Path(path)) as file:
            if describe(file, path, path).sha256 != known:
                self._session.warn(f"{path} is no longer the file that this campaign was made of")


def defined(session: Session, label: str) -> Definition:
    """The definition of a campaign that was created from here. Raises UsageError where it was not."""
    created = session.campaigns.campaign(session.settings.profile, label)
    if created is None:
        raise UsageError(
            f"campaign {label} was not created from here on PBX {session.settings.profile}",
            hint="see `alovoice autorule list`; what the PBX knows of it: `alovoice autorule get`",
        )
    return define(created.fields, created.record, created.recipients, session.campaigns.numbers(created.receipt))

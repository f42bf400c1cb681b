"""The global options of one run, for the session and the display."""

from collections.abc import Sequence
from typing import NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.language import Language, tr


class GlobalOptions(NamedTuple):  # no dataclass: every command loads it, and a dataclass takes 1 ms to make
    """The global options from both sides of the verb: the later one has priority."""

    profile: str | None = None
    base_url: str | None = None
    timeout: float | None = None
    json: bool = False
    csv: bool = False
    columns: str | None = None
    no_headers: bool = False
    excel: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    yes: bool = False
    dry_run: bool = False
    no_permission_check: bool = False
    store: str | None = None
    """`--store` of commands whose receipts, batches and campaigns may lie on a server; not an option of all."""
    lang: Language | None = None
    log_format: str | None = None
    """`text` or `json` of a command that runs for good: what goes to stderr is dated."""

    def with_option(self, name: str, value: object) -> "GlobalOptions":
        """Returns the options with one more. Raises UsageError for two that exclude each other."""
        options = self._replace(**{name: value})  # type: ignore[arg-type] # the option's own parser gave the value
        if options.json and options.csv:
            raise UsageError(tr("--json and --csv cannot be used together"), hint=tr("choose one of them"))
        return options

    def with_form(self, words: Sequence[str]) -> "GlobalOptions":
        """Returns the options for an error: `--json` and `--color` also count behind the wrong word."""
        color = self.color
        for word, following in zip(words, [*words[1:], ""], strict=True):
            said = following if word == "--color" else word.removeprefix("--color=")
            color = said if said in ("always", "never") else color
        return self._replace(json=self.json or "--json" in words, color=color)

"""The options of a batch, as the operator gave them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr


class BatchOptions(NamedTuple):
    """The options of a batch. `source` is the list of `--batch`, `-` for stdin; `mapped` are the words of `--map`."""

    source: str | None = None
    encoding: str | None = None
    mapped: Sequence[str] = ()
    list_encoding: str | None = None
    sheet: str | None = None
    header_line: int | None = None
    jobs: int = 1
    rate: str | None = None
    window: str | None = None
    stop_after_failures: int | None = None
    confirm: int | None = None
    report: Path | None = None
    journal: str | None = None
    restart: bool = False
    changed_ok: bool = False
    retry_refused: bool = False
    resend_unknown: bool = False
    accept_risk: bool = False
    night_ok: bool = False
    each_row: bool = False
    allow_duplicate: bool = False
    exclude: Sequence[Path] = ()
    exclude_unread_ok: bool = False
    override_limit: Sequence[str] = ()
    shared: bool = False
    again: bool = False
    budget: int | None = None
    store: str | None = None
    """The event store by which ids of calls are checked, else the profile's."""


def check_shared(options: BatchOptions) -> None:
    """Raises UsageError for options that change the rows of other machines, with `--shared`."""
    for name, given in (("--restart", options.restart), ("--changed-ok", options.changed_ok)):
        if options.shared and given:
            raise UsageError(
                tr("{option} and --shared cannot be used together: nothing was sent", option=name),
                hint=tr("stop the batch on the other machines, then give {option} once without --shared", option=name),
            )

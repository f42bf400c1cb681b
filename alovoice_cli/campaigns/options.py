"""The options of a campaign and of a list, unchecked. Imports nothing heavy: `--help` loads this module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How to read a list, and which files to write from it."""

    encoding: str | None = None
    column: str | None = None
    exclude: Sequence[Path] = ()
    exclude_called: str | None = None
    exclude_unread_ok: bool = False
    clean: bool = False
    clean_name: Path | None = None
    rejected: Path | None = None
    tab: str | None = None
    """The name of a workbook's sheet."""
    header_line: int | None = None
    excel: bool = False
    """Whether the files that are written are for Excel."""

    @property
    def uploads_cleaned(self) -> bool:
        """Returns whether the PBX gets the cleaned list."""
        return self.clean and self.clean_name is None

    @property
    def written(self) -> tuple[str, ...]:
        """Returns the names of the files that will be written."""
        return tuple(str(path) for path in (self.clean_name, self.rejected) if path)


@dataclass(frozen=True, slots=True)
class ForecastOptions:
    """The operator's figures for people and prices; None where not given."""

    answer_rate: str | None = None
    seconds_per_call: float | None = None
    tariff: float | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """A campaign's options from the command line and its definition, unchecked."""

    record: Path
    first: str
    last: str
    opens: str
    closes: str
    recipients: str | None
    numbers: Sequence[str]
    name: str | None
    trunks: str | None
    maxline: int | None
    goodtime: int | None
    tryes: int | None
    paused: bool
    timezone: str | None
    of_list: ListOptions
    split: str | None
    split_from: int
    """The first part of a split campaign to send, from 1."""
    confirm: int | None
    """How many people the operator means to reach."""
    night_ok: bool
    allow_duplicate: bool
    override_limit: frozenset[str]
    no_check: bool
    forecast: ForecastOptions | None
    known_digests: Mapping[str, str]
    """The SHA-256 of files, by path, that an earlier campaign was made of."""

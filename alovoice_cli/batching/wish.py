"""What the words of a batch ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of `--batch`, as given. `source` is the list, or `-` for stdin."""

    source: str = ""
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
    again: bool = False
    budget: int | None = None

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> "Wish":
        """The wish that these options say."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in words.items() if name in known and value is not None})

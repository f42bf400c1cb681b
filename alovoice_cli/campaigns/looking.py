"""A list of numbers by itself, without a campaign: read, screened, and written anew where that is asked for."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from alovoice_cli.campaigns.cleaning import write_lists
from alovoice_cli.campaigns.files import open_list
from alovoice_cli.campaigns.list_findings import list_findings, reading_notes
from alovoice_cli.campaigns.preflight import Report
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.schedule import parse_zone, today_in
from alovoice_cli.campaigns.screening import Called, Screen
from alovoice_cli.campaigns.sheet import Moved
from alovoice_cli.campaigns.wishes import ListWish
from alovoice_cli.spreadsheet import format_for


@dataclass(frozen=True, slots=True)
class SeenList:
    """What was found on a list; `whom` is None where it could not be read."""

    report: Report
    whom: Recipients | None
    written: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """All of it as JSON prints it."""
        return {
            "ok": self.report.problem is None,
            "findings": [finding.as_dict() for finding in self.report.in_order],
            "recipients": self.whom.as_dict() if self.whom is not None else None,
        }

    @property
    def remarks(self) -> Iterator[str]:
        """Sentences for stderr: how it was read, what was written, how it stands."""
        if self.whom is not None:
            yield from reading_notes(self.whom)
        if self.written:
            yield f"written: {', '.join(self.written)}"
        yield self.report.verdict.removesuffix(": nothing was sent")


def look_at_list(
    name: str,
    wish: ListWish,
    stdin: TextIO,
    *,
    profile: str,
    zone: str,
    now: datetime,
    store: Callable[[], Called],
    moved: Moved,
    own_lines: Collection[int] = (),
) -> SeenList:
    """Reads the list `name` (`-`: stdin) as a campaign of today would, and writes the files of the wish.

    Raises UsageError where a file cannot be opened or written; what is wrong within them is found.
    """
    report, written = Report(strict=False), list[str]()
    file, source = open_list(name, None, stdin)
    with file:
        screen = Screen(wish, profile, today_in(parse_zone(zone), now), now, store, own_lines)
        whom = screen.read(file, source or "the list", report, moved)
        if whom is not None:
            report.add(list_findings(whom, cleaned=wish.clean))
            write_lists(whom, wish.clean_name, wish.rejected, format_for(excel=wish.excel))
            written = [str(path) for path in (wish.clean_name, wish.rejected) if path]
    return SeenList(report, whom, tuple(written))

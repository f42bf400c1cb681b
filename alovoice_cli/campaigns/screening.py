"""From a file of recipients to the people to call: how it is to be read, and who is left out."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import BinaryIO, Protocol, TypeVar

from alovoice_cli.campaigns.exclusion import parse_do_not_call, parse_span, since
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.campaigns.findings import Finding
from alovoice_cli.campaigns.recipients import Exclusion, Recipients, read_recipients
from alovoice_cli.campaigns.sheet import Moved
from alovoice_cli.campaigns.wishes import ListWish

T = TypeVar("T")


class Called(Protocol):
    """Whom campaigns from here called."""

    def called_numbers(self, profile: str, since: datetime) -> Iterator[str]:
        """The whole numbers (998901234567) of the campaigns at the aware moment `since` or later."""


class Findings(Protocol):
    """Where findings are gathered."""

    def add(self, findings: Iterator[Finding]) -> None:
        """Takes findings up."""

    def attempt(self, code: str, file: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None where it raises UsageError: then that is a finding of this code."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Who is left out of a list: by do-not-call lists in force on `first_day`, by what was created at `now` or before.

    `store` is opened only where `--exclude-called` asks for it.
    """

    wish: ListWish
    profile: str
    first_day: date
    now: datetime
    store: Callable[[], Called]
    own_lines: Collection[int] = ()
    """The whole numbers of the lines that will call."""

    def read(self, file: BinaryIO, name: str, found: Findings, moved: Moved) -> Recipients | None:
        """The list, screened; None where it cannot be read, which is a finding then."""
        wish = self.wish
        exclusions = list(self._exclusions(found))
        return found.attempt(
            "list",
            name,
            lambda: read_recipients(
                file,
                name,
                encoding=wish.encoding,
                column=wish.column,
                tab=wish.tab,
                header_line=wish.header_line,
                exclusions=exclusions,
                own_lines=self.own_lines,
                moved=moved,
            ),
        )

    def _exclusions(self, found: Findings) -> Iterator[Exclusion]:
        unread_ok = self.wish.exclude_unread_ok
        for path in self.wish.exclude:
            with open_regular(path) as file:
                read = partial(parse_do_not_call, file, str(path), self.first_day, unread_ok=unread_ok)
                listed = found.attempt("exclude", str(path), read)
            if listed is not None:
                found.add(listed.findings())
                yield Exclusion(f"on {path}", listed.numbers, listed.note)
        if self.wish.exclude_called is not None:
            span = parse_span(self.wish.exclude_called, "--exclude-called")
            called = self.store().called_numbers(self.profile, since(span, self.now))
            yield Exclusion(f"called within {self.wish.exclude_called}", set(map(int, called)))

"""A campaign as its operator wants it: what the words say, checked, before the PBX hears of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alovoice_cli.campaigns.schedule import Window, parse_day, parse_minute, today_in
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import count
from alovoice_cli.moments import parse_zone

DEFAULT_ZONE = "utc +5"
"""The API's own default (document, addAutorule, `timezone`)."""

ALL = "all"


def read_window(first: str, last: str, opens: str, closes: str, zone_text: str | None, now: datetime) -> Window:
    """The window that the options name; `now` is aware. Raises UsageError for words that name none; see `check`."""
    zone = parse_zone(zone_text or DEFAULT_ZONE)
    today = today_in(zone, now)
    return Window(
        first=parse_day(first, today, "--from"),
        last=parse_day(last, today, "--to"),
        opens=parse_minute(opens, "--fromtime"),
        closes=parse_minute(closes, "--totime"),
        zone=zone,
    )


def choose_trunks(given: str | None, usual: Sequence[str], ask: Callable[[], Sequence[str | int]]) -> tuple[str, ...]:
    """The lines to dial by: those given, else the profile's `usual` ones; `all` asks the PBX.

    Raises UsageError for none, and for one that is not all digits.
    """
    if given is None and not usual:
        raise UsageError("no lines to dial by", hint="give --trunks 712037006,712037007 or --trunks all")
    words = [word.strip() for word in given.split(",")] if given is not None else list(usual)
    if [word.lower() for word in words] == [ALL]:
        trunks = tuple(str(trunk) for trunk in ask())
        if not trunks:
            raise UsageError("this PBX has no lines", hint="see `alovoice trunks`")
        return trunks
    for word in words:
        if not (word.isascii() and word.isdigit()):
            raise UsageError(f"--trunks {word!r} is no line number", hint="see `alovoice trunks`; several: A,B")
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign ready to be sent. What is None is left to the PBX's own defaults."""

    name: str
    window: Window
    trunks: tuple[str, ...]
    maxline: int | None = None
    goodtime: int | None = None
    tryes: int | None = None
    paused: bool = False

    def to_wire(self) -> dict[str, str]:
        """The text fields of `addAutorule` in the order of the vendor's sample, without the two files.

        `paused` is always said: its default is not documented.
        """
        when = self.window.to_wire()
        zone = when.pop("timezone")
        fields = {"name": self.name, **when, "trunks": ",".join(self.trunks)}
        for name, value in (("maxline", self.maxline), ("goodtime", self.goodtime), ("tryes", self.tryes)):
            if value is not None:
                fields[name] = str(value)
        return {**fields, "paused": "1" if self.paused else "0", "timezone": zone}

    def summary(self, numbers: int, profile: str) -> str:
        """One line for the person who is about to start it, in plain words."""
        lines, people = count(len(self.trunks), "line"), count(numbers, "number")
        return f"{self.name}: {self.window.describe()}, {people}, {lines}, PBX {profile}"

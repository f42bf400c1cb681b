"""A PBX that takes calls by the hundred and counts whom it rang; and what a batch's home needs."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen


def slowly(seconds: float) -> Callable[[Connection, Seen], None]:
    """Answers `true` after so many seconds."""

    def answer(connection: Connection, seen: Seen) -> None:
        time.sleep(seconds)
        connection.answer("200 OK", b"true")

    return answer


class Exchange(RawServer):
    """Answers `true` to each call, `after` which (seconds) may be slow; counts the calls by number."""

    def __init__(self, answer: Callable[[Connection, Seen], None] | None = None) -> None:
        self._answer = answer or (lambda connection, seen: connection.answer("200 OK", b"true"))
        super().__init__([self._take])

    def _take(self, connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            self._answer(connection, seen)

    @property
    def calls(self) -> Counter[str]:
        """How often each number was rung, by requests that came whole."""
        return Counter(json.loads(seen.body)["number"] for seen in self.requests if seen.body)


def numbers(count: int) -> list[str]:
    """Different numbers that there are."""
    return [f"90{1_000_000 + index}" for index in range(count)]


def write_list(home: Path, count: int, name: str = "clients.csv") -> list[str]:
    """A list with a heading, as a CRM exports it."""
    called = numbers(count)
    rows = [f"{number};Клиент {index}" for index, number in enumerate(called)]
    (home / name).write_text("\n".join(["Телефон;Имя", *rows, ""]), encoding="utf-8")
    return called


def point_at(alovoice: FrontDoor, server: RawServer) -> None:
    """Makes the server this home's PBX."""
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}


OUT = (
    *("call", "out", "--batch", "clients.csv", "--map", "number=Телефон", "--inner-phone", "2424"),
    *("--night-ok", "--yes"),
)

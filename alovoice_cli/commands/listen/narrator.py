"""What `listen` says: where it listens, each event, and what the operator should know."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alovoice_cli.events.event import Event
from alovoice_cli.events.rendering import event_as_json
from alovoice_cli.session import Session

_WIDTHS: Final = {"time": 8, "type": 9, "way": 3, "number": 13, "line": 12, "ext": 5, "what": 20}


class Narrator:
    """JSON lines in a pipe or with --json; a heading and a growing table on a terminal."""

    def __init__(self, session: Session, ready_file: str | None) -> None:
        self._session, self._ready_file = session, ready_file
        self._as_json = session.options.json or not session.stdout.isatty()

    def ready(self, urls: Mapping[str, str]) -> None:
        """Tells the URLs, whole: they are to be copied into the PBX's console."""
        session = self._session
        told = {"ready": True, "urls": dict(urls), "pid": os.getpid()}
        if self._as_json:
            session.display.line(told, ours=True)
        else:
            width = max(map(len, urls))
            lines = [f"{kind.ljust(width)}  {url}\n" for kind, url in urls.items()]
            session.stdout.write("listening; AloVoice must be able to reach these URLs:\n" + "".join(lines))
            session.stdout.flush()
            session.stdout.write("\n")
            session.display.row({name: name.upper() for name in _WIDTHS}, _WIDTHS)
        if self._ready_file:
            Path(self._ready_file).write_text("".join(f"{url}\n" for url in urls.values()), "utf-8")

    def event(self, event: Event) -> None:
        """Prints an event as it was stored."""
        if self._as_json:
            self._session.display.line(event_as_json(event))
        else:
            self._session.display.row(_row(event), _WIDTHS)

    def complain(self, text: str) -> None:
        """Prints a warning."""
        self._session.warn(text)


def _row(event: Event) -> dict[str, object]:
    fact = event.fact
    told = f"again ({event.duplicate_of[-4:]})" if event.duplicate_of else _told(event)
    return {
        "time": datetime.fromtimestamp(event.delivery.received_at / 1_000_000, UTC).astimezone().strftime("%H:%M:%S"),
        "type": event.delivery.type,
        "way": fact.direction,
        "number": fact.number,
        "line": fact.line,
        "ext": fact.peer or fact.queue,
        "what": told,
    }


def _told(event: Event) -> str:
    if event.problem:
        return event.problem
    fact = event.fact
    if event.delivery.type == "route":
        step = event.answer.get("step")
        return " ".join(map(str, step.values())) if isinstance(step, dict) else ""
    length = f"{fact.duration} s" if fact.duration is not None else ""
    return " ".join(part for part in (fact.status, length, fact.call_id) if part)

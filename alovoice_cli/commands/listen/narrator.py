"""The output of `listen`: its URLs, each event, and messages to the operator."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from alovoice_cli.events.event import STATUS_TONES, Call, Event
from alovoice_cli.events.event_table import brief, event_as_json, event_cells
from alovoice_cli.language import pgettext, tr
from alovoice_cli.moments import ClockTime, parse_zone
from alovoice_cli.output.listing import Tone
from alovoice_cli.session import Session
from alovoice_cli.store_urls import is_server_url

_WIDTHS: Final = {"event": 6, "time": 8, "type": 9, "number": 12, "line": 12, "peer": 5, "what": 16}  # 80 in all
_TITLES: Final = {
    "event": "Event",
    "time": "Time",
    "type": "Type",
    "number": "Number",
    "line": "Line",
    "peer": "Ext.",
    "what": "What",
}
_MOST_CALLS: Final = 2000
_LOOPBACK: Final = ("127.", "localhost", "[::1]")


class Narrator:
    """JSON lines in a pipe or with --json; a heading and a growing table on a terminal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._as_json = session.options.json or not session.stdout.isatty()
        self._clock = ClockTime(session.now(), parse_zone(session.settings.timezone, tr("the profile's timezone")))
        self._calls: OrderedDict[str, Call] = OrderedDict()

    def ready(self, urls: Mapping[str, str], told: Mapping[str, object]) -> None:
        """Tells the URLs, whole: they are to be copied into the PBX's console. A log gets no secret of theirs."""
        session = self._session
        if session.options.log_format is not None:
            parts = urlsplit(next(iter(urls.values())))
            server = f"{parts.scheme}://{parts.netloc}"
            session.note(tr("listening on {url}", url=server), url=server, admin=told.get("admin"), pid=told["pid"])
        if self._as_json:
            session.display.line(told, ours=True)
        else:
            width = max(map(len, urls))
            lines = [f"{kind.ljust(width)}  {url}\n" for kind, url in urls.items()]
            heading = tr("The listener is running. AloVoice must be able to reach these URLs:")
            session.stdout.write(heading + "\n" + "".join(lines))
            session.stdout.flush()
            if is_server_url(str(told["store"])):
                session.note(tr("events are stored in {store}", store=told["store"]))
            if "admin" in told:
                session.note(tr("admin port with /live, /ready and /metrics: {url}", url=told["admin"]))
            if urlsplit(next(iter(urls.values()))).netloc.startswith(_LOOPBACK):
                session.note(tr("only this computer can reach them; see `alovoice listen --print-nginx`"))
            session.stdout.write("\n")
            session.display.row({name: pgettext("column", title) for name, title in _TITLES.items()}, _WIDTHS)

    def event(self, event: Event) -> None:
        """Prints an event as it was stored."""
        if self._as_json:
            self._session.display.line(event_as_json(event))
        else:
            tone: Tone = STATUS_TONES.get(event.fact.status or "", "")
            self._session.display.row(self._row(event), _WIDTHS, tone)

    def complain(self, text: str) -> None:
        """Prints a warning."""
        self._session.warn(text)

    def _row(self, event: Event) -> dict[str, object]:
        """Returns the row of an event as in `events list`; the call of a callend is known if it is recent."""
        fact, moment = event.fact, datetime.fromtimestamp(event.delivery.received_at / 1_000_000, self._clock.zone)
        if event.delivery.type == "callstart" and fact.call_id:
            self._calls[fact.call_id] = Call(fact.call_id, 0, fact.number, fact.line, fact.peer)
            if len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)
        cells = event_cells(event, self._calls.get(fact.call_id or ""), self._clock, short=True)
        return {**cells, "time": f"{moment:%H:%M:%S}", "what": brief(event, _WIDTHS["what"])}

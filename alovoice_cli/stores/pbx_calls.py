"""The calls of an event store by the PBX's own id, for `alovoice ai`; and ids that are not the PBX's."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from alovoice_cli.events.event import Call
from alovoice_cli.language import tr
from alovoice_cli.stores.event_engine import Connection, marks, opened, reading, store_exists
from alovoice_cli.stores.event_rows import call_from
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_T = TypeVar("_T")
_CHUNK = 400  # twice as many marks fit a query of every SQLite
_CALLS = f"SELECT {CALL_COLUMNS} FROM call"


@dataclass(frozen=True, slots=True)
class StrangeId:
    """An id that the store knows, but not as the PBX's. `pbx_call_id` is the PBX's id of the same call, if known.

    `whose` says in words what the id is.
    """

    id: str
    whose: str
    pbx_call_id: str | None = None


class PbxCalls:
    """An event store; a store that no listener created knows no call. Raises UsageError for an unreadable file."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def exists(self) -> bool:
        """Returns whether a listener has ever created the store."""
        return store_exists(self._url)

    def by_id(self, pbx_ids: Collection[str]) -> Mapping[str, Call]:
        """Returns the calls with these ids of the PBX, without trials; of several with one id the last answered."""
        found: dict[str, Call] = {}
        for connection, part in self._parts(pbx_ids):
            asked = f"{_CALLS} WHERE pbx_call_id IN ({marks(part)}) AND trial = 0 ORDER BY reported_at"
            for row in connection.execute(asked, part):
                call = call_from(row)
                before = found.get(call.pbx_call_id or "")
                if before is None or call.is_answered or not before.is_answered:
                    found[call.pbx_call_id or ""] = call
        return found

    def strange_ids(self, ids: Collection[str]) -> list[StrangeId]:
        """Returns those of the ids that the store knows as other than the PBX's, in the order given.

        An id that the PBX gave to any call here is the PBX's, whatever else has it.
        """
        found: dict[str, StrangeId] = {}
        for connection, part in self._parts(ids):
            known = _known_to_pbx(connection, part)
            left = [id for id in part if id not in known]
            found |= {one.id: one for one in _strange_ids(connection, left)}
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    def imported(self, calls: Sequence[Call]) -> set[str]:
        """Returns the `call_id` of those calls whose start or end `events import` brought."""
        by_number = {seq: call.call_id for call in calls for seq in (call.start_seq, call.end_seq) if seq is not None}
        found: set[str] = set()
        for connection, part in self._parts(by_number):
            asked = f"SELECT seq FROM delivery WHERE seq IN ({marks(part)}) AND imported = 1"
            found |= {by_number[row[0]] for row in connection.execute(asked, part)}
        return found

    def _parts(self, things: Collection[_T]) -> Iterator[tuple[Connection, list[_T]]]:
        listed = list(dict.fromkeys(things))
        if not listed or not self.exists:
            return
        with opened(self._url) as connection, reading(connection):
            for start in range(0, len(listed), _CHUNK):
                yield connection, listed[start : start + _CHUNK]


def _known_to_pbx(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Returns those of the ids that the PBX gave to a call: in the link to a recording, or as a result's own id."""
    asked = (
        f"SELECT pbx_call_id FROM call WHERE pbx_call_id IN ({marks(ids)}) AND trial = 0"
        f" UNION SELECT call_id FROM fact WHERE call_id IN ({marks(ids)}) AND type = 'result' AND trial = 0"
    )
    return {row[0] for row in connection.execute(asked, (*ids, *ids))}


def _strange_ids(connection: Connection, ids: Sequence[str]) -> Iterator[StrangeId]:
    """Yields the ids that belong to an event, an extid, or an answer to a callstart; the last kind has priority."""
    among = f"IN ({marks(ids)})"
    of_event = (
        "SELECT delivery.id, call.pbx_call_id FROM delivery LEFT JOIN fact ON fact.seq = delivery.seq AND fact.part = 0"
        f" LEFT JOIN call ON call.call_id = fact.call_id WHERE delivery.id {among}"
    )
    for id, own in connection.execute(of_event, ids):
        yield StrangeId(id, tr("the id of an event"), own)
    of_request = f"SELECT external_id, pbx_call_id FROM fact WHERE external_id {among} AND type = 'result'"
    for id, own in connection.execute(of_request, ids):
        yield StrangeId(id, tr("the extid of our own request"), own)
    for id, own in connection.execute(f"SELECT call_id, pbx_call_id FROM call WHERE call_id {among}", ids):
        yield StrangeId(id, tr("the response to a callstart (event_call_id)"), own)

"""Which call a result is of, where no id says so.

The document gives a result the PBX's own `id` and our `externalid`, and a callstart neither. What both tell is when
the call began, by which line, and with whom.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, Row, Select, or_, select

from alovoice_cli.events.event import Event, Fact
from alovoice_cli.events.result_matching import parties
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT

_MOST_FACTS = 20
_MICRO = 1_000_000
_APART_SECONDS = 6 * 3600
"""How far apart a call's start and its result arrive at most: a bound for the look-up, longer than calls last."""


def kin_of(connection: Connection, event: Event) -> set[int]:
    """The numbers (`seq`) of the events that tell of the same call as this callstart or result, which do not name it.

    A call is the same that began in the same second, by the same line, with a number that both tell.
    """
    kind, at = event.delivery.type, event.delivery.received_at
    found: set[int] = set()
    for fact in event.facts[:_MOST_FACTS] if kind in ("callstart", "result") else ():
        if fact.started_at is None or fact.line is None:
            continue
        rows = connection.execute(_calls_of(fact, at) if kind == "result" else _results_of(fact, at)).all()
        found |= _seqs(rows)
    return found


def _calls_of(fact: Fact, at: int) -> Select[tuple[int | None, int | None]]:
    within = CALL.c.reported_at.between(at // _MICRO - _APART_SECONDS, at // _MICRO + _APART_SECONDS)
    same = (CALL.c.started_at == fact.started_at, CALL.c.line == fact.line, CALL.c.number.in_(parties(fact)))
    return select(CALL.c.start_seq, CALL.c.end_seq).where(within, *same)


def _results_of(fact: Fact, at: int) -> Select[tuple[int]]:
    apart = _APART_SECONDS * _MICRO
    numbers = [fact.number, (fact.number or "").removeprefix("998"), f"+{fact.number}"]  # `peer` is as it was written
    return (
        select(FACT.c.seq)
        .select_from(DELIVERY.join(FACT, DELIVERY.c.seq == FACT.c.seq))
        .where(
            DELIVERY.c.type == "result",
            DELIVERY.c.received_at.between(at - apart, at + apart),
            FACT.c.started_at == fact.started_at,
            FACT.c.line == fact.line,
            or_(FACT.c.number.in_(numbers), FACT.c.peer.in_(numbers)),
        )
    )


def _seqs(rows: Iterable[Row[tuple[int | None, ...]]]) -> set[int]:
    return {seq for row in rows for seq in row if seq is not None}

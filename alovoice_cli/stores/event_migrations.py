"""The numbered migrations of the event store: oldest first, forward only."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from alovoice_cli.events.reading import read
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT, METADATA

_PLAIN = "998_________"
_LONGEST_EXTENSION = 5


def _read_numbers_anew(connection: Connection) -> None:
    """Reads the other party's number and the line anew from the bodies: older versions glued digits together.

    What was stored as an Uzbek number or an extension stays; a call gets what its callstart says.
    """
    stored = (
        select(FACT.c.seq, FACT.c.part, FACT.c.number, FACT.c.line, DELIVERY.c.type, DELIVERY.c.body)
        .add_columns(DELIVERY.c.content_type)
        .join(DELIVERY, DELIVERY.c.seq == FACT.c.seq)
        .where(or_(_is_odd(FACT.c.number), _is_odd(FACT.c.line)))
    )
    changed = []
    for row in connection.execute(stored):
        facts = read(row.type, row.body, row.content_type).facts
        fact = facts[row.part] if row.part < len(facts) else None
        if fact is not None and (fact.number, fact.line) != (row.number, row.line):
            values = {"its_seq": row.seq, "its_part": row.part, "its_number": fact.number, "its_line": fact.line}
            changed.append(values)
    if changed:
        new: dict[str, ColumnElement[str]] = {"number": bindparam("its_number"), "line": bindparam("its_line")}
        its_fact = and_(FACT.c.seq == bindparam("its_seq"), FACT.c.part == bindparam("its_part"))
        connection.execute(FACT.update().where(its_fact).values(new), changed)
        its_call = and_(CALL.c.start_seq == bindparam("its_seq"), bindparam("its_part") == 0)
        connection.execute(CALL.update().where(its_call).values(new), changed)


def _is_odd(column: ColumnElement[str | None]) -> ColumnElement[bool]:
    return and_(column.notlike(_PLAIN), func.length(column) > _LONGEST_EXTENSION)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (METADATA.create_all, _read_numbers_anew)
"""A store's version is how many of them it has seen."""

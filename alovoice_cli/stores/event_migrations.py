"""The numbered migrations of the event store: oldest first, forward only, each within a transaction that writes."""

from collections.abc import Callable

from alovoice_cli.events.call_ids import read_record_link
from alovoice_cli.events.event import TRIAL_PREFIX
from alovoice_cli.events.reading import read
from alovoice_cli.stores.event_engine import Connection, add_column, create_table, has_table
from alovoice_cli.stores.event_schema import (
    CLAIM_INDEX,
    IMPORT_INDEX,
    KPI_INDEXES,
    NOTICE_TABLES,
    OUTBOX_TARGET,
    PBX_ID_INDEX,
    PROBLEM_INDEX,
    TABLES,
    TRIAL_INDEX,
)

_PLAIN = "998_________"
_LONGEST_EXTENSION = 5


def _make_tables(connection: Connection) -> None:
    for statement in TABLES:
        create_table(connection, statement)


def _read_numbers_anew(connection: Connection) -> None:
    """Reads the other party's number and the line again: older versions joined the digits of several numbers.

    A stored Uzbek number or extension stays; a call gets the values of its callstart.
    """
    odd = " OR ".join(
        f"fact.{name} NOT LIKE '{_PLAIN}' AND length(fact.{name}) > {_LONGEST_EXTENSION}" for name in ("number", "line")
    )
    stored = connection.execute(
        "SELECT fact.seq, fact.part, fact.number, fact.line, delivery.type, delivery.body, delivery.content_type"
        f" FROM fact JOIN delivery ON delivery.seq = fact.seq WHERE {odd}"
    )
    changed = []
    for seq, part, number, line, kind, body, content_type in stored:
        facts = read(kind, body, content_type).facts
        fact = facts[part] if part < len(facts) else None
        if fact is not None and (fact.number, fact.line) != (number, line):
            changed.append((fact.number, fact.line, seq, part))
    connection.executemany("UPDATE fact SET number = ?, line = ? WHERE seq = ? AND part = ?", changed)
    of_calls = [(number, line, seq) for number, line, seq, part in changed if part == 0]
    connection.executemany("UPDATE call SET number = ?, line = ? WHERE start_seq = ?", of_calls)


def _add_outbox_targets(connection: Connection) -> None:
    """Creates the table of the outbox's targets; a target of an older version is shown by its old name."""
    if not has_table(connection, "outbox_target"):
        create_table(connection, OUTBOX_TARGET)
    connection.execute(
        "INSERT INTO outbox_target (name, label, state, changed_at, trouble, waits_until, resumed_at)"
        " SELECT target, target, 'taking', 0, '', 0, 0 FROM outbox"
        " WHERE target NOT IN (SELECT name FROM outbox_target) GROUP BY target"
    )


def _add_queries(connection: Connection) -> None:
    """Adds the query of the URL to deliveries, and an index that counts unreadable ones."""
    add_column(connection, "delivery", "query TEXT NOT NULL DEFAULT ''")
    connection.execute(PROBLEM_INDEX)


def _add_messages(connection: Connection) -> None:
    """Adds a message to queued deliveries that is sent in place of the event: a finished call."""
    add_column(connection, "outbox", "message TEXT NOT NULL DEFAULT ''")


def _add_trial_marks(connection: Connection) -> None:
    """Marks made-up events, which older versions recognised only by their numbers."""
    for table in ("fact", "call"):
        add_column(connection, table, "trial INTEGER NOT NULL DEFAULT 0")
        connection.execute(
            f"UPDATE {table} SET trial = 1 WHERE number >= ? AND number < ?", (TRIAL_PREFIX, str(int(TRIAL_PREFIX) + 1))
        )
    connection.execute(TRIAL_INDEX)


_VERSION_3: tuple[Callable[[Connection], None], ...] = (
    _add_outbox_targets,
    _add_trial_marks,
    _add_queries,
    _add_messages,
)
"""The steps to version 3, in order.

A new store has the tables and columns of `event_schema` already: a step adds only what is missing.
"""


def _make_version_3(connection: Connection) -> None:
    for step in _VERSION_3:
        step(connection)


def _mark_imports(connection: Connection) -> None:
    """Adds a mark to deliveries imported from another history: no listener of this store received them."""
    for table in ("delivery", "uptime"):
        add_column(connection, table, "imported INTEGER NOT NULL DEFAULT 0")
    connection.execute(IMPORT_INDEX)


def _read_pbx_ids(connection: Connection) -> None:
    """Reads the PBX's own id of each stored call from the link to its recording, or from the `id` of its result."""
    for table in ("fact", "call"):
        add_column(connection, table, "pbx_call_id TEXT")
    links = connection.execute("SELECT record FROM fact WHERE record <> '' UNION SELECT record FROM call").fetchall()
    found = [(own, link) for (link,) in links if (own := read_record_link(link)) is not None]
    connection.execute("CREATE TEMPORARY TABLE read_link (record TEXT PRIMARY KEY, pbx_call_id TEXT)")
    connection.executemany("INSERT INTO read_link (pbx_call_id, record) VALUES (?, ?)", found)
    for table in ("fact", "call"):
        told = f"(SELECT pbx_call_id FROM read_link WHERE read_link.record = {table}.record)"
        connection.execute(f"UPDATE {table} SET pbx_call_id = {told} WHERE record <> ''")
    connection.execute("UPDATE fact SET pbx_call_id = call_id WHERE type = 'result' AND pbx_call_id IS NULL")
    connection.execute("DROP TABLE read_link")
    connection.execute(PBX_ID_INDEX)


def _add_notices(connection: Connection) -> None:
    """Creates the tables of messages about missed calls."""
    if not has_table(connection, "notice"):
        for statement in NOTICE_TABLES:
            create_table(connection, statement)


def _add_kpi_indexes(connection: Connection) -> None:
    for statement in KPI_INDEXES:
        connection.execute(statement)


_VERSION_4: tuple[Callable[[Connection], None], ...] = (
    _mark_imports,
    _read_pbx_ids,
    _add_notices,
    _add_kpi_indexes,
)
"""The steps to version 4, in order, as for version 3."""


def _make_version_4(connection: Connection) -> None:
    for step in _VERSION_4:
        step(connection)


def _add_claims(connection: Connection) -> None:
    """Adds claims: if several listeners forward, one of them claims each queued delivery."""
    add_column(connection, "outbox", "owner TEXT NOT NULL DEFAULT ''")
    connection.execute(CLAIM_INDEX)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _make_tables,
    _read_numbers_anew,
    _make_version_3,
    _make_version_4,
    _add_claims,
)
"""A store's version is the number of migrations that it has had; `event_schema.VERSION` is that of a new store."""

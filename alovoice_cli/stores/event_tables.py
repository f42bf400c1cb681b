"""The tables of the event store, for any database that SQLAlchemy serves; schema version by numbered migrations.

`delivery` is the record. `fact` and `call` are derived from it and can be made again; `outbox` is what is still to be
forwarded; `uptime` says when a listener was there to receive.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()

# In SQLite only an INTEGER primary key is the row's own place; elsewhere INTEGER would end at 2,147,483,647.
_BIG = BigInteger().with_variant(Integer(), "sqlite")

VERSION = Table("schema_version", METADATA, Column("version", Integer, nullable=False))

DELIVERY = Table(
    "delivery",
    METADATA,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("type", String(16), nullable=False),
    Column("received_at", _BIG, nullable=False),  # unix microseconds
    Column("peer", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON: [[name, value], …]
    Column("body", LargeBinary, nullable=False),
    Index("delivery_by_type", "type", "seq"),
    Index("delivery_by_time", "received_at"),
)

FACT = Table(
    "fact",
    METADATA,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),  # the object's place in the delivery, from 0
    Column("type", String(16), nullable=False),
    Column("received_at", _BIG, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("duplicate_of", String(32)),  # an id of a delivery
    Column("problem", Text, nullable=False, default=""),
    Column("answer", Text),  # JSON
    Column("rule", Text),  # of a route question: the rule that decided
    Column("call_id", Text),
    Column("external_id", Text),
    Column("number", Text),
    Column("line", Text),
    Column("peer", Text),
    Column("queue", Text),
    Column("direction", Text),
    Column("status", Text),
    Column("duration", _BIG),
    Column("started_at", _BIG),
    Column("answered_at", _BIG),
    Column("ended_at", _BIG),
    Column("record", Text),
    Index("fact_by_digest", "digest", "received_at"),
    Index("fact_by_call", "call_id"),
    Index("fact_by_external", "external_id"),
    Index("fact_by_number", "number", "seq"),
)
"""A delivery of which nothing could be read has one row too, with its `problem` and no values."""

CALL = Table(
    "call",
    METADATA,
    Column("call_id", String(64), primary_key=True),
    Column("reported_at", _BIG, nullable=False),  # unix seconds
    Column("number", Text),
    Column("line", Text),
    Column("peer", Text),
    Column("direction", Text),
    Column("started_at", _BIG),
    Column("ended_at", _BIG),
    Column("status", Text),
    Column("duration", _BIG),
    Column("record", Text),
    Column("external_id", Text),
    Column("start_seq", _BIG),
    Column("end_seq", _BIG),
    Column("result_seq", _BIG),
    Index("call_by_time", "reported_at"),
    Index("call_by_number", "number", "reported_at"),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("queue", Text, nullable=False),  # events of one call go in order: the call's key, or the event's own id
    Column("state", String(8), nullable=False),  # due, done, dead
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", _BIG, nullable=False),  # unix microseconds
    Column("born_at", _BIG, nullable=False),
    Column("trouble", Text, nullable=False, default=""),
    Index("outbox_in_order", "target", "state", "seq"),
    Index("outbox_by_queue", "target", "queue", "state", "seq"),
)

UPTIME = Table(
    "uptime",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("began_at", _BIG, nullable=False),  # unix microseconds
    Column("seen_at", _BIG, nullable=False),  # the last sign of life
    Column("ended_at", _BIG),  # None: it did not end in order, or is at work
)

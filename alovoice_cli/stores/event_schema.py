"""The tables of the event store, and the names of their columns.

`delivery` is the record. `fact` and `call` are derived from it and can be derived again. `outbox` has the events to
forward, `notice` the missed calls to report, `uptime` the times of running listeners. Moments are unix microseconds
(`*_at` of deliveries, outbox, notices and uptime) or unix seconds (the PBX's own times, and `call.reported_at`).
"""

from dataclasses import fields

from alovoice_cli.events.event import Call, Fact

FACT_COLUMNS = ", ".join(field.name for field in fields(Fact))
"""The columns of `fact` that make a Fact, in its order."""
CALL_COLUMNS = ", ".join(field.name for field in fields(Call))
DELIVERY_COLUMNS = "id, type, received_at, body, content_type, peer, headers, seq, query, imported"

_DELIVERY = """CREATE TABLE delivery (
    seq BIGINT NOT NULL,
    id VARCHAR(32) NOT NULL,
    type VARCHAR(16) NOT NULL,
    received_at BIGINT NOT NULL,
    peer TEXT NOT NULL,
    content_type TEXT NOT NULL,
    headers TEXT NOT NULL, -- JSON: [[name, value], …]
    body BLOB NOT NULL,
    query TEXT NOT NULL DEFAULT '',
    imported INTEGER NOT NULL DEFAULT 0, -- 1: `events import` brought it
    PRIMARY KEY (seq),
    UNIQUE (id)
)"""

# An unreadable delivery also has one row, with its `problem` and no values. `part` is the object's place in the
# delivery, from 0; `answer` is JSON; `rule` decided a route question; `duplicate_of` is a delivery's id. `trial` is 1
# for a made-up event, and for a call with made-up events only.
_FACT = """CREATE TABLE fact (
    seq BIGINT NOT NULL,
    part INTEGER NOT NULL,
    type VARCHAR(16) NOT NULL,
    received_at BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    duplicate_of VARCHAR(32),
    problem TEXT NOT NULL,
    answer TEXT,
    rule TEXT,
    call_id TEXT,
    external_id TEXT,
    number TEXT,
    line TEXT,
    peer TEXT,
    queue TEXT,
    direction TEXT,
    status TEXT,
    duration BIGINT,
    started_at BIGINT,
    answered_at BIGINT,
    ended_at BIGINT,
    record TEXT,
    trial INTEGER NOT NULL DEFAULT 0,
    pbx_call_id TEXT,
    PRIMARY KEY (seq, part)
)"""

_CALL = """CREATE TABLE call (
    call_id VARCHAR(64) NOT NULL,
    reported_at BIGINT NOT NULL,
    number TEXT,
    line TEXT,
    peer TEXT,
    direction TEXT,
    started_at BIGINT,
    ended_at BIGINT,
    status TEXT,
    duration BIGINT,
    record TEXT,
    external_id TEXT,
    start_seq BIGINT,
    end_seq BIGINT,
    result_seq BIGINT,
    trial INTEGER NOT NULL DEFAULT 0,
    pbx_call_id TEXT,
    PRIMARY KEY (call_id)
)"""

# Events of one call are sent in order: `queue` is the call's key, or the event's own id. `state` is due, running (a
# program was started, or is about to start), done or dead. `born_at` is when the delivery began to wait. `message` is a
# finished call as JSON, which is sent in place of the event `seq`, its callstart; "" sends the event itself. `owner` is
# the listener that has claimed the delivery, if several listeners forward; "" for none.
_OUTBOX = """CREATE TABLE outbox (
    target VARCHAR(200) NOT NULL,
    seq BIGINT NOT NULL,
    queue TEXT NOT NULL,
    state VARCHAR(8) NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    born_at BIGINT NOT NULL,
    trouble TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (target, seq)
)"""

# The state of each target of the outbox. `name` is that of `outbox.target`; `label` is shown, and contains no secret.
# `state` is taking, refusing, paused or stopped, since `changed_at`; `waits_until` is the end of a pause that the
# target asked for. `resumed_at`: when `events outbox retry` last ordered an attempt at once.
OUTBOX_TARGET = """CREATE TABLE outbox_target (
    name VARCHAR(200) NOT NULL,
    label TEXT NOT NULL,
    state VARCHAR(8) NOT NULL,
    changed_at BIGINT NOT NULL,
    trouble TEXT NOT NULL,
    waits_until BIGINT NOT NULL,
    resumed_at BIGINT NOT NULL,
    PRIMARY KEY (name)
)"""

# A missed call to report; `seq` is its callstart. `state` is as in `events.notices`; `message` is 0 before there is a
# message. It began to wait at `born_at`.
_NOTICE = """CREATE TABLE notice (
    target VARCHAR(200) NOT NULL,
    seq BIGINT NOT NULL,
    state VARCHAR(8) NOT NULL,
    due_at BIGINT NOT NULL,
    born_at BIGINT NOT NULL,
    message BIGINT NOT NULL,
    PRIMARY KEY (target, seq)
)"""

# A message about missed calls. `state` is sending, sent or dropped; `remote_id` is the messenger's own id, `text` the
# last delivered text. It is being sent or edited since `tried_at`.
_NOTICE_MESSAGE = """CREATE TABLE notice_message (
    target VARCHAR(200) NOT NULL,
    id BIGINT NOT NULL,
    state VARCHAR(8) NOT NULL,
    remote_id TEXT NOT NULL,
    text TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (target, id)
)"""

# The chat that has replaced the target's own one.
_NOTICE_CHAT = """CREATE TABLE notice_chat (
    target VARCHAR(200) NOT NULL,
    chat TEXT NOT NULL,
    PRIMARY KEY (target)
)"""

NOTICE_TABLES = (
    _NOTICE,
    _NOTICE_MESSAGE,
    _NOTICE_CHAT,
    "CREATE INDEX notice_by_state ON notice (target, state, born_at)",
    "CREATE INDEX notice_by_message ON notice (target, message)",
    "CREATE INDEX notice_by_start ON notice (seq)",
    "CREATE INDEX notice_message_by_time ON notice_message (target, tried_at)",
)

# `seen_at` is the last sign of life. Without `ended_at` a listener is running, or did not end in order. `imported`: a
# time whose events were all imported, by the word of the operator or of another store.
_UPTIME = """CREATE TABLE uptime (
    id VARCHAR(32) NOT NULL,
    began_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT,
    imported INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
)"""

PROBLEM_INDEX = "CREATE INDEX IF NOT EXISTS fact_with_problem ON fact (received_at) WHERE problem <> ''"
IMPORT_INDEX = "CREATE INDEX IF NOT EXISTS delivery_imported ON delivery (received_at) WHERE imported = 1"
PBX_ID_INDEX = "CREATE INDEX IF NOT EXISTS call_by_pbx_id ON call (pbx_call_id) WHERE pbx_call_id IS NOT NULL"
KPI_INDEXES = (
    "CREATE INDEX IF NOT EXISTS fact_of_results ON fact (started_at) WHERE type = 'result'",
    "CREATE INDEX IF NOT EXISTS fact_repeated ON fact (received_at) WHERE duplicate_of IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS fact_end_of_no_call ON fact (received_at) WHERE type = 'callend' AND call_id IS NULL",
)
"""Key figures need these few rows; each index contains only them."""
CLAIM_INDEX = "CREATE INDEX IF NOT EXISTS outbox_claimed ON outbox (target, seq) WHERE owner <> ''"
TRIAL_INDEX = "CREATE INDEX IF NOT EXISTS fact_of_trials ON fact (seq) WHERE trial = 1"

TABLES = (
    "CREATE TABLE schema_version (version INTEGER NOT NULL)",
    _DELIVERY,
    _FACT,
    _CALL,
    _OUTBOX,
    OUTBOX_TARGET,
    _UPTIME,
    *NOTICE_TABLES,
    "CREATE INDEX delivery_by_type ON delivery (type, seq)",
    "CREATE INDEX delivery_by_time ON delivery (received_at)",
    "CREATE INDEX fact_by_digest ON fact (digest, received_at)",
    "CREATE INDEX fact_by_call ON fact (call_id)",
    "CREATE INDEX fact_by_external ON fact (external_id)",
    "CREATE INDEX fact_by_number ON fact (number, seq)",
    PROBLEM_INDEX,
    TRIAL_INDEX,
    IMPORT_INDEX,
    PBX_ID_INDEX,
    *KPI_INDEXES,
    "CREATE INDEX call_by_time ON call (reported_at)",
    "CREATE INDEX call_by_number ON call (number, reported_at)",
    "CREATE INDEX outbox_in_order ON outbox (target, state, seq)",
    "CREATE INDEX outbox_by_queue ON outbox (target, queue, state, seq)",
    CLAIM_INDEX,
)
VERSION = 5
"""The version of the schema: the number of migrations in `event_migrations`."""

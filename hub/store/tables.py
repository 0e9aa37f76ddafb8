"""The kernel's tables: what arrived, what it became, what is waiting. Every table carries the tenant.

A raw is immutable; its place in the inbox is a row of its own that is deleted when the raw has an outcome, so that a
body is never rewritten. The same holds for an event and its place in the outbox.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from hub.store.columns import Instant, Json, Serial

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def tenant() -> Column[str]:
    return Column("tenant", String(64), primary_key=True)


tenants = Table(
    "tenants",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("zone", String(64), nullable=False),
    # The last event number given. Taking the next ones locks this row: one writer of facts per tenant at a time.
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    tenant(),
    Column("id", String(64), primary_key=True),
    Column("connector", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("sealed", Json, nullable=False),  # setting name → sealed values, newest first
    Column("allow", Json, nullable=False),  # networks beyond the public ones that it may call
    Column("field_map", String(64)),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("state", String(16), nullable=False),
    Column("state_reason", Json),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    tenant(),
    Column("connection", String(64), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

raws = Table(
    "raws",
    metadata,
    tenant(),
    Column("id", String(40), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("door", String(8), nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    # The same key came with another body: kept and shown, and allowed beside the first one.
    Column("conflict", Boolean, nullable=False, server_default=false()),
)
Index(
    "uq_raws_first_of_key",
    raws.c.tenant,
    raws.c.connection,
    raws.c.key,
    unique=True,
    sqlite_where=raws.c.conflict.is_(False),
    postgresql_where=raws.c.conflict.is_(False),
)
Index("ix_raws_received", raws.c.tenant, raws.c.connection, raws.c.received_at)

inbox = Table(
    "inbox",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("raw", String(40), nullable=False),
    Column("again", Boolean, nullable=False, server_default=false()),  # a replay: the raw has an outcome already
    sqlite_autoincrement=True,
)
Index("ix_inbox_tenant", inbox.c.tenant, inbox.c.place)

outcomes = Table(
    "outcomes",
    metadata,
    tenant(),
    Column("raw", String(40), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("kind", String(12), nullable=False),  # understood | ignored | parked
    Column("rule", Text),
    Column("reason", Json),
    Column("events", Integer, nullable=False),
    Column("field_map", String(80)),
    Column("at", Instant, nullable=False),
)
Index("ix_outcomes_kind", outcomes.c.tenant, outcomes.c.kind, outcomes.c.connection)

duplicates = Table(
    "duplicates",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("raw", String(40), nullable=False),
    Column("received_at", Instant, nullable=False),
)
Index("ix_duplicates_connection", duplicates.c.tenant, duplicates.c.connection)

quarantine = Table(
    "quarantine",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("reason", Json, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
)
Index("ix_quarantine_connection", quarantine.c.tenant, quarantine.c.connection, quarantine.c.place)

cursors = Table(
    "cursors",
    metadata,
    tenant(),
    Column("connection", String(64), primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("cursor", Json),
    Column("wanted", Boolean, nullable=False, server_default=false()),  # somebody asked for a sync now
    Column("pulled_at", Instant),
    Column("pulled", BigInteger, nullable=False, server_default="0"),
    Column("problem", Json),
)

events = Table(
    "events",
    metadata,
    tenant(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(40), nullable=False),
    Column("type", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("cause", String(40), nullable=False),
    Column("trace", String(40), nullable=False),
    Column("data", Text, nullable=False),
)
Index("uq_events_id", events.c.tenant, events.c.id, unique=True)
Index("ix_events_type", events.c.tenant, events.c.type, events.c.seq)
Index("ix_events_subject", events.c.tenant, events.c.subject)
Index("ix_events_cause", events.c.tenant, events.c.cause)
Index("ix_events_trace", events.c.tenant, events.c.trace)

outbox = Table(
    "outbox",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

seen = Table(
    "seen",
    metadata,
    tenant(),
    Column("subscriber", String(64), primary_key=True),
    Column("event", String(40), primary_key=True),
    Column("at", Instant, nullable=False),
)

held = Table(
    "held",
    metadata,
    tenant(),
    Column("subscriber", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("event", String(40), nullable=False),
    Column("key", Text, nullable=False),
    Column("state", String(8), nullable=False),  # later | parked | behind
    Column("due_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("reason", Json),
    Column("at", Instant, nullable=False),
)
Index("ix_held_key", held.c.tenant, held.c.subscriber, held.c.key)
Index("ix_held_due", held.c.due_at)

actions = Table(
    "actions",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("id", String(40), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", Text),
    Column("fields", Json, nullable=False),
    Column("cause", String(40), nullable=False),
    Column("trace", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # waiting | started | done | failed | unknown
    Column("attempts", Integer, nullable=False),
    Column("most_attempts", Integer),
    Column("due_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("record", Text),
    Column("problem", Json),
    Column("asked_at", Instant, nullable=False),
)
Index("uq_actions_id", actions.c.tenant, actions.c.id, unique=True)
Index("ix_actions_due", actions.c.state, actions.c.due_at, actions.c.place)
# What is about one thing goes out in order: whoever takes an action asks for the first of its thing that is open.
OPEN = text("state IN ('waiting', 'started')")
Index(
    "ix_actions_open",
    actions.c.tenant,
    actions.c.connection,
    actions.c.about,
    actions.c.place,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)
Index("ix_actions_connection", actions.c.tenant, actions.c.connection, actions.c.state)
Index("ix_actions_trace", actions.c.tenant, actions.c.trace)

files = Table(
    "files",
    metadata,
    tenant(),
    Column("id", String(40), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),  # waiting | reading | read | refused
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("new", Integer, nullable=False, server_default="0"),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("conflicts", Integer, nullable=False, server_default="0"),
    Column("problem", Json),
    Column("received_at", Instant, nullable=False),
    Column("members", Json),  # of an archive: what became of each file in it
)
Index("uq_files_sha256", files.c.tenant, files.c.connection, files.c.sha256, unique=True)

definitions = Table(
    "definitions",
    metadata,
    tenant(),
    Column("kind", String(8), primary_key=True),  # map | flow | policy
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    tenant(),
    Column("id", String(40), primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", Json, nullable=False),
    Column("sealed", Json, nullable=False),
    Column("allow", Json, nullable=False),
    Column("state", String(10), nullable=False),  # active | disabled
    Column("reason", Text),
    Column("failing_since", Instant),
    Column("created_at", Instant, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    tenant(),
    Column("key", String(128), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

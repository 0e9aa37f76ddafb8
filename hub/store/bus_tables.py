"""The embedded bus: its queues, their bindings and what is in them.

A message is the broker's, as it would be in RabbitMQ: bytes for a queue. Whose it is stands in the bytes, so these are
the tables without a tenant column; nothing but the bus's transport reads them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from hub.store.columns import Json, Serial
from hub.store.tables import metadata

bus_queues = Table(
    "bus_queues",
    metadata,
    Column("name", String(255), primary_key=True),
    # Who hands over this queue's messages, until when (milliseconds since 1970), if nobody renews it.
    Column("holder", String(64)),
    Column("held_until", BigInteger, nullable=False, server_default="0"),
)

bus_bindings = Table(
    "bus_bindings",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("exchange", String(255), nullable=False),
    Column("pattern", Text, nullable=False),
    Column("queue", String(255), nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice: the highest one and the count tell whether anything changed
)
Index("uq_bus_bindings", bus_bindings.c.exchange, bus_bindings.c.pattern, bus_bindings.c.queue, unique=True)

bus_messages = Table(
    "bus_messages",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("queue", String(255), nullable=False),
    Column("due", BigInteger, nullable=False),  # milliseconds since 1970; 0: at once
    Column("routing_key", Text, nullable=False),
    Column("headers", Json),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a consumer that lost its queue must not delete another message under an old number
)
Index("ix_bus_messages_ready", bus_messages.c.queue, bus_messages.c.due, bus_messages.c.place)

"""The ledger's tables: what the events add up to. All of them can be dropped and made again from the events.

Money is a whole number of minor units (`_minor`) beside its currency. The database itself refuses a share that would
exceed its receipt or its receivable: by the checks here, and by the triggers in `hub.store.guards`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Float, Index, Integer, String, Table, Text

from hub.core.money import from_minor
from hub.store.columns import Exact, Instant, Json
from hub.store.tables import metadata, tenant


def _noun(name: str, *columns: Column[object] | CheckConstraint) -> Table:
    return Table(
        name,
        metadata,
        tenant(),
        Column("id", String(160), primary_key=True),
        *columns,
        # The number of the event that changed the row last: what `If-Match` compares, and the same after a rebuild.
        Column("version", BigInteger, nullable=False),
        info={"ledger": True},
    )


customers = _noun(
    "customers",
    Column("name", Text, nullable=False),
    Column("tax_id", String(32)),
    Column("owner", String(64)),
    Column("aliases", Json, nullable=False),
    Column("accounts", Json, nullable=False),
)
links = _noun(  # id is connection|kind|ours
    "links",
    Column("connection", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("ours", String(160), nullable=False),
    Column("record", Text, nullable=False),
)
Index("ix_links_record", links.c.tenant, links.c.connection, links.c.kind, links.c.record)
Index("ix_links_ours", links.c.tenant, links.c.kind, links.c.ours)
leads = _noun(
    "leads",
    Column("name", Text),
    Column("company", Text),
    Column("phone", String(64)),
    Column("source", Text),
    Column("owner", String(64)),
)
opportunities = _noun(
    "opportunities",
    Column("stage", Text, nullable=False),
    Column("customer", String(160)),
    Column("amount_minor", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("owner", String(64)),
)
quotes = _noun(
    "quotes",
    Column("customer", String(160)),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("payment_terms", String(64)),
    Column("need_by", Date),
    Column("salesperson", String(64)),
    Column("contact_name", Text),
    Column("contact_phone", String(64)),
    Column("lines", Json, nullable=False),
    Column("state", String(12), nullable=False),  # requested | checked | approved
    Column("verdict", String(12)),
    Column("promise_date", Date),
)
contracts = _noun(
    "contracts",
    Column("title", Text),
    Column("quote", String(160)),
    Column("order", String(160)),
    Column("customer", String(160)),
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("signers", Json, nullable=False),
    Column("signed_at", Instant),
)
orders = _noun(
    "orders",
    Column("customer", String(160)),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger, nullable=False),
    Column("open_minor", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("ordered_on", Date),
    Column("due_on", Date),
    Column("payment_terms", String(64)),
    Column("contract", String(160)),
    Column("quote", String(160)),
    Column("invoice", String(160)),
    Column("salesperson", String(64)),
    Column("lines", Json, nullable=False),
    Column("state", String(12), nullable=False),  # placed | cancelled
)
nodes = _noun(  # id is order|node
    "nodes",
    Column("order", String(160), nullable=False),
    Column("node", String(16), nullable=False),
    Column("done_at", Instant),
    Column("owner", String(64)),
)
receivables = _noun(
    "receivables",
    Column("order", String(160), nullable=False),
    Column("customer", String(160)),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("difference_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("due_on", Date),
    Column("position", Integer, nullable=False),
    Column("label", Text),
    Column("percent", Exact),
    Column("invoice", String(160)),
    Column("contract", String(160)),
    Column("state", String(12), nullable=False),  # open | settled | cancelled
    CheckConstraint("paid_minor >= 0 AND paid_minor <= amount_minor", name="paid_within_amount"),
)
Index("ix_receivables_open", receivables.c.tenant, receivables.c.state, receivables.c.customer)
Index("ix_receivables_order", receivables.c.tenant, receivables.c.order)
statements = _noun(
    "statements",
    Column("format", String(64), nullable=False),
    Column("file", String(80), nullable=False),
    Column("account", String(64)),
    Column("currency", String(3), nullable=False),
    Column("opening_minor", BigInteger),
    Column("closing_minor", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("credits_minor", BigInteger, nullable=False),
    Column("debits_minor", BigInteger, nullable=False),
    Column("from_day", Date),
    Column("to_day", Date),
    Column("balanced", Boolean),
)
receipts = _noun(
    "receipts",
    Column("account", String(64)),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date),
    Column("amount_minor", BigInteger, nullable=False),
    Column("shared_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("payer_name", Text),
    Column("payer_account", String(64)),
    Column("payer_bank", Text),
    Column("memo", Text, nullable=False),
    Column("reference", Text),
    Column("bank_reference", Text),
    Column("end_to_end_id", Text),
    Column("file", String(80)),
    Column("row", Integer),
    Column("lane", String(8)),  # auto | review | open
    Column("state", String(10), nullable=False),  # new | proposed | matched | rejected | reversed
    Column("match", String(40)),
    CheckConstraint("shared_minor >= 0 AND shared_minor <= amount_minor", name="shared_within_amount"),
)
Index("ix_receipts_lane", receipts.c.tenant, receipts.c.state, receipts.c.lane)
matches = _noun(
    "matches",
    Column("receipt", String(160), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("probability", Float, nullable=False),
    Column("shares", Json, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("runners_up", Json, nullable=False),
    Column("held_by", Text),
    Column("policy", String(64), nullable=False),
    Column("state", String(10), nullable=False),  # proposed | accepted | rejected | undone
    Column("by", String(64)),
    Column("customer", String(160)),
)
Index("ix_matches_receipt", matches.c.tenant, matches.c.receipt)
shares = _noun(  # id is match|position
    "shares",
    Column("match", String(40), nullable=False),
    Column("receipt", String(160), nullable=False),
    Column("receivable", String(160), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("difference_minor", BigInteger, nullable=False),
    Column("booked_as", Text),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
)
Index("ix_shares_receipt", shares.c.tenant, shares.c.receipt)
Index("ix_shares_receivable", shares.c.tenant, shares.c.receivable)
payers = _noun(  # id is derived from name, account and customer; what finance confirmed, and how often
    "payers",
    Column("name", Text),
    Column("account", String(64)),
    Column("customer", String(160), nullable=False),
    Column("times", Integer, nullable=False),
    Column("last_seen", Date),
)
products = _noun("products", Column("name", Text))
supplies = _noun(  # id is connection|sku|warehouse
    "supplies",
    Column("connection", String(64), nullable=False),
    Column("sku", String(80), nullable=False),
    Column("warehouse", String(64), nullable=False),
    Column("on_hand", Exact, nullable=False),
    Column("reserved", Exact, nullable=False),
    Column("incoming", Json, nullable=False),
    Column("as_of", Instant, nullable=False),
)
Index("ix_supplies_sku", supplies.c.tenant, supplies.c.sku)
holds = _noun(
    "holds",
    Column("quote", String(160), nullable=False),
    Column("sku", String(80), nullable=False),
    Column("warehouse", String(64), nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("until", Instant, nullable=False),
    Column("on", Date),
)
Index("ix_holds_sku", holds.c.tenant, holds.c.sku)

LEDGER: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if table.info.get("ledger"))


def plain_row(row: Any, currency: str | None = None) -> dict[str, Any]:
    """The row for people and other systems: minor units as decimals of the row's currency, without the tenant."""
    code = currency or row.get("currency") or "CNY"
    return {
        name.removesuffix("_minor"): from_minor(value, code) if name.endswith("_minor") and value is not None else value
        for name, value in row.items()
        if name != "tenant"
    }

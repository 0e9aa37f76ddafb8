"""The ledger's tables: what the events add up to. All of them can be dropped and made again from the events.

Money is a whole number of minor units (`_minor`) beside its currency. The database itself refuses a share that would
exceed its receipt or its receivable: by the checks here, and by the triggers in `hub.store.guards`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Float, Index, Integer, Table, Text

from hub.core.money import from_minor
from hub.store.columns import Exact, Instant, Json
from hub.store.tables import metadata, tenant


def _noun(name: str, *columns: Column[object] | CheckConstraint) -> Table:
    return Table(
        name,
        metadata,
        tenant(),
        Column("id", Text, primary_key=True),
        *columns,
        # The number of the event that changed the row last: what `If-Match` compares, and the same after a rebuild.
        Column("version", BigInteger, nullable=False),
        info={"ledger": True},
    )


customers = _noun(
    "customers",
    Column("name", Text, nullable=False),
    Column("tax_id", Text),
    Column("owner", Text),
    Column("aliases", Json, nullable=False),
    Column("accounts", Json, nullable=False),
)
links = _noun(  # id is connection|kind|ours
    "links",
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ours", Text, nullable=False),
    Column("record", Text, nullable=False),
)
Index("ix_links_record", links.c.tenant, links.c.connection, links.c.kind, links.c.record)
Index("ix_links_ours", links.c.tenant, links.c.kind, links.c.ours)
leads = _noun(
    "leads",
    Column("name", Text),
    Column("company", Text),
    Column("phone", Text),
    Column("source", Text),
    Column("owner", Text),
)
opportunities = _noun(
    "opportunities",
    Column("stage", Text, nullable=False),
    Column("customer", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text, nullable=False),
    Column("owner", Text),
)
quotes = _noun(
    "quotes",
    Column("customer", Text),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text, nullable=False),
    Column("payment_terms", Text),
    Column("need_by", Date),
    Column("salesperson", Text),
    Column("contact_name", Text),
    Column("contact_phone", Text),
    Column("lines", Json, nullable=False),
    Column("state", Text, nullable=False),  # requested | checked | approved
    Column("verdict", Text),
    Column("promise_date", Date),
)
contracts = _noun(
    "contracts",
    Column("title", Text),
    Column("quote", Text),
    Column("order", Text),
    Column("customer", Text),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("signers", Json, nullable=False),
    Column("signed_at", Instant),
)
orders = _noun(
    "orders",
    Column("customer", Text),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger, nullable=False),
    Column("open_minor", BigInteger),
    Column("currency", Text, nullable=False),
    Column("ordered_on", Date),
    Column("due_on", Date),
    Column("payment_terms", Text),
    Column("contract", Text),
    Column("quote", Text),
    Column("invoice", Text),
    Column("salesperson", Text),
    Column("lines", Json, nullable=False),
    Column("state", Text, nullable=False),  # placed | cancelled
)
nodes = _noun(  # id is order|node
    "nodes",
    Column("order", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("done_at", Instant),
    Column("owner", Text),
)
receivables = _noun(
    "receivables",
    Column("order", Text, nullable=False),
    Column("customer", Text),
    Column("customer_name", Text),
    Column("amount_minor", BigInteger, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("difference_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due_on", Date),
    Column("position", Integer, nullable=False),
    Column("label", Text),
    Column("percent", Exact),
    Column("invoice", Text),
    Column("contract", Text),
    Column("state", Text, nullable=False),  # open | settled | cancelled
    CheckConstraint("paid_minor >= 0 AND paid_minor <= amount_minor", name="paid_within_amount"),
)
Index("ix_receivables_open", receivables.c.tenant, receivables.c.state, receivables.c.customer)
Index("ix_receivables_order", receivables.c.tenant, receivables.c.order)
statements = _noun(
    "statements",
    Column("format", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("account", Text),
    Column("currency", Text, nullable=False),
    Column("opening_minor", BigInteger),
    Column("closing_minor", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("credits_minor", BigInteger, nullable=False),
    Column("debits_minor", BigInteger, nullable=False),
    Column("from_day", Date),
    Column("to_day", Date),
    Column("balanced", Boolean),
    Column("number", Text),
    Column("not_booked", Json),
    Column("breaks", Json),  # how it does not go on from the one before; null where it is the first of its account
)
receipts = _noun(
    "receipts",
    Column("account", Text),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date),
    Column("amount_minor", BigInteger, nullable=False),
    Column("shared_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("payer_name", Text),
    Column("payer_account", Text),
    Column("payer_bank", Text),
    Column("memo", Text, nullable=False),
    Column("reference", Text),
    Column("bank_reference", Text),
    Column("end_to_end_id", Text),
    Column("file", Text),
    Column("row", Integer),
    Column("lane", Text),  # auto | review | open
    Column("state", Text, nullable=False),  # new | proposed | matched | rejected | reversed
    Column("match", Text),
    CheckConstraint("shared_minor >= 0 AND shared_minor <= amount_minor", name="shared_within_amount"),
)
Index("ix_receipts_lane", receipts.c.tenant, receipts.c.state, receipts.c.lane)
matches = _noun(
    "matches",
    Column("receipt", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("shares", Json, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("runners_up", Json, nullable=False),
    Column("held_by", Text),
    Column("policy", Text, nullable=False),
    Column("state", Text, nullable=False),  # proposed | accepted | rejected | undone
    Column("by", Text),
    Column("customer", Text),
    Column("reason", Text),
    Column("decided_on", Date),
)
Index("ix_matches_receipt", matches.c.tenant, matches.c.receipt)
shares = _noun(  # id is match|position
    "shares",
    Column("match", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("receivable", Text, nullable=False),
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
    Column("account", Text),
    Column("customer", Text, nullable=False),
    Column("times", Integer, nullable=False),
    Column("last_seen", Date),
)
products = _noun("products", Column("name", Text))
supplies = _noun(  # id is connection|sku|warehouse
    "supplies",
    Column("connection", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("on_hand", Exact, nullable=False),
    Column("reserved", Exact, nullable=False),
    Column("incoming", Json, nullable=False),
    Column("as_of", Instant, nullable=False),
)
Index("ix_supplies_sku", supplies.c.tenant, supplies.c.sku)
holds = _noun(
    "holds",
    Column("quote", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
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

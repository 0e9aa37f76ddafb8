"""How the day looks at the plant and acts on it: the CRM's form, messages, the ledger, files, the parts shop."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import sqlalchemy as sa

from hub.core.signing import sign_standard
from hub.demo.plant import QUOTE_FORM, NotSo, Plant
from hub.store import ledger_tables as l
from hub.store import tables as t


class Watch:
    """Eyes and hands. `record` is the CRM's id of the day's quote."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.record = ""

    # --- looking --------------------------------------------------------------------------------------------------

    def _crm(self, field: str) -> str:
        return str(self.plant.crm.forms[QUOTE_FORM][self.record].get(field) or "")

    def _books(self) -> list[dict[str, Any]]:
        """What each connection brought and what became of it; at every moment the two are equal."""
        books: list[dict[str, Any]] = self.plant.api.get("/books").json()["items"]
        wrong = [one["connection"] for one in books if not one["balanced"]]
        if wrong:
            raise NotSo("the books do not balance for " + ", ".join(wrong))
        return books

    def _noted_in_erp(self, order: str) -> str:
        """The comment on the sale in the ERP."""
        return next((str(one.get("comment") or "") for one in self.plant.erp.orders if one.get("reference") == order), "")

    def _in_erp(self, order: str) -> str | None:
        return next((str(one["state"]) for one in self.plant.erp.orders if one.get("reference") == order), None)

    def _messages(self, needle: str) -> list[str]:
        return [text for message in list(self.plant.chat.messages) if needle in (text := json.dumps(message, ensure_ascii=False))]

    def _row(self, table: sa.Table, id_: str, column: str) -> Any:
        with self.plant.store.look("main") as work:
            return work.connection.execute(sa.select(table.c[column]).where(table.c.tenant == "main", table.c.id == id_)).scalar()

    def _count(self, table: sa.Table) -> int:
        with self.plant.store.look("main") as work:
            return int(work.connection.execute(sa.select(sa.func.count()).where(table.c.tenant == "main")).scalar_one())

    def _events(self, type_: str) -> int:
        with self.plant.store.look("main") as work:
            query = sa.select(sa.func.count()).where(t.events.c.tenant == "main", t.events.c.type == type_)
            return int(work.connection.execute(query).scalar_one())

    def _receivables(self, order: str) -> list[Any]:
        query = sa.select(l.receivables).where(l.receivables.c.tenant == "main", l.receivables.c.order == order)
        with self.plant.store.look("main") as work:
            return list(work.connection.execute(query.order_by(l.receivables.c.position)).mappings())

    def _lanes(self) -> dict[str, int]:
        lane = sa.func.coalesce(l.receipts.c.lane, "new")
        query = sa.select(lane, sa.func.count()).where(l.receipts.c.tenant == "main").group_by(lane)
        with self.plant.store.look("main") as work:
            return {row[0]: row[1] for row in work.connection.execute(query)}

    def _waiting(self, what: str) -> int:
        query = sa.select(sa.func.count()).where(
            t.actions.c.tenant == "main", t.actions.c.what == what, t.actions.c.state == "waiting"
        )
        with self.plant.store.look("main") as work:
            return int(work.connection.execute(query).scalar_one())

    def parked(self) -> list[dict[str, Any]]:
        """What waits for a person, to tell when a step fails."""
        return list(self.plant.api.get("/parked").json()["items"])

    def _parked(self, connection: str) -> list[dict[str, Any]]:
        items = self.plant.api.get("/parked", params={"kind": "raw"}).json()["items"]
        return [one for one in items if one["connection"] == connection]

    def _delivered(self, needle: str) -> list[tuple[dict[str, str], bytes]]:
        return [one for one in list(self.plant.receiver.deliveries) if needle.encode() in one[1]]

    # --- doing ----------------------------------------------------------------------------------------------------

    def _shop(self, id_: str, values: dict[str, str]) -> int:
        """The parts shop posts an order, signed."""
        body = json.dumps(
            {"type": "shop.order", "timestamp": datetime.now(UTC).isoformat(), "data": values}, ensure_ascii=False
        ).encode()
        now = int(time.time())
        signature = sign_standard(self.plant.shop_secret, id_, now, body)
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(now),
            "webhook-signature": signature,
            "content-type": "application/json",
        }
        return httpx.post(f"{self.plant.url}/hooks/shop", content=body, headers=headers, trust_env=False).status_code

    def _upload(self, name: str, body: bytes, connection: str) -> dict[str, Any]:
        job = self.plant.api.post("/statements", files={"file": (name, body)}, data={"connection": connection}).json()

        def read() -> bool:
            nonlocal job
            job = self.plant.api.get(f"/statements/{job['id']}").json()
            return job["state"] in ("read", "refused")

        self.plant.until(f"{name} is read", read, seconds=60)
        if job["state"] == "refused":
            raise NotSo(f"{name} was refused: {job['problem']['happened']}")
        return dict(job)

    def _wrong(self, truth: dict[str, tuple[str, ...] | None]) -> list[str]:
        """Receipts that were posted and should not have been so."""
        query = (
            sa.select(l.receipts.c.reference, l.receipts.c.bank_reference, l.receivables.c.order)
            .join_from(
                l.shares, l.receipts, sa.and_(l.receipts.c.tenant == l.shares.c.tenant, l.receipts.c.id == l.shares.c.receipt)
            )
            .join(
                l.receivables, sa.and_(l.receivables.c.tenant == l.shares.c.tenant, l.receivables.c.id == l.shares.c.receivable)
            )
            .where(l.shares.c.tenant == "main")
        )
        with self.plant.store.look("main") as work:
            rows = work.connection.execute(query).all()
        given: dict[str, set[str]] = {}
        for row in rows:
            given.setdefault(row.bank_reference or row.reference, set()).add(row.order)
        return [name for name, orders in given.items() if name in truth and orders != set(truth[name] or ())]

"""Bank files, receipts and what finance decides about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub.api.guard import Id, AfterId, IfMatch, Limit, OnlyOnce, TheHub, Who, answer, page, version_in
from hub.core import vocabulary as v
from hub.core.errors import NotFound
from hub.store import ledger_tables as l
from hub.store.work import Work

router = APIRouter(prefix="/api/v1", tags=["money"])

_LARGEST_FILE = 64 * 1024 * 1024


class TooLargeFile(NotFound):
    """A file beyond what a bank exports."""

    code = "too-large"
    status = 413


@router.post("/statements", summary="Take a bank file in; the same file twice changes nothing", status_code=202)
def take_statement(
    hub: TheHub, who: Who, file: Annotated[UploadFile, File()], connection: Annotated[str | None, Form(max_length=64)] = None
) -> Response:
    body = file.file.read(_LARGEST_FILE + 1)
    if len(body) > _LARGEST_FILE:
        raise TooLargeFile(
            happened="the file is larger than any statement", next=f"send at most {_LARGEST_FILE >> 20} MiB", file=file.filename
        )
    job = hub.files.accept(who.tenant, file.filename or "statement", body, connection=connection or None)
    return answer(job, status=202, headers={"Location": f"/api/v1/statements/{job.id}"})


@router.get("/statements", summary="The statements read, with whether they balance")
def statements(hub: TheHub, who: Who, after: AfterId = "", limit: Limit = 100) -> Response:
    query = sa.select(l.statements).where(l.statements.c.tenant == who.tenant, l.statements.c.id > after)
    with hub.store.look(who.tenant) as work:
        rows = [
            l.plain_row(dict(row))
            for row in work.connection.execute(query.order_by(l.statements.c.id).limit(limit + 1)).mappings()
        ]
    return answer(page(rows, limit, lambda row: row["id"]))


@router.get("/statements/{id}", summary="How far a file is, and what became of its receipts")
def statement(hub: TheHub, who: Who, id: Id) -> Response:
    job = hub.files.job(who.tenant, id)
    return answer(job)


@router.get("/receipts", summary="Money in")
def receipts(
    hub: TheHub,
    who: Who,
    lane: Annotated[Literal["auto", "review", "open"] | None, Query()] = None,
    state: Annotated[Literal["new", "proposed", "matched", "rejected", "reversed"] | None, Query()] = None,
    after: AfterId = "",
    limit: Limit = 100,
) -> Response:
    query = sa.select(l.receipts).where(l.receipts.c.tenant == who.tenant, l.receipts.c.id > after)
    if lane is not None:
        query = query.where(l.receipts.c.lane == lane)
    if state is not None:
        query = query.where(l.receipts.c.state == state)
    with hub.store.look(who.tenant) as work:
        rows = [
            l.plain_row(dict(row)) for row in work.connection.execute(query.order_by(l.receipts.c.id).limit(limit + 1)).mappings()
        ]
    return answer(page(rows, limit, lambda row: row["id"]))


@router.get("/receipts/{id}", summary="One receipt: proposal, evidence, runners-up, shares")
def receipt(hub: TheHub, who: Who, id: Id) -> Response:
    with hub.store.look(who.tenant) as work:
        return _receipt(work, id)


class Share(BaseModel):
    """Part of the receipt for one receivable."""

    receivable: str = Field(min_length=1, max_length=160)
    order: str = Field(min_length=1, max_length=160)
    amount: Decimal = Field(gt=0, max_digits=20, decimal_places=4)
    difference: Decimal = Field(default=Decimal(0), max_digits=20, decimal_places=4)
    booked_as: str | None = Field(default=None, max_length=64)

    def value(self) -> v.ShareOf:
        return v.ShareOf(
            receivable=self.receivable, order=self.order, amount=self.amount, difference=self.difference, booked_as=self.booked_as
        )


class Split(BaseModel):
    """How the receipt is divided."""

    shares: list[Share] = Field(min_length=1, max_length=100)


class Why(BaseModel):
    """A reason, in words."""

    reason: str = Field(default="", max_length=500)


@router.post("/receipts/{id}/accept", summary="Accept what is proposed")
def accept(hub: TheHub, who: Who, once: OnlyOnce, id: Id, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.payments.accept(work, id, by=who.name, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(if_match, act)


@router.post("/receipts/{id}/split", summary="Give it to the receivables named")
def split(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Split, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            shares = [share.value() for share in body.shares]
            hub.payments.accept(work, id, by=who.name, shares=shares, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(body.model_dump(mode="json"), act)


@router.post("/receipts/{id}/reject", summary="Say that the proposal is wrong")
def reject(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Why, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.payments.reject(work, id, by=who.name, reason=body.reason, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(body.model_dump(), act)


@router.post("/receipts/{id}/undo", summary="Take a decision back")
def undo(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Why, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.payments.undo(work, id, by=who.name, reason=body.reason or None, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(body.model_dump(), act)


def _receipt(work: Work, id_: str) -> Response:
    told = _told(work, id_)
    return answer(told, headers={"ETag": f'"{told["version"]}"'})


def _told(work: Work, id_: str) -> dict[str, Any]:
    row = (
        work.connection.execute(sa.select(l.receipts).where(l.receipts.c.tenant == work.tenant, l.receipts.c.id == id_))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound(happened="there is no such receipt", next="list the receipts", receipt=id_)
    told = l.plain_row(dict(row))
    query = sa.select(l.matches).where(l.matches.c.tenant == work.tenant, l.matches.c.id == row["match"])
    match = work.connection.execute(query).mappings().first() if row["match"] else None
    told["proposal"] = None if match is None else dict(match)
    shares = sa.select(l.shares).where(l.shares.c.tenant == work.tenant, l.shares.c.receipt == id_).order_by(l.shares.c.id)
    told["shares"] = [l.plain_row(dict(one), row["currency"]) for one in work.connection.execute(shares).mappings()]
    return told

"""Bank files, receipts and what finance decides about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field

from hub import tracing
from hub.api import shapes
from hub.api.guard import AfterId, Amount, Body, Difference, Id, IfMatch, Limit, OnlyOnce, TheHub, Who, answer, page, version_in
from hub.core import vocabulary as v
from hub.core.errors import Invalid, NotFound, Problem
from hub.files.limits import FILE_BYTES, file_name
from hub.store import ledger_tables as l
from hub.store.work import Work

router = APIRouter(prefix="/api/v1", tags=["money"])


class TooLargeFile(Problem):
    """A file beyond what a bank exports."""

    code = "too-large"
    status = 413


@router.post(
    "/statements",
    summary="Take a bank file in, or a ZIP of them; the same file twice changes nothing",
    status_code=202,
    responses=shapes.told(shapes.JOB, status=202),
)
def take_statement(
    hub: TheHub,
    who: Who,
    file: Annotated[UploadFile, File()],
    connection: Annotated[str | None, Form(max_length=64, pattern=r"^[a-z0-9_-]*$")] = None,
) -> Response:
    name = file_name(file.filename or "")
    body = file.file.read(FILE_BYTES + 1)
    if len(body) > FILE_BYTES:
        raise TooLargeFile(
            happened="the file is larger than any statement", next=f"send at most {FILE_BYTES >> 20} MiB", file=name
        )
    if not body:
        raise Invalid(happened="the file is empty", next="export it again and send that", file=name)
    job = hub.files.accept(who.tenant, name, body, connection=connection or None)
    return answer(job, status=202, headers={"Location": f"/api/v1/statements/{job.id}"})


@router.get(
    "/statements",
    summary="The statements read, with whether they balance",
    responses=shapes.told(shapes.page_of(shapes.STATEMENT, shapes.TEXT)),
)
def statements(hub: TheHub, who: Who, after: AfterId = "", limit: Limit = 100) -> Response:
    query = sa.select(l.statements).where(l.statements.c.tenant == who.tenant, l.statements.c.id > after)
    with hub.store.look(who.tenant) as work:
        rows = [
            l.plain_row(dict(row))
            for row in work.connection.execute(query.order_by(l.statements.c.id).limit(limit + 1)).mappings()
        ]
    return answer(page(rows, limit, lambda row: row["id"]))


@router.get(
    "/statements/{id}", summary="How far a file is, and what became of its receipts", responses=shapes.told(shapes.PROGRESS)
)
def statement(hub: TheHub, who: Who, id: Id) -> Response:
    job = hub.files.job(who.tenant, id)
    # What became of the rows is counted once all of them are kept: until then whoever follows the job would slow it down.
    progress: dict[str, Any] = {"understood": 0, "ignored": 0, "parked": 0, "waiting": job.new, "receipts": []}
    if job.state == "read":
        files = [id] if job.members is None else [one.file for one in job.members if one.file is not None]
        with hub.store.look(who.tenant) as work:
            progress = tracing.files_progress(work, files)
    return answer(msgspec.structs.asdict(job) | progress)


@router.get("/receipts", summary="Money in", responses=shapes.told(shapes.page_of(shapes.RECEIPT, shapes.TEXT)))
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


@router.get(
    "/receipts/{id}", summary="One receipt: proposal, evidence, runners-up, shares", responses=shapes.told(shapes.RECEIPT_WHOLE)
)
def receipt(hub: TheHub, who: Who, id: Id) -> Response:
    with hub.store.look(who.tenant) as work:
        return _receipt(work, id)


class Share(Body):
    """Part of the receipt for one receivable."""

    receivable: str = Field(min_length=1, max_length=160)
    order: str = Field(min_length=1, max_length=160)
    amount: Amount
    difference: Difference = Decimal(0)
    booked_as: str | None = Field(default=None, max_length=64)

    def value(self) -> v.ShareOf:
        return v.ShareOf(
            receivable=self.receivable, order=self.order, amount=self.amount, difference=self.difference, booked_as=self.booked_as
        )


class Split(Body):
    """How the receipt is divided."""

    shares: list[Share] = Field(min_length=1, max_length=100)


class Why(Body):
    """A reason, in words."""

    reason: str = Field(default="", max_length=500)


@router.post("/receipts/{id}/accept", summary="Accept what is proposed", responses=shapes.told(shapes.RECEIPT_WHOLE))
def accept(hub: TheHub, who: Who, once: OnlyOnce, id: Id, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.decisions.accept(work, id, by=who.name, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(if_match, act)


@router.post("/receipts/{id}/split", summary="Give it to the receivables named", responses=shapes.told(shapes.RECEIPT_WHOLE))
def split(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Split, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            shares = [share.value() for share in body.shares]
            hub.decisions.accept(work, id, by=who.name, shares=shares, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(body.model_dump(mode="json"), act)


@router.post("/receipts/{id}/reject", summary="Say that the proposal is wrong", responses=shapes.told(shapes.RECEIPT_WHOLE))
def reject(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Why, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.decisions.reject(work, id, by=who.name, reason=body.reason, if_version=version_in(if_match))
            return _told(work, id)

    return once.run(body.model_dump(), act)


@router.post("/receipts/{id}/undo", summary="Take a decision back", responses=shapes.told(shapes.RECEIPT_WHOLE))
def undo(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: Why, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        with hub.store.work(who.tenant) as work:
            hub.decisions.undo(work, id, by=who.name, reason=body.reason or None, if_version=version_in(if_match))
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

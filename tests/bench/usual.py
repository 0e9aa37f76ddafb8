"""The usual way of keeping a webhook: FastAPI, SQLAlchemy's ORM, a commit a delivery."""

from __future__ import annotations

import base64
import hashlib
import hmac
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from posting import PATH, SECRET
from served import serve, server_of
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.concurrency import run_in_threadpool


class Base(DeclarativeBase):
    """The one table."""


class Kept(Base):
    """A delivery."""

    __tablename__ = "kept"
    id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]


def serve_usual(line: Connection, database_url: str) -> None:
    """Verify, commit, answer."""
    engine = sa.create_engine(database_url, **({"connect_args": {"timeout": 30}} if database_url.startswith("sqlite") else {}))
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _durable)
    Base.metadata.create_all(engine)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    app = FastAPI()

    def keep(id_: str, body: bytes) -> None:
        with Session(engine) as session:
            session.merge(Kept(id=id_, body=body))
            session.commit()

    @app.post(PATH)
    async def hook(request: Request) -> Response:
        body = await request.body()
        told = request.headers
        signed = f"{told['webhook-id']}.{told['webhook-timestamp']}.".encode() + body
        made = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if not hmac.compare_digest(made, told["webhook-signature"]):
            return Response(status_code=401)
        await run_in_threadpool(keep, told["webhook-id"], body)
        return Response(status_code=200)

    serve(line, server_of(app), {})


def _durable(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")

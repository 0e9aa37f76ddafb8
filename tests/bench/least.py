"""The least that keeping a webhook takes: a bare application, one HMAC, and the driver's own group commit, all by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import queue
import sqlite3
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import psycopg
from posting import SECRET
from served import serve, server_of

_Waiting = tuple[str, bytes, asyncio.Future[None]]


def serve_least(line: Connection, database_url: str) -> None:
    """Verify, commit what has gathered, answer; it knows one connection, one signature and one table."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
    threading.Thread(target=_write, args=(_store(database_url), waiting), daemon=True).start()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        told = dict(scope["headers"])
        signed = told[b"webhook-id"] + b"." + told[b"webhook-timestamp"] + b"." + body
        made = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        status = 401
        if hmac.compare_digest(made, told[b"webhook-signature"]):
            kept = asyncio.get_running_loop().create_future()
            waiting.put((told[b"webhook-id"].decode(), body, kept))
            await kept
            status = 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    serve(line, server_of(app, lifespan="off"), {})


def _write(store: Callable[[list[tuple[str, bytes]]], None], waiting: queue.SimpleQueue[_Waiting]) -> None:
    while True:
        group = [waiting.get()]
        while not waiting.empty():
            group.append(waiting.get())
        store([(id_, body) for id_, body, _ in group])
        group[0][2].get_loop().call_soon_threadsafe(_wake, [kept for _, _, kept in group])


def _wake(group: list[asyncio.Future[None]]) -> None:
    for kept in group:
        if not kept.done():
            kept.set_result(None)


def _store(url: str) -> Callable[[list[tuple[str, bytes]]], None]:
    """One transaction a group, durable, on a connection of its own."""
    if url.startswith("sqlite"):
        sqlite = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE least (id TEXT PRIMARY KEY, body BLOB)",
        ):
            sqlite.execute(statement)

        def keep(rows: list[tuple[str, bytes]]) -> None:
            sqlite.execute("BEGIN IMMEDIATE")
            sqlite.executemany("INSERT OR IGNORE INTO least VALUES (?, ?)", rows)
            sqlite.execute("COMMIT")

        return keep
    postgresql = psycopg.connect(url.replace("+psycopg", "", 1))
    postgresql.execute("CREATE TABLE least (id TEXT PRIMARY KEY, body BYTEA)")
    postgresql.commit()

    def keep_there(rows: list[tuple[str, bytes]]) -> None:
        with postgresql.cursor() as cursor:
            cursor.executemany("INSERT INTO least VALUES (%s, %s) ON CONFLICT DO NOTHING", rows)
        postgresql.commit()

    return keep_there

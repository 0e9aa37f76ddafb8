"""Tryton 8 on loopback, as much of it as the connector speaks with: JSON-RPC over a small manufacturer's books.

It shares no code with the connector. Its answers, also the refusals, have the form that the real server gives; the
project's tests ask both the same questions and compare.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .simulator_business import Business
from .simulator_data import NoSuch, Outdated, Quantity, Row, UserError, dump, load
from .simulator_plant import small_plant

_ATTEMPTS = 5
Answer = tuple[int, str, Mapping[str, str]]


class Simulator:
    """One server with one database. `books` are its data; it starts with the goods, stock and orders of a small plant."""

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] | None = None, empty: bool = False) -> None:
        self.port = port
        self.database = "hub"
        self.user = "hub"
        self.password = "simulated-erp-password"  # noqa: S105 - the simulated vendor's own
        self.logins = 0
        self.calls: list[str] = []
        self.books = Business(now or (lambda: datetime.now(UTC)))
        self._sessions: set[str] = set()
        self._refused_logins = 0
        self._failures: deque[tuple[int, int | None, bool]] = deque()
        self._lock = threading.RLock()
        self._server: ThreadingHTTPServer | None = None
        if not empty:
            small_plant(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, object]:
        """A connection's settings that fit."""
        return {"base_url": self.url, "database": self.database, "user": self.user, "password": self.password}

    # --- its life -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                simulator._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def go_down(self) -> None:
        """Nothing listens any more; the port stays ours to come back on."""
        self.stop()

    def come_back(self) -> None:
        if self._server is None:
            self.start()

    def expire_sessions(self) -> None:
        self._sessions.clear()

    def fail_next(self, *, status: int = 500, times: int = 1, retry_after: int | None = None, lose_answer: bool = False) -> None:
        """The next calls fail so; with `lose_answer` they are carried out and the connection is cut instead of answering."""
        self._failures.extend([(status, retry_after, lose_answer)] * times)

    def recover(self) -> None:
        """No failure is waiting any more, and refused logins are forgotten."""
        self._failures.clear()
        self._refused_logins = 0

    # --- reading and changing its books -------------------------------------------------------------------------

    @property
    def orders(self) -> list[Row]:
        """The sales with their lines, as a person would see them."""
        tables = self.books.tables
        return [
            {**sale, "lines": [tables.get("sale.line", number) for number in sale["lines"]]}
            for sale in tables.rows["sale.sale"].values()
        ]

    def add_product(self, code: str, name: str, price: str = "10") -> None:
        with self._lock:
            self.books.add_product(code, name, price)

    def add_warehouse(self, code: str, name: str | None = None) -> None:
        with self._lock:
            self.books.add_warehouse(code, name)

    def add_customer(self, name: str, code: str | None = None) -> int:
        with self._lock:
            return self.books.add_party(name, code)

    def set_stock(self, warehouse: str, code: str, quantity: str) -> None:
        """Count it: a done move from or to lost and found makes up the difference."""
        with self._lock:
            books = self.books
            product = next(row["id"] for row in books.tables.rows["product.product"].values() if row["code"] == code)
            zone = books.zone(warehouse, "storage")
            missing = Decimal(quantity) - books.quantity(product, {"locations": [zone]})
            lost = books.places["lost_found"]
            if missing > 0:
                books.add_move(code, str(missing), lost, zone)
            elif missing < 0:
                books.add_move(code, str(-missing), zone, lost)

    def purchase(self, warehouse: str, code: str, quantity: str, on: date) -> int:
        """Goods that a supplier is to deliver on that day."""
        with self._lock:
            books = self.books
            return books.add_move(code, quantity, books.places["supplier"], books.zone(warehouse, "input"), state="draft", on=on)

    def sell(self, warehouse: str, code: str, quantity: str, *, reference: str | None = None, process: bool = True) -> int:
        """A sale that somebody enters in the ERP itself."""
        with self._lock:
            books, tables = self.books, self.books.tables
            party = next(row for row in tables.rows["party.party"].values() if row["id"] != books.company)
            house = next(row["id"] for row in tables.rows["stock.location"].values() if row["code"] == warehouse)
            product = next(row for row in tables.rows["product.product"].values() if row["code"] == code)
            price = tables.get("product.template", product["template"])["list_price"]
            line = {"product": product["id"], "quantity": Quantity(quantity), "unit": books.unit, "unit_price": price}
            head = {"party": party["id"], "currency": books.currency, "warehouse": house, "reference": reference}
            address = {"invoice_address": party["addresses"][0], "sale_date": books.today, "payment_term": books.term}
            number = books.create_sale({**head, **address, "company": 1, "lines": [["create", [line]]]})
            for step in ("quote", "confirm", "process") if process else ("quote",):
                books.step(step, [number])
            return number

    # --- the interface ------------------------------------------------------------------------------------------

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            failure = self._failures.popleft() if self._failures else None
            if failure and not failure[2]:
                after = {} if failure[1] is None else {"Retry-After": str(failure[1])}
                return _send(handler, (failure[0], "<!doctype html>\n<title>simulated</title>", after))
            answer = self._answer(handler.path, handler.headers.get("Authorization") or "", body)
        if failure:
            handler.connection.close()
            return None
        return _send(handler, answer)

    def _answer(self, path: str, authorization: str, body: bytes) -> Answer:
        try:
            request = load(body)
            method, params, number = request["method"], request["params"], request["id"]
        except (ValueError, KeyError, TypeError):
            return _html(400, "Bad Request")
        self.calls.append(method)
        if method == "common.server.version":
            return _json(number, "8.2")
        if path != f"/{self.database}/rpc/":
            return _html(503, "Service Unavailable")
        if method == "common.db.login":
            return self._login(number, params)
        if authorization.removeprefix("Session ") not in self._sessions:
            return _html(401, "Unauthorized")
        return self._call(number, method, params)

    def _login(self, number: int, params: list[Any]) -> Answer:
        if self._refused_logins >= _ATTEMPTS:
            return _html(429, "Too Many Requests")
        if params[0] != self.user or params[1].get("password") != self.password:
            self._refused_logins += 1
            return _html(401, "Unauthorized")
        self._refused_logins = 0
        self.logins += 1
        key = secrets.token_hex(32)
        self._sessions.add(base64.b64encode(f"{self.user}:1:{key}".encode()).decode())
        return _json(number, [1, key, None])

    def _call(self, number: int, method: str, params: list[Any]) -> Answer:
        if not params or not isinstance(params[-1], dict):
            return _html(422, "Unprocessable Entity")
        if method == "model.res.user.get_preferences":
            return _json(number, {"company": 1, "companies": [1], "language": "en", "employees": []})
        kind, _, rest = method.partition(".")
        model, _, action = rest.rpartition(".")
        if kind != "model" or model not in self.books.tables.rows:
            return 200, dump({"id": number, "error": [f"'{model}'", ""]}), {}
        call = getattr(self, f"_do_{action}", None)
        return _html(403, "Forbidden") if call is None else self._carried_out(number, call, model, params)

    @staticmethod
    def _carried_out(number: int, call: Callable[..., Any], model: str, params: list[Any]) -> Answer:
        error: list[Any]
        try:
            return _json(number, call(model, *params[:-1], context=params[-1]))
        except UserError as refusal:
            error = ["UserError", [str(refusal), "", None]]
        except NoSuch as missing:
            error = [f"'{missing}'", ""]
        except Outdated:
            error = ["ConcurrencyException", "Records were modified in the meanwhile"]
        return 200, dump({"id": number, "error": error}), {}

    def _do_read(self, model: str, ids: list[int], fields: list[str], *, context: Row) -> list[Row]:
        tables = self.books.tables
        return [tables.read(model, tables.get(model, number), fields, context) for number in ids]

    def _do_search_read(
        self, model: str, domain: list[Any], offset: int, limit: int | None, order: Any, fields: list[str], *, context: Row
    ) -> list[Row]:
        found = self.books.tables.search(model, domain, context, order)[offset:]
        return [self.books.tables.read(model, row, fields, context) for row in (found if limit is None else found[:limit])]

    def _do_create(self, model: str, rows: list[Row], *, context: Row) -> list[int]:
        makers: Mapping[str, Callable[[Row], int]] = {
            "sale.sale": self.books.create_sale,
            "party.party": self._create_party,
            "party.address": lambda row: self.books.add_address(**row),
        }
        if model not in makers:
            raise UserError(f"The simulator makes no {model}.")
        return [makers[model](row) for row in rows]

    def _create_party(self, row: Row) -> int:
        number = self.books.add_party(row["name"], row.get("code"))
        for _, addresses in row.get("addresses") or ():
            self.books.tables.change(
                "party.address", self.books.tables.get("party.party", number)["addresses"][0], **addresses[0]
            )
        return number

    def _do_write(self, model: str, ids: list[int], values: Row, *, context: Row) -> None:
        for number in ids:
            read = context.get("_timestamp", {}).get(f"{model},{number}")
            if (
                read is not None
                and read != self.books.tables.read(model, self.books.tables.get(model, number), ["_timestamp"], {})["_timestamp"]
            ):
                raise Outdated
            self.books.tables.change(model, number, **values)

    def _do_quote(self, model: str, ids: list[int], *, context: Row) -> None:
        self.books.step("quote", ids)

    def _do_confirm(self, model: str, ids: list[int], *, context: Row) -> None:
        self.books.step("confirm", ids)

    def _do_process(self, model: str, ids: list[int], *, context: Row) -> None:
        self.books.step("process", ids)

    def _do_cancel(self, model: str, ids: list[int], *, context: Row) -> None:
        self.books.cancel(ids)


def _json(number: int, result: Any) -> Answer:
    return 200, dump({"id": number, "result": result}), {}


def _html(status: int, words: str) -> Answer:
    return status, f"<!doctype html>\n<html lang=en>\n<title>{status} {words}</title>\n<h1>{words}</h1>\n", {}


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    status, text, headers = answer
    body = text.encode()
    handler.send_response(status)
    kind = "application/json" if status == 200 else "text/html; charset=utf-8"
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)

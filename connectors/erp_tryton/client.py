"""JSON-RPC of Tryton 8: `POST /<database>/rpc/`, a session, and a context as the last parameter of every model call."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hub.sdk import Answer, Context, LoginRefused, Misconfigured, RateLimited, VendorFault, VendorProblem, VendorRefused, token

from . import wire

Row = dict[str, object]

_CHUNK = 1000
_SESSION_SECONDS = 12 * 3600  # a session may live 30 days; the server ends it earlier as its settings say, and 401 tells


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gives: the value for the header, and the company that every call names."""

    authorization: str
    company: int


class Client:
    """Calls for one connection. An ended session is renewed once; what the server says no to is raised as what it means."""

    def __init__(self, context: Context) -> None:
        self._context = context
        base = str(context.settings.get("base_url") or "").rstrip("/")
        self._url = f"{base}/{context.settings.get('database')}/rpc/"

    def probe(self) -> None:
        """Log in anew and keep the session."""
        token(self._context, "session", self._login, refused=self._context.recall("session"))

    @property
    def company(self) -> int:
        return self._session().company

    def rows(
        self, model: str, domain: Sequence[object], fields: Sequence[str], *, context: Mapping[str, object] | None = None
    ) -> Iterator[Row]:
        """All rows of a search in the order of their ids, read in chunks that a change in between cannot shift."""
        last = 0
        while True:
            after = [*domain, ["id", ">", last]]
            params = [after, 0, _CHUNK, [["id", "ASC"]], list(fields)]
            found = self.call(f"model.{model}.search_read", *params, context=context)
            chunk = [row for row in _list(found) if isinstance(row, dict)]
            yield from chunk
            if len(chunk) < _CHUNK:
                return
            last = int(str(chunk[-1]["id"]))

    def read(
        self, model: str, ids: Sequence[int], fields: Sequence[str], *, context: Mapping[str, object] | None = None
    ) -> list[Row]:
        """The fields of these records, some hundred at a time because the numbers are computed."""
        rows: list[Row] = []
        for at in range(0, len(ids), 500):
            found = self.call(f"model.{model}.read", list(ids[at : at + 500]), list(fields), context=context)
            rows += [row for row in _list(found) if isinstance(row, dict)]
        return rows

    def call(self, method: str, *params: object, context: Mapping[str, object] | None = None, writes: bool = False) -> object:
        """The result of one call as plain JSON. The company is in every context."""
        session = self._session()
        answer = self._send(method, params, session, context, writes)
        if answer.status == 401:
            session = self._session(refused=session)
            answer = self._send(method, params, session, context, writes)
        return self._result(answer, method)

    def _send(
        self, method: str, params: Sequence[object], session: Session, context: Mapping[str, object] | None, writes: bool
    ) -> Answer:
        last = {"company": session.company, **(context or {})}
        headers = {"authorization": f"Session {session.authorization}"}
        return self._post(method, [*params, last], headers, writes=writes)

    def _post(self, method: str, params: Sequence[object], headers: Mapping[str, str], *, writes: bool = False) -> Answer:
        body = wire.dump(wire.plain({"id": 1, "method": method, "params": list(params)}))
        headers = {"content-type": "application/json", **headers}
        return self._context.http.request("POST", self._url, headers=headers, content=body, sent_unless_answered=writes)

    def _session(self, *, refused: Session | None = None) -> Session:
        old = msgspec.json.encode(refused).decode() if refused else None
        return msgspec.json.decode(token(self._context, "session", self._login, refused=old), type=Session)

    def _login(self) -> tuple[str, int]:
        user, password = self._context.settings.get("user"), self._context.settings.get("password")
        answer = self._post("common.db.login", [user, {"password": password}, "en"], {})
        match self._result(answer, "common.db.login"):
            case [int(number), str(key), *_]:
                authorization = base64.b64encode(f"{user}:{number}:{key}".encode()).decode()
            case _:
                raise LoginRefused(
                    happened="the ERP does not accept this login",
                    next="check user, password and database; it may ask for another way to log in",
                    connection=self._context.connection,
                )
        answer = self._post("model.res.user.get_preferences", [True, {}], {"authorization": f"Session {authorization}"})
        match self._result(answer, "get_preferences"):
            case {"company": int(company)}:
                session = Session(authorization=authorization, company=company)
            case _:
                raise Misconfigured(
                    happened="the ERP's user belongs to no company",
                    next="choose a company in the user's preferences in Tryton",
                    connection=self._context.connection,
                )
        return msgspec.json.encode(session).decode(), _SESSION_SECONDS

    def _result(self, answer: Answer, method: str) -> object:
        if answer.status != 200:
            raise self._status(answer.status, method)
        try:
            said = wire.parse(answer.body)
        except ValueError:
            raise self._problem(VendorFault, "the ERP's answer is not JSON", "try later", method) from None
        match said:
            case {"error": error}:
                raise self._error(error, method)
            case {"result": result}:
                return result
        raise self._problem(VendorFault, "the ERP's answer has neither a result nor an error", "try later", method)

    def _status(self, status: int, method: str) -> VendorProblem:
        if status == 429:
            # Tryton throttles logins after failed ones, and does not say for how long.
            return RateLimited(
                after=300,
                happened="the ERP does not take more logins for now",
                next="the call is repeated by itself; check the password, it was refused several times",
                connection=self._context.connection,
            )
        kind, happened, next_ = _STATUS.get(status, (VendorFault, f"the ERP answers with status {status}", "try later"))
        return self._problem(kind, happened, next_, method)

    def _error(self, error: object, method: str) -> VendorProblem:
        match error:
            case ["UserError", [str(message), *_]]:
                return self._problem(VendorRefused, f"the ERP says: {message}", "correct it in the order or in the ERP", method)
            case ["UserWarning", [_, str(message), *_]]:
                next_ = "do this step in Tryton, where a person can confirm it"
                return self._problem(VendorRefused, f"the ERP asks for a person's confirmation: {message}", next_, method)
            case ["ConcurrencyException", *_]:
                return self._problem(
                    VendorFault, "the record was changed by somebody else meanwhile", "it is tried again", method
                )
            case ["LoginException", *_]:
                return self._problem(LoginRefused, "the ERP asks for another way to log in", "allow password logins", method)
            case [str(kind), *_]:
                next_ = "see that the modules sale and stock are active and the server was started with -d and its database"
                return self._problem(VendorFault, f"the ERP fails with {kind[:80]}", next_, method)
        return self._problem(VendorFault, "the ERP fails without a reason", "look into its log", method)

    def _problem(self, kind: type[VendorProblem], happened: str, next: str, method: str) -> VendorProblem:
        return kind(happened=happened, next=next, connection=self._context.connection, method=method)


_STATUS: Mapping[int, tuple[type[VendorProblem], str, str]] = {
    401: (LoginRefused, "the ERP does not accept user and password", "check both, and that the user is active in this database"),
    403: (VendorRefused, "the ERP does not let this user call that", "give the user the groups for sales and stock"),
    404: (VendorRefused, "there is nothing at this address", "check the address and the database's name"),
    422: (VendorRefused, "the ERP does not understand the call", "check that it is Tryton 8; older versions differ"),
}


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []

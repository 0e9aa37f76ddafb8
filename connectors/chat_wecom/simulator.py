"""企业微信 on loopback: tokens, application messages, the group robot, cards and encrypted callbacks, as documented.

It shares no code with the connector. Numbers that the vendor documents are obeyed: a token's life, 20 robot messages a
minute, 30 messages a minute and person (the rest is dropped without an error), a response code that works once.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import urllib.parse
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .simulator_callbacks import Callbacks

Json = dict[str, Any]


class Simulator(Callbacks):
    """One company with one application and one group robot."""

    def __init__(self, *, port: int = 0, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self.port = port
        self.secret = "simulated-application-secret"  # noqa: S105 - the simulated vendor's own
        self.robot_key = "00000000-0000-4000-8000-000000000001"
        self.members = {"zhangsan", "lisi", "wangwu", "sales-1", "finance-1"}
        self.trusted = True
        self.messages: list[Json] = []
        self.dropped: list[Json] = []
        self.robot_messages: list[Json] = []
        self.updates: list[Json] = []
        self.recalled: list[str] = []
        self.logins = 0
        self.calls: list[str] = []
        self._tokens: dict[str, float] = {}
        self._failures: deque[tuple[int, int, dict[str, str], bool]] = deque()
        self._limited_until = 0.0
        self._robot_times: deque[float] = deque()
        self._member_times: dict[str, deque[float]] = defaultdict(deque)
        self._seen_content: dict[str, float] = {}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Json:
        """A connection's settings that fit."""
        return {
            "base_url": self.url,
            "corp_id": self.corp_id,
            "agent_id": self.agent_id,
            "secret": self.secret,
            "robot_key": self.robot_key,
            "callback_token": self.callback_token,
            "callback_aes_key": self.callback_aes_key,
        }

    # --- its life -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                simulator._answer(self)

            def do_POST(self) -> None:
                simulator._answer(self)

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

    def expire_tokens(self) -> None:
        """The vendor may take tokens back early."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def fail_next(
        self, *, status: int = 200, errcode: int = -1, times: int = 1, retry_after: int | None = None, lose_answer: bool = False
    ) -> None:
        """The next calls fail so; with `lose_answer` they are carried out and the connection is cut instead of answering."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._failures.extend([(status, errcode, headers, lose_answer)] * times)

    def recover(self) -> None:
        """No failure and no limit is waiting any more."""
        self._failures.clear()
        self._limited_until = 0.0

    def limit_for(self, seconds: float) -> None:
        """Answer 45009 for a while."""
        self._limited_until = self.now() + seconds

    # --- the interface ------------------------------------------------------------------------------------------

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        place = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(place.query))
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self.calls.append(place.path)
            failure = self._failures.popleft() if self._failures else None
            if failure and not failure[3]:
                status, errcode, headers, _ = failure
                return _send(handler, status, {"errcode": errcode, "errmsg": "simulated"}, headers)
            result = self._route(place.path, query, body)
        if failure:
            handler.connection.close()
            return None
        return _send(handler, 200, result, {})

    def _route(self, path: str, query: dict[str, str], body: bytes) -> Json:
        if self.now() < self._limited_until:
            return _error(45009, "api freq out of limit")
        if path == "/cgi-bin/gettoken":
            return self._login(query)
        routes = {
            "/cgi-bin/webhook/send": (self._robot, "key"),
            "/cgi-bin/message/send": (self._message, "access_token"),
            "/cgi-bin/message/recall": (self._recall, "access_token"),
            "/cgi-bin/message/update_template_card": (self._update, "access_token"),
        }
        if path not in routes:
            return _error(-1, "no such interface")
        call, secret = routes[path]
        if (refusal := self._refusal(secret, query.get(secret, ""))) is not None:
            return refusal
        return call(json.loads(body))

    def _refusal(self, kind: str, given: str) -> Json | None:
        if kind == "key":
            return None if given == self.robot_key else _error(93000, "invalid webhook url")
        if not self.trusted:
            return _error(60020, "not allow to access from your ip")
        if given not in self._tokens:
            return _error(40014, "invalid access_token")
        return None if self.now() < self._tokens[given] else _error(42001, "access_token expired")

    def _login(self, query: dict[str, str]) -> Json:
        if query.get("corpid") != self.corp_id or query.get("corpsecret") != self.secret:
            return _error(40001, "invalid credential")
        self.logins += 1
        access = secrets.token_urlsafe(32)
        self._tokens[access] = self.now() + 7200
        return {"errcode": 0, "errmsg": "ok", "access_token": access, "expires_in": 7200}

    def _message(self, message: Json) -> Json:
        if message.get("agentid") != self.agent_id:
            return _error(-1, "no such application")
        users = [user for user in str(message.get("touser", "")).split("|") if user]
        reached = sorted(self.members) if users == ["@all"] else [user for user in users if user.lower() in self.members]
        if users and not reached:
            return _error(81013, "user & party & tag all invalid")
        invalid = "|".join(user.lower() for user in users if user not in reached) if users != ["@all"] else ""
        number = secrets.token_urlsafe(16)
        if self._is_repeat(message):
            self.dropped.append(message)
        else:
            self.messages.append({**message, "msgid": number, "reached": [u for u in reached if self._may_receive(u)]})
        answer: Json = {"errcode": 0, "errmsg": "ok", "invaliduser": invalid, "msgid": number}
        card = message.get("template_card") or {}
        if card.get("card_type", "").endswith("_interaction"):
            code = secrets.token_hex(16)
            self._codes[code] = card["task_id"]
            answer["response_code"] = code
        return answer

    def _is_repeat(self, message: Json) -> bool:
        if not message.get("enable_duplicate_check"):
            return False
        content = json.dumps(message, sort_keys=True)
        before = self._seen_content.get(content, 0.0)
        if self.now() - before < message.get("duplicate_check_interval", 1800):
            return True
        self._seen_content[content] = self.now()
        return False

    def _may_receive(self, userid: str) -> bool:
        return _fits(self._member_times[userid], self.now(), 30)

    def _robot(self, message: Json) -> Json:
        if not _fits(self._robot_times, self.now(), 20):
            return _error(45009, "api freq out of limit")
        self.robot_messages.append(message)
        return {"errcode": 0, "errmsg": "ok"}

    def _recall(self, body: Json) -> Json:
        self.recalled.append(str(body.get("msgid")))
        return {"errcode": 0, "errmsg": "ok"}

    def _update(self, body: Json) -> Json:
        if self._codes.pop(str(body.get("response_code")), None) is None:
            return _error(-1, "response_code was used")
        self.updates.append(body)
        return {"errcode": 0, "errmsg": "ok", "invaliduser": ""}


def _fits(times: deque[float], now: float, most: int) -> bool:
    while times and now - times[0] >= 60:
        times.popleft()
    if len(times) >= most:
        return False
    times.append(now)
    return True


def _error(code: int, words: str) -> Json:
    return {"errcode": code, "errmsg": words}


def _send(handler: BaseHTTPRequestHandler, status: int, answer: Json, headers: dict[str, str]) -> None:
    body = json.dumps(answer).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)

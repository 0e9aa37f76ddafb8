"""The half of the simulated 企业微信 that calls us: colleagues who write and press buttons, encrypted and signed."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from .simulator_cipher import encrypt, sign


class Callbacks:
    """The application's message reception, with its Token and EncodingAESKey."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.corp_id = "ww0000000000000001"
        self.agent_id = 1000002
        self.callback_token = "QDG6eKsimulated"  # noqa: S105 - the simulated vendor's own
        self.callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
        self._codes: dict[str, str] = {}

    def check_url(self, hook: str) -> bool:
        """What the admin console does when the address is saved: the answer must be the decrypted text and nothing else."""
        word = secrets.token_hex(8)
        query = self.signed(word.encode())
        with urllib.request.urlopen(f"{hook}?{urllib.parse.urlencode(query)}", timeout=10) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200 and answer.read() == word.encode())

    def say(self, hook: str, userid: str, words: str, *, number: str | None = None) -> int:
        """A colleague writes to the application; the hook's status."""
        number = number or str(secrets.randbelow(10**18) + 2**53)
        return self.deliver(hook, self.text_message(userid, words, number=number))

    def press(self, hook: str, userid: str, *, task: str, button: str) -> int:
        """A colleague presses a button of a card; the hook's status."""
        code = secrets.token_hex(16)
        self._codes[code] = task
        return self.deliver(hook, self.card_event(userid, task=task, button=button, code=code))

    def text_message(self, userid: str, words: str, *, number: str) -> bytes:
        parts = [("MsgType", "text"), ("Content", words), ("MsgId", number), ("AgentID", str(self.agent_id))]
        return self._xml(userid, parts)

    def card_event(self, userid: str, *, task: str, button: str, code: str) -> bytes:
        parts = [
            ("MsgType", "event"),
            ("Event", "template_card_event"),
            ("EventKey", button),
            ("TaskId", task),
            ("CardType", "button_interaction"),
            ("ResponseCode", code),
            ("AgentID", str(self.agent_id)),
        ]
        return self._xml(userid, parts)

    def deliver(self, hook: str, plain: bytes, *, at: float | None = None) -> int:
        """Encrypt, sign and post; up to three times like the vendor, where the hook does not answer 200."""
        query = self.signed(plain, at=at)
        body = self.envelope(query.pop("echostr"))
        status = 0
        for _ in range(3):
            request = urllib.request.Request(  # noqa: S310 - loopback
                f"{hook}?{urllib.parse.urlencode(query)}", data=body, headers={"Content-Type": "text/xml"}, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                    status = answer.status
            except urllib.error.HTTPError as error:
                status = error.code
                error.close()
            if status == 200:
                break
        return status

    def signed(self, plain: bytes, *, at: float | None = None) -> dict[str, str]:
        """The query of a callback; `echostr` is the cipher text, which a POST carries in its body instead."""
        timestamp, nonce = str(int(self.now() if at is None else at)), secrets.token_hex(8)
        encrypted = encrypt(self.callback_aes_key, self.corp_id, plain, secrets.token_bytes(16))
        signature = sign(self.callback_token, timestamp, nonce, encrypted)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": encrypted}

    def envelope(self, encrypted: str) -> bytes:
        return (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<AgentID><![CDATA[{self.agent_id}]]></AgentID></xml>"
        ).encode()

    def _xml(self, userid: str, parts: list[tuple[str, str]]) -> bytes:
        head = [("ToUserName", self.corp_id), ("FromUserName", userid), ("CreateTime", str(int(self.now())))]
        inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in head + parts)
        return f"<xml>{inner}</xml>".encode()

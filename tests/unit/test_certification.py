"""The certification suite finds what it is there to find: each rule is broken once, and the suite says so."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from hub.kit import accept, new
from hub.testing import RULES, Folder, Report, certify
from hub.testing.certification import judge
from hub.testing.checks import CHECKS
from hub.testing.rules import read_claims

NUMBERS = itertools.count()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh connector that is bronze. Each has a name of its own: Python keeps what it has imported."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = new(f"crm_certified_{next(NUMBERS)}", tmp_path)
    for name, old, text in [
        ("manifest.toml", "owners = []", 'owners = ["@example"]'),
        ("README.md", "\n## ", "\nWritten by its author.\n\n## "),
        ("README.md", "breaks\n", "breaks\n\nAsk.\n"),
    ]:
        change(made, name, old, text)
    for difference in accept(made):
        difference.write()
    forget(made)
    return made


def forget(folder: Path) -> None:
    """Python keeps what it has imported; what was changed since is imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] in (folder.name, f"certify_{folder.name}")]:
        del sys.modules[name]


def change(folder: Path, name: str, old: str, text: str) -> None:
    path = folder / name
    before = path.read_text(encoding="utf-8")
    assert old in before, f"{old!r} is not in {name}"
    path.write_text(before.replace(old, text), encoding="utf-8")


def findings(folder: Path, rule: str) -> str:
    forget(folder)
    verdict = judge(Folder(folder), RULES[rule], read_claims(folder))
    assert (verdict.state == "todo") == bool(verdict.findings), verdict
    return "\n".join(str(finding) for finding in verdict.findings)


def test_every_rule_has_its_check() -> None:
    """A rule that says it is checked has a check, and no check is without its rule."""
    assert set(CHECKS) == {name for name, rule in RULES.items() if rule.checked}


def test_an_untouched_connector_is_bronze(folder: Path) -> None:
    """Nothing is found where nothing is wrong."""
    report = certify(folder, up_to="bronze")

    assert (report.tier, report.findings) == ("bronze", ())


BREAK: list[tuple[str, str, str, str, str]] = [
    ("manifest_valid", "manifest.toml", 'title_zh = "请写中文名称"', 'title_zh = ""', "title"),
    ("manifest_valid", "manifest.toml", 'emits = ["customer.created"]', 'emits = ["customer.invented"]', "customer.invented"),
    ("manifest_valid", "manifest.toml", 'kind = "crm"', 'kind = "erp"', "do not agree"),
    ("manifest_valid", "manifest.toml", "owners", "unknown_field", "unknown_field"),
    ("abilities_match", "manifest.toml", 'does = ["normalises"]', 'does = ["normalises", "pulls"]', "lacks pull"),
    (
        "abilities_match",
        "connector.py",
        "    def normalise",
        "    def probe(self) -> None: ...\n\n    def normalise",
        "does not say probes",
    ),
    ("imports", "connector.py", "from hub.sdk", "import httpx\nfrom hub.sdk", "httpx"),
    ("imports", "connector.py", "from hub.sdk", "from hub.store.sql import Store\nfrom hub.sdk", "hub.store.sql"),
    ("imports", "connector.py", "from hub.sdk", "from urllib import request\nfrom hub.sdk", "urllib.request"),
    ("imports", "connector.py", "from hub.sdk", "from connectors.bank_csv import cells\nfrom hub.sdk", "connectors.bank_csv"),
    ("imports", "normalise.py", "import msgspec", "import uuid\nimport msgspec", "uuid"),
    (
        "imports",
        "normalise.py",
        "import msgspec",
        "from datetime import datetime\nX = lambda: datetime.now()\nimport msgspec",
        "clock",
    ),
    ("timeouts", "connector.py", "from hub.sdk", "import socket\nfrom hub.sdk", "socket"),
    ("outage_logged", "connector.py", "from hub.sdk", "import logging\nfrom hub.sdk", "logging"),
    ("outage_logged", "normalise.py", "    try:", "    print(raw)\n    try:", "prints"),
    ("no_float", "normalise.py", "    id: str", "    id: float", "float"),
    ("no_float", "normalise.py", "    id: str", "    id: str\n    rate = 0.5", "0.5"),
    ("strict_types", "normalise.py", "    id: str", "    id: str  # type: ignore", "ignored"),
    ("owner", "manifest.toml", 'owners = ["@example"]', 'owners = ["@"]', "nobody"),
    ("readme", "README.md", "## Limits", "## Limitless", "Limits"),
    ("readme", "README.md", "Ask.\n", "", "empty"),
    ("cases", "fixtures/a_new_customer/raw.json", "C-1", "C-9", "C-9"),
    ("cases", "fixtures/no_name_broken/raw.json", '{"id": "C-2"}', '{"id": "C-2", "name": "x"}', "shuniu accept"),
    ("cases", "fixtures/a_new_customer/raw.meta.toml", "about", "abuot", "abuot"),
    ("cases", "normalise.py", "    try:", "    1 / 0\n    try:", "stumbled"),
    ("nobody_real", "fixtures/a_new_customer/raw.json", "C-1", "13800138000", "mobile"),
    ("nobody_real", "fixtures/a_new_customer/raw.json", "C-1", "11010519491231002X", "identity"),
    ("nobody_real", "fixtures/a_new_customer/raw.json", "C-1", "4111111111111111", "bank card"),
    ("nobody_real", "fixtures/a_new_customer/raw.json", "C-1", "li@corp.cn", "corp.cn"),
    ("nobody_real", "fixtures/a_new_customer/raw.json", "C-1", "-----BEGIN PRIVATE KEY-----", "key"),
    ("case_sources", "fixtures/a_new_customer/raw.meta.toml", "source", "# source", "where it came from"),
    (
        "settings_described",
        "manifest.toml",
        "# [settings.host]",
        '[settings.token]\nabout = "A token"\nabout_zh = "x"\n#',
        "token",
    ),
    ("same_bytes", "normalise.py", "subject=record.id", "subject=str(__import__('random').random())", "random"),
    ("same_bytes", "normalise.py", "import msgspec\n", "import itertools\nimport msgspec\nN = itertools.count()\n", ""),
    ("replay_creates_nothing", "normalise.py", "subject=record.id", "subject=str(raw.received_at)", "another day"),
    ("random_bytes", "normalise.py", ", UnicodeDecodeError, RecursionError", "", "RecursionError"),
]


@pytest.mark.parametrize(
    ("rule", "name", "old", "text", "says"), BREAK, ids=[f"{one[0]}-{place}" for place, one in enumerate(BREAK)]
)
def test_a_broken_rule_is_found(folder: Path, rule: str, name: str, old: str, text: str, says: str) -> None:
    """One thing is broken, and the finding names it."""
    change(folder, name, old, text)
    if "itertools" in text:
        change(folder, "normalise.py", "subject=record.id", "subject=str(next(N))")

    found = findings(folder, rule)

    assert found
    assert says in found


def test_a_claim_of_done_does_not_outweigh_what_is_found(folder: Path) -> None:
    """quality.toml cannot talk a finding away; exempt needs a sentence."""
    (folder / "quality.toml").write_text('[readme]\nstate = "done"\n', encoding="utf-8")
    (folder / "README.md").write_text("# Nothing\n", encoding="utf-8")

    assert "missing" in findings(folder, "readme")

    (folder / "quality.toml").write_text('[readme]\nstate = "exempt"\n', encoding="utf-8")
    assert [finding.where for finding in certify(folder).findings] == ["quality.toml"]


def test_a_rule_for_others_is_exempt_by_nature(folder: Path) -> None:
    """Who receives nothing need not refuse anything."""
    verdict = judge(Folder(folder), RULES["refuses_forged"], {})

    assert (verdict.state, "receives" in verdict.why) == ("exempt", True)


def test_the_tier_is_no_higher_than_what_was_looked_at(folder: Path) -> None:
    """A look at bronze alone says bronze, and nothing says none."""
    assert certify(folder, up_to="bronze").tier == "bronze"
    assert Report(name="x", verdicts=()).tier is None


# --- with a vendor ------------------------------------------------------------------------------------------------

CONNECTOR = '''
"""A connector for the suite's own tests."""
from __future__ import annotations
import msgspec
from hub.sdk import Accepted, Cursor, Ignored, LoginRefused, Page, Raw, Reply, SignatureRefused, VendorFault, verify, read_verifier, digest

class Connector:
    def __init__(self, context):
        self.context = context

    def normalise(self, raw):
        yield Ignored(rule="none of ours")

    def _get(self, path):
        token = self.context.recall("token")
        for _ in range(2):
            if token is None:
                token = self.context.http.request("POST", "https://v.example.com/login").body.decode()
                self.context.remember("token", token, 3600)
            answer = self.context.http.request("GET", "https://v.example.com" + path, headers={"token": token})
            if answer.status != 401:
                break
            token = None
        if answer.status == 401:
            raise LoginRefused(happened="the vendor refuses our login", next="look at the key")
        if answer.status >= 500:
            raise VendorFault(happened="the vendor failed", next="wait")
        return msgspec.json.decode(answer.body)

    def probe(self):
        self._get("/ping")

    def pull(self, stream, cursor):
        after = int(cursor.at) if cursor else 0
        while True:
            rows = self._get(f"/rows/{after}")
            after += len(rows)
            raws = tuple(Raw(stream=stream, key=row, body=row.encode()) for row in rows)
            yield Page(raws=raws, cursor=Cursor(at=str(after)), complete=len(rows) < 2)
            if len(rows) < 2:
                return

    def receive(self, delivery):
        verified = verify(read_verifier("github"), delivery, self.context.settings.get("secret_all") or [], self.context.clock.now())
        return Accepted(raws=(Raw(stream="customer", key=digest(delivery.body), body=delivery.body),), secret=verified.secret)
'''

CERTIFY = '''
"""A vendor of ten lines."""
import hashlib, hmac, json
from contextlib import contextmanager
from pathlib import Path
from hub.core.connector import Answer, Delivery
from hub.core.errors import Unreachable
from hub.core.manifest import read_manifest
from hub.testing import NOON, FakeHttp, Genuine, answer, context_for

MANIFEST = Path(__file__).parents[1] / "manifest.toml"
ROWS = [f"row-{place}" for place in range(7)]

def settings():
    return {"secret": "s3cret"}

def deliveries():
    body = b'{"a": 1}'
    sign = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    return [Genuine(
        delivery=Delivery(method="POST", url="https://hub.example.com", query=(), headers=(("x-hub-signature-256", sign),), body=body, received_at=NOON),
        signature="header:X-Hub-Signature-256", covers=frozenset({"body"}),
    )]

class World:
    def __init__(self):
        self.mood, self.valid, self.count, self.kept = "well", "none", 0, {}
    def context(self):
        context = context_for(read_manifest(MANIFEST), settings=settings(), http=FakeHttp(always=self.answer))
        import msgspec
        return msgspec.structs.replace(context, recall=self.kept.get, remember=lambda name, value, seconds: self.kept.__setitem__(name, value))
    def answer(self, sent):
        if self.mood == "down":
            raise Unreachable(happened="nobody there", next="wait")
        if self.mood == "broken":
            return answer(status=502)
        if self.mood == "slow":
            return answer(status=429, headers={"Retry-After": "7"})
        if sent.url.endswith("/login"):
            self.count += 1
            self.valid = f"t{self.count}" if self.mood != "refusing" else "nobody's"
            return answer(body=f"t{self.count}".encode())
        if sent.headers["token"] != self.valid:
            return answer(status=401)
        return answer(ROWS[int(sent.url.rpartition("/")[2]):][:2] if "/rows/" in sent.url else {})
    def refuse_login(self): self.mood, self.valid = "refusing", "nobody's"
    def go_down(self): self.mood = "down"
    def break_down(self): self.mood = "broken"
    def slow_down(self, seconds): self.mood = "slow"
    def recover(self): self.mood = "well"; self.valid = "none"
    def expire_tokens(self): self.valid = "none"
    def logins(self): return self.count

@contextmanager
def world():
    yield World()
'''


@pytest.fixture
def vendor(folder: Path) -> Path:
    """A connector that pulls, receives and probes a vendor with tokens and pages."""
    (folder / "connector.py").write_text(CONNECTOR, encoding="utf-8")
    (folder / "tests" / "certify.py").write_text(CERTIFY, encoding="utf-8")
    change(folder, "manifest.toml", 'does = ["normalises"]', 'does = ["normalises", "pulls", "probes", "receives"]')
    change(
        folder,
        "manifest.toml",
        "# [settings.host]",
        '[settings.secret]\nabout = "The secret"\nabout_zh = "密钥"\nsecret = true\n#',
    )
    return folder


VENDOR_RULES = ("probe_tells_apart", "retry_after", "paging", "token_renewed_once", "refuses_forged")


@pytest.mark.parametrize("rule", VENDOR_RULES)
def test_a_connector_that_does_it_right_passes(vendor: Path, rule: str) -> None:
    """Nothing is found at a connector that keeps the rule."""
    assert findings(vendor, rule) == ""


VENDOR_BREAK: list[tuple[str, str, str, str]] = [
    ("probe_tells_apart", "raise LoginRefused(", "raise VendorFault(", "raise LoginRefused"),
    ("probe_tells_apart", "if answer.status >= 500:", "if False:", "raises"),
    ("probe_tells_apart", 'self._get("/ping")', "pass", "all is well"),
    ("retry_after", 'self._get("/ping")', "pass", "not heard"),
    ("paging", "after = int(cursor.at) if cursor else 0", "after = int(cursor.at) + 1 if cursor else 0", "never come"),
    ("paging", "key=row,", 'key=row + str(bool(cursor)) if cursor else row,', "looks new"),
    ("paging", "complete=len(rows) < 2", "complete=False", "not complete"),
    ("token_renewed_once", 'token = self.context.recall("token")', "token = None", "logged in 2 times"),
    ("token_renewed_once", "for _ in range(2):", "for _ in range(1):", "expired token"),
    ("refuses_forged", "verified = verify(", "verified = type('V', (), {'secret': 0}) or (", "is accepted"),
    ("refuses_forged", "key=digest(delivery.body)", "key=str(self)", "two keys"),
    ("refuses_forged", "def receive(self, delivery):", "def receive(self, delivery):\n        msgspec.json.decode(delivery.body)", "DecodeError"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "text", "says"), VENDOR_BREAK, ids=[f"{one[0]}-{one[3]}" for one in VENDOR_BREAK])
def test_a_connector_that_does_it_wrong_is_found(vendor: Path, rule: str, old: str, text: str, says: str) -> None:
    """One mistake that connectors make, and the finding that names it."""
    change(vendor, "connector.py", old, text)

    assert says in findings(vendor, rule)


@pytest.mark.parametrize("rule", VENDOR_RULES)
def test_what_the_suite_needs_is_asked_for_by_name(vendor: Path, rule: str) -> None:
    """Without the author's help nothing is passed over in silence."""
    (vendor / "tests" / "certify.py").unlink()

    assert "tests/certify.py" in findings(vendor, rule)


def test_a_world_that_offers_too_little_is_told_what_it_lacks(vendor: Path) -> None:
    """The missing function is named."""
    change(vendor, "tests/certify.py", "def logins", "def log_ins")

    assert "logins() on its world" in findings(vendor, "token_renewed_once")

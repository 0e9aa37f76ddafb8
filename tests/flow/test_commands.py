"""The operator's commands, run as a person runs them: in a process of their own, with a home of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.crypto import Seal
from hub.store.sql import Store

ROOT = Path(__file__).parents[2]
RUN = "from hub.cli import main; main()"


@pytest.fixture
def shuniu(tmp_path: Path):
    """Run the command; returns what it answered."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHUNIU_")}
        environment = {**kept, "SHUNIU_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), **variables}
        return subprocess.run(
            [sys.executable, "-c", RUN, *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


CONFIGURATION = """
[[connections]]
id = "shop"
connector = "http_webhook"
title = "配件商城"
field_map = "shop-orders"
[connections.settings]
style = "standard-webhooks"
secret = { env = "SHOP_SECRET" }

[[maps]]
name = "shop-orders"
text = '''
name = "shop-orders"
version = 1
target = "order.placed"
[fields]
order = "编号"
amount = "金额"
[[examples]]
in = { "编号" = "S-1", "金额" = "12.50" }
out = { order = "S-1", amount = "12.50" }
'''
"""


def test_what_is_applied_is_exported_without_its_secret(shuniu, tmp_path: Path) -> None:
    """`apply` puts a file in force and `export` writes it back; the secret is named and never shown."""
    (tmp_path / "day.toml").write_text(CONFIGURATION, encoding="utf-8")

    applied = shuniu("apply", "day.toml", SHOP_SECRET="whsec_c2VjcmV0LXZhbHVlLW9mLXRoZS1zaG9wLWhlcmU=")
    exported = shuniu("export")

    assert applied.returncode == 0, applied.stderr
    assert "connection shop (http_webhook)" in applied.stdout
    assert "SHOP_SECRET" in exported.stdout and "c2VjcmV0" not in exported.stdout
    (tmp_path / "again.toml").write_text(exported.stdout, encoding="utf-8")
    again = shuniu("apply", "again.toml", SHOP_SECRET="whsec_c2VjcmV0LXZhbHVlLW9mLXRoZS1zaG9wLWhlcmU=")
    assert again.returncode == 0, again.stderr
    assert shuniu("export").stdout == exported.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[connections]]\nid = 1", "id"),
        ("not toml at all [", "cannot be read"),
        ('[[connections]]\nid = "x"\nconnector = "no_such"', "no such connector"),
        ('[[maps]]\nname = "m"\nfile = "missing.toml"', "not there"),
        ('[[policies]]\nname = "payments"\ntext = "auto = \'high\'"', "policy"),
    ],
    ids=["wrong kind", "no toml", "unknown connector", "missing file", "bad policy"],
)
def test_a_wrong_configuration_is_refused_in_a_sentence(shuniu, tmp_path: Path, text: str, said: str) -> None:
    """What cannot be put in force is refused with exit code 2, names what is wrong, and changes nothing."""
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")

    answer = shuniu("apply", "wrong.toml")

    assert answer.returncode == 2
    assert said in answer.stderr and "Traceback" not in answer.stderr
    assert "connections" not in shuniu("export").stdout


def test_a_missing_secret_is_named(shuniu, tmp_path: Path) -> None:
    """A secret whose variable is not set stops the file before anything is changed."""
    (tmp_path / "day.toml").write_text(CONFIGURATION, encoding="utf-8")

    answer = shuniu("apply", "day.toml")

    assert answer.returncode == 2 and "SHOP_SECRET" in answer.stderr
    assert shuniu("export").stdout.strip() == ""


def test_a_backup_is_restored_and_rebuilt_the_same(shuniu, tmp_path: Path) -> None:
    """A backup comes back in another home with the same secrets sealed; rebuild finds the same ledger."""
    (tmp_path / "day.toml").write_text(CONFIGURATION, encoding="utf-8")
    key = Seal.generate_key()
    secret = {"SHOP_SECRET": "whsec_c2VjcmV0LXZhbHVlLW9mLXRoZS1zaG9wLWhlcmU=", "SHUNIU_SECRET_KEY": key}
    assert shuniu("apply", "day.toml", **secret).returncode == 0

    backup = shuniu("backup", "all.zip", **secret)
    other = str(tmp_path / "other")
    restored = shuniu("restore", "all.zip", SHUNIU_HOME=other, SHUNIU_SECRET_KEY=key)
    twice = shuniu("restore", "all.zip", SHUNIU_HOME=other, SHUNIU_SECRET_KEY=key)
    broken = tmp_path / "half.zip"
    broken.write_bytes((tmp_path / "all.zip").read_bytes()[:100])

    assert backup.returncode == 0 and restored.returncode == 0, backup.stderr + restored.stderr
    assert twice.returncode == 2 and "not empty" in twice.stderr
    assert shuniu("restore", "half.zip").returncode == 2
    rebuilt = shuniu("rebuild", SHUNIU_HOME=other, SHUNIU_SECRET_KEY=key)
    assert rebuilt.returncode == 0 and "the same" in rebuilt.stdout
    assert "whsec" not in (tmp_path / "all.zip").read_bytes().decode("latin-1")


def test_secrets_are_sealed_anew_with_a_new_key(shuniu, tmp_path: Path) -> None:
    """After a new first key, `reseal` lets the old one be taken away."""
    (tmp_path / "day.toml").write_text(CONFIGURATION, encoding="utf-8")
    old, new = Seal.generate_key(), Seal.generate_key()
    shop = "whsec_c2VjcmV0LXZhbHVlLW9mLXRoZS1zaG9wLWhlcmU="
    assert shuniu("apply", "day.toml", SHOP_SECRET=shop, SHUNIU_SECRET_KEY=old).returncode == 0

    resealed = shuniu("reseal", SHUNIU_SECRET_KEY=f"{new},{old}")

    assert resealed.returncode == 0 and "1 secrets" in resealed.stdout, resealed.stderr
    assert shuniu("reseal", SHUNIU_SECRET_KEY=new).returncode == 0
    assert shuniu("reseal", SHUNIU_SECRET_KEY=old).returncode == 2


def test_a_map_is_applied_to_a_file(shuniu, tmp_path: Path) -> None:
    """`map` writes a line a record, keeps long numbers, and tells the line that cannot be read."""
    (tmp_path / "m.toml").write_text(
        'name = "m"\ntarget = "x/y"\n[fields]\nid = "编号"\namount = { from = "金额", as = "decimal" }\n', encoding="utf-8"
    )
    records = '{"编号": 12345678901234567890, "金额": "1,200.50"}\n{"编号": 2, "金额": "oops"}\n'
    (tmp_path / "in.jsonl").write_text(records, encoding="utf-8")

    answer = shuniu("map", "m.toml", "--in", "in.jsonl", "--out", "out.jsonl")

    assert answer.returncode == 1
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0], parse_int=str) == {"id": "12345678901234567890", "amount": "1200.50"}
    assert "in.jsonl:2" in answer.stderr and "1 mapped, 0 ignored, 1 unreadable" in answer.stderr


def test_a_new_connector_is_made_and_checked(shuniu, tmp_path: Path) -> None:
    """`new` makes a folder from the template, and `check` tells the next thing that is missing."""
    made = shuniu("new", "crm_example", "--where", str(tmp_path))

    assert made.returncode == 0, made.stderr
    checked = shuniu("check", str(tmp_path / "crm_example"))
    assert checked.returncode == 1 and checked.stdout.strip()
    assert shuniu("check", "sign_esign").returncode == 0


def test_doctor_tells_what_is_in_force(shuniu) -> None:
    """Every setting is told with its origin, no secret is, and a fault makes the exit code 1."""
    well = shuniu("doctor", SHUNIU_API_TOKEN="very-secret-token")
    ill = shuniu(
        "doctor",
        SHUNIU_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/x",
        SHUNIU_BUS_URL="amqp://127.0.0.1:1//",
        SHUNIU_SECRET_KEY=Seal.generate_key(),
    )
    wrong = shuniu("doctor", SHUNIU_PORT="eighty")

    assert well.returncode == 0, well.stdout + well.stderr
    assert "SHUNIU_API_TOKEN" in well.stdout and "very-secret-token" not in well.stdout and "environment" in well.stdout
    assert ill.returncode == 1 and "✗ database" in ill.stdout and "✗ bus" in ill.stdout
    assert wrong.returncode == 1 and "SHUNIU_PORT" in wrong.stdout


def test_migrate_says_where_the_database_is(shuniu, tmp_path: Path) -> None:
    """`migrate` brings an empty database up and does nothing the second time."""
    first, second = shuniu("migrate"), shuniu("migrate")

    assert first.returncode == second.returncode == 0
    assert "the database is at" in first.stdout
    Store(f"sqlite:///{tmp_path / 'home' / 'hub.sqlite'}").close()


@pytest.mark.parametrize(
    "words",
    [("serve", "--role", "nobody"), ("demo", "no-such-folder"), ("explain", "receipt"), ("nothing",)],
    ids=lambda words: words[0],
)
def test_a_wrong_call_is_answered_with_usage(shuniu, words: tuple[str, ...]) -> None:
    """A command that is not called as it must be exits with 2 and says how."""
    answer = shuniu(*words)

    assert answer.returncode == 2 and "Traceback" not in answer.stderr and "--help" in answer.stderr + answer.stdout

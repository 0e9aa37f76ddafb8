"""`shuniu migrate|backup|restore|rebuild`: the database's life."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from hub.cli.common import a_hub, config_option, settings_for
from hub.ledger.rebuild import rebuild as rebuild_ledger
from hub.ledger.rebuild import state_hash
from hub.store import backup as backups
from hub.store.migrate import migrate as bring_up
from hub.store.sql import Store


@click.command()
@config_option
def migrate(config: Path | None) -> None:
    """Bring the database up to the version of the program."""
    store = Store(settings_for(config).database_url)
    before, after = bring_up(store)
    store.close()
    click.echo(f"the database is at {after}" + (f", it was at {before}" if before not in (None, after) else ""))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
def backup(file: Path, config: Path | None) -> None:
    """Write everything into FILE, from one consistent view. Secrets stay sealed; keep the key apart."""
    with a_hub(config) as hub:
        rows = backups.backup(hub.store, file)
    click.echo(f"{rows} rows in {file}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
def restore(file: Path, config: Path | None) -> None:
    """Read a backup into an empty database, of either kind."""
    store = Store(settings_for(config).database_url)
    bring_up(store)
    rows = backups.restore(store, file)
    store.close()
    click.echo(f"{rows} rows from {file}")


class OnlyLooked(Exception):
    """Leaves the transaction without keeping what it wrote."""


@click.command()
@click.option("--check", is_flag=True, help="Keep the ledger as it is; only tell whether the rebuilt one is the same.")
@config_option
def rebuild(check: bool, config: Path | None) -> None:
    """Drop the ledger and make it again from the events. Exit 1 where the result differs from what was there."""
    with a_hub(config) as hub:
        tenant = hub.settings.tenant
        before = after = ""
        with suppress(OnlyLooked), hub.store.work(tenant) as work:
            work.take_numbers(0)  # nobody records between the two
            before = state_hash(work)
            after = rebuild_ledger(work, lambda done: click.echo(f"\r{done} events", nl=False, err=True))
            if check:
                raise OnlyLooked
    same = before == after
    click.echo(f"\nbefore {before}\nafter  {after}\n{'the same' if same else 'different'}")
    sys.exit(not same)


@click.command()
@config_option
def reseal(config: Path | None) -> None:
    """Seal every secret again with the newest of the keys, after SHUNIU_SECRET_KEY got a new first one."""
    with a_hub(config) as hub:
        count = hub.registry.rotate_seals()
    click.echo(f"{count} secrets are sealed with the newest key")

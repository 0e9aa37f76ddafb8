"""`shuniu replay|explain|doctor`: the operator's tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from hub import tracing
from hub.cli.common import a_hub, config_option, settings_for
from hub.core.errors import Problem
from hub.doctor import diagnose
from hub.explain import sentences
from hub.settings import where_from
from hub.store import tables as t


@click.command()
@click.argument("id", required=False)
@click.option("--rule", help="All parked raws of this rule.")
@click.option("--connection", help="All parked raws of this connection.")
@config_option
def replay(id: str | None, rule: str | None, connection: str | None, config: Path | None) -> None:
    """Try a parked raw, event or action again, or all parked raws of a rule or connection."""
    with a_hub(config) as hub:
        tenant = hub.settings.tenant
        if id is not None:
            told = tracing.replay(hub.store, hub.subscribers, tenant, id)
            click.echo(f"{id}: {told['state']}")
        elif rule or connection:
            click.echo(f"{tracing.replay_raws(hub.store, tenant, rule=rule, connection=connection)} raws wait to be read again")
        else:
            raise click.UsageError("name an id, --rule or --connection")
        if hub.store.embedded:
            _work_off(hub)


def _work_off(hub: Any) -> None:
    """Nobody may be running: read what was put back now."""
    while hub.pipeline.run_once():
        pass
    with hub.store.read_transaction() as connection:
        left = connection.execute(sa.select(sa.func.count()).select_from(t.outbox)).scalar_one()
    if left:
        click.echo(f"{left} facts will be handled when the hub runs")


@click.command()
@click.argument("what", type=click.Choice(["receipt", "match", "event", "quote", "order"]))
@click.argument("id")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh")
@config_option
def explain(what: str, id: str, lang: str, config: Path | None) -> None:
    """Say in sentences why a receipt was matched so, or where an event went."""
    with a_hub(config) as hub, hub.store.look(hub.settings.tenant) as work:
        for line in sentences(work, what, id, lang):
            click.echo(line)


@click.command()
@config_option
def doctor(config: Path | None) -> None:
    """Print the settings in force and where they come from, and look for faults. Exit 1 where there is one."""
    try:
        settings = settings_for(config, log_level="error")
    except Problem as problem:
        click.echo(f"✗ {problem}")
        sys.exit(1)
    for name, value, origin in where_from(settings):
        click.echo(f"  {name:24} {value or '-':44} {origin}")
    faults = 0
    for finding in diagnose(settings):
        faults += not finding.ok
        click.echo(f"{'✓' if finding.ok else '✗'} {finding.says}")
    sys.exit(faults > 0)

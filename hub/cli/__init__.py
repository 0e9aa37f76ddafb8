"""The `shuniu` command. A command's module is imported when it is called, so that a worker does not load the demo."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from hub import __version__
from hub.core.errors import Problem

__all__ = ["main"]

COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "read": "read:read",
    "reconcile": "reconcile:reconcile_",
    "map": "maps:map_",
    "new": "connectors:new",
    "check": "connectors:check",
    "accept": "connectors:accept",
    "replay": "operate:replay",
    "explain": "operate:explain",
    "doctor": "operate:doctor",
    "apply": "configuration:apply",
    "export": "configuration:export",
    "migrate": "database:migrate",
    "backup": "database:backup",
    "restore": "database:restore",
    "rebuild": "database:rebuild",
    "reseal": "database:reseal",
}


class Commands(click.Group):
    """Our errors are sentences, not stack traces: what happened, to what, what next; exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"hub.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            click.echo(f"shuniu: {problem}", err=True)
            sys.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shuniu")
def main() -> None:
    """Shuniu 枢纽: a manufacturer's systems, in agreement."""

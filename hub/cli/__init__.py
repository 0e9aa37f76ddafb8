"""The `shuniu` command."""

from __future__ import annotations

import sys
from typing import Any

import click

from hub import __version__
from hub.cli.configuration import apply, export
from hub.cli.connectors import accept, check, new
from hub.cli.database import backup, migrate, rebuild, reseal, restore
from hub.cli.demo import demo
from hub.cli.maps import map_
from hub.cli.operate import doctor, explain, replay
from hub.cli.serve import serve
from hub.core.errors import Problem

__all__ = ["main"]


class Commands(click.Group):
    """Our errors are sentences, not stack traces: what happened, to what, what next; exit code 2."""

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


for command in (
    demo,
    serve,
    map_,
    new,
    check,
    accept,
    replay,
    explain,
    doctor,
    apply,
    export,
    migrate,
    backup,
    restore,
    rebuild,
    reseal,
):
    main.add_command(command)

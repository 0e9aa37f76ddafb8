"""`shuniu apply|export`: configuration as code."""

from __future__ import annotations

from pathlib import Path

import click
import tomli_w

from hub.cli.common import a_hub, config_option
from hub.configure import apply_configuration, export_configuration


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
def apply(files: tuple[Path, ...], config: Path | None) -> None:
    """Put the connections, maps, flows and policies of FILES in force."""
    with a_hub(config) as hub:
        for file in files:
            for line in apply_configuration(hub, file):
                click.echo(line)


@click.command()
@config_option
def export(config: Path | None) -> None:
    """Print what is in force, as `apply` reads it; secrets by reference."""
    with a_hub(config) as hub:
        click.echo(tomli_w.dumps(export_configuration(hub), multiline_strings=True), nl=False)

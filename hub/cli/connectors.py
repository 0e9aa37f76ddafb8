"""`shuniu new|check|accept`: the connector kit."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from hub import kit
from hub.core.errors import NotFound


def _folder(name: str) -> Path:
    """The connector's folder: a path, or a name below the package `connectors`; raises `NotFound`."""
    for folder in (Path(name), _connectors() / name):
        if folder.is_dir():
            return folder
    raise NotFound(happened="there is no such connector", next="check its name, or make it: shuniu new", connector=name)


def _connectors() -> Path:
    return Path(str(importlib.import_module("connectors").__file__)).parent


@click.command()
@click.argument("name")
@click.option("--where", type=click.Path(file_okay=False, path_type=Path), help="The folder to make it in.")
def new(name: str, where: Path | None) -> None:
    """Make the folder of a new connector, <kind>_<vendor>, from the template."""
    made = kit.new(name, where or _connectors())
    click.echo(f"made {made}. Next: put a real, anonymised answer in fixtures/, then: shuniu check {name}")


@click.command()
@click.argument("name")
@click.option("--all", "everything", is_flag=True, help="Tell everything that is missing, not only the next thing.")
def check(name: str, everything: bool) -> None:
    """Tell the next thing that is missing in a connector. Exit 1 while something is."""
    folder = _folder(name)
    if everything:
        findings = kit.check(folder)
    else:
        found = kit.next_missing(folder)
        findings = [found] if found is not None else []
    for finding in findings:
        click.echo(str(finding))
    if not findings:
        click.echo(f"{folder.name}: nothing is missing")
    sys.exit(bool(findings))


@click.command()
@click.argument("name")
@click.argument("case", required=False)
@click.option("--yes", is_flag=True, help="Write without asking.")
def accept(name: str, case: str | None, yes: bool) -> None:
    """Show what a connector's cases give now, and write it as what they should give."""
    differences = kit.accept(_folder(name), case)
    for difference in differences:
        click.echo(difference.diff)
        if yes or click.confirm(f"write {difference.file}?"):
            difference.write()
    if not differences:
        click.echo("every case gives what is written")

"""`shuniu map`: a field map over a file of records."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mappings import check_map, load_map, run_file


@click.command("map")
@click.argument("fieldmap", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--in", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Records, one JSON value a line."
)
@click.option(
    "--out", "target", type=click.Path(dir_okay=False, path_type=Path), help="Where to write; standard output if not given."
)
@click.option("--trace", is_flag=True, help="Write the way of every field too.")
@click.option("--check", "only_check", is_flag=True, help="Check the map and run its examples; map nothing.")
def map_(fieldmap: Path, source: Path | None, target: Path | None, trace: bool, only_check: bool) -> None:
    """Apply FIELDMAP to records. Exit 1 where a record cannot be read or a check finds an error."""
    loaded = load_map(fieldmap.read_text(encoding="utf-8"), file=fieldmap.name)
    if only_check or source is None:
        findings = check_map(loaded)
        for finding in findings:
            click.echo(f"{fieldmap.name}:{finding.line or 1}: {finding.severity}: {finding.happened}. Next: {finding.next}")
        if not findings:
            click.echo(f"{fieldmap.name}: fine, {len(loaded.examples)} examples")
        sys.exit(any(finding.severity == "error" for finding in findings))
    with source.open("rb") as lines:
        if target is None:
            tally = run_file(loaded, lines, sys.stdout.buffer, trace=trace)
            sys.stdout.buffer.flush()
        else:
            with target.open("wb") as out:
                tally = run_file(loaded, lines, out, trace=trace)
    for number, problem in tally.problems:
        click.echo(f"{source.name}:{number}: {problem}", err=True)
    click.echo(f"{tally.mapped} mapped, {tally.ignored} ignored, {tally.unreadable} unreadable", err=True)
    sys.exit(tally.unreadable > 0)

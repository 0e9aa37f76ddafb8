"""`shuniu demo`: a working day on simulated vendors."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

import click

from hub.demo.day import Day
from hub.demo.plant import NotSo, Plant
from hub.logs import configure_logs


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=int, default=8700, show_default=True, help="Port of the hub; 0 takes a free one.")
@click.option("--once", is_flag=True, help="Play the day, check the books, exit 0 or 1.")
@click.option(
    "--within",
    type=float,
    default=1.0,
    show_default=True,
    help="Seconds that money may take from the bank's file to the salesperson.",
)
def demo(path: Path | None, port: int, once: bool, within: float) -> None:
    """Play a manufacturer's working day. PATH: a folder with your own orders.csv and statement.csv."""
    configure_logs("error", "text")
    plant = Plant(port=0 if once and port == 8700 else port)
    began = time.monotonic()
    failed = 0
    try:
        plant.start()
        day = Day(plant, path, within=within)
        for number, (title, play) in enumerate(day.steps(), start=1):
            try:
                click.echo(f"✓ {number} {title}：{play()}")
            except NotSo as why:
                click.echo(f"✗ {number} {title}：{why}", err=True)
                for item in day.parked():
                    click.echo(f"    搁置：{item['id']} {item['rule']}：{item['reason']}", err=True)
                failed += 1
                break
        click.echo(f"{'一天结束' if not failed else '没有完成'}，{time.monotonic() - began:.1f} 秒")
        if not once and not failed:
            click.echo(f"枢纽开着：{plant.url} ，接口文档 {plant.url}/docs ，按 Ctrl-C 结束")
            with suppress(KeyboardInterrupt):
                plant.wait()
    finally:
        plant.stop()
    sys.exit(failed > 0)

"""What several commands need: settings, the hub, and quiet logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hub.bootstrap import Hub
from hub.logs import configure_logs
from hub.settings import Settings, load_settings

config_option = click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A settings file.")


def settings_for(config: Path | None, *, log_level: str | None = None, **given: Any) -> Settings:
    """The settings in force, with logging set up by them."""
    settings = load_settings(config, **{name: value for name, value in given.items() if value is not None})
    configure_logs(log_level or settings.log_level, settings.log_format)
    return settings


@contextmanager
def a_hub(config: Path | None) -> Iterator[Hub]:
    """A hub for one command: its database is up to date, none of its threads run."""
    hub = Hub(settings_for(config, log_level="warning"))
    try:
        hub.prepare()
        yield hub
    finally:
        hub.stop()

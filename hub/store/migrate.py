"""Bringing a database up to the version of the program, by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from hub.core.errors import Misconfigured
from hub.store.guards import install_guards
from hub.store.sql import Store

_LOCK = 7_361_203_514  # one process migrates, the others wait for it


def configuration(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration for our migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(store: Store) -> tuple[str | None, str | None]:
    """Apply what is missing, in one transaction. Returns the version before and after.

    Raises `Misconfigured` where the database is newer than the program.
    """
    with store.write_transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = version(connection)
        known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
        if before is not None and before not in known:
            raise Misconfigured(
                happened="the database was made by a newer version of the program",
                next="install that version, or restore a backup",
                version=before,
            )
        command.upgrade(configuration(connection), "head")
        install_guards(connection)
        return before, version(connection)


def version(connection: sa.Connection) -> str | None:
    """The database's version."""
    return MigrationContext.configure(connection).get_current_revision()

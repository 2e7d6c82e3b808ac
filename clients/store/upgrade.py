"""Brings a database to the tables of this release, one process at a time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from clients.errors import SettingsError
from clients.store.schema import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")
# Any number that nobody else in the database uses: "throughline" on a telephone's keys.
_LOCK = 84768448


def version_of(connection: Connection) -> str:
    """The migration that the database is at, "" for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside `connection`'s transaction, which the caller commits.

    Two at once wait for each other: SQLite by its write lock, PostgreSQL by an advisory one.
    SettingsError where the database was written by a newer release.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if version_of(connection) == HEAD:
        return
    # Imported here: a store that is up to date opens without Alembic's 200 ms.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SettingsError(
            f"store_url: the database is at version {version_of(connection)!r}, unknown to this release; "
            "run the newer release, or name another database"
        ) from error

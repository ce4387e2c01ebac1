"""Bringing the database to the version that this code needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.store.protection import protect
from service.store.session import Store

LOCK = 7_206_842
"""Any number: the PostgreSQL advisory lock that makes concurrent upgrades wait for each other."""


def config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(store: Store) -> None:
    """Run the migrations that are missing. Safe to run from several places at once, and again."""
    settings = config()
    with store.write() as session:
        if not store.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        settings.attributes["connection"] = session.connection()
        command.upgrade(settings, "head")
        protect(session)


def is_fit(store: Store) -> bool:
    """Whether the database has every migration that this code knows.

    One with a migration that this code does not know is fit as well: a newer release has upgraded it, and is about to
    take this one's place. Migrations leave intact what the release before uses (see CONTRIBUTING.md).
    """
    with store.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(config())
    outdated = {script.revision for script in scripts.walk_revisions()} - {scripts.get_current_head()}
    return present is not None and present not in outdated

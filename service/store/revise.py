"""`python -m service.store.revise "what changes"` writes a migration: the difference from tables to database."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from service.store.migrate import config, upgrade
from service.store.session import Store


def main(message: str) -> None:
    """Write the next migration beside the others."""
    settings = config()
    number = len(list((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/now.db")
        if number > 1:
            upgrade(store)
        with store.write() as session:
            settings.attributes["connection"] = session.connection()
            command.revision(settings, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    main(sys.argv[1])

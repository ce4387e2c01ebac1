"""Which databases a test runs on: both, unless it says otherwise."""

import pytest
from sqlalchemy import inspect, text

from service.pipeline.services import Services

on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""For what runs on SQLite alone unless it says otherwise."""
about_redis_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For slow tests of what Redis and its queue do, to which it makes no difference where the rows are."""
on_sqlite = about_redis_alone
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""For slow tests of real processes, half of them on each: what they may do to a database is tried on both, at every
point where they may die, by test_failpoints.py."""

KEPT = {"alembic_version", "days"}
"""Tables whose rows outlive a job: what a tenant has used of a day's quota stays used."""


def rows(services: Services) -> dict[str, int]:
    """How many rows each table holds, empty ones and those that outlive a job left out."""
    tables = set(inspect(services.store.engine).get_table_names()) - KEPT
    with services.store.read() as session:
        counted = {table: session.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0 for table in tables}  # noqa: S608
    return {table: count for table, count in counted.items() if count}

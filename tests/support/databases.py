"""Which databases a test runs on: both, unless it says otherwise."""

import pytest

on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""For what runs on SQLite alone unless it says otherwise."""
about_redis_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For slow tests of what Redis and its queue do, to which it makes no difference where the rows are."""

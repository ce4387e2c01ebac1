"""Which databases a test runs on: both, unless it says otherwise."""

import pytest

about_redis_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For slow tests of what Redis and its queue do, to which it makes no difference where the rows are."""

"""Ids in paths."""

import re

from werkzeug.routing import BaseConverter

from service.errors import NotFoundError

JOB_ID = r"job_[0-9a-f]{24}"


class JobIdConverter(BaseConverter):
    """A job's id. What can't be one is refused as an unknown job before the database sees it."""

    def to_python(self, value: str) -> str:
        """Check it.

        Raises:
            NotFoundError: it has not the form of a job's id.
        """
        return value


def check_job_id(value: str) -> str:
    """Check."""
    if not re.fullmatch(JOB_ID, value):
        raise NotFoundError(f"There is no job {value}.", code="job_not_found")
    return value

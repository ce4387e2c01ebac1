"""Ids in paths."""

from werkzeug.routing import BaseConverter

JUDGEMENT_ID = {
    "type": "string",
    "pattern": "^jdg_[0-9a-f]{24}$",
    "example": "jdg_0123456789abcdef01234567",
}
JOB_ID = {"type": "string", "pattern": "^job_[0-9a-f]{24}$", "example": "job_0123456789abcdef01234567"}

SUITE_ID = {"type": "string", "pattern": "^suite_[0-9a-f]{24}$", "example": "suite_0123456789abcdef01234567"}
TARGET_ID = {"type": "string", "pattern": "^target_[0-9a-f]{24}$", "example": "target_0123456789abcdef01234567"}

EXAMPLE_ID = {"type": "string", "pattern": "^ex_[0-9a-f]{24}$", "example": "ex_0123456789abcdef01234567"}


class JobId(BaseConverter):
    """A job's id. One of another form is looked up too, and answered as any other that does not exist."""

    def to_python(self, value: str) -> str:
        """PostgreSQL takes no NUL, not even to say that there is no such thing."""
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


class SuiteId(JobId):
    """A suite's id."""


class JudgementId(JobId):
    """A judgement's id."""


class ExampleId(JobId):
    """An example's id."""


class TargetId(JobId):
    """A stored target's id."""

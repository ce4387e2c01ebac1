"""Whose verdicts a request is about: a job's own, or those of one of its judgements."""

from typing import Any

from marshmallow import fields, validate

from service.api.schemas.base import Pattern
from service.domain.lifecycle import JobStatus

ORIGINAL = "original"
"""What requests call the job's own verdicts."""

_HELP = f"Whose verdicts: `{ORIGINAL}`, the job's own, or the id of one of its judgements."


def verdicts_of(**options: Any) -> fields.String:
    """A parameter that says it."""
    right = Pattern(rf"^(?:{ORIGINAL}|jdg_[0-9a-f]{{24}})$", error=f"Write {ORIGINAL} or the id of a judgement.")
    return fields.String(validate=right, metadata={"description": _HELP}, **options)


class JudgementStatus(fields.String):
    """Where a judgement stands: in the states of a job, but for `generating`. Its suite is there already."""

    def __init__(self, **options: Any) -> None:
        shown = [status.value for status in JobStatus if status is not JobStatus.GENERATING]
        super().__init__(validate=validate.OneOf(shown), **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str:
        del attr, obj
        status: JobStatus = JobStatus.QUEUED if value is JobStatus.GENERATING else value
        return status.value

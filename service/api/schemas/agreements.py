"""Agreement as it is asked for and shown."""

from typing import Any

from marshmallow import Schema, fields

from service.api.cursors import MAX_LENGTH, DifferenceCursor
from service.api.schemas.base import Answer, Count, QueryInteger, Share, enum, identifier
from service.api.schemas.reports import PluginSchema, RateSchema
from service.api.schemas.results import ResultCaseSchema
from service.api.schemas.verdicts import ORIGINAL, verdicts_of
from service.domain.agreement import Confusion
from service.domain.jobs import Job
from service.domain.verdicts import Disposition, Verdict


class _Name(fields.String):
    """What requests call a set of verdicts."""

    def get_value(self, obj: Job, *_: Any, **__: Any) -> str:
        """The job's own set has no id."""
        return obj.id if obj.completions_of else ORIGINAL


class _OwnName(fields.String):
    """A judgement's name; the job's own set has none, whatever the job is called."""

    def get_value(self, obj: Job, *_: Any, **__: Any) -> Any:
        """Take it from judgements alone."""
        return obj.name if obj.completions_of else None


class VerdictsSchema(Answer):
    """A set of verdicts, and who gave them."""

    judgement = _Name(metadata={"description": "`original`, or the id of a judgement."})
    name = _OwnName(allow_none=True)
    judge = fields.Nested(PluginSchema)


class KappaSchema(Answer):
    """Cohen's κ with its 95% interval. All null when undefined: no result, or one same verdict throughout."""

    value = fields.Float(allow_none=True)
    low = fields.Float(allow_none=True)
    high = fields.Float(allow_none=True)


class _Cell(Count):
    """How many results a judges so and b so."""

    def __init__(self, b: Verdict | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.b = b

    def get_value(self, obj: tuple[Confusion, Verdict | None], *_: Any, **__: Any) -> int:
        """Take it from the counts, of which there is none where there is no such result."""
        confusion, a = obj
        return confusion.get((a, self.b), 0)


class ConfusionRowSchema(Answer):
    """Results that a judges in one way, by how b judges them."""

    safe = _Cell(Verdict.SAFE)
    unsafe = _Cell(Verdict.UNSAFE)
    unknown_ = _Cell(Verdict.UNKNOWN, data_key="unknown", attribute="unknown")
    error = _Cell(None)


class _Row(fields.Nested):
    """One row of the counts."""

    def __init__(self, a: Verdict | None = None, **options: Any) -> None:
        super().__init__(ConfusionRowSchema, **options)
        self.a = a

    def get_value(self, obj: Confusion, *_: Any, **__: Any) -> tuple[Confusion, Verdict | None]:
        """The counts with the row that is meant."""
        return obj, self.a


class ConfusionSchema(Answer):
    """Counts by verdict of a, then of b; `error`: no verdict."""

    safe = _Row(Verdict.SAFE)
    unsafe = _Row(Verdict.UNSAFE)
    unknown_ = _Row(Verdict.UNKNOWN, data_key="unknown", attribute="unknown")
    error = _Row(None)


class OpinionSchema(Answer):
    """What one of the two judges makes of a result."""

    verdict = enum(Verdict, allow_none=True)
    confidence = Share(allow_none=True)
    severity = fields.Integer(allow_none=True)
    reason = fields.String()
    judge = fields.String()


class DifferenceSchema(Answer):
    """A result on which the two have different verdicts."""

    id = identifier("res", attribute="a.id")
    case = fields.Nested(ResultCaseSchema, attribute="a.case")
    repeat = Count(attribute="a.repeat")
    response = fields.String(attribute="a.response")
    disposition = enum(Disposition, attribute="a.disposition")
    a = fields.Nested(OpinionSchema)
    b = fields.Nested(OpinionSchema)


class AgreementSchema(Answer):
    """How far two sets of verdicts agree, and a page of the results where they don't, in the order of the suite."""

    job_id = identifier("job", attribute="job.id")
    a = fields.Nested(VerdictsSchema)
    b = fields.Nested(VerdictsSchema)
    n = Count(attribute="found.n", metadata={"description": "Results on which both have a verdict."})
    agreement = fields.Nested(
        RateSchema, attribute="found.agreement", metadata={"description": "Those of them with the same verdict."}
    )
    kappa = fields.Nested(KappaSchema, attribute="found.kappa")
    confusion = fields.Nested(ConfusionSchema, attribute="found.confusion")
    data = fields.List(fields.Nested(DifferenceSchema))
    next_cursor = fields.String(allow_none=True)


class AgreementQuerySchema(Schema):
    """Which two sets to compare, and how many differences to give at once."""

    a = verdicts_of(load_default=ORIGINAL)
    b = verdicts_of(required=True)
    limit = QueryInteger(1, 1000, load_default=100, metadata={"description": "Of a page of differences."})
    cursor = DifferenceCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})

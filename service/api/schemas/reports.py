"""Reports as JSON."""

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from service.api.schemas.base import Answer, Count, Share, Timestamp, UsageByRoleSchema, digest, enum, identifier
from service.api.schemas.jobs import GateSchema, LimitsAnswer, StatusReasonSchema, ThresholdsAnswer
from service.api.schemas.verdicts import ORIGINAL, JudgementStatus, verdicts_of
from service.domain.lifecycle import JobStatus
from service.domain.report import Row

FORMATS = ("json",)


class RateSchema(Answer):
    """A share with its 95% Wilson interval, in which repeats of a case count as one; null where it is taken of 0."""

    count = Count()
    of = Count()
    rate = Share(allow_none=True)
    low = Share(allow_none=True)
    high = Share(allow_none=True)


class CountsSchema(Answer):
    """Results by verdict (errors have none) and by disposition."""

    done = Count()
    safe = Count()
    unsafe = Count()
    unknown_ = Count(data_key="unknown", attribute="unknown")
    errors = Count()
    answered = Count()
    refused = Count()
    blocked = Count()


class RatesSchema(Answer):
    """Shares of the whole job."""

    unsafe = fields.Nested(RateSchema, metadata={"description": "Of all results with a verdict."})
    unsafe_without_blocked = fields.Nested(
        RateSchema, metadata={"description": "Of those with a verdict that the provider's filter did not stop."}
    )
    unknown_ = fields.Nested(
        RateSchema, data_key="unknown", attribute="unknown", metadata={"description": "Of all results with a verdict."}
    )
    refused = fields.Nested(RateSchema, metadata={"description": "Of all calls that the target answered somehow."})
    blocked = fields.Nested(RateSchema, metadata={"description": "Of all calls that the target answered somehow."})
    errors = fields.Nested(RateSchema, metadata={"description": "Of all results."})


class _RowSchema(Answer):
    """The results of one cell."""

    counts = fields.Nested(CountsSchema)
    unsafe = fields.Nested(RateSchema)
    unsafe_without_blocked = fields.Nested(RateSchema)


class _Feature(fields.String):
    """One feature of a row's cell, by its place there."""

    def __init__(self, place: int = 0) -> None:
        super().__init__(allow_none=True, metadata={"description": "null: the cases name none."})
        self.place = place

    def get_value(self, obj: Row, *_: Any, **__: Any) -> Any:
        """Take it from the cell."""
        return obj.cell[self.place]


class CategoryRowSchema(_RowSchema):
    """The results of one category."""

    category = _Feature()


class StyleRowSchema(_RowSchema):
    """The results of one style."""

    style = _Feature()


class TechniqueRowSchema(_RowSchema):
    """The results of one technique."""

    technique = _Feature()


class LanguageRowSchema(_RowSchema):
    """The results in one language."""

    language = _Feature()


class CategoryStyleRowSchema(_RowSchema):
    """The results of one category in one style."""

    category = _Feature(0)
    style = _Feature(1)


class PluginSchema(Answer):
    """A plug-in with the options that it ran with, defaults included; secrets are left out."""

    type = fields.String(attribute="name")
    options = fields.Dict(metadata={"additionalProperties": True})


class ReportSuiteSchema(Answer):
    """The suite: equal digests mean equal cases. `generator` is null when the cases were given."""

    id = identifier("suite")
    digest = digest()
    size = Count()
    generator = fields.Nested(PluginSchema, allow_none=True)


class ReportJobSchema(Answer):
    """The job reported on."""

    id = identifier("job")
    name = fields.String(allow_none=True)
    status = enum(JobStatus)
    status_reason = fields.Nested(StatusReasonSchema, allow_none=True)
    created_at = Timestamp()
    started_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)
    repeats = fields.Integer()
    total = Count(metadata={"description": "Results that the job has when it is done."})
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    thresholds = fields.Nested(ThresholdsAnswer, allow_none=True)
    limits = fields.Nested(LimitsAnswer)


class ReportJudgementSchema(Answer):
    """The judgement whose verdicts are reported on."""

    id = identifier("jdg")
    name = fields.String(allow_none=True)
    status = JudgementStatus()
    created_at = Timestamp()
    finished_at = Timestamp(allow_none=True)


class ReportSchema(Answer):
    """What a job found, and what is needed to run it again. Equal results give equal reports."""

    job = fields.Nested(ReportJobSchema)
    suite = fields.Nested(ReportSuiteSchema, attribute="job.suite")
    target = fields.Nested(PluginSchema, attribute="job.target")
    judge = fields.Nested(PluginSchema)
    judgement = fields.Nested(
        ReportJudgementSchema, allow_none=True, metadata={"description": "null: the verdicts are the job's own."}
    )
    totals = fields.Nested(CountsSchema)
    rates = fields.Nested(RatesSchema)
    by_category = fields.List(fields.Nested(CategoryRowSchema))
    by_style = fields.List(fields.Nested(StyleRowSchema))
    by_technique = fields.List(fields.Nested(TechniqueRowSchema))
    by_language = fields.List(fields.Nested(LanguageRowSchema))
    by_category_and_style = fields.List(fields.Nested(CategoryStyleRowSchema))
    usage = fields.Nested(UsageByRoleSchema)
    gate = fields.Nested(GateSchema)
    gate_of = fields.String(
        validate=validate.OneOf(["job", "judgement"]),
        metadata={
            "description": "judgement: what the gate would be by its verdicts. The job's own gate stays as it is."
        },
    )


def _supported(formats: Sequence[str]) -> str:
    return f"Reports come as: {', '.join(formats)}."


class ReportQuerySchema(Schema):
    """How to write the report."""

    format = fields.String(load_default="json", validate=validate.OneOf(FORMATS, error=_supported(FORMATS)))
    judgement = verdicts_of(load_default=ORIGINAL)

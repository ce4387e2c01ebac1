"""Suites and their cases as they are taken in, listed and shown."""

from functools import cache
from typing import Any

from marshmallow import Schema, fields, post_load, pre_load, validate

from service.api.cursors import MAX_LENGTH, CaseCursor, SuiteCursor
from service.api.schemas.base import (
    Answer,
    Count,
    Pattern,
    QueryInteger,
    Timestamp,
    UsageSchema,
    digest,
    enum,
    identifier,
)
from service.api.schemas.jobs import StatusReasonSchema
from service.api.schemas.plugins import variant
from service.api.schemas.specs import InlineSuite, SuiteField
from service.domain.coverage import FEATURES
from service.domain.effort import Fault
from service.domain.jobs import SuiteStatus
from service.domain.uploads import Columns
from service.domain.uploads.rows import COLUMNS
from service.generators.base import generators
from service.llm.fields import string
from service.pipeline.upload import UploadOptions

_PAIRS = f"Write pairs such as prompt:question,category:topic; on the left may stand {', '.join(COLUMNS)}."
_COLUMN = rf"(?:{'|'.join(COLUMNS)}):[^,:\x00]{{1,100}}"


def _name() -> fields.String:
    return string(1, 200, load_default=None, allow_none=True, metadata={"description": "What to call the suite."})


class NewInlineSuite(InlineSuite):
    """Cases of your own as a suite."""

    name = _name()


@cache
def new_suite_forms() -> tuple[type[Schema], ...]:
    """The forms that a new suite may take: each of a job's forms with a name beside it."""
    return (*(_named(variant(generators, "generator", name)) for name in generators.names()), NewInlineSuite)


def _named(form: type[Schema]) -> type[Schema]:
    return type(f"New{form.__name__}", (form,), {"name": _name(), "__doc__": form.__doc__})


class NewSuiteSchema(Schema):
    """A suite: a generator with its options, or cases.

    Described as one of `new_suite_forms`.
    """

    name = _name()
    suite = SuiteField(required=True)

    @pre_load
    def _part(self, data: Any, **_: Any) -> Any:
        """The name stands beside the fields of the suite."""
        if not isinstance(data, dict):
            return data
        name = {"name": data["name"]} if "name" in data else {}
        return {**name, "suite": {key: value for key, value in data.items() if key != "name"}}


class UploadQuerySchema(Schema):
    """How an upload is read; of no consequence for a suite that is generated or given in JSON."""

    name = string(1, 200, metadata={"description": "What to call the suite."})
    columns = fields.String(
        validate=[
            validate.Length(1, 200),
            Pattern(rf"^{_COLUMN}(?:,{_COLUMN})*$", error=_PAIRS),
        ],
        metadata={
            "description": f"Which of {', '.join(COLUMNS)} stands in which column, where the names differ.",
            "example": "prompt:question,category:topic",
        },
    )
    on_invalid = fields.String(
        load_default="reject",
        validate=validate.OneOf(["reject", "skip"]),
        metadata={"description": "Whether a row that holds no case makes the whole be refused, or is left out."},
    )
    drop_duplicates = fields.String(
        load_default="false",
        validate=validate.OneOf(["true", "false"]),
        metadata={"description": "Whether to leave out rows whose prompt an earlier one has."},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> UploadOptions:
        return UploadOptions(
            name=data.get("name"),
            columns=Columns(dict(pair.split(":") for pair in data.get("columns", "").split(",") if pair)),
            skip_invalid=data["on_invalid"] == "skip",
            drop_duplicates=data["drop_duplicates"] == "true",
        )


class GeneratorSchema(Answer):
    """What makes or made the suite; secret options are never shown."""

    type = fields.String(attribute="name")
    options = fields.Dict(metadata={"additionalProperties": True})


class ShortfallSchema(Answer):
    """A cell that has fewer cases than asked for."""

    category = fields.String()
    style = fields.String()
    technique = fields.String()
    language = fields.String()
    missing = Count()


class EffortSchema(Answer):
    """What making the suite has cost, and what a generator's model wrote that was turned away."""

    usage = fields.Nested(UsageSchema)
    refused = Count(metadata={"description": "Replies in which the model would not write what was asked for."})
    unreadable = Count(metadata={"description": "Replies that were not in the form asked for."})
    failed = Count(metadata={"description": "Calls that ended in an error."})
    rejected = fields.Dict(keys=enum(Fault), values=Count(), metadata={"description": "Prompts turned away, by fault."})
    shortfall = fields.List(fields.Nested(ShortfallSchema))


class RejectedRowSchema(Answer):
    """A row of an upload that holds no case."""

    line = Count()
    reason = fields.String()


class LeavingsSchema(Answer):
    """What of an upload did not come into the suite."""

    rejected = Count()
    duplicates = Count()
    first = fields.List(
        fields.Nested(RejectedRowSchema), metadata={"description": "The first rejected rows, 100 at most."}
    )


class SuiteLinksSchema(Answer):
    """Where to go from here."""

    self_ = fields.String(data_key="self", attribute="self")
    cases = fields.String()
    coverage = fields.String()


class SuiteSchema(Answer):
    """A frozen set of cases. While it is `generating`, `size` is what it is to have, and `digest` is null."""

    id = identifier("suite")
    name = fields.String(allow_none=True)
    status = enum(SuiteStatus)
    status_reason = fields.Nested(StatusReasonSchema, allow_none=True)
    size = Count()
    digest = digest()
    duplicates = Count(metadata={"description": "Cases whose prompt another case before them has."})
    generator = fields.Nested(GeneratorSchema, allow_none=True)
    effort = fields.Nested(EffortSchema)
    upload = fields.Nested(LeavingsSchema, allow_none=True)
    created_at = Timestamp()
    links = fields.Method("_links")

    def _links(self, suite: Any) -> dict[str, str]:
        here = suite_path(suite.id)
        return {"self": here, "cases": f"{here}/cases", "coverage": f"{here}/coverage"}


def suite_path(suite_id: str) -> str:
    """Where a suite is found."""
    return f"/v1/suites/{suite_id}"


class SuitePageSchema(Answer):
    """Suites, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(SuiteSchema))
    next_cursor = fields.String(allow_none=True)


class SuiteQuerySchema(Schema):
    """Which suites to list, and how many at once."""

    status = enum(SuiteStatus)
    limit = QueryInteger(1, 200, load_default=50)
    cursor = SuiteCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})


class SuiteCaseSchema(Answer):
    """A case of a suite."""

    index = Count()
    prompt = fields.String()
    category = fields.String(allow_none=True)
    style = fields.String(allow_none=True)
    technique = fields.String(allow_none=True)
    language = fields.String()
    attack = fields.String(allow_none=True)
    provenance = fields.Dict(
        allow_none=True,
        metadata={"description": "How a model came to write it.", "additionalProperties": True},
    )


class CasePageSchema(Answer):
    """Cases in the order of the suite. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(SuiteCaseSchema))
    next_cursor = fields.String(allow_none=True)


class CaseQuerySchema(Schema):
    """How many cases at once."""

    limit = QueryInteger(1, 1000, load_default=100)
    cursor = CaseCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})


class CellSchema(Answer):
    """How many cases stand in one cell."""

    category = fields.String(allow_none=True)
    style = fields.String(allow_none=True)
    technique = fields.String(allow_none=True)
    language = fields.String()
    count = Count()


class CombinedSchema(Answer):
    """How many combinations of the values of these features there are in the selection, and how many occur."""

    features = fields.List(fields.String(validate=validate.OneOf(FEATURES)))
    possible = Count()
    covered = Count()


class CombinationsSchema(Answer):
    """What became of the promise of `strength` t: that every combination of the values of t features occurs."""

    strength = fields.Integer(validate=validate.OneOf([2, 3]))
    possible = Count()
    covered = Count()
    complete = fields.Boolean(metadata={"description": "Whether every combination occurs in some case."})
    by_features = fields.List(fields.Nested(CombinedSchema))


class CoverageSchema(Answer):
    """The cells that hold cases, and how many each."""

    suite_id = identifier("suite")
    size = Count()
    combinations = fields.Nested(
        CombinationsSchema, allow_none=True, metadata={"description": "null for a suite made without `strength`."}
    )
    cells = fields.List(fields.Nested(CellSchema))

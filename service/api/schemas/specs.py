"""What a client sends to make a job."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from service.api.schemas.base import Pattern
from service.api.schemas.plugins import PluginField, load_plugin
from service.api.schemas.webhooks import WebhookSchema
from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.specs import TO_BE_LOOKED_UP, JobSpec, Limits, SuiteSpec, Thresholds
from service.generators.base import generators
from service.judges.base import judges
from service.llm.fields import List, Table, integer, number, storable, string
from service.targets.base import targets

MAX_CASES = 10_000
MAX_REPEATS = 100


def _known(ids: Mapping[str, object]) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.OneOf([*ids, None]))


class CaseSchema(Schema):
    """A case of your own; features that are null or absent are not reported on."""

    prompt = fields.String(
        required=True,
        validate=[
            validate.Length(1, 32_768),
            validate.Regexp(r"^\s*[^\x00\s][^\x00]*$", error="Must hold more than white space, and no NUL."),
            storable,
        ],
    )
    category = _known(CATEGORIES)
    style = _known(STYLES)
    technique = _known(TECHNIQUES)
    language = fields.String(
        load_default="en",
        validate=[validate.Length(2, 16), Pattern(r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$")],
        metadata={"description": "A language tag (BCP 47)."},
    )


class InlineSuite(Schema):
    """Cases given with the job."""

    cases = List(fields.Nested(CaseSchema), required=True, validate=validate.Length(1, MAX_CASES))


class StoredSuite(Schema):
    """A suite that exists already; two jobs on the same suite can be compared."""

    suite_id = fields.String(required=True, validate=Pattern(r"^suite_[0-9a-f]{24}$"))


class SuiteField(fields.Field[SuiteSpec]):
    """Exactly one of a generator with its options, the id of a stored suite, and cases."""

    forms: Mapping[str, type[Schema]] = {"suite_id": StoredSuite, "cases": InlineSuite}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> SuiteSpec:
        del attr, data
        named = [name for name in ("generator", "suite_id", "cases") if isinstance(value, Mapping) and name in value]
        if len(named) != 1:
            raise ValidationError("Must be an object with exactly one of the fields generator, suite_id and cases.")
        if named == ["generator"]:
            return SuiteSpec(generator=load_plugin(generators, "generator", value))
        loaded = self.forms[named[0]]().load(value)
        if named == ["suite_id"]:
            return SuiteSpec(suite_id=loaded["suite_id"])
        return SuiteSpec(cases=tuple(Case(index, **case) for index, case in enumerate(loaded["cases"])))


class NamedTarget(Schema):
    """A target that is stored already, as it stands when the job is submitted."""

    target_id = fields.String(required=True, validate=Pattern(r"^target_[0-9a-f]{24}$"))


class TargetField(PluginField):
    """The model under test: a kind of target with its options, or the id of a stored one (a string, when loaded)."""

    form: type[Schema] = NamedTarget

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, Mapping) and "target_id" in value:
            return self.form().load(value)["target_id"]
        return super()._deserialize(value, attr, data, **kwargs)


class ThresholdsSchema(Schema):
    """What the finished job must keep to for its gate to pass. Absent or null: not checked."""

    max_unsafe_rate = number(0, 1, load_default=None, allow_none=True)
    max_error_rate = number(
        0,
        1,
        load_default=None,
        allow_none=True,
        metadata={"description": "Errors, of all results; beyond it the gate is inconclusive."},
    )
    max_unknown_rate = number(
        0,
        1,
        load_default=None,
        allow_none=True,
        metadata={"description": "Verdicts `unknown`, of all verdicts; beyond it the gate is inconclusive."},
    )
    by_category = Table(
        keys=fields.String(validate=validate.OneOf(list(CATEGORIES))),
        values=number(0, 1),
        load_default=dict,
        metadata={"description": "Highest unsafe rate allowed in a category."},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Thresholds:
        return Thresholds(**data)


class LimitsSchema(Schema):
    """What a job may spend; reaching a limit pauses it. Absent or null: no such limit."""

    max_requests = integer(
        1,
        10**12,
        load_default=None,
        allow_none=True,
        metadata={"description": "HTTP requests to target and judge together, retries included."},
    )
    max_total_tokens = integer(
        1,
        10**12,
        load_default=None,
        allow_none=True,
        metadata={"description": "Prompt and completion tokens of target and judge together."},
    )
    max_duration_seconds = integer(
        1,
        10**9,
        load_default=None,
        allow_none=True,
        metadata={"description": "Time spent running; pauses do not count."},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Limits:
        return Limits(**data)


class ResumeSchema(Schema):
    """How to go on."""

    may_be_absent = True

    limits = fields.Nested(
        LimitsSchema, load_default=None, allow_none=True, metadata={"description": "null: those that it has."}
    )


class JobSpecSchema(Schema):
    """A test job."""

    name = string(1, 200, load_default=None, allow_none=True)
    target = TargetField(targets, required=True, metadata={"description": "The model or endpoint under test."})
    suite = SuiteField(required=True, metadata={"description": "Where the cases come from."})
    judge = PluginField(
        judges,
        load_default=lambda: load_plugin(judges, "type", {"type": "rules"}),
        metadata={"description": "Who gives the verdicts; the judge `rules` with its defaults if absent."},
    )
    repeats = integer(1, MAX_REPEATS, load_default=1, metadata={"description": "How often each case is run."})
    thresholds = fields.Nested(ThresholdsSchema, load_default=None, allow_none=True)
    limits = fields.Nested(
        LimitsSchema, load_default=Limits, metadata={"description": "What the job may spend before it is paused."}
    )
    webhook = fields.Nested(WebhookSchema, load_default=None, allow_none=True)
    labels = Table(
        keys=fields.String(validate=Pattern(r"^[A-Za-z0-9_.-]{1,63}$")),
        values=string(0, 256),
        load_default=dict,
        validate=validate.Length(max=20),
        metadata={"description": "For your own use: jobs can be listed by them."},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> JobSpec:
        if isinstance(data["target"], str):
            data |= {"target_id": data["target"], "target": TO_BE_LOOKED_UP}
        return JobSpec(**data)

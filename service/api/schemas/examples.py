"""Example requests as they are given, listed and shown."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from service.api.cursors import MAX_LENGTH, ExampleCursor
from service.api.schemas.base import Answer, Count, Pattern, QueryInteger, Timestamp, identifier
from service.domain.catalog import CATEGORIES
from service.domain.examples import MAX_TEXT, NewExample
from service.llm.fields import List, string

MOST_AT_ONCE = 10_000


def _category(**options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(list(CATEGORIES)), **options)


class NewExampleSchema(Schema):
    """A request of the kind that a model should write more of."""

    category = _category(required=True)
    text = string(1, MAX_TEXT, required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> NewExample:
        return NewExample(**data)


class GivenExamples(Schema):
    """Examples of your own."""

    examples = List(fields.Nested(NewExampleSchema), required=True, validate=validate.Length(1, MOST_AT_ONCE))


class ExamplesOfJob(Schema):
    """The prompts of a job's unsafe results."""

    job_id = fields.String(required=True, validate=Pattern(r"^job_[0-9a-f]{24}$"))
    category = _category(load_default=None, allow_none=True, metadata={"description": "null for all."})


class NewExamplesSchema(GivenExamples, ExamplesOfJob):
    """Examples of your own, or a job whose unsafe results are to become some.

    Described as one of `FORMS`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in ("examples", "job_id"):
            self.fields[name].required = False

    @validates_schema(pass_original=True)
    def _one_form(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        if ("examples" in data) == ("job_id" in data):
            raise ValidationError("Must have exactly one of the fields examples and job_id.")
        if "examples" in data and "category" in original:
            raise ValidationError("Each of the examples names its own.", "category")


FORMS: tuple[type[Schema], ...] = (GivenExamples, ExamplesOfJob)


class TakenSchema(Answer):
    """What became of them."""

    added = Count()
    known = Count(metadata={"description": "There already, in the same words but for case and signs, or given twice."})
    skipped = Count(
        metadata={
            "description": "Prompts of a job that make no example: without a category, too long, or with no letter."
        }
    )


class ExampleSchema(Answer):
    """An example request. `job_id` and `result_id` tell whose prompt it was; null if it was given as such."""

    id = identifier("ex")
    category = fields.String()
    text = fields.String()
    job_id = identifier("job", allow_none=True)
    result_id = identifier("res", allow_none=True)
    created_at = Timestamp()


class ExamplePageSchema(Answer):
    """Examples, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(ExampleSchema))
    next_cursor = fields.String(allow_none=True)


class ExampleQuerySchema(Schema):
    """Which examples to list, and how many at once."""

    category = _category()
    limit = QueryInteger(1, 1000, load_default=100)
    cursor = ExampleCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})

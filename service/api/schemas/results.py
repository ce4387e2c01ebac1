"""Results as they are listed and streamed."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from service.api.cursors import MAX_LENGTH, ResultCursor
from service.api.schemas.base import Answer, Count, QueryInteger, Share, Timestamp, enum, identifier
from service.api.schemas.verdicts import ORIGINAL, verdicts_of
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.completions import MAX_TEXT, ErrorCode
from service.domain.verdicts import Disposition, Verdict
from service.llm.fields import string
from service.store.results import ResultFilter


class ResultCaseSchema(Answer):
    """The case that was run."""

    index = Count()
    prompt = fields.String()
    category = fields.String(allow_none=True)
    style = fields.String(allow_none=True)
    technique = fields.String(allow_none=True)
    language = fields.String()
    attack = fields.String(allow_none=True)


class TokensSchema(Answer):
    """Tokens of the target's answer as its server counts them."""

    prompt_tokens = Count()
    completion_tokens = Count()


class CallErrorSchema(Answer):
    """Why there is no verdict: the call to the target or to the judge failed for good."""

    code = enum(ErrorCode)
    message = fields.String()
    stage = fields.String(validate=validate.OneOf(["target", "judge"]))


class ResultSchema(Answer):
    """What came of one case and repeat. `verdict` is null after an error."""

    id = identifier("res")
    case = fields.Nested(ResultCaseSchema)
    repeat = Count()
    response = fields.String(metadata={"description": "The text or, if there is none, the refusal."})
    refusal = fields.String(
        allow_none=True, metadata={"description": "What came in the API's own refusal field, which the judge saw too."}
    )
    truncated = fields.Boolean(
        metadata={"description": f"The answer had more than {MAX_TEXT:,} characters; `response` is its beginning."}
    )
    finish_reason = fields.String(allow_none=True)
    blocked_reason = fields.String(
        allow_none=True,
        metadata={"description": "Why the provider's filter stopped the exchange, in its words; a long one ends in …"},
    )
    disposition = enum(Disposition)
    verdict = enum(Verdict, allow_none=True)
    confidence = Share(allow_none=True)
    severity = fields.Integer(allow_none=True)
    reason = fields.String()
    judge = fields.String()
    judge_raw = fields.String(
        allow_none=True, metadata={"description": "The judge's own reply, kept when it could not be read."}
    )
    attempts = Count()
    latency_ms = Count()
    usage = fields.Nested(TokensSchema)
    error = fields.Nested(CallErrorSchema, allow_none=True)
    review = fields.Raw(dump_default=None, metadata={"type": "null", "description": "Reserved for a person's verdict."})
    created_at = Timestamp()


class ResultPageSchema(Answer):
    """Results in the order of the suite. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(ResultSchema))
    next_cursor = fields.String(allow_none=True)


class ResultQuerySchema(Schema):
    """Which results to give, and how many at once."""

    verdict = enum(Verdict)
    category = fields.String(validate=validate.OneOf(list(CATEGORIES)))
    style = fields.String(validate=validate.OneOf(list(STYLES)))
    technique = fields.String(validate=validate.OneOf(list(TECHNIQUES)))
    language = string(2, 16, metadata={"description": "The case's language tag, exactly."})
    disposition = enum(Disposition)
    judgement = verdicts_of(load_default=ORIGINAL)
    limit = QueryInteger(1, 1000, load_default=100, metadata={"description": "Of a page; a stream has all."})
    cursor = ResultCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        limit, after, judgement = data.pop("limit"), data.pop("cursor", None), data.pop("judgement")
        return {"which": ResultFilter(**data), "judgement": judgement, "after": after, "limit": limit}

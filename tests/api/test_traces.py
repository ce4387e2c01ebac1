"""One trace from the request through the queue to the calls of target, judge and generator."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from service.logs.lines import formatter
from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from tests.api.conftest import created, finish, judged, spec
from tests.support.mock_openai import MockOpenAI, moderation, payload, text
from tests.support.running import wind_back
from tests.support.spans import Spans, is_child, recorded
from tests.support.writing import CELL, writes

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
KEY = "sk-canary-key"
ANSWER = "canary-answer"
VERDICT = text('{"verdict": "safe", "reason": "canary-reason"}')
COMPLYING = {"type": "scripted", "replies": [{"text": "Sure."}]}
COUNTED = {"prompt_tokens": 7, "completion_tokens": 5}


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recorded() as found:
        yield found


def answered(model: str) -> Any:
    choices = [{"message": {"content": ANSWER}, "finish_reason": "stop"}]
    return payload({"choices": choices, "usage": COUNTED, "model": model})


def model(server: MockOpenAI, name: str, **options: Any) -> dict[str, Any]:
    return {"base_url": server.base_url, "model": name, "api_key": KEY, "max_attempts": 1, **options}


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


def test_a_job_is_one_trace_from_the_request_to_the_calls(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    with MockOpenAI(answered(f"t-2026 {KEY}")) as target, MockOpenAI(VERDICT) as judge:
        wanted = spec(2, target={"type": "openai", **model(target, "t")}, judge={"type": "llm", **model(judge, "j")})
        job_id = client.post("/v1/jobs", json=wanted, headers=SENT).json["id"]
        finish(services, job_id)

    assert {trace_of(span) for span in spans.all} == {TRACE}
    post = spans.one("POST /v1/jobs")
    assert post.kind is SpanKind.SERVER
    assert post.parent is not None
    assert f"{post.parent.span_id:016x}" == CALLER
    assert is_child(spans.one("plan"), post)
    turn = spans.one("run batches")
    assert turn.kind is SpanKind.CONSUMER
    assert is_child(turn, post)
    cases = spans.named("case")
    assert all(is_child(case, turn) for case in cases)
    for name in ("chat t", "chat j"):
        calls = spans.named(name)
        assert sorted(call.parent.span_id for call in calls if call.parent) == sorted(
            case.context.span_id for case in cases
        )
    assert (turn.attributes or {})["proofhouse.job_id"] == job_id
    assert {(case.attributes or {})["proofhouse.verdict"] for case in cases} == {"safe"}


def test_a_call_is_described_as_the_conventions_say_and_by_no_text(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    with MockOpenAI(answered(f"t-2026 {KEY}")) as target, MockOpenAI(VERDICT) as judge:
        wanted = spec(1, target={"type": "openai", **model(target, "t")}, judge={"type": "llm", **model(judge, "j")})
        finish(services, created(client, wanted))
        call = spans.one("chat t")
        port = int(target.base_url.split(":")[2].split("/")[0])
    assert call.kind is SpanKind.CLIENT
    assert dict(call.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "t",
        "gen_ai.response.model": "t-2026 [redacted]",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5,
        "server.address": "127.0.0.1",
        "server.port": port,
        "proofhouse.role": "target",
    }
    everything = " ".join(span.to_json() for span in spans.all)
    assert [canary for canary in (KEY, "canary", "pick lock") if canary in everything] == []


def test_a_failed_call_says_of_what_kind_its_error_was_and_not_what_was_said(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    with MockOpenAI(payload({"error": {"message": "canary"}}, 500)) as target:
        wanted = spec(1, target={"type": "openai", **model(target, "t", max_attempts=2)})
        finish(services, created(client, wanted))
    calls = spans.named("chat t")
    assert [(call.attributes or {})["error.type"] for call in calls] == ["server_error"] * 2
    assert not any(call.status.is_ok for call in calls)
    assert "canary" not in " ".join(span.to_json() for span in spans.all)


def test_work_taken_up_again_is_in_the_trace_of_the_request_that_began_it(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    """Whoever goes on knows of it from the database alone."""
    job_id = client.post("/v1/jobs", json=spec(2), headers=SENT).json["id"]
    wind_back(services)
    with recorded() as later:
        finish(services, job_id)
    assert is_child(later.one("run batches"), spans.one("POST /v1/jobs"))


def test_a_judgement_hangs_below_the_request_that_asked_for_it(
    client: FlaskClient, services: Services, finished_job: str, spans: Spans
) -> None:
    finish(services, judged(client, finished_job).rsplit("/", 1)[-1])
    assert is_child(spans.one("run batches"), spans.one("POST /v1/jobs/{job_id}/judgements"))


def test_a_suite_that_a_job_waits_for_is_made_below_its_plan(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    finish(services, created(client, spec(suite={"generator": "matrix", "limit": 3})))
    assert is_child(spans.one("make suite"), spans.one("plan"))


def test_a_suite_asked_for_by_itself_is_made_below_that_request_whoever_makes_it(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    suite_id = client.post("/v1/suites", json={"generator": "matrix", "limit": 3}).json["id"]
    finish(services, created(client, spec(suite={"suite_id": suite_id})))
    assert is_child(spans.one("make suite"), spans.one("POST /v1/suites"))
    assert is_child(spans.one("plan"), spans.one("POST /v1/jobs"))


def test_a_generators_calls_hang_below_the_making_of_its_suite(
    client: FlaskClient, services: Services, spans: Spans
) -> None:
    with MockOpenAI(writes) as writer:
        generator = {"generator": "llm", **model(writer, "w"), **CELL, "tests_per_cell": 1}
        suite_id = client.post("/v1/suites", json=generator, headers=SENT).json["id"]
        make_suite(services, suite_id)
    assert {trace_of(span) for span in spans.all} == {TRACE}
    making = spans.one("make suite")
    assert is_child(making, spans.one("POST /v1/suites"))
    calls = spans.named("chat w")
    assert calls
    assert all(is_child(call, making) for call in calls)
    assert {(call.attributes or {})["proofhouse.role"] for call in calls} == {"generator"}


def test_a_moderation_is_an_operation_of_its_own(client: FlaskClient, services: Services, spans: Spans) -> None:
    with MockOpenAI(moderation({"violence": 0.1})) as judge:
        finish(services, created(client, spec(1, target=COMPLYING, judge={"type": "moderation", **model(judge, "m")})))
    call = spans.one("moderation m")
    assert (call.attributes or {})["gen_ai.operation.name"] == "moderation"
    assert is_child(call, spans.one("case"))


def test_a_target_that_is_tried_out_is_called_below_the_request(client: FlaskClient, spans: Spans) -> None:
    with MockOpenAI(answered("t")) as target:
        kept = {"name": "mine", "target": {"type": "openai", **model(target, "t")}}
        target_id = client.post("/v1/targets", json=kept).json["id"]
        assert client.post(f"/v1/targets/{target_id}/test").json["ok"]
    assert is_child(spans.one("chat t"), spans.one("POST /v1/targets/{target_id}/test"))


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-{CALLER}-01", "x" * 10_000])
def test_a_parent_that_is_none_begins_a_trace(client: FlaskClient, spans: Spans, given: str) -> None:
    assert client.post("/v1/jobs", json=spec(), headers={"traceparent": given}).status_code == 202
    assert spans.one("POST /v1/jobs").parent is None


def test_a_caller_that_is_not_sampled_is_not_traced(client: FlaskClient, services: Services, spans: Spans) -> None:
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
    finish(services, client.post("/v1/jobs", json=spec(), headers=headers).json["id"])
    assert spans.all == []


def test_a_refused_request_is_no_error_and_one_that_went_wrong_is(
    client: FlaskClient, queued_job: str, monkeypatch: pytest.MonkeyPatch, spans: Spans
) -> None:
    monkeypatch.setattr("service.api.presenting.progress", lambda *_: 1 / 0)
    client.get(f"/v1/jobs/{queued_job}")
    client.get("/v1/jobs/job_unknown?cursor=canary")
    wrong, refused = spans.named("GET /v1/jobs/{job_id}")
    assert (wrong.attributes or {})["error.type"] == "500"
    assert "error.type" not in (refused.attributes or {})
    assert (refused.attributes or {})["http.response.status_code"] == 404


def test_probes_are_not_traced(client: FlaskClient, spans: Spans) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert spans.all == []


def test_without_traces_a_job_has_no_parent_even_if_the_caller_has(client: FlaskClient, services: Services) -> None:
    job_id = client.post("/v1/jobs", json=spec(), headers=SENT).json["id"]
    with recorded() as later:
        finish(services, job_id)
    assert later.one("run batches").parent is None


def test_lines_name_their_trace(client: FlaskClient, spans: Spans, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(formatter(as_json=True, with_words=False))
    client.get("/v1/jobs", headers=SENT).close()
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    assert [line["trace_id"] for line in lines if line["event"] == "request"] == [TRACE]

"""What every plug-in keeps to, whoever wrote it: a new one is found and tested with no edit here.

A plug-in whose options have required fields gives each an `example` in its metadata; the options built from them must
be valid.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import RAISE, Schema, ValidationError, fields

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.errors import GenerationError
from service.generators.base import Tools, generators
from service.judges.base import judges
from service.llm.limits import LocalLimiter
from service.registry import Registry, join_secrets, split_secrets
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text

REGISTRIES: list[Registry[Any]] = [targets, judges, generators]
SECRET_NAME = re.compile(r"(api_key|secret|password|token|credentials?)$")


def plugins(*registries: Registry[Any]) -> Any:
    """Parametrises a test over every plug-in of those kinds."""
    found = [(f"{registry.kind}/{name}", plugin) for registry in registries for name, plugin in registry.items()]
    return pytest.mark.parametrize("plugin", [each for _, each in found], ids=[name for name, _ in found])


def example(plugin: Any) -> dict[str, Any]:
    """The least options, as a client would send them."""
    every = plugin.Options().fields.items()
    return {name: field.metadata["example"] for name, field in every if field.required}


def options_of(plugin: Any) -> dict[str, Any]:
    """The least options, validated."""
    return dict(plugin.Options().load(example(plugin)))


def json_schema(plugin: Any) -> dict[str, Any]:
    """The options as OpenAPI shows them."""
    spec = APISpec("x", "1", "3.1.0", plugins=[MarshmallowPlugin(schema_name_resolver=lambda _: None)])
    spec.components.schema("Options", schema=plugin.Options)
    return dict(spec.to_dict()["components"]["schemas"]["Options"])


@plugins(*REGISTRIES)
def test_the_first_line_of_the_docstring_introduces_it(plugin: Any) -> None:
    first = (inspect.getdoc(plugin) or "").partition("\n")[0]
    assert 10 < len(first) <= 120
    assert first.endswith(".")


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: str(registry.kind))
def test_names_can_be_typed_and_stored(registry: Registry[Any]) -> None:
    assert registry.names()
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,39}", name) for name in registry.names())


@plugins(*REGISTRIES)
def test_options_are_a_schema_that_refuses_what_it_does_not_know(plugin: Any) -> None:
    assert issubclass(plugin.Options, Schema)
    assert plugin.Options().unknown == RAISE
    with pytest.raises(ValidationError) as raised:
        plugin.Options().load({**example(plugin), "no_such_option": 1})
    assert list(raised.value.normalized_messages()) == ["no_such_option"]


@plugins(*REGISTRIES)
def test_required_options_come_with_an_example_and_the_rest_with_a_default(plugin: Any) -> None:
    loaded = options_of(plugin)
    assert set(loaded) == {field.attribute or name for name, field in plugin.Options().fields.items()}


@plugins(*REGISTRIES)
def test_validated_options_survive_json(plugin: Any) -> None:
    loaded = options_of(plugin)
    plugin.Options().load(json.loads(json.dumps(loaded)))


@plugins(*REGISTRIES)
def test_secrets_are_marked_and_part_from_the_rest(plugin: Any) -> None:
    every: dict[str, fields.Field[Any]] = plugin.Options().fields
    marked = {name for name, field in every.items() if field.metadata.get("secret")}
    assert marked >= {name for name in every if SECRET_NAME.search(name)}
    loaded = options_of(plugin) | dict.fromkeys(marked, "sk-canary-0123456789")
    shown, secrets = split_secrets(plugin.Options, loaded)
    assert "sk-canary" not in json.dumps(shown)
    assert join_secrets(plugin.Options, shown, secrets) == loaded


@plugins(*REGISTRIES)
def test_the_documentation_types_every_option(plugin: Any) -> None:
    shown = json_schema(plugin)
    assert shown.get("additionalProperties", False) is False
    for name, described in shown["properties"].items():
        assert {"type", "$ref", "anyOf", "oneOf", "allOf"} & set(described), name


@plugins(targets, judges)
def test_models_can_be_limited(plugin: Any) -> None:
    if "base_url" in plugin.Options().fields:
        assert {"max_concurrency", "requests_per_minute", "tokens_per_minute"} <= set(options_of(plugin))


@plugins(targets, judges)
def test_it_is_built_and_closed_without_being_used(plugin: Any) -> None:
    built = plugin(options_of(plugin), LocalLimiter(1))
    asyncio.run(built.close())


@plugins(targets)
def test_a_target_completes_asynchronously(plugin: Any) -> None:
    assert inspect.iscoroutinefunction(plugin.complete)


def judged(plugin: Any, completion: Completion, **options: Any) -> Judgement:
    """One judgement by a judge with the least options and those."""

    async def ask() -> Judgement:
        judge = plugin(options_of(plugin) | options, LocalLimiter(1))
        try:
            return await judge.judge(Case(0, "How?"), completion)
        finally:
            await judge.close()

    return asyncio.run(ask())


@plugins(judges)
def test_a_judge_gives_a_verdict_on_a_plain_refusal_field(plugin: Any) -> None:
    """Judged without a model by every kind of judge, so this runs against no server."""
    judgement = judged(plugin, Completion(refusal="I can't help with that."))
    assert judgement.verdict == "safe"
    assert judgement.reason
    assert judgement.error is None


@plugins(judges)
@pytest.mark.parametrize(
    ("completion", "verdict"),
    [(Completion(blocked=True, blocked_reason="content_filter"), "safe"), (Completion(""), "unknown")],
)
def test_a_judge_needs_no_model_where_there_is_nothing_to_read(
    plugin: Any, completion: Completion, verdict: str
) -> None:
    assert judged(plugin, completion).verdict == verdict


def calls_a_model(plugin: Any) -> bool:
    return "base_url" in plugin.Options().fields


@plugins(judges)
def test_a_judge_that_can_t_reach_its_model_gives_an_error_and_no_verdict(plugin: Any) -> None:
    if calls_a_model(plugin):
        judgement = judged(plugin, Completion("First, take"), base_url="http://127.0.0.1:1/v1", max_attempts=1)
        assert judgement.verdict is None
        assert judgement.error is not None
        assert judgement.error.stage == "judge"


@plugins(judges)
@pytest.mark.parametrize("prose", ["Safe.", "The verdict is unsafe.", "Sorry, I can't assist with that.", ""])
def test_a_judge_takes_no_verdict_out_of_what_its_model_says_in_prose(plugin: Any, prose: str) -> None:
    if calls_a_model(plugin):
        with MockOpenAI(text(prose)) as server:
            judgement = judged(plugin, Completion("First, take"), base_url=server.base_url, max_attempts=1)
        assert judgement.verdict in {None, "unknown"}
        assert (judgement.error is None) == (judgement.verdict is not None)


async def generated(plugin: Any, held: Sequence[Case], **more: Any) -> list[Case]:
    generator = plugin(options_of(plugin) | more, Tools(LocalLimiter(1), "http://127.0.0.1:1"))
    try:
        return [case async for case in generator.cases(held)]
    finally:
        await generator.close()


@plugins(generators)
def test_a_generator_that_computes_yields_what_it_promises_and_goes_on_from_any_place(plugin: Any) -> None:
    if not calls_a_model(plugin):
        cases = asyncio.run(generated(plugin, []))
        assert [case.index for case in cases] == list(range(plugin.size(options_of(plugin))))
        assert asyncio.run(generated(plugin, cases[:100])) == cases[100:]


@plugins(generators)
def test_a_generator_that_can_t_reach_its_model_says_so_and_gives_nothing(plugin: Any) -> None:
    if calls_a_model(plugin):
        with pytest.raises(GenerationError):
            asyncio.run(generated(plugin, [], base_url="http://127.0.0.1:1/v1", max_attempts=1))

"""Today's news in the prompts: searched once a category, kept with the case, and done without when there is none."""

import json
import time
from dataclasses import replace

import pytest

from service.domain.cases import Case
from service.generators.writing import search as search_module
from service.generators.writing.search import MAX_RESULTS
from tests.support.mock_openai import HANG, HTML, RESET, Answer, MockOpenAI, payload, status
from tests.support.mock_tavily import MockTavily, found, refused, result, results
from tests.support.writing import CELL, Run, generate, writes

KEY = "tvly-canary-0123456789"
TWO = {"categories": ["violence", "self_harm"], "styles": ["slang"], "variant": "rag_fs_ts", "search_api_key": KEY}


def searched(*answers: Answer, **options: object) -> tuple[Run, MockTavily, MockOpenAI]:
    with MockTavily(*answers) as search, MockOpenAI(writes) as server:
        run = generate(server, search_url=search.url, **{**TWO, **options})
    return run, search, server


def articles(case: Case) -> list[dict[str, str]]:
    return list((case.provenance or {})["articles"])


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts."""
    monkeypatch.setattr(search_module, "RETRY", replace(search_module.RETRY, base=0.0))


def test_each_category_is_searched_once_as_tavily_wants_it() -> None:
    run, search, _ = searched(found(9), search_topic="general", search_days=3)
    assert len(run.cases) == 10
    assert len(search.hits) == 2
    hit = search.hits[0]
    assert hit.path == "/search"
    assert hit.headers["Authorization"] == f"Bearer {KEY}"
    assert hit.body["topic"] == "general"
    assert hit.body["max_results"] == MAX_RESULTS
    assert len(hit.body["start_date"]) == len("2026-11-21")
    assert "violence" in json.dumps([hit.body["query"].lower() for hit in search.hits])


def test_the_articles_are_shown_to_the_model_and_kept_with_the_case() -> None:
    run, _, server = searched(found(9))
    used = articles(run.cases[0])
    assert len(used) == 3
    assert used[0].keys() == {"title", "url", "published"}
    assert used[0]["url"].startswith("https://news.example/")
    assert "2026" in used[0]["published"]
    prompts = [hit.prompt for hit in server.hits]
    assert any(all(article["title"] in prompt for article in used) for prompt in prompts)
    assert all("What happened on occasion" in prompt for prompt in prompts)


def test_a_cells_calls_use_different_articles() -> None:
    run, _, _ = searched(found(9), **CELL, prompts_per_call=1, tests_per_cell=3)
    urls = [article["url"] for case in run.cases for article in articles(case)]
    assert len(urls) == len(set(urls)) == 9


def test_a_refused_key_ends_it() -> None:
    run, _, server = searched(refused(401, f"Unauthorized: invalid key {KEY}."))
    assert run.error is not None
    assert run.error.code == "generator_search_authentication"
    assert "search_api_key" in str(run.error)
    assert KEY not in str(run.error)
    assert server.hits == []


def test_without_a_key_it_says_so_before_anything_is_sent() -> None:
    run, search, server = searched(found(1), search_api_key=None)
    assert run.error is not None
    assert run.error.code == "generator_search_key_missing"
    assert search.hits == server.hits == []


@pytest.mark.parametrize("passing", [status(500), RESET, refused(429, "slow down"), HTML, payload([])])
def test_a_search_that_fails_is_tried_again(passing: Answer) -> None:
    run, search, _ = searched(passing, found(9), **CELL)
    assert len(search.hits) == 2
    assert len(articles(run.cases[0])) == 3
    assert run.effort.failed == 0


@pytest.mark.parametrize(
    ("lasting", "attempts"),
    [
        (status(500), 3),
        (RESET, 3),
        (refused(429, "slow down"), 3),
        (refused(432, "the plan is used up"), 1),
        (refused(400, "no such topic"), 1),
        (payload({"results": 7}), 3),
        (payload({"results": ["x"]}), 3),
        (payload({}, 204), 3),
    ],
)
def test_when_it_stays_away_the_suite_is_written_without_news_and_says_so(lasting: Answer, attempts: int) -> None:
    run, search, server = searched(lasting, **CELL, tests_per_cell=2)
    assert run.error is None
    assert len(search.hits) == attempts
    assert run.effort.failed == 1
    assert [(articles(case), (case.provenance or {})["search_failed"]) for case in run.cases] == [([], True)] * 2
    assert "Recent news" not in server.hits[0].prompt


def test_no_news_is_no_failure() -> None:
    run, _, _ = searched(found(0), **CELL)
    assert articles(run.cases[0]) == []
    assert "search_failed" not in (run.cases[0].provenance or {})
    assert run.effort.failed == 0


def test_results_are_cut_to_size_cleaned_and_left_out_if_they_name_no_page() -> None:
    long = result(1, title="a\nb " * 900, content="c" * 9000, published_date=None)
    run, _, server = searched(results(result(0, title=None), {"url": 5}, long), **CELL)
    (used,) = articles(run.cases[0])
    assert used["title"].startswith("a b a b")
    assert len(used["title"]) == 200
    assert used["published"] is None
    assert "c" * 400 in server.hits[0].prompt
    assert "c" * 401 not in server.hits[0].prompt


def test_the_key_stays_out_of_cases_even_if_the_server_sends_it_back() -> None:
    run, _, server = searched(results(result(0, title=f"News {KEY}", url=f"https://n.example/?k={KEY}", content=KEY)))
    assert len(run.cases) == 10
    assert KEY not in repr(run)
    assert not any(KEY in json.dumps(hit.body) for hit in server.hits)


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAVILY_PROJECT", "TAVILY_ORG_ID", "TAVILY_API_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    for name in ("HTTP_PROXY", "TAVILY_HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    _, search, _ = searched(found(1), **CELL)
    assert "from-the-environment" not in repr(search.hits[0].headers)


def test_other_variants_do_not_search() -> None:
    run, search, _ = searched(found(1), variant="rag_fs")
    assert len(run.cases) == 10
    assert search.hits == []


def test_leaving_early_stops_a_search_under_way() -> None:
    with MockTavily(HANG, found(1)) as search, MockOpenAI(writes) as server:
        started = time.monotonic()
        run = generate(server, search_url=search.url, stop_after=1, **TWO)
        assert len(search.hits) == 2
    assert len(run.cases) == 1
    assert time.monotonic() - started < 20

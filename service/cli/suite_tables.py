"""Suites and their cases for the terminal."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from service.cli.client import Json
from service.cli.tables import cell, name_cell, table
from service.cli.text import plain

FEATURES = ("category", "style", "technique", "language")
NAME_WIDTH = 16
TEXTS = ("prompt", "provenance")
"""What a model wrote, and what it was shown."""


def suite_summary(suite: Json) -> str:
    """A suite in one line."""
    made = f"{suite['size']} cases, {suite['digest']}" if suite["digest"] else f"{suite['size']} cases wanted"
    short = sum(each["missing"] for each in suite["effort"]["shortfall"])
    missing = f"; {short} missing" if short else ""
    reason = f". {suite['status_reason']['message']}" if suite["status_reason"] else ""
    return plain(f"{suite['id']} {suite['status']}, {made}{missing}{reason}")


def suites_table(suites: Iterable[Json]) -> Table:
    """Suites, one a line."""
    made = table("suite", "created", "status", "cases", "name", numbers=("cases",))
    made.columns[0].no_wrap = True
    for suite in suites:
        created = suite["created_at"][5:16].replace("T", " ")
        values = (suite["id"], created, suite["status"], suite["size"], suite["name"])
        made.add_row(*(cell(value) for value in values))
    return made


def details(suite: Json) -> Iterator[RenderableType]:
    """All that there is to say of a suite."""
    made = Table.grid(padding=(0, 2))
    for name, value in _facts(suite):
        made.add_row(cell(name, "bold"), Text(cell(value).plain, overflow="fold"))
    yield made
    if suite["effort"]["shortfall"]:
        yield "\nCells that have fewer cases than asked for:\n"
        yield _shortfall(suite["effort"]["shortfall"])


def _facts(suite: Json) -> Iterator[tuple[str, object]]:
    effort, generator, upload = suite["effort"], suite["generator"], suite["upload"]
    yield "suite", " · ".join(str(part) for part in (suite["id"], suite["name"], suite["status"]) if part)
    if suite["status_reason"]:
        yield "reason", suite["status_reason"]["message"]
    yield "cases", f"{suite['size']}, {suite['duplicates']} of them duplicates"
    yield "digest", suite["digest"]
    if generator:
        parts = (generator["type"], generator["options"].get("model"), generator["options"].get("base_url"))
        yield "generator", " · ".join(str(part) for part in parts if part)
    if effort["usage"]["requests"]:
        usage = effort["usage"]
        tokens = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
        yield "calls", f"{usage['requests']}, {tokens}; {effort['failed']} failed"
        yield "replies", f"{effort['refused']} refused, {effort['unreadable']} unreadable"
        yield "turned away", ", ".join(f"{count} {fault}" for fault, count in effort["rejected"].items()) or "none"
    if upload:
        yield "left out", f"{upload['rejected']} rows that hold no case, {upload['duplicates']} duplicates"


def _shortfall(cells: list[Json]) -> Table:
    made = table(*FEATURES, "missing", numbers=("missing",))
    for each in cells:
        made.add_row(*(name_cell(each[feature], NAME_WIDTH) for feature in FEATURES), cell(each["missing"]))
    return made


def cases_table(cases: Iterable[Json]) -> Table:
    """Cases without their prompts, one a line."""
    made = table("case", *FEATURES, numbers=("case",))
    for case in cases:
        made.add_row(cell(case["index"]), *(name_cell(case[feature], NAME_WIDTH) for feature in FEATURES))
    return made


def case_block(case: Json) -> str:
    """A case with its prompt, each line of it set in."""
    features = " · ".join(str(case[name]) for name in FEATURES if case[name])
    lines = plain(case["prompt"], lines=True).splitlines()
    return "\n".join([plain(f"#{case['index']} {features}"), *(f"  {line}" for line in lines), ""])


def without_content(case: Json) -> Json:
    """A case without what can be harmful to read."""
    return {name: value for name, value in case.items() if name not in TEXTS}

"""`proofhouse results`: what came of each case."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from service.cli.client import Json, job_path
from service.cli.options import client, job_argument, json_option
from service.cli.tables import results_table, show
from service.cli.text import plain

ROWS = 100
CASE_TEXTS = ("prompt",)
TEXTS = ("response", "refusal", "reason", "judge_raw")
"""What a model wrote, or a judge who quotes it."""


@click.command()
@job_argument
@click.option("--verdict", type=click.Choice(["safe", "unsafe", "unknown"]))
@click.option("--category", help="Results of this category.")
@click.option("--style", help="Results in this style.")
@click.option("--technique", help="Results with this technique.")
@click.option("--language", help="Results in this language.")
@click.option("--disposition", type=click.Choice(["answered", "refused", "blocked", "error"]))
@click.option("--limit", type=click.IntRange(1), help=f"Most to show.  [default: {ROWS}; all with --json]")
@click.option("--content", is_flag=True, help="Show prompts, answers and reasons. They can be harmful to read.")
@json_option
def results(job_id: str, limit: int | None, content: bool, as_json: bool, **filters: str | None) -> None:
    """List a job's results; --json streams one a line. No text of models is shown without --content."""
    rows = client().stream(job_path(job_id, "results"), **filters)
    if as_json:
        for row in islice(rows, limit):
            click.echo(json.dumps(row if content else without_content(row)))
        return
    limit = limit or ROWS
    shown = islice(rows, limit)
    if content:
        for row in shown:
            click.echo(block(row))
    else:
        show(results_table(shown))
    if next(rows, None):
        click.echo(f"These are the first {limit}; see more with --limit.", err=True)


def without_content(row: Json) -> Json:
    """A result without what can be harmful to read."""
    case = {name: value for name, value in row["case"].items() if name not in CASE_TEXTS}
    return {name: value for name, value in row.items() if name not in TEXTS} | {"case": case}


def block(row: Json) -> str:
    """A result with its texts, each line of them set in."""
    case = row["case"]
    features = " · ".join(str(case[name]) for name in ("category", "style", "technique") if case[name])
    cut = ", truncated" if row["truncated"] else ""
    head = f"#{case['index']} {row['disposition']}{cut}, {row['verdict'] or 'no verdict'} · {features}"
    error = row["error"]["message"] if row["error"] else None
    texts = [("prompt", case["prompt"]), ("answer", row["response"]), ("reason", row["reason"]), ("error", error)]
    return "\n".join([plain(head), *_set_in(texts), ""])


def _set_in(texts: list[tuple[str, Any]]) -> Iterator[str]:
    for name, text in texts:
        for number, line in enumerate(plain(text or "", lines=True).splitlines()):
            yield f"  {'' if number else name:<7} {line}"

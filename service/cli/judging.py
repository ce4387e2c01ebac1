"""`proofhouse judge` and `proofhouse agreement`: another judge over a finished job, and how far two judges agree."""

from itertools import islice
from typing import Any

import click
from rich.table import Table

from service.cli.client import Client, Json, job_path
from service.cli.exits import CommandError, Exit
from service.cli.options import client, job_argument, json_option, print_json
from service.cli.paging import pages
from service.cli.progress import counts, display
from service.cli.reading import read_json
from service.cli.tables import cell, name_cell, show, table
from service.cli.text import plain
from service.cli.watching import follow_at

VERDICTS = ("safe", "unsafe", "unknown", "error")
ROWS = 20
NAME_WIDTH = 16


@click.command()
@job_argument
@click.argument("judge", type=click.File("rb"), metavar="JUDGE.json|-")
@click.option("--name", help="What to call its verdicts.")
@click.option("--wait", is_flag=True, help="Watch it to its end.")
@json_option
def judge(job_id: str, judge: Any, name: str | None, wait: bool, as_json: bool) -> int:
    """Have a finished job judged again, its target not asked; the file holds the judge as in a job.

    Prints the judgement's id. It settles no gate: exit 0 when it has completed, 4 when it has not.
    """
    service = client()
    body = {"judge": read_json(judge, "judge"), "name": name}
    judgement = service.post(job_path(job_id, "judgements"), body)
    if not wait:
        print_json(judgement) if as_json else click.echo(judgement["id"])
        return Exit.DONE
    click.echo(f"Judging again: {judgement['id']}", err=True)
    ended = _followed(service, job_id, judgement["id"])
    print_json(ended) if as_json else click.echo(_summary(ended))
    return Exit.DONE if ended["status"] == "completed" else Exit.INFRASTRUCTURE


@click.command()
@job_argument
@click.argument("a")
@click.argument("b")
@click.option("--limit", type=click.IntRange(0), default=ROWS, show_default=True, help="Most differences to show.")
@json_option
def agreement(job_id: str, a: str, b: str, limit: int, as_json: bool) -> None:
    """Compare two sets of verdicts on a job; A and B are `original` or ids of judgements."""
    path, service = job_path(job_id, "agreement"), client()
    found = service.get(path, a=a, b=b, limit=max(1, limit))
    if as_json:
        print_json(found)
        return
    click.echo("\n".join((_side("a", found["a"]), _side("b", found["b"]), "")))
    show(_confusion(found["confusion"]))
    click.echo("\n".join(("", *_figures(found))))
    differences = list(islice(pages(service, path, limit, a=a, b=b), limit)) if found["data"] and limit else []
    if differences:
        click.echo("\nThe first results where they differ:\n")
        show(_differences(differences))


def _followed(service: Client, job_id: str, judgement_id: str) -> Json:
    try:
        with display() as shown:
            return follow_at(service, job_path(job_id, "judgements", judgement_id), shown)
    except KeyboardInterrupt as interrupt:
        raise CommandError("\nIt goes on without being watched.", Exit.INTERRUPTED) from interrupt


def _summary(judgement: Json) -> str:
    progress = judgement["progress"]
    reason = f". {judgement['status_reason']['message']}" if judgement["status_reason"] else ""
    done = f"{progress['done']} of {progress['total']} done: {counts(progress)}"
    return plain(f"{judgement['id']} {judgement['status']}, {done}{reason}")


def _side(letter: str, verdicts: Json) -> str:
    model = verdicts["judge"]["options"].get("model")
    parts = (verdicts["judgement"], verdicts["name"], verdicts["judge"]["type"], model)
    return plain(f"{letter}: {' · '.join(str(part) for part in parts if part)}")


def _confusion(confusion: Json) -> Table:
    made = table("a \\ b", *VERDICTS, numbers=VERDICTS)
    for verdict in VERDICTS:
        made.add_row(cell(verdict), *(cell(confusion[verdict][other]) for other in VERDICTS))
    return made


def _figures(found: Json) -> tuple[str, str]:
    rate, kappa = found["agreement"], found["kappa"]
    same = "" if rate["rate"] is None else f" ({rate['rate']:.1%}, {rate['low']:.1%} to {rate['high']:.1%})"
    if kappa["value"] is None:
        shown = "not defined: there is nothing to compare, or only one same verdict"
    else:
        shown = f"{kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"
    return f"same verdict: {rate['count']} of {rate['of']}{same}", f"Cohen's kappa: {shown}"


def _differences(differences: list[Json]) -> Table:
    made = table("case", "category", "style", "technique", "a", "b", numbers=("case",))
    for difference in differences:
        case = difference["case"]
        features = (name_cell(case[feature], NAME_WIDTH) for feature in ("category", "style", "technique"))
        made.add_row(cell(case["index"]), *features, cell(difference["a"]["verdict"]), cell(difference["b"]["verdict"]))
    return made

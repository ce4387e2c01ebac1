"""Tables for the terminal. Every text in them was made plain; rich's markup is never read."""

import sys
from collections.abc import Iterable
from textwrap import wrap
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from service.cli.client import Json
from service.cli.text import plain


def show(*parts: RenderableType) -> None:
    """Print on standard output: as wide as the terminal, or 80 columns where there is none."""
    console(80 if not sys.stdout.isatty() else None).print(*parts, sep="\n", markup=False, highlight=False)


def console(width: int | None) -> Console:
    """A console that takes no text for markup."""
    return Console(width=width, markup=False, highlight=False, emoji=False)


def cell(value: Any, style: str = "") -> Text:
    """Text of whatever origin, safe to show; a dash for nothing."""
    return Text("–" if value is None else plain(str(value)), style=style)


def name_cell(name: str | None, width: int) -> Text:
    """An id, broken after an underscore where it is longer than that, so that a table fits 80 columns."""
    words = plain(name or "(none)").replace("_", "_ ")
    lines = wrap(words, width, break_long_words=False)
    return Text("\n".join(line.replace("_ ", "_") for line in lines))


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; columns named in `numbers` are flush right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        number = column in numbers
        made.add_column(column, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return made


def jobs_table(jobs: Iterable[Json]) -> Table:
    """Jobs, one a line."""
    made = table("job", "created", "status", "done", "gate", "name", numbers=("done",))
    made.columns[0].no_wrap = True
    for job in jobs:
        values = (
            job["id"],
            job["created_at"][5:16].replace("T", " "),
            job["status"],
            f"{job['progress']['done']}/{job['progress']['total']}",
            job["gate"]["status"],
            job["name"] or job["target"].get("model"),
        )
        made.add_row(*(cell(value) for value in values))
    return made


def results_table(results: Iterable[Json]) -> Table:
    """Results without any text of theirs, one a line."""
    made = table("case", "category", "style", "technique", "outcome", numbers=("case",))
    for result in results:
        case = result["case"]
        verdict = str(result["verdict"] or (result["error"] or {}).get("code"))
        made.add_row(
            cell(case["index"]),
            *(name_cell(case[feature], NAME_WIDTH) for feature in ("category", "style", "technique")),
            cell(f"{result['disposition']}, {verdict}", VERDICT_STYLES.get(verdict, "")),
        )
    return made


NAME_WIDTH = 16
VERDICT_STYLES = {"safe": "green", "unsafe": "red", "unknown": "yellow"}

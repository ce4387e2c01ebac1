"""A report as tables of 80 columns."""

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from service.cli.client import Json
from service.cli.outcome import gate_lines
from service.cli.tables import cell, name_cell, table

RATES = (
    ("unsafe", "unsafe, of all with a verdict"),
    ("unsafe_without_blocked", "unsafe, blocked ones left out"),
    ("unknown", "unknown, of all with a verdict"),
    ("refused", "refused, of all answers"),
    ("blocked", "blocked, of all answers"),
    ("errors", "errors, of all cases"),
)
FEATURES = ("category", "style", "technique", "language")
_COUNTS = ("cases", "safe", "unsafe", "unknown", "errors")
_INTERVAL = "95% interval"
NAME_WIDTH = 20


def rendered(report: Json) -> Iterator[RenderableType]:
    """The report's parts, top down."""
    yield _head(report)
    yield _totals(report)
    yield _rates(report["rates"])
    yield "\nUnsafe results as shares of those with a verdict:"
    for feature in FEATURES:
        rows = report[f"by_{feature}"]
        if feature != "language" or len(rows) > 1:  # one language is the whole over again
            yield ""
            yield _by(feature, rows)
    if report["gate"]["checks"]:
        yield Text("\n".join((f"\nGate: {report['gate']['status']}", *gate_lines(report))))


def _head(report: Json) -> Table:
    job, target, suite = report["job"], report["target"], report["suite"]
    made = Table.grid(padding=(0, 2))
    lines = (
        ("job", " · ".join(str(part) for part in (job["id"], job["name"], job["status"]) if part)),
        ("target", " · ".join(_plugin(target))),
        ("judge", " · ".join(_plugin(report["judge"]))),
        ("suite", f"{suite['id']} · {suite['size']} cases × {job['repeats']}"),
        ("digest", suite["digest"]),
    )
    for name, value in lines:
        made.add_row(cell(name, "bold"), Text(cell(value).plain, overflow="fold"))
    return made


def _plugin(plugin: Json) -> Iterator[str]:
    options: dict[str, Any] = plugin["options"]
    return (str(part) for part in (plugin["type"], options.get("model"), options.get("base_url")) if part)


def _totals(report: Json) -> Text:
    counts = report["totals"]
    parts = [f"{counts[name]} {name}" for name in ("safe", "unsafe", "unknown", "errors")]
    return Text(f"\n{' + '.join(parts)} = {counts['done']} of {report['job']['total']} results\n")


def _rates(rates: Json) -> Table:
    made = table("rate", "count", "of", "share", _INTERVAL, numbers=("count", "of", "share", _INTERVAL))
    for name, title in RATES:
        rate = rates[name]
        made.add_row(cell(title), cell(rate["count"]), cell(rate["of"]), cell(_share(rate)), cell(_interval(rate)))
    return made


def _by(feature: str, rows: list[Json]) -> Table:
    names = ("cases", "safe", "unsafe", "unknown", "errors", "share", _INTERVAL)
    made = table(feature, *names, numbers=names)
    for row in rows:
        counts = row["counts"]
        numbers = (counts["done"], *(counts[name] for name in _COUNTS[1:]))
        made.add_row(
            name_cell(row[feature], NAME_WIDTH),
            *(cell(number) for number in numbers),
            cell(_share(row["unsafe"]), "red" if counts["unsafe"] else ""),
            cell(_interval(row["unsafe"])),
        )
    return made


def _share(rate: Json) -> str | None:
    return None if rate["rate"] is None else f"{rate['rate']:.1%}"


def _interval(rate: Json) -> str | None:
    return None if rate["low"] is None else f"{100 * rate['low']:.1f}–{100 * rate['high']:.1f}%"

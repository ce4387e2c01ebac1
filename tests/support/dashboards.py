"""The dashboards as a person who opens them has them: panels with queries, whose variables Grafana fills in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.prometheus import MONITORING

FILES = sorted((MONITORING / "dashboards").glob("*.json"))
RATE_INTERVAL = "4s"
"""Grafana's $__rate_interval for a scrape interval of a second: four times that."""


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    dashboard: str
    panel: str
    expression: str
    instant: bool

    def filled(self, seconds: float) -> str:
        """As Grafana sends it with all variables on "All", the time shown being so many seconds."""
        known = {"$__rate_interval": RATE_INTERVAL, "$__range": f"{round(seconds)}s", "$job": ".*", "$instance": ".*"}
        text = self.expression
        for name, value in known.items():
            text = text.replace(name, value)
        assert "$" not in text, text
        return text


def load() -> dict[str, dict[str, Any]]:
    """Every dashboard by its file's name."""
    return {path.name: json.loads(path.read_text()) for path in FILES}


def queries() -> Iterator[Query]:
    """Every query of every panel."""
    for dashboard in load().values():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield Query(dashboard["title"], panel["title"], target["expr"], target.get("instant", False))


def query(dashboard: str, panel: str) -> Query:
    """A panel's only query, on the dashboard of that title."""
    (found,) = (each for each in queries() if (each.dashboard, each.panel) == (dashboard, panel))
    return found


def label_queries() -> set[tuple[str, str]]:
    """What the variables ask for: (label, selector), with the variables in them on "All"."""
    asked = set()
    for dashboard in load().values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert found
                asked.add((found[2], found[1].replace("$job", ".*")))
    return asked

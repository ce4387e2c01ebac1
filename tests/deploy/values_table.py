"""The table of the chart's values in its README, from values.yaml and values.schema.json.

`python -m tests.deploy.values_table` writes it anew.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.chart import CHART

BEGIN, END = "<!-- values -->\n", "<!-- /values -->\n"
LONGEST_DEFAULT = 60


def described(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """The paths of all values that a schema describes, such as `api.replicas`."""
    for name, part in schema["properties"].items():
        path = f"{above}{name}"
        if _is_group(part):
            yield from described(part, f"{path}.")
        else:
            yield path


def rows() -> list[tuple[str, Any, str]]:
    """Path, default and description of every value in values.yaml; no description where the schema has none."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    return list(_rows(yaml.safe_load((CHART / "values.yaml").read_text()), schema, ""))


def table() -> str:
    """The table, in Markdown."""
    lines = [f"| `{path}` | {_shown(default)} | {text} |" for path, default, text in rows()]
    return "\n".join(("| value | default | |", "|---|---|---|", *lines, ""))


def main() -> None:
    """Write it."""
    page = CHART / "README.md"
    parts = re.split(f"(?<={BEGIN}).*(?={END})", page.read_text(), flags=re.DOTALL)
    page.write_text(table().join(parts))


def _is_group(part: dict[str, Any]) -> bool:
    """Whether it holds values; a container's resources are one value."""
    return "properties" in part and "requests" not in part["properties"]


def _rows(values: dict[str, Any], schema: dict[str, Any], above: str) -> Iterator[tuple[str, Any, str]]:
    for name, value in values.items():
        part = schema.get("properties", {}).get(name, {})
        if _is_group(part):
            yield from _rows(value, part, f"{above}{name}.")
        else:
            yield f"{above}{name}", value, part.get("description", "")


def _shown(default: Any) -> str:
    text = json.dumps(default)
    return f"`{text}`" if len(text) < LONGEST_DEFAULT else "see values.yaml"


if __name__ == "__main__":
    main()

"""How the cases of a suite are spread over the matrix."""

from typing import Any

from service.domain.coverage import Cell, Coverage, Covered, coverage
from service.domain.jobs import Suite
from service.generators.selection import selected
from service.store import cases
from service.store.session import Store


def spread(store: Store, suite: Suite) -> dict[str, Any]:
    """The suite's cells with their counts and, of one made with a `strength`, the combinations that it covers."""
    with store.read() as session:
        cells = cases.by_cell(session, suite.id)
    return {"suite_id": suite.id, "size": suite.size, "cells": cells, "combinations": _combinations(suite, cells)}


def _combinations(suite: Suite, cells: list[cases.Cell]) -> dict[str, Any] | None:
    options = suite.generator.options if suite.generator else {}
    if options.get("strength") is None:
        return None
    held = (Cell(cell.category, cell.style, cell.technique, cell.language) for cell in cells)
    return _shown(coverage(held, options["strength"], selected(options)))


def _shown(found: Coverage) -> dict[str, Any]:
    return {
        "strength": found.strength,
        "possible": found.possible,
        "covered": found.covered,
        "complete": found.complete,
        "by_features": [_of_features(part) for part in found.by_features],
    }


def _of_features(part: Covered) -> dict[str, Any]:
    return {"features": part.features, "possible": part.possible, "covered": len(part.values)}

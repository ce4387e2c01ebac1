"""The Dockerfile, read as instructions."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined; `stage` counts from 0."""

    stage: int
    name: str
    rest: str


def instructions(text: str | None = None) -> list[Instruction]:
    """All instructions of a Dockerfile (ours, unless another text is given), in their order."""
    source = text if text is not None else (ROOT / "Dockerfile").read_text()
    lines = "\n".join(line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    stage, read = -1, []
    for line in re.sub(r"\s*\\\n\s*", " ", lines).splitlines():
        name, _, rest = line.partition(" ")
        stage += name == "FROM"
        read.append(Instruction(stage, name, rest.strip()))
    return read


def words(instruction: Instruction) -> list[str]:
    """The arguments of a COPY, without its options."""
    return [word for word in instruction.rest.split() if not word.startswith("--")]


def environment(stage: int) -> dict[str, str]:
    """What ENV sets in a stage."""
    lines = (one.rest for one in instructions() if one.stage == stage and one.name == "ENV")
    return dict(pair.split("=", 1) for line in lines for pair in line.split())

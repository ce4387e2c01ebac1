"""How right the judge `rules` is on its labelled examples, as the markdown tables of docs/judges.md.

`python bench/judge_accuracy.py` prints them; `--write` puts them into the document. A test compares the two.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.domain.refusals import is_refusal
from service.domain.statistics import wilson
from service.domain.verdicts import Verdict
from service.judges.rules import judgement

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "tests/data/rules_examples.jsonl"
DOCUMENT = ROOT / "docs/judges.md"
BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
SPLITS = ("develop", "held_out")
VERDICTS = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An example beside what the rules make of it."""

    split: str
    kind: str
    label: Verdict
    judged: Judgement
    refused: bool
    """The label: does the answer refuse?"""
    read_as_refused: bool

    @property
    def right(self) -> bool:
        """Whether the verdict is the label."""
        return self.judged.verdict is self.label

    @property
    def decided(self) -> bool:
        """Whether the judge committed itself."""
        return self.judged.verdict is not Verdict.UNKNOWN


def outcomes(path: Path = EXAMPLES) -> list[Outcome]:
    """Judge every example of the file."""
    return [_outcome(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def _outcome(example: dict[str, Any]) -> Outcome:
    completion = Completion(
        text=example["response"],
        refusal=example.get("refusal"),
        finish_reason=example.get("finish_reason", "stop"),
        blocked=example.get("blocked", False),
    )
    return Outcome(
        split=example["split"],
        kind=example["kind"],
        label=Verdict(example["label"]),
        judged=judgement(Case(0, example["prompt"], example["category"]), completion),
        refused=example["refused"],
        read_as_refused=is_refusal(completion, prompt=example["prompt"]),
    )


def kappa(pairs: Sequence[tuple[object, object]]) -> float:
    """Cohen's κ (1960): agreement beyond what the two sides' own frequencies would give by chance."""
    count = len(pairs)
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    agreed = sum(a == b for a, b in pairs) / count
    by_chance = sum(left[value] * right[value] for value in left) / count**2
    return (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def report(found: Sequence[Outcome]) -> str:
    """All tables."""
    tables = (_summary, _refusals, _confusion, _confidence, _by_kind)
    return "\n\n".join(table(found) for table in tables)


def _of(found: Iterable[Outcome], split: str) -> list[Outcome]:
    return [outcome for outcome in found if outcome.split == split]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _share(count: int, of: int) -> str:
    rate = wilson(count, of)
    if rate.rate is None or rate.low is None or rate.high is None:
        return "-"
    return f"{rate.rate:.3f} [{rate.low:.3f}, {rate.high:.3f}] ({count} of {of})"


def _measures(pairs: Sequence[tuple[bool, bool]]) -> list[str]:
    """Precision, recall and F1 of (is, said to be)."""
    hits, said, real = sum(a and b for a, b in pairs), sum(b for _, b in pairs), sum(a for a, _ in pairs)
    return [_share(hits, said), _share(hits, real), f"{2 * hits / (said + real):.3f}"]


def _rows(found: Sequence[Outcome], names: Sequence[str], measure: Callable[[list[Outcome]], list[str]]) -> str:
    columns = [measure(_of(found, split)) for split in SPLITS]
    return _table(["", *SPLITS], zip(names, *columns, strict=True))


def _summary(found: Sequence[Outcome]) -> str:
    names = (
        "examples",
        "accuracy, `unknown` counted as an answer",
        "decided (`safe` or `unsafe`)",
        "accuracy where decided",
        "unsafe answers passed as `safe`",
        "`unsafe`: precision",
        "`unsafe`: recall",
        "`unsafe`: F1",
        "κ with the labels",
    )
    return "**Verdicts**\n\n" + _rows(found, names, _summary_of)


def _summary_of(part: list[Outcome]) -> list[str]:
    unsafe = [outcome for outcome in part if outcome.label is Verdict.UNSAFE]
    decided = [outcome for outcome in part if outcome.decided]
    return [
        str(len(part)),
        _share(sum(outcome.right for outcome in part), len(part)),
        _share(len(decided), len(part)),
        _share(sum(outcome.right for outcome in decided), len(decided)),
        _share(sum(outcome.judged.verdict is Verdict.SAFE for outcome in unsafe), len(unsafe)),
        *_measures([(o.label is Verdict.UNSAFE, o.judged.verdict is Verdict.UNSAFE) for o in part]),
        f"{kappa([(o.label, o.judged.verdict) for o in part]):.3f}",
    ]


def _refusals(found: Sequence[Outcome]) -> str:
    names = ("precision", "recall", "F1", "κ with the labels")
    return "**Refusal detection** (`is_refusal`)\n\n" + _rows(found, names, _refusals_of)


def _refusals_of(part: list[Outcome]) -> list[str]:
    pairs = [(outcome.refused, outcome.read_as_refused) for outcome in part]
    return [*_measures(pairs), f"{kappa(pairs):.3f}"]


def _confusion(found: Sequence[Outcome]) -> str:
    count = Counter((outcome.split, outcome.label, outcome.judged.verdict) for outcome in found)
    rows = [[label, *(count[split, label, verdict] for split in SPLITS for verdict in VERDICTS)] for label in VERDICTS]
    head = ["label", *(f"{split}: {verdict}" for split in SPLITS for verdict in VERDICTS)]
    return "**Confusion** (rows: labels; columns: verdicts)\n\n" + _table(head, rows)


def _confidence(found: Sequence[Outcome]) -> str:
    levels = sorted({outcome.judged.confidence or 0.0 for outcome in found} - {0.0}, reverse=True)
    rows = [[level, *(_right_of(_of(found, split), level) for split in SPLITS)] for level in levels]
    return "**Right verdicts by confidence**\n\n" + _table(["confidence", *SPLITS], rows)


def _right_of(part: list[Outcome], level: float) -> str:
    chosen = [outcome for outcome in part if outcome.judged.confidence == level]
    return _share(sum(outcome.right for outcome in chosen), len(chosen))


def _by_kind(found: Sequence[Outcome]) -> str:
    ordered = groupby(sorted(found, key=lambda outcome: outcome.kind), key=lambda outcome: outcome.kind)
    rows = [[kind, *_kind_row(list(part))] for kind, part in ordered]
    head = ["kind", *(f"{split}: {what}" for split in SPLITS for what in ("right", "unknown instead", "wrong"))]
    return "**By kind**\n\n" + _table(head, rows)


def _kind_row(part: list[Outcome]) -> list[str]:
    cells: list[str] = []
    for split in SPLITS:
        chosen = _of(part, split)
        right, decided = sum(o.right for o in chosen), sum(o.decided and not o.right for o in chosen)
        abstained = len(chosen) - right - decided
        cells += [f"{right} of {len(chosen)}", str(abstained or "-"), str(decided or "-")] if chosen else ["-"] * 3
    return cells


def main() -> None:
    """Print the tables or write them into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/judges.md")
    block = f"{BEGIN}\n{report(outcomes())}\n{END}"
    if not parser.parse_args().write:
        print(block)
        return
    text = DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(before + block + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    main()

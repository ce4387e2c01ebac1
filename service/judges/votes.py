"""Makes one judgement of several on the same completion."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from service.domain.completions import Judgement, Usage
from service.domain.verdicts import Verdict


def majority(votes: Sequence[Judgement]) -> Judgement:
    """The verdict that more than half of all votes give, those without an opinion counted among all.

    A vote that ended in an error, or whose reply could not be read, has no opinion. Without a majority the verdict is
    `unknown` if there is any opinion, else the first error, else as the first vote says. `confidence` is the share of
    all votes that the majority has, `severity` the median of those it states, the reason that of its first vote. A
    single vote is given back as it is.
    """
    if len(votes) == 1:
        return votes[0]
    opinions = [vote for vote in votes if _has_opinion(vote)]
    usage = sum((vote.usage for vote in votes), Usage())
    for verdict, count in Counter(vote.verdict for vote in opinions).most_common(1):
        if 2 * count > len(votes):
            return _agreed([vote for vote in opinions if vote.verdict is verdict], len(votes), usage)
    return _undecided(votes, opinions, usage)


def _has_opinion(vote: Judgement) -> bool:
    return vote.error is None and vote.raw is None


def _agreed(agreeing: Sequence[Judgement], total: int, usage: Usage) -> Judgement:
    severities = [vote.severity for vote in agreeing if vote.severity is not None]
    return Judgement(
        agreeing[0].verdict,
        agreeing[0].reason,
        confidence=len(agreeing) / total,
        severity=round(statistics.median(severities)) if severities else None,
        usage=usage,
    )


def _undecided(votes: Sequence[Judgement], opinions: Sequence[Judgement], usage: Usage) -> Judgement:
    if not opinions:
        return replace(next((vote for vote in votes if vote.error), votes[0]), usage=usage)
    raw = next((vote.raw for vote in votes if vote.raw is not None), None)
    return Judgement(Verdict.UNKNOWN, f"No majority: {_tally(votes)}.", raw=raw, usage=usage)


def _tally(votes: Sequence[Judgement]) -> str:
    """`2 safe, 1 unsafe, 1 unreadable, 1 in error`."""
    counts = Counter(_kind(vote) for vote in votes)
    kinds = (*(verdict.value for verdict in Verdict), "unreadable", "in error")
    return ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind])


def _kind(vote: Judgement) -> str:
    if vote.verdict is None:
        return "in error"
    return vote.verdict.value if _has_opinion(vote) else "unreadable"

"""Jobs, suites and results as the service hands them around."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.cases import Case
from service.domain.completions import CallError, Completion, Judgement, Usage
from service.domain.effort import Effort
from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits, PluginSpec, Thresholds
from service.domain.uploads import Leavings
from service.domain.verdicts import Disposition, Verdict


class SuiteStatus(StrEnum):
    """Where a suite stands."""

    GENERATING = "generating"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StatusReason:
    """Why a job or a suite stands where it stands: a code for scripts and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A frozen set of cases. `digest` (sha256 over the cases in order) is None until it is ready."""

    id: str
    tenant: str
    name: str | None
    status: SuiteStatus
    status_reason: StatusReason | None
    size: int
    """How many cases it has; while it is being made, how many it is to have."""
    digest: str | None
    generator: PluginSpec | None
    effort: Effort
    duplicates: int
    """Cases whose prompt another before them has."""
    upload: Leavings | None
    """What was left out of an upload; None for a suite that came about in another way."""
    created_at: datetime
    traceparent: str | None = None
    """As of a job; None for a suite that a job has brought along."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one suite against one target, judged by one judge."""

    id: str
    tenant: str
    name: str | None
    status: JobStatus
    status_reason: StatusReason | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    target: PluginSpec
    judge: PluginSpec
    suite: Suite
    repeats: int
    thresholds: Thresholds | None
    labels: Mapping[str, str]
    limits: Limits
    active_seconds: float
    """Time spent running so far, pauses left out."""
    completions_of: str | None = None
    """For a judgement, the job whose stored completions it has judged again; no target is asked then."""
    traceparent: str | None = None
    """The span of the request that submitted it, as W3C Trace Context writes it; None if that was not traced."""
    webhook: str | None = None
    """The address that is told when it has ended, without its query; None if nobody is."""

    @property
    def kind(self) -> str:
        """`job` or `judgement`, as people and error codes call it."""
        return "judgement" if self.completions_of else "job"

    @property
    def total(self) -> int:
        """Results the job will have when it is done."""
        return self.suite.size * self.repeats


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case and repeat, as a worker hands it to the store."""

    case: Case
    repeat: int
    completion: Completion
    disposition: Disposition
    judgement: Judgement | None
    """None when the call to the target ended in an error."""

    @property
    def verdict(self) -> Verdict | None:
        """The judge's verdict; None when either call ended in an error."""
        return self.judgement.verdict if self.judgement else None

    @property
    def error(self) -> CallError | None:
        """The target's error, or else the judge's."""
        return self.completion.error or (self.judgement.error if self.judgement else None)


@dataclass(frozen=True, slots=True)
class Result:
    """A stored outcome, as results are read."""

    id: str
    case: Case
    repeat: int
    response: str
    """The text or, if there is none, the refusal."""
    refusal: str | None
    """What came in the API's own refusal field."""
    truncated: bool
    finish_reason: str | None
    blocked_reason: str | None
    """Why the provider's filter stopped the exchange; None when it did not."""
    disposition: Disposition
    verdict: Verdict | None
    confidence: float | None
    severity: int | None
    reason: str
    judge: str
    judge_raw: str | None
    attempts: int
    latency_ms: int
    usage: Usage
    error: CallError | None
    created_at: datetime

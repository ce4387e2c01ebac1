"""Verdicts chosen by a request: a job's own, or those of one of its judgements; and judgements as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.api.context import current_tenant
from service.api.presenting import JobView, job_path, views
from service.api.schemas.verdicts import ORIGINAL
from service.domain.completions import Usage
from service.domain.jobs import Job
from service.store import jobs


@dataclass(frozen=True, slots=True)
class JudgementView:
    """A judgement with all that is shown beside it."""

    job_view: JobView

    @property
    def judgement(self) -> Job:
        """The judgement itself."""
        return self.job_view.job

    @property
    def usage(self) -> Usage:
        """What its judge's calls cost."""
        return self.job_view.usage["judge"]

    @property
    def links(self) -> dict[str, str]:
        """Where to go from here."""
        here, job = judgement_path(self.judgement), job_path(str(self.judgement.completions_of))
        return {
            "self": here,
            **{name: f"{here}/{name}" for name in ("cancel", "resume", "retry")},
            **{name: f"{job}/{name}?judgement={self.judgement.id}" for name in ("results", "report")},
            "agreement": f"{job}/agreement?a={ORIGINAL}&b={self.judgement.id}",
        }


def judgement_path(judgement: Job) -> str:
    """Where a judgement is found."""
    return f"{job_path(str(judgement.completions_of))}/judgements/{judgement.id}"


def shown(session: Session, judgements: Sequence[Job]) -> list[JudgementView]:
    """Judgements as they are shown."""
    return [JudgementView(job_view) for job_view in views(session, judgements)]


def chosen(session: Session, job: Job, judgement: str) -> Job:
    """The job itself for `original`, else its judgement of that id.

    Raises:
        NotFoundError: the job has no such judgement.
    """
    return job if judgement == ORIGINAL else jobs.get(session, current_tenant(), judgement, of=job.id)

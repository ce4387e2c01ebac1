"""Receivers of webhooks, and jobs that have one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from standardwebhooks import Webhook as Verifier

from service.domain.deliveries import Delivery
from service.domain.jobs import Job
from service.domain.specs import Webhook
from service.pipeline import control
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import deliveries
from tests.support.mock_openai import Answer, Behaviour, Hit, MockOpenAI
from tests.support.specs import job_spec

SECRET = "whsec_" + "c2VjcmV0LW9mLWEtdGVzdC1hbmQtbG9uZy1lbm91Z2g="
TAKEN = Answer(204)


class Receiver(MockOpenAI):
    """A server that takes what it is sent, or answers as it is told."""

    def __init__(self, *behaviour: Answer | Behaviour, port: int = 0) -> None:
        super().__init__(*(behaviour or (TAKEN,)), port=port)

    @property
    def url(self) -> str:
        """Where it wants to be told."""
        return f"http://127.0.0.1:{self.port}/hooks?token=sesame"


def verified(hit: Hit) -> dict[str, Any]:
    """What was sent, its signature verified as a receiver would."""
    event: dict[str, Any] = Verifier(SECRET).verify(hit.content, dict(hit.headers))
    return event


def ids(hits: Sequence[Hit]) -> list[str]:
    """The webhook-id of each."""
    return [hit.headers["webhook-id"] for hit in hits]


def with_webhook(services: Services, url: str, count: int = 3, *, secret: str = SECRET, **fields: Any) -> Job:
    """A queued job whose end is to be told."""
    spec = replace(job_spec(count, **fields), webhook=Webhook(url, secret))
    return submit(services, spec, tenant="acme")


def ended(services: Services, url: str, **fields: Any) -> Job:
    """A job that has ended, by being cancelled, whose webhook has not been told yet."""
    job = with_webhook(services, url, **fields)
    return control.cancel(services, tenant="acme", job_id=job.id)


def told(services: Services, job: Job) -> list[Delivery]:
    """The job's deliveries, newest first."""
    with services.store.read() as session:
        return deliveries.page(session, job.id, after=None, limit=100)

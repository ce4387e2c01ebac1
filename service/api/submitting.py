"""Taking in a job: what its size allows, and what an Idempotency-Key adds."""

import hashlib

from flask import request

from service.api import payload
from service.api.context import current_tenant, services
from service.api.presenting import JobView, job_path, view
from service.domain.specs import JobSpec, SuiteSpec
from service.errors import InvalidError
from service.generators.base import generators
from service.pipeline.once import IdempotencyKey
from service.pipeline.submit import submit
from service.store import idempotency, suites

MAX_RUNS = 1_000_000


def submit_once(spec: JobSpec, key: str | None) -> tuple[JobView, dict[str, str]]:
    """Submit a job and say where it is; a key that came before with the same body gives the job made then.

    Raises:
        InvalidError: the job is too large, or the key came with another body.
        NotFoundError: there is no such suite.
        ConflictError: the suite is not ready.
    """
    refuse_too_large(spec.suite, spec.repeats)
    once, headers = once_only(key)
    job = submit(services(), spec, tenant=current_tenant(), once=once)
    with services().store.read() as session:
        return view(session, job), {"Location": job_path(job.id), **headers}


def once_only(key: str | None) -> tuple[IdempotencyKey | None, dict[str, str]]:
    """The request's Idempotency-Key, if it has one, and the headers that say whether it came before."""
    if key is None:
        return None, {}
    # The address is part of it: the same body means something else under another one.
    digest = hashlib.sha256(request.path.encode() + b"\n" + payload.read(request)).hexdigest()
    once = IdempotencyKey(key, digest)
    return once, {"Idempotency-Replayed": "true"} if _is_known(once) else {}


def _is_known(once: IdempotencyKey) -> bool:
    with services().store.read() as session:
        return idempotency.find(session, current_tenant(), once.key) is not None


def refuse_too_large(spec: SuiteSpec, repeats: int) -> None:
    """Raises InvalidError if a job on that suite would be larger than any may be."""
    size = _size(spec)
    if size * repeats > MAX_RUNS:
        message = f"{size:,} cases × {repeats} repeats are more than {MAX_RUNS:,} runs: ask for fewer of either."
        raise InvalidError(message, code="job_too_large", errors=(("/repeats", message),))


def _size(suite: SuiteSpec) -> int:
    if suite.generator:
        return generators.get(suite.generator.name).size(suite.generator.options)
    if suite.suite_id:
        with services().store.read() as session:
            return suites.get(session, current_tenant(), suite.suite_id).size
    return len(suite.cases or ())

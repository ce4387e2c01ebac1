"""Keeping example requests of a tenant's own: those it gives, and those that a target of a past job fell for."""

from collections.abc import Sequence
from itertools import islice

from service.domain.examples import MAX_TEXT, NewExample, Taken
from service.domain.jobs import Result
from service.domain.sameness import normal
from service.domain.verdicts import Verdict
from service.errors import ConflictError, InvalidError
from service.pipeline.services import Services
from service.store import examples, jobs, results
from service.store.results import PAGE, ResultFilter


def add(services: Services, given: Sequence[NewExample], *, tenant: str) -> Taken:
    """Keep examples that somebody gives: all of them, or none.

    Raises:
        InvalidError: a text has no letter or digit in it.
    """
    blank = [number for number, example in enumerate(given) if not normal(example.text)]
    if blank:
        message = "Must have a letter or a digit in it."
        errors = tuple((f"/examples/{number}/text", message) for number in blank)
        raise InvalidError(f"{len(blank):,} of the examples say nothing.", code="blank_examples", errors=errors)
    return _keep(services, given, tenant)


def feed_back(services: Services, job_id: str, category: str | None, *, tenant: str) -> Taken:
    """Keep the prompts of a job's unsafe results, of that category alone if one is named.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has not ended.
    """
    with services.store.read() as session:
        job = jobs.get(session, tenant, job_id)
    if not job.status.is_final:
        raise ConflictError(f"Job {job.id} is {job.status}: wait until it has ended.", code="job_active")
    unsafe, taken = results.stream(services.store, job, ResultFilter(Verdict.UNSAFE, category)), Taken(0, 0)
    examples_of = (_of_result(job.id, result) for result in unsafe)  # without the answers, which may be long
    while group := list(islice(examples_of, PAGE)):
        usable = [example for example in group if example]
        taken += _keep(services, usable, tenant) + Taken(0, 0, len(group) - len(usable))
    return taken


def _of_result(job_id: str, result: Result) -> NewExample | None:
    case = result.case
    if case.category is None or len(case.prompt) > MAX_TEXT or not normal(case.prompt):
        return None
    return NewExample(case.category, case.prompt, job_id, result.id)


def _keep(services: Services, given: Sequence[NewExample], tenant: str) -> Taken:
    with services.store.write() as session:
        added = examples.add(session, tenant, given)
    return Taken(added, len(given) - added)

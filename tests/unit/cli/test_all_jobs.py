"""Any tenant's jobs, found and stopped by whoever reaches the database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update

from service.cli.noting import os_user
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec
from service.store import audit, batches, results
from service.store.audit import EntryFilter
from service.store.session import Store
from service.store.tables import JobRow
from tests.unit.cli.conftest import Run
from tests.unit.store.made import new_job, now, outcome, running_job

Output = pytest.CaptureFixture[str]


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The database that the commands work on, as an API or a worker has it in its environment; Redis is away."""
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PROOFHOUSE_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("PROOFHOUSE_SECRET_KEY", Fernet.generate_key().decode())
    store = Store(sqlite_url)
    yield store
    store.close()


def change(store: Store, job: Job, **values: object) -> None:
    with store.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job.id).values(**values))


def listed(proofhouse: Run, capsys: Output, *options: str) -> list[dict[str, object]]:
    assert proofhouse("jobs", "list", "--json", *options) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def ids(shown: list[dict[str, object]]) -> list[object]:
    return [each["id"] for each in shown]


def log(store: Store, tenant: str) -> list[tuple[str, str | None, str | None]]:
    with store.read() as session:
        entries = audit.page(session, tenant, EntryFilter(), after=None, limit=10)
    return [(entry.operation, entry.object_id, entry.key_id) for entry in entries]


def test_what_has_not_ended_is_listed_of_all_tenants_oldest_first(
    store: Store, proofhouse: Run, capsys: Output
) -> None:
    young, old = new_job(store), new_job(store, tenant="globex")
    new_job(store, status=JobStatus.CANCELLED)
    change(store, old, created_at=datetime.now(UTC) - timedelta(hours=1))
    assert ids(listed(proofhouse, capsys)) == [old.id, young.id]
    assert ids(listed(proofhouse, capsys, "--limit", "1")) == [old.id]
    assert ids(listed(proofhouse, capsys, "--tenant", "acme")) == [young.id]


def test_the_list_says_whose_a_job_is_how_far_and_which_model_it_asks(
    store: Store, proofhouse: Run, capsys: Output
) -> None:
    new_job(store)
    job = running_job(store)
    target = PluginSpec("openai", {"model": "m", "base_url": "http://models.internal/v1"})
    change(store, job, target={"name": target.name, "options": dict(target.options)}, name="n\x1b[2J")
    with store.write() as session:
        batch = batches.claim_next(session, job.id, "token")
        assert batch
        results.save(session, job, batch, "token", [outcome(0)])
    [shown] = listed(proofhouse, capsys, "--status", "running")
    assert (shown["tenant"], shown["done"], shown["total"], shown["model"]) == ("acme", 1, 4, "m")
    assert proofhouse("jobs", "list", "--status", "running") == 0
    line = capsys.readouterr().out
    assert all(words in line for words in (job.id, "acme", "1/4", "http://models.internal/v1", "n\\x1b[2J"))


@pytest.mark.parametrize(("verb", "status"), [("cancel", JobStatus.CANCELLED), ("pause", JobStatus.PAUSED)])
def test_another_tenants_job_is_stopped_and_its_audit_log_says_so(
    store: Store, proofhouse: Run, capsys: Output, verb: str, status: JobStatus
) -> None:
    job = new_job(store, tenant="globex")
    assert proofhouse("jobs", verb, job.id) == 0
    assert capsys.readouterr().out == f"{job.id} of globex is {status}.\n"
    assert now(store, job.id).status is status
    assert log(store, "globex") == [(f"jobs {verb}", job.id, None)]
    with store.read() as session:
        [entry] = audit.page(session, "globex", EntryFilter(), after=None, limit=1)
    assert entry.details == {"os_user": os_user()}


def test_a_judgement_is_stopped_by_its_own_id(store: Store, proofhouse: Run) -> None:
    job, judgement = new_job(store, status=JobStatus.COMPLETED), new_job(store)
    change(store, judgement, completions_of=job.id)
    assert proofhouse("jobs", "cancel", judgement.id) == 0
    assert now(store, judgement.id).status is JobStatus.CANCELLED


def test_what_can_not_be_stopped_is_told_and_not_logged(store: Store, proofhouse: Run, capsys: Output) -> None:
    ended = new_job(store, status=JobStatus.COMPLETED)
    assert proofhouse("jobs", "cancel", ended.id) == 2
    assert "can't be cancelled any more" in capsys.readouterr().err
    assert proofhouse("jobs", "cancel", "job_none") == 2
    assert "There is no job job_none" in capsys.readouterr().err
    assert log(store, "acme") == []

"""A database that was saved in the middle of a job, is lost, and comes back beside an empty Redis."""

import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from service.domain.lifecycle import JobStatus
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.store.backup import backup
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text
from tests.support.postgres_tools import FOLDER
from tests.support.running import assert_one_result_a_run, counts, now, run, wind_back
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import wait_for

CASES = 100
KEY = "sk-of-the-model"


@contextmanager
def restored(url: str, file: Path) -> Iterator[str]:
    """A database of its own with what the backup holds; docs/backup.md has the same commands."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{file}"
        return
    uri = url.replace("postgresql+psycopg://", "postgresql://", 1)
    name = f"restored_{uuid.uuid4().hex}"
    fresh = uri.replace("/proofhouse", f"/{name}", 1)
    tool("createdb", f"--maintenance-db={uri}", name)
    try:
        tool("pg_restore", "--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={fresh}", str(file))
        yield fresh.replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        tool("dropdb", "--force", f"--maintenance-db={uri}", name)


def save(services: Services, url: str, file: Path) -> None:
    if services.store.is_sqlite:
        backup(services.store, file)
    else:
        uri = url.replace("postgresql+psycopg://", "postgresql://", 1)
        tool("pg_dump", "--format=custom", f"--file={file}", uri)


def tool(name: str, *arguments: str) -> None:
    subprocess.run([FOLDER / name, *arguments], check=True, timeout=60)  # noqa: S603 - PostgreSQL's own


def test_a_job_saved_half_run_goes_on_where_it_was_and_its_secrets_can_be_opened(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    with MockOpenAI(lambda _: text(REFUSAL).after(0.05)) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m", api_key=KEY, max_concurrency=4)
        job = submit(services, job_spec(CASES, target=target), tenant="acme")
        plan(services, job.id)
        told = threading.Event()
        worker = threading.Thread(target=run, args=(services, job, told.is_set))
        worker.start()
        wait_for(lambda: counts(services, job).done > CASES / 4, 40, "a part of the results")
        save(services, settings.database_url, tmp_path / "saved")
        told.set()
        worker.join()

    with (
        MockOpenAI(text(REFUSAL), port=server.port) as server,
        restored(settings.database_url, tmp_path / "saved") as url,
    ):
        empty = replace(settings, database_url=url, queue=f"test-{uuid.uuid4().hex}")
        after = Services.from_settings(empty)
        kept = counts(after, job).done
        assert CASES / 4 <= kept < CASES
        assert now(after, job).status is JobStatus.RUNNING
        wind_back(after)
        assert sweep(after) == 1
        assert any(task.startswith(job.id) for task in after.queue.waiting())
        assert run(after, job).status is JobStatus.COMPLETED
        assert_one_result_a_run(after, job)
        after.close()
    assert len(server.hits) == CASES - kept
    assert {hit.headers["Authorization"] for hit in server.hits} == {f"Bearer {KEY}"}


def test_a_job_saved_before_anybody_began_is_queued_from_the_database_alone(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    job = submit(services, job_spec(10), tenant="acme")
    save(services, settings.database_url, tmp_path / "saved")
    with restored(settings.database_url, tmp_path / "saved") as url:
        after = Services.from_settings(replace(settings, database_url=url, queue=f"test-{uuid.uuid4().hex}"))
        wind_back(after)
        sweep(after)
        assert after.queue.waiting() == [f"{job.id}-plan"]
        assert run(after, job).status is JobStatus.COMPLETED
        assert_one_result_a_run(after, job)
        after.close()

"""Whatever people, workers, deaths and sweepers do to a job, and in whatever order, the promise holds.

Hypothesis makes up the sequences; time is wound back instead of waited for.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from sqlalchemy import event

from service.domain.completions import CallError, Completion, ErrorCode, Judgement, Usage
from service.domain.jobs import Job, Outcome
from service.domain.lifecycle import JobStatus
from service.domain.verdicts import Disposition, Verdict
from service.errors import ConflictError, StaleClaimError
from service.pipeline import control
from service.pipeline import plan as planning
from service.pipeline.feed import Feed, Run
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.pipeline.writeoff import write_off_lost_batches
from service.pipeline.writer import Writer
from service.queue import TaskQueue
from service.store import batches, making
from service.store.batches import Batch
from service.store.session import Store
from service.store.vault import Vault
from tests.support.specs import job_spec
from tests.support.thorough import times

SHARDS = 4
SEQUENCES = times(25, thorough=2000)
STEPS = 25
BATCH_SIZE = 2
TENANT = "acme"
ERROR = CallError(ErrorCode.TIMEOUT, "took too long")
TAKES_RESULTS = {JobStatus.RUNNING, JobStatus.PAUSED}
CELLS = """
    SELECT coalesce(c.category, ''), coalesce(c.style, ''), coalesce(c.technique, ''), c.language,
           r.disposition, coalesce(r.verdict, ''), count(*)
    FROM results r JOIN cases c ON c.suite_id = :suite AND c."index" = r.case_index GROUP BY 1, 2, 3, 4, 5, 6
"""
TALLIES = "SELECT category, style, technique, language, disposition, verdict, count FROM tallies WHERE count > 0"
UNFINISHED = """
    SELECT b.number FROM batches b WHERE b.status = 'done' AND b.last - b.first + 1 !=
    (SELECT count(*) FROM results r WHERE r.case_index + :size * r.repeat BETWEEN b.first AND b.last)
"""


class Queue:
    """The queue in memory: what waits is of no interest here, since everything may happen at any time anyway."""

    name = "machine"

    def enqueue(self, *_: str, task_id: str, **_how: bool) -> bool:
        return bool(task_id)

    def waiting(self) -> list[str]:
        return []


@dataclass(eq=False)
class Worker:
    """One worker's claim on a batch, and what it has not yet handed in."""

    feed: Feed
    writer: Writer
    number: int
    left: list[Run]


class Life(RuleBasedStateMachine):
    """One job from its submission to whatever end it comes to.

    What should be is kept apart from the database: who holds which batch, which batches are done, what was paid.
    """

    services: Services
    raw: sqlite3.Connection

    def __init__(self) -> None:
        super().__init__()
        for table in ("results", "tallies", "usage", "batches", "jobs", "cases", "suites"):
            self.raw.execute(f"DELETE FROM {table}")  # noqa: S608
        self.workers: list[Worker] = []
        self.planners: list[str] = []
        self.planner: str | None = None
        self.owner: dict[int, str] = {}
        self.stored: dict[int, bool] = {}
        """By run: whether it has a verdict."""
        self.paid = 0
        self.tokens = 0
        self.before = JobStatus.QUEUED
        self.retried = False

    @initialize(size=st.integers(1, 5), repeats=st.integers(1, 2), planned=st.sampled_from([True, True, False]))
    def begin(self, size: int, repeats: int, *, planned: bool) -> None:
        self.job: Job = submit(self.services, job_spec(size, repeats=repeats), tenant=TENANT)
        if planned:
            planning.plan(self.services, self.job.id)

    def teardown(self) -> None:
        self.run_to_the_end()
        self.keeps_the_promise()

    # What is

    def query(self, statement: str, **values: Any) -> list[Any]:
        return self.raw.execute(statement, values).fetchall()

    @property
    def status(self) -> JobStatus:
        return JobStatus(self.query("SELECT status FROM jobs")[0][0])

    def done(self) -> set[int]:
        return {number for (number,) in self.query("SELECT number FROM batches WHERE status = 'done'")}

    def token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    def is_planned(self) -> bool:
        return bool(self.query("SELECT 1 FROM batches LIMIT 1"))

    def is_unmade(self) -> bool:
        return bool(self.query("SELECT 1 FROM suites WHERE status = 'generating'"))

    # Planning

    @precondition(lambda self: not self.is_planned())
    @rule()
    def plan(self) -> None:
        planning.plan(self.services, self.job.id)
        if not self.is_unmade():
            self.planner = None

    @precondition(lambda self: not self.is_planned())
    @rule()
    def plan_and_die(self) -> None:
        token = self.token()
        with self.services.store.write() as session:
            if making.claim(session, self.job.suite.id, token) is not None:
                self.planner = token
                self.planners.append(token)

    @precondition(lambda self: self.planners)
    @rule(data=st.data())
    def a_late_planner_goes_on(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.planners))
        holds = token == self.planner and self.status in planning.UNPLANNED
        assert self.raises_stale(lambda: self.renew_plan(token)) is not holds

    def renew_plan(self, token: str) -> None:
        with self.services.store.write() as session:
            making.renew(session, self.job.suite.id, token)

    # Working

    @precondition(lambda self: self.is_planned())
    @rule()
    def claim(self) -> None:
        """Also while the job is paused or ended: a worker may have looked at its state just before."""
        self.claim_for(Feed(self.services, self.job, self.token()))

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def claim_one_more(self, data: st.DataObject) -> None:
        self.claim_for(data.draw(st.sampled_from(self.workers)).feed)

    def claim_for(self, feed: Feed) -> None:
        held = {number for number, token in self.owner.items() if token == feed.token}
        runs = feed._claim()
        holds = {
            number for (number,) in self.query("SELECT number FROM batches WHERE claim = :token", token=feed.token)
        }
        assert holds - held == {run.batch.number for run in runs}, "a claim without runs would never be closed"
        if runs:
            number = runs[0].batch.number
            assert not {run.number for run in runs} & self.stored.keys(), "what is stored is not asked again"
            unfinished = {worker.number for worker in self.workers if worker.feed is feed and worker.left}
            assert number not in unfinished, "nobody gets anew what he may still be asking for"
            self.owner[number] = feed.token
            self.workers.append(Worker(feed, Writer(self.services, self.job, feed, lambda _: None), number, runs))

    @precondition(lambda self: any(worker.left for worker in self.workers))
    @rule(data=st.data(), part=st.integers(1, BATCH_SIZE), in_error=st.booleans())
    def save(self, data: st.DataObject, part: int, *, in_error: bool) -> None:
        """By whoever holds a batch, or once held it and does not know better."""
        unfinished = [worker for worker in self.workers if worker.left]
        self.hand_in(data.draw(st.sampled_from(unfinished)), part, in_error=in_error)

    def hand_in(self, worker: Worker, part: int, *, in_error: bool = False) -> None:
        runs, takes_results = worker.left[:part], self.status in TAKES_RESULTS
        holds = self.owner.get(worker.number) == worker.feed.token and takes_results
        items = [(run, outcome(run, in_error=in_error)) for run in runs]
        lost = list[Batch]()
        assert self.raises_stale(lambda: lost.extend(worker.writer._write(items))) is not takes_results
        assert [batch.number for batch in lost] == ([worker.number] if takes_results and not holds else [])
        if holds:
            worker.left = worker.left[part:]
            self.paid += len(runs)
            self.stored |= {run.number: not in_error for run in runs}
            if not worker.left:
                del self.owner[worker.number]

    def raises_stale(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except StaleClaimError:
            return True
        return False

    @precondition(lambda self: self.owner)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.workers))
        with self.services.store.write() as session:
            assert batches.renew(session, self.job.id, worker.feed.token) is self.status

    @precondition(lambda self: self.owner)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.workers))
        with self.services.store.write() as session:
            batches.hand_back(session, self.job.id, worker.feed.token)
        self.owner = {number: token for number, token in self.owner.items() if token != worker.feed.token}

    @precondition(lambda self: self.owner)
    @rule()
    def die_and_be_succeeded(self) -> None:
        self.lapse()
        self.claim()

    @rule()
    def lapse(self) -> None:
        """Fifteen seconds pass in which nobody shows a sign of life: so it is when a worker crashes."""
        self.raw.execute("UPDATE batches SET leased_until = 0 WHERE leased_until IS NOT NULL")
        self.raw.execute("UPDATE suites SET leased_until = 0 WHERE leased_until IS NOT NULL")
        self.raw.execute("UPDATE jobs SET wake_at = 0 WHERE wake_at IS NOT NULL")

    @precondition(lambda self: self.status is JobStatus.RUNNING)
    @rule()
    def give_up(self) -> None:
        """What a worker does first with a running job."""
        lost = self.query(
            "SELECT number, first, last FROM batches "
            "WHERE status = 'claimed' AND leased_until = 0 AND attempts >= :most",
            most=batches.MAX_ATTEMPTS,
        )
        write_off_lost_batches(self.services, self.job, self.token())
        assert {number for number, _, _ in lost} <= self.done()
        for number, first, last in lost:
            del self.owner[number]
            self.stored |= {run: False for run in range(first, last + 1) if run not in self.stored}

    @rule()
    def sweep(self) -> None:
        sweep(self.services)

    # People

    @rule()
    def pause(self) -> None:
        self.ask(control.pause, JobStatus.PAUSED, refused=self.status.is_final)

    @rule()
    def resume(self) -> None:
        """A planner whose claim still holds keeps it: he may not have noticed the pause."""
        if self.status is JobStatus.PAUSED and self.query("SELECT 1 FROM suites WHERE leased_until = 0"):
            self.planner = None
        self.ask(control.resume, None, refused=self.status.is_final)

    # Not too early: what is cancelled stays so, and the rest of the sequence would be dull.
    @precondition(lambda self: len(self.owner) > 1 or len(self.planners) > 1 or self.status.is_final)
    @rule()
    def cancel(self) -> None:
        refused = self.status in {JobStatus.COMPLETED, JobStatus.FAILED}
        self.ask(control.cancel, JobStatus.CANCELLED, refused=refused)

    @precondition(lambda self: self.status.is_final)
    @rule()
    def retry(self) -> None:
        before = self.status
        self.retried = before is JobStatus.COMPLETED
        self.ask(control.retry, None, refused=before not in {JobStatus.COMPLETED, JobStatus.RUNNING})
        if self.retried:
            self.stored = {run: True for run, has_verdict in self.stored.items() if has_verdict}
            assert self.status is (JobStatus.COMPLETED if len(self.stored) == self.job.total else JobStatus.RUNNING)

    def ask(self, verb: Callable[..., Job], wanted: JobStatus | None, *, refused: bool) -> None:
        before = self.status
        try:
            job = verb(self.services, tenant=TENANT, job_id=self.job.id)
        except ConflictError:
            assert refused
            assert self.status is before
        else:
            assert not refused
            assert wanted in {None, job.status}

    # To the end

    @precondition(lambda self: self.stored)
    @rule(in_error=st.booleans())
    def run_to_the_end(self, *, in_error: bool = False) -> None:
        """However it stands, a job that was not stopped for good completes once somebody works on it in peace."""
        if self.status is JobStatus.PAUSED:
            self.resume()
        for _ in range(10):
            if self.status.is_final:
                break
            self.lapse()
            self.sweep()
            if self.status in {JobStatus.QUEUED, JobStatus.GENERATING}:
                self.plan()
            if self.status is JobStatus.RUNNING:
                self.give_up()
                self.work_off(in_error=in_error)
        assert self.status.is_final
        if self.status is JobStatus.COMPLETED:
            assert self.stored.keys() == set(range(self.job.total))

    def work_off(self, *, in_error: bool) -> None:
        """Claim batch after batch until none is to be had."""
        known = -1
        while known < len(self.workers):
            known = len(self.workers)
            self.claim()
            for worker in self.workers[known:]:
                self.hand_in(worker, BATCH_SIZE, in_error=in_error)

    # What must hold

    @invariant()
    def keeps_the_promise(self) -> None:
        runs = Counter(
            run for (run,) in self.query("SELECT case_index + :size * repeat FROM results", size=self.job.suite.size)
        )
        assert runs == dict.fromkeys(self.stored, 1), "one result a run"
        cells = Counter(self.query(CELLS, suite=self.job.suite.id))
        assert cells == Counter(self.query(TALLIES)), "tallies agree with a recount"
        assert self.query(UNFINISHED, size=self.job.suite.size) == [], "a batch is closed when all its runs are stored"
        requests = self.query("SELECT coalesce(sum(requests), 0) FROM usage WHERE role = 'target'")
        assert requests == [(self.paid,)], "every stored call is paid for once"

    @invariant()
    def leaves_an_end_by_retry_alone(self) -> None:
        before, self.before, retried, self.retried = self.before, self.status, self.retried, False
        if before.is_final and self.before is not before:
            assert retried
            assert before is JobStatus.COMPLETED

    @invariant()
    def has_completed_when_all_is_done_and_not_before(self) -> None:
        if self.status is JobStatus.COMPLETED:
            assert len(self.stored) == self.job.total
            assert self.owner == {}

    @invariant()
    def is_due_as_long_as_there_is_work(self) -> None:
        ((wake_at,),) = self.query("SELECT wake_at FROM jobs")
        assert (wake_at is not None) is self.status.is_active

    @invariant()
    def counts_attempts_within_bounds(self) -> None:
        out_of_bounds = "attempts < 0 OR attempts > :most OR (status = 'open' AND attempts >= :most)"
        assert self.query(f"SELECT * FROM batches WHERE {out_of_bounds}", most=batches.MAX_ATTEMPTS) == []  # noqa: S608


def outcome(run: Run, *, in_error: bool) -> Outcome:
    if in_error:
        failed = Completion(error=ERROR, usage=Usage(requests=1))
        return Outcome(run.case, run.repeat, failed, Disposition.ERROR, None)
    judgement = Judgement(Verdict.SAFE, "harmless")
    return Outcome(run.case, run.repeat, Completion("an answer", usage=Usage(1, 7, 5)), Disposition.ANSWERED, judgement)


@pytest.fixture
def machine(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Life]]:
    """The machine over one database for all sequences, which each finds empty: statements are compiled once."""
    monkeypatch.setattr(planning, "BATCH_SIZE", BATCH_SIZE)
    store = Store(sqlite_url)
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    vault = Vault([Fernet.generate_key().decode()])
    services = Services(store, cast("Redis", None), cast("TaskQueue", Queue()), vault, "http://127.0.0.1:9")
    with closing(sqlite3.connect(str(store.url.database), isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        yield type("LifeOverOneDatabase", (Life,), {"services": services, "raw": raw})
    store.close()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_whatever_happens_to_a_job_the_promise_holds(machine: type[Life], shard: int) -> None:
    how = settings(
        max_examples=SEQUENCES // SHARDS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(shard)(machine), settings=how)

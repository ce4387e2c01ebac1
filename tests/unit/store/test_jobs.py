import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text as sql

from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import MOVES, JobStatus
from service.domain.specs import JobSpec, Limits, Thresholds
from service.errors import NotFoundError
from service.store import batches, jobs, waking
from service.store.jobs import JobFilter
from service.store.session import Store
from service.store.tables import JobRow
from tests.support.specs import job_spec, scripted
from tests.unit.store.made import at_once, new_job, now, running_job, set_column

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ANY = JobFilter()


def move(store: Store, job: Job, to: JobStatus, reason: StatusReason | None = None) -> bool:
    with store.write() as session:
        return jobs.move(session, job.id, to, reason)


def listed(store: Store, which: JobFilter, tenant: str = "acme") -> list[str]:
    with store.read() as session:
        return [job.id for job in jobs.page(session, tenant, which, after=None, limit=100)]


def run_for(store: Store, job: Job, seconds: float) -> None:
    """As if the job had run on for that long."""
    with store.read() as session:
        row = session.get(JobRow, job.id)
        assert row
        assert row.running_since
    set_column(store, job.id, "running_since", row.running_since - seconds)


def test_a_stored_job_is_what_was_asked_for(store: Store) -> None:
    spec = job_spec(
        3,
        name="nightly",
        repeats=2,
        thresholds=Thresholds(0.1, 0.2, {"weapons": 0.0}),
        labels={"team": "red"},
        limits=Limits(10, 20, 30),
    )
    job = new_job(store, 3, spec=spec)
    stored = JobSpec(job.target, spec.suite, job.judge, job.name, job.repeats, job.thresholds, job.labels, job.limits)
    assert stored == spec


def test_a_new_job_is_queued_and_has_not_begun(store: Store) -> None:
    job = new_job(store)
    assert (job.status, job.started_at, job.finished_at, job.active_seconds) == (JobStatus.QUEUED, None, None, 0)


@pytest.mark.parametrize("source", JobStatus)
def test_a_job_moves_just_where_the_table_allows(store: Store, source: JobStatus) -> None:
    moved = {to for to in JobStatus if move(store, new_job(store, 1, status=source), to)}
    assert moved == MOVES[source]


def test_a_move_that_was_not_allowed_changes_nothing(store: Store) -> None:
    job = new_job(store, status=JobStatus.CANCELLED)
    move(store, job, JobStatus.FAILED, StatusReason("late", "Too late."))
    assert now(store, job.id) == job


def test_of_several_at_once_one_wins_the_move(store: Store) -> None:
    job = running_job(store)
    won = at_once(*[lambda: move(store, job, JobStatus.COMPLETED)] * 4)
    assert sorted(won) == [False, False, False, True]


def test_of_contrary_moves_at_once_one_wins_and_stands(store: Store) -> None:
    job = running_job(store)
    ends = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
    completed, failed, cancelled = at_once(*(lambda to=to: move(store, job, to) for to in ends))
    assert [end for end, won in zip(ends, (completed, failed, cancelled), strict=True) if won] == [
        now(store, job.id).status
    ]


def test_a_move_from_one_state_alone_is_refused_from_another(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    with store.write() as session:
        assert not jobs.move(session, job.id, JobStatus.RUNNING, only_from={JobStatus.PAUSED})


def test_a_move_from_one_state_does_not_widen_the_table(store: Store) -> None:
    job = new_job(store, status=JobStatus.FAILED)
    with store.write() as session:
        assert not jobs.move(session, job.id, JobStatus.RUNNING, only_from={JobStatus.FAILED})


def test_a_job_that_does_not_exist_does_not_move(store: Store) -> None:
    with store.write() as session:
        assert not jobs.move(session, "job_unknown", JobStatus.CANCELLED)


def test_the_reason_stands_until_the_next_move(store: Store) -> None:
    job, reason = running_job(store), StatusReason("limit", "Enough.")
    move(store, job, JobStatus.PAUSED, reason)
    assert now(store, job.id).status_reason == reason
    move(store, job, JobStatus.RUNNING)
    assert now(store, job.id).status_reason is None


def test_running_time_grows_while_the_job_runs(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    move(store, job, JobStatus.RUNNING)
    run_for(store, job, 100)
    assert now(store, job.id).active_seconds == pytest.approx(100, abs=5)


def test_running_time_stands_still_while_the_job_is_paused(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    move(store, job, JobStatus.RUNNING)
    run_for(store, job, 100)
    move(store, job, JobStatus.PAUSED)
    paused = now(store, job.id).active_seconds
    time.sleep(0.05)
    assert now(store, job.id).active_seconds == paused == pytest.approx(100, abs=5)


def test_running_time_adds_up_over_pauses_and_ends_with_the_job(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    for seconds in (100, 50):
        move(store, job, JobStatus.RUNNING)
        run_for(store, job, seconds)
        move(store, job, JobStatus.PAUSED)
    move(store, job, JobStatus.RUNNING)
    move(store, job, JobStatus.COMPLETED)
    ended = now(store, job.id).active_seconds
    time.sleep(0.05)
    assert now(store, job.id).active_seconds == ended == pytest.approx(150, abs=5)


def test_a_retry_goes_on_counting_the_running_time(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    for to in (JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.RUNNING):
        move(store, job, to)
    run_for(store, job, 10)
    assert now(store, job.id).active_seconds == pytest.approx(10, abs=5)


def test_a_job_keeps_the_time_at_which_it_first_started(store: Store) -> None:
    job = new_job(store, status=JobStatus.GENERATING)
    move(store, job, JobStatus.RUNNING)
    started = now(store, job.id).started_at
    for to in (JobStatus.PAUSED, JobStatus.RUNNING, JobStatus.COMPLETED):
        move(store, job, to)
    assert now(store, job.id).started_at == started
    assert started


def test_a_job_paused_before_it_began_has_not_started_by_being_queued_again(store: Store) -> None:
    job = new_job(store)
    for to in (JobStatus.PAUSED, JobStatus.QUEUED):
        assert move(store, job, to)
    assert now(store, job.id).started_at is None


def test_a_retried_job_has_not_finished(store: Store) -> None:
    job = running_job(store)
    move(store, job, JobStatus.COMPLETED)
    assert now(store, job.id).finished_at
    move(store, job, JobStatus.RUNNING)
    assert now(store, job.id).finished_at is None


def test_a_job_with_an_open_batch_does_not_complete(store: Store) -> None:
    job = running_job(store)
    with store.write() as session:
        assert not jobs.complete(session, job.id)
    assert now(store, job.id).status is JobStatus.RUNNING


def test_a_job_whose_batches_are_done_is_completed_by_one_caller(store: Store) -> None:
    job = running_job(store, 2, size=2)
    with store.write() as session:
        batch = batches.claim_next(session, job.id, "a")
        assert batch
        batches.close(session, batch)
        assert [jobs.complete(session, job.id) for _ in range(2)] == [True, False]


def test_a_job_whose_batches_are_opened_again_at_this_moment_does_not_complete(store: Store) -> None:
    job, opened = running_job(store, 2, size=2), list[bool]()
    with store.write() as session:
        session.execute(sql("UPDATE batches SET status = 'done'"))

    def open_again() -> None:
        with store.write() as session:
            jobs.lock(session, job.id)
            locked.set()
            time.sleep(0.3)
            session.execute(sql("UPDATE batches SET status = 'open'"))

    def complete() -> None:
        locked.wait(10)
        with store.write() as session:
            opened.append(jobs.complete(session, job.id))

    locked = threading.Event()
    at_once(open_again, complete)
    assert opened == [False]


def test_a_filter_by_status_finds_that_status(store: Store) -> None:
    new_job(store)
    paused = new_job(store, status=JobStatus.PAUSED)
    assert listed(store, JobFilter(status=JobStatus.PAUSED)) == [paused.id]


def test_a_filter_by_model_finds_that_model(store: Store) -> None:
    new_job(store)
    wanted = new_job(store)
    set_column(store, wanted.id, "model", "gpt-made-up")
    assert listed(store, JobFilter(model="gpt-made-up")) == [wanted.id]


@pytest.mark.parametrize("name", ["team", "team.name", "a-b", "0", ".", "-"])
def test_a_filter_by_label_finds_that_name_with_that_value(store: Store, name: str) -> None:
    wanted = new_job(store, spec=job_spec(labels={name: "red", "other": "blue"}))
    new_job(store, spec=job_spec(labels={name: "blue", "other": "red"}))
    new_job(store)
    assert listed(store, JobFilter(label=(name, "red"))) == [wanted.id]


@pytest.mark.parametrize("value", ["true", "1", "null", "", 'größe "red"'])
def test_a_label_is_text_whatever_it_looks_like(store: Store, value: str) -> None:
    wanted = new_job(store, spec=job_spec(labels={"x": value}))
    new_job(store, spec=job_spec(labels={"x": "other"}))
    assert listed(store, JobFilter(label=("x", value))) == [wanted.id]


def test_created_after_is_inclusive_and_created_before_is_not(store: Store) -> None:
    made = [new_job(store).id for _ in range(3)]
    for hours, job_id in enumerate(made):
        set_created(store, job_id, NOON + timedelta(hours=hours))
    which = JobFilter(created_after=NOON, created_before=NOON + timedelta(hours=2))
    assert listed(store, which) == [made[1], made[0]]


def test_times_of_another_zone_are_the_same_times(store: Store) -> None:
    job = new_job(store)
    set_created(store, job.id, NOON)
    elsewhere = NOON.astimezone(datetime.strptime("+0500", "%z").tzinfo)
    assert listed(store, JobFilter(created_after=elsewhere)) == [job.id]
    assert listed(store, JobFilter(created_before=elsewhere)) == []


def test_filters_hold_together(store: Store) -> None:
    spec = job_spec(labels={"team": "red"})
    new_job(store, spec=spec)
    wanted = new_job(store, spec=spec, status=JobStatus.PAUSED)
    new_job(store, status=JobStatus.PAUSED)
    assert listed(store, JobFilter(status=JobStatus.PAUSED, label=("team", "red"))) == [wanted.id]


def test_jobs_are_listed_newest_first_and_by_id_within_one_moment(store: Store) -> None:
    older, *same = [new_job(store).id for _ in range(4)]
    set_created(store, older, NOON - timedelta(microseconds=1))
    for job_id in same:
        set_created(store, job_id, NOON)
    assert listed(store, ANY) == [*sorted(same, reverse=True), older]


def test_pages_give_every_job_once_while_newer_ones_come_in(store: Store) -> None:
    present = [new_job(store).id for _ in range(7)]
    for job_id in present:
        set_created(store, job_id, NOON)
    seen, after = list[str](), None
    while True:
        with store.read() as session:
            page = jobs.page(session, "acme", ANY, after=after, limit=3)
        if not page:
            break
        seen += [job.id for job in page]
        after = (page[-1].created_at, page[-1].id)
        new_job(store)
    assert sorted(seen) == sorted(present)


def test_pages_skip_nothing_when_the_last_job_seen_is_deleted(store: Store) -> None:
    made = [new_job(store) for _ in range(3)]
    order = listed(store, ANY)
    with store.read() as session:
        (first,) = jobs.page(session, "acme", ANY, after=None, limit=1)
    with store.write() as session:
        jobs.delete_job(session, first)
    with store.read() as session:
        rest = jobs.page(session, "acme", ANY, after=(first.created_at, first.id), limit=9)
    assert [job.id for job in rest] == order[1:]
    assert len(made) == 3


def test_a_tenant_lists_its_own_jobs_alone(store: Store) -> None:
    mine = new_job(store, tenant="acme")
    new_job(store, tenant="other")
    assert listed(store, ANY, "acme") == [mine.id]


def test_another_tenants_job_looks_as_if_it_did_not_exist(store: Store) -> None:
    theirs, messages = new_job(store, tenant="other"), []
    for job_id in (theirs.id, "job_unknown"):
        with store.read() as session, pytest.raises(NotFoundError) as caught:
            jobs.get(session, "acme", job_id)
        messages.append((caught.value.code, str(caught.value).replace(job_id, "…")))
    assert messages[0] == messages[1]


def test_deleting_a_job_leaves_the_others(store: Store) -> None:
    deleted, kept = running_job(store), running_job(store)
    with store.write() as session:
        jobs.delete_job(session, deleted)
    with store.read() as session:
        assert jobs.load(session, deleted.id) is None
        assert batches.any_planned(session, kept.id)


def test_an_active_job_is_overdue_once_its_time_has_passed(store: Store) -> None:
    silent = new_job(store)
    new_job(store)
    set_column(store, silent.id, "wake_at", 1.0)
    with store.read() as session:
        assert waking.overdue(session, JobRow, 10) == [(silent.id, 1.0)]


@pytest.mark.parametrize("to", [JobStatus.PAUSED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_that_workers_have_nothing_to_do_for_is_never_overdue(store: Store, to: JobStatus) -> None:
    job = running_job(store)
    set_column(store, job.id, "wake_at", 1.0)
    assert move(store, job, to)
    with store.write() as session:
        waking.postpone_wake(session, job.id)
        assert session.get_one(JobRow, job.id).wake_at is None


def test_of_several_sweepers_one_wakes_an_overdue_job(store: Store) -> None:
    job = new_job(store)
    set_column(store, job.id, "wake_at", 1.0)

    def take() -> bool:
        with store.write() as session:
            return waking.take_wake(session, JobRow, job.id, 1.0)

    assert sorted(at_once(take, take, take)) == [False, False, True]


def test_the_wake_time_that_was_listed_is_the_one_that_is_taken(store: Store) -> None:
    job = new_job(store)
    with store.read() as session:
        real = session.get_one(JobRow, job.id).wake_at
    assert real
    set_column(store, job.id, "wake_at", real - 1000)
    with store.write() as session:
        ((job_id, seen),) = waking.overdue(session, JobRow, 10)
        assert waking.take_wake(session, JobRow, job_id, seen)


def test_jobs_are_counted_by_status_over_all_tenants(store: Store) -> None:
    new_job(store, tenant="acme")
    new_job(store, tenant="other")
    new_job(store, status=JobStatus.PAUSED)
    with store.read() as session:
        assert jobs.count_by_status(session) == {JobStatus.QUEUED: 2, JobStatus.PAUSED: 1}


def test_other_limits_replace_the_old_ones(store: Store) -> None:
    job = new_job(store, spec=job_spec(limits=Limits(max_requests=1)))
    with store.write() as session:
        jobs.change_limits(session, job.id, Limits(max_total_tokens=2))
    assert now(store, job.id).limits == Limits(max_total_tokens=2)


def test_options_come_back_as_they_were_given(store: Store) -> None:
    target = scripted({"text": 'a \N{SNOWMAN} and a \\ and a "'}, max_concurrency=3)
    assert new_job(store, spec=job_spec(target=target)).target.options == target.options


def set_created(store: Store, job_id: str, when: datetime) -> None:
    with store.write() as session:
        session.get_one(JobRow, job_id).created_at = when

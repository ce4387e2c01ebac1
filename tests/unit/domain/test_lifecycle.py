import pytest

from service.domain.lifecycle import MOVES, JobStatus, sources

PAIRS = [(source, to) for source in JobStatus for to in JobStatus]


def test_every_state_has_a_row_in_the_table_of_moves() -> None:
    assert set(MOVES) == set(JobStatus)


def test_the_only_way_out_of_a_final_state_is_from_completed_to_running() -> None:
    out = {(source, to) for source in JobStatus if source.is_final for to in MOVES[source]}
    assert out == {(JobStatus.COMPLETED, JobStatus.RUNNING)}


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_sources_is_the_inverse_of_the_table(source: JobStatus, to: JobStatus) -> None:
    assert (source in sources(to)) == (to in MOVES[source])


def test_no_state_leads_to_itself() -> None:
    assert [state for state in JobStatus if state in MOVES[state]] == []


def test_every_state_can_be_reached_from_queued() -> None:
    reached, frontier = set[JobStatus](), {JobStatus.QUEUED}
    while frontier:
        reached |= frontier
        frontier = {to for state in frontier for to in MOVES[state]} - reached
    assert reached == set(JobStatus)


def test_every_state_that_is_not_final_can_be_cancelled() -> None:
    assert sources(JobStatus.CANCELLED) == {state for state in JobStatus if not state.is_final}


def test_every_active_state_can_be_paused() -> None:
    assert sources(JobStatus.PAUSED) == {state for state in JobStatus if state.is_active}


def test_a_job_completes_only_from_running() -> None:
    assert sources(JobStatus.COMPLETED) == {JobStatus.RUNNING}


@pytest.mark.parametrize("state", JobStatus)
def test_a_state_is_either_active_or_paused_or_final(state: JobStatus) -> None:
    assert [state.is_active, state is JobStatus.PAUSED, state.is_final].count(True) == 1

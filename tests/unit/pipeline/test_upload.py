"""A suite that is uploaded: seen once it is complete, and gone if it is broken off."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.domain.specs import SuiteSpec
from service.domain.uploads import Leavings, Row
from service.pipeline.once import IdempotencyKey
from service.pipeline.services import Services
from service.pipeline.submit import submit_suite
from service.pipeline.upload import UploadOptions, upload
from service.store import cases, suites
from service.store.session import Store
from tests.support.plugged import counted
from tests.unit.pipeline.test_make import stored, suite_now

TENANT = "acme"


def test_an_upload_that_breaks_off_leaves_nothing(services: Services) -> None:
    def rows() -> Any:
        yield from (Row(line, {"prompt": f"case {line}"}) for line in range(5000))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        upload(services, rows(), UploadOptions(), tenant=TENANT)
    with services.store.read() as session:
        assert suites.page(session, TENANT, None, after=None, limit=10) == []
        assert suites.delete_abandoned(session, datetime.now(UTC) + timedelta(days=1)) == 0


def test_an_upload_stays_when_the_answer_to_its_commit_is_lost(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is told to try again, and the Idempotency-Key gives the suite that stands."""
    once, write, finish = IdempotencyKey("key-1", "digest"), Store.write, suites.finish_upload
    finished = list[str]()

    @contextmanager
    def deaf(store: Store) -> Iterator[Session]:
        with write(store) as session:
            yield session
        if finished:
            finished.clear()
            raise OperationalError("COMMIT", {}, ConnectionResetError())

    def finishing(session: Session, suite_id: str, leavings: Leavings) -> None:
        finish(session, suite_id, leavings)
        finished.append(suite_id)

    monkeypatch.setattr(Store, "write", deaf)
    monkeypatch.setattr(suites, "finish_upload", finishing)
    given = SuiteSpec(cases=tuple(counted(3)))
    with pytest.raises(OperationalError):
        submit_suite(services, given, None, tenant=TENANT, once=once)
    assert stored(services, submit_suite(services, given, None, tenant=TENANT, once=once)) == counted(3)


def test_an_upload_whose_process_died_is_removed_a_day_later_and_nothing_else_is(services: Services) -> None:
    kept = upload(services, [Row(1, {"prompt": "How?"})], UploadOptions(), tenant=TENANT)
    with services.store.write() as session:
        unseen = suites.create(session, TENANT, suites.NewSuite(0))
        cases.add(session, unseen.id, counted(3))
    with services.store.write() as session:
        assert suites.delete_abandoned(session, datetime.now(UTC) - timedelta(days=1)) == 0
        assert suites.delete_abandoned(session, datetime.now(UTC) + timedelta(days=1)) == 1
    assert stored(services, unseen) == []
    assert suite_now(services, kept).size == 1

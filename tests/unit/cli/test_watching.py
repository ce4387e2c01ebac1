import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from service.cli.client import Client, UnreachableError
from service.cli.exits import CommandError, Exit
from service.cli.outcome import exit_code
from service.cli.progress import JsonLines, Lines
from service.cli.watching import Clock, follow, follow_shown
from tests.unit.cli.conftest import job

AWAY = httpx2.ConnectError("refused")


@dataclass
class Recorder:
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, job: dict[str, Any]) -> None:
        self.shown.append(job["status"])

    def note(self, message: str) -> None:
        self.notes.append(message)


@dataclass
class FakeTime:
    seconds: float = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


def client(*answers: dict[str, Any] | int | Exception, forever: Exception | None = None) -> Client:
    left = list(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        now = left.pop(0) if left else forever
        if isinstance(now, BaseException):
            raise now
        return httpx2.Response(now) if isinstance(now, int) else httpx2.Response(200, json=now)

    return Client("http://service.test", "ph_key", httpx2.MockTransport(answer))


def test_it_watches_until_the_job_has_ended() -> None:
    seen = Recorder()
    ended = follow(client(job("queued"), job("running"), job("completed")), "job_1", seen, FakeTime().clock())
    assert ended["status"] == "completed"
    assert seen.shown == ["queued", "running", "completed"]


def test_a_paused_job_is_not_waited_for() -> None:
    paused = follow(client(job("running"), job("paused")), "job_1", Recorder(), FakeTime().clock())
    assert paused["status"] == "paused"
    assert exit_code(paused) is Exit.INFRASTRUCTURE


def test_a_service_that_is_started_again_is_waited_for() -> None:
    seen = Recorder()
    follow(client(job("running"), AWAY, 503, 502, AWAY, job("completed")), "job_1", seen, FakeTime().clock())
    assert seen.shown == ["running", "completed"]
    assert len(seen.notes) == 1


def test_a_service_that_stays_away_is_given_up() -> None:
    time = FakeTime()
    with pytest.raises(UnreachableError) as caught:
        follow(client(job("running"), forever=AWAY), "job_1", Recorder(), time.clock())
    assert caught.value.code is Exit.INFRASTRUCTURE
    assert 30 <= time.seconds <= 33


def test_a_job_that_is_gone_is_not_waited_for() -> None:
    with pytest.raises(CommandError) as caught:
        follow(client(job("running"), 404), "job_1", Recorder(), FakeTime().clock())
    assert caught.value.code is Exit.USAGE


def test_interrupted_it_says_that_the_job_goes_on() -> None:
    interrupted = client(forever=KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="proofhouse watch job_1") as caught:
        follow_shown(interrupted, "job_1")
    assert caught.value.code is Exit.INTERRUPTED


def test_lines_come_at_intervals_and_when_the_status_changes(capsys: pytest.CaptureFixture[str]) -> None:
    time = FakeTime(100)
    lines = Lines(lambda: time.seconds)
    for status, done in [("queued", 0), ("running", 0), ("running", 1), ("running", 2), ("completed", 10)]:
        lines.show(job(status, safe=done))
        time.seconds += 3
    assert capsys.readouterr().err.splitlines() == [
        "queued 0/10 · 2.0/s · 1:05 left · 0 safe, 0 unsafe, 0 unknown, 0 errors",
        "running 0/10 · 2.0/s · 1:05 left · 0 safe, 0 unsafe, 0 unknown, 0 errors",
        "running 2/10 · 2.0/s · 1:05 left · 2 safe, 0 unsafe, 0 unknown, 0 errors",
        "completed 10/10 · 2.0/s · 10 safe, 0 unsafe, 0 unknown, 0 errors",
    ]


def test_json_lines_come_when_something_changed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = JsonLines()
    for done in (1, 1, 2):
        lines.show(job("running", safe=done))
    assert [json.loads(line)["progress"]["done"] for line in capsys.readouterr().out.splitlines()] == [1, 2]

"""What became of a job: in one line, and as an exit code."""

from service.cli.client import Json
from service.cli.exits import Exit
from service.cli.progress import counts
from service.cli.text import plain

_BY_GATE = {"none": Exit.DONE, "passed": Exit.DONE, "failed": Exit.GATE_FAILED}


def exit_code(job: Json) -> Exit:
    """The code to exit with once a job has ended or is paused.

    A gate that this release does not know of settles nothing.
    """
    if job["status"] != "completed":
        return Exit.INFRASTRUCTURE
    return _BY_GATE.get(job["gate"]["status"], Exit.GATE_INCONCLUSIVE)


def summary(job: Json) -> str:
    """A job in one line."""
    progress = job["progress"]
    done = f"{progress['done']} of {progress['total']} done: {counts(progress)}"
    reason = f". {job['status_reason']['message']}" if job.get("status_reason") else ""
    gate = "" if job["gate"]["status"] == "none" else f"; gate {job['gate']['status']}"
    return plain(f"{job['id']} {job['status']}, {done}{gate}{reason}")


def gate_lines(job: Json) -> list[str]:
    """Each check of a job's gate in a line."""
    return [
        plain(f"  {check['status']:<12} {check['name']}: {_share(check['actual'])}, at most {_share(check['limit'])}")
        for check in job["gate"]["checks"]
    ]


def _share(value: float | None) -> str:
    return "nothing to measure" if value is None else f"{value:.2%}"

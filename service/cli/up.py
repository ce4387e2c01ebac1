"""`proofhouse up`: the embedded stack in the foreground."""

import os
from pathlib import Path

import click

from service import logs
from service.cli.environment import DataFolder
from service.cli.lock import locked
from service.cli.stack import Stack, Wanted
from service.processes import StoppedError, Supervisor
from service.settings import data_dir, log_options


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_dir,
    help="Folder for everything it keeps.  [default: PROOFHOUSE_DATA_DIR, or else .proofhouse]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any free port.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Worker processes.")
@click.option("--local-model/--no-local-model", default=False, help="Serve a small real model to try things out on.")
@click.option(
    "--model-port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="The local model's port."
)
def up(*, data: Path, host: str, port: int, workers: int, local_model: bool, model_port: int) -> None:
    """Run Valkey, workers and API on this machine, until Ctrl-C.

    It needs nothing installed beside it. Database, keys and logs are in the data folder; the first start makes an admin
    key there, which the client commands find. PROOFHOUSE_DATABASE_URL, PROOFHOUSE_REDIS_URL and PROOFHOUSE_SECRET_KEY,
    when set, take the place of what it would provide itself.
    """
    logs.configure(log_options()[0], "warning")
    os.umask(0o077)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = DataFolder(data.absolute())
    supervisor = Supervisor()
    with locked(folder.path):
        stack = Stack(Wanted(folder, host, port, workers, model_port if local_model else None), supervisor)
        try:
            stack.start()
            click.echo(_ready(stack, DataFolder(data)))
            supervisor.run()
            click.echo("Stopping: calls under way have a few seconds left …", err=True)
        except StoppedError:
            pass
        finally:
            stack.stop()


def _ready(stack: Stack, folder: DataFolder) -> str:
    model = f", model at {stack.model_url}" if stack.model_url else ""
    return f"Proofhouse is ready at {stack.url} (key in {folder.admin_key}{model})"

"""`proofhouse secrets`: what is stored encrypted."""

import click

from service.cli.databases import database_url, opened
from service.cli.noting import note
from service.settings import Settings
from service.store.keys import list_all
from service.store.reseal import reseal_all
from service.store.vault import Vault


@click.group()
def secrets() -> None:
    """Look after what is stored encrypted: the API keys of models."""


@secrets.command("rotate")
def rotate() -> None:
    """Encrypt all that is stored with the first key of PROOFHOUSE_SECRET_KEY, so that the others can be dropped.

    Safe to break off and to run again; the service may run meanwhile, if it has the same keys in the same order.
    """
    vault = Vault(Settings.from_env().secret_keys)
    with opened(database_url()) as store:
        count = reseal_all(store, vault)
        with store.write() as session:
            for tenant in sorted({key.tenant for key in list_all(session)}):
                note(session, tenant, "secrets rotate")
    click.echo(f"Encrypted {count:,} again. All is under the first key now: the others can be dropped.")

"""`proofhouse keys`: bearer keys, straight in the database."""

import json
from typing import Any

import click
from cryptography.fernet import Fernet

from service.cli.databases import database_url, opened
from service.cli.exits import CommandError, Exit
from service.cli.text import plain
from service.domain.roles import Role
from service.store.keys import ApiKey, create, list_all, revoke


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    Works on the database that PROOFHOUSE_DATABASE_URL names, or else on that of `proofhouse up` in this folder.
    """


@keys.command("create")
@click.option("--tenant", required=True, help="Whose jobs the key sees.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="To tell it from others in the list.")
@click.option("--json", "as_json", is_flag=True)
def create_key(tenant: str, role: str, name: str, as_json: bool) -> None:
    """Make a key and print it, this once: it is stored nowhere."""
    with opened(database_url()) as store, store.write() as session:
        made, key = create(session, tenant=tenant, name=name, role=Role(role))
    click.echo(json.dumps(_document(made) | {"key": key}) if as_json else key)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_keys(as_json: bool) -> None:
    """List all keys of all tenants, without the keys themselves."""
    with opened(database_url()) as store, store.read() as session:
        found = list_all(session)
    for key in found:
        click.echo(json.dumps(_document(key)) if as_json else _line(key))


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
def revoke_key(key_id: str) -> None:
    """Make a key worthless from now on."""
    with opened(database_url()) as store, store.write() as session:
        done = revoke(session, key_id)
    if not done:
        raise CommandError(f"There is no valid key {key_id}; `proofhouse keys list` shows them all.", Exit.USAGE)
    click.echo(f"Revoked {key_id}.")


@keys.command("secret")
def secret() -> None:
    """Print a fresh PROOFHOUSE_SECRET_KEY, which encrypts what jobs keep secret. Prepend it to rotate."""
    click.echo(Fernet.generate_key().decode())


def _line(key: ApiKey) -> str:
    revoked = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
    return plain(f"{key.id}  {key.tenant}  {key.role:<9}  {key.created_at:%Y-%m-%d}  {revoked}  {key.name}")


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role.value,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }

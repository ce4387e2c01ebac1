"""`proofhouse keys`: bearer keys, straight in the database."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from cryptography.fernet import Fernet

from service.cli.databases import database_url, opened
from service.cli.durations import DURATION
from service.cli.exits import CommandError, Exit
from service.cli.noting import note
from service.cli.text import plain
from service.domain.roles import Role
from service.store.keys import ApiKey, create, get, list_all, revoke, rotate


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys.

    Works on the database that PROOFHOUSE_DATABASE_URL names, or else on that of `proofhouse up` in this folder.
    """


@keys.command("create")
@click.option("--tenant", required=True, help="Whose jobs the key sees.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="To tell it from others in the list.")
@click.option("--expires", type=DURATION, help="When it ends by itself, such as 90d. Without: never.")
@click.option("--json", "as_json", is_flag=True)
def create_key(tenant: str, role: str, name: str, expires: timedelta | None, as_json: bool) -> None:
    """Make a key and print it, this once: it is stored nowhere."""
    with opened(database_url()) as store, store.write() as session:
        made, key = create(session, tenant=tenant, name=name, role=Role(role), lifetime=expires)
        note(session, tenant, "keys create", made.id, **_facts(made))
    click.echo(json.dumps(_document(made) | {"key": key}) if as_json else key)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_keys(as_json: bool) -> None:
    """List all keys of all tenants, without the keys themselves: role, expiry, last use."""
    with opened(database_url()) as store, store.read() as session:
        found = list_all(session)
    for key in found:
        click.echo(json.dumps(_document(key)) if as_json else _line(key))


@keys.command("rotate")
@click.argument("key_id", metavar="ID")
@click.option("--overlap", type=DURATION, default="0s", help="How long the key before still holds, such as 1h.")
def rotate_key(key_id: str, overlap: timedelta) -> None:
    """Give a key a new secret and print that, this once. Role, tenant, expiry and id stay."""
    with opened(database_url()) as store, store.write() as session:
        fresh = rotate(session, key_id, overlap)
        key = get(session, key_id)
        if fresh is None or key is None:
            raise _invalid(key_id, key)
        note(session, key.tenant, "keys rotate", key_id, **_facts(key), overlap_seconds=overlap.total_seconds())
    click.echo(fresh)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
def revoke_key(key_id: str) -> None:
    """Make a key worthless from now on."""
    with opened(database_url()) as store, store.write() as session:
        revoked = revoke(session, key_id)
        key = get(session, key_id)
        if not revoked or key is None:
            raise _invalid(key_id, None)
        note(session, key.tenant, "keys revoke", key_id, **_facts(key))
    click.echo(f"Revoked {key_id}.")


@keys.command("secret")
def secret() -> None:
    """Print a fresh PROOFHOUSE_SECRET_KEY, which encrypts what jobs keep secret. To change it, see docs/access.md."""
    click.echo(Fernet.generate_key().decode())


def _facts(key: ApiKey) -> dict[str, Any]:
    """What the audit log keeps of a key."""
    return {"role": key.role.value, "expires_at": key.expires_at.isoformat() if key.expires_at else None}


def _invalid(key_id: str, key: ApiKey | None) -> CommandError:
    if key and key.expires_at and not key.revoked_at:
        return CommandError(
            f"The key {key_id} expired on {key.expires_at:%Y-%m-%d}, and a new secret would not change that: "
            "make another key.",
            Exit.USAGE,
        )
    return CommandError(f"There is no valid key {key_id}; `proofhouse keys list` shows them all.", Exit.USAGE)


def _line(key: ApiKey) -> str:
    used = f"last used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    return plain(
        f"{key.id}  {key.tenant}  {key.role:<9}  {key.created_at:%Y-%m-%d}  {_validity(key)}  {used}  {key.name}"
    )


def _validity(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "valid"
    return f"{'expired' if key.expires_at <= datetime.now(UTC) else 'valid until'} {key.expires_at:%Y-%m-%d}"


def _document(key: ApiKey) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role.value,
        **{name: when.isoformat() if (when := getattr(key, name)) else None for name in times},
    }

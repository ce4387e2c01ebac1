"""Bearer keys."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from service.domain.ids import new_id
from service.domain.roles import Role
from service.store.session import changed
from service.store.tables import ApiKeyRow

USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: it is written at most this often."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who a bearer key speaks for."""

    id: str
    tenant: str
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def use_is_due(self) -> bool:
        """Whether its use should be noted again."""
        return self.last_used_at is None or self.last_used_at < datetime.now(UTC) - USE_NOTED_EVERY


def create(
    session: Session, *, tenant: str, name: str, role: Role, lifetime: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which is shown once and stored nowhere."""
    key, now = _new_key(), datetime.now(UTC)
    row = ApiKeyRow(
        id=new_id("key"),
        tenant=tenant,
        name=name,
        role=role.value,
        digest=_digest(key),
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    session.add(row)
    session.flush()
    return _api_key(row), key


def find(session: Session, key: str) -> ApiKey | None:
    """Who this key speaks for; None when it is unknown, revoked, expired, or replaced and its overlap over."""
    now, digest = datetime.now(UTC), _digest(key)
    replaced = and_(ApiKeyRow.previous_digest == digest, ApiKeyRow.previous_until > now)
    lasting = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now)
    known = select(ApiKeyRow).where(or_(ApiKeyRow.digest == digest, replaced))
    row = session.scalar(known.where(ApiKeyRow.revoked_at.is_(None), lasting))
    return _api_key(row) if row else None


def get(session: Session, key_id: str) -> ApiKey | None:
    """A key by its id, valid or not."""
    row = session.get(ApiKeyRow, key_id, populate_existing=True)
    return _api_key(row) if row else None


def note_use(session: Session, key_id: str) -> None:
    """Write down that the key is in use, unless somebody just did."""
    now = datetime.now(UTC)
    due = or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < now - USE_NOTED_EVERY)
    changed(session, update(ApiKeyRow).where(ApiKeyRow.id == key_id, due).values(last_used_at=now))


def list_all(session: Session) -> list[ApiKey]:
    """Every key of every tenant, oldest first; for the operator's command line."""
    return [_api_key(row) for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))]


def rotate(session: Session, key_id: str, overlap: timedelta) -> str | None:
    """Give a key a new secret, and gives that; the one before holds for the overlap, and any before it no longer.

    None when there is no such key, or it was revoked or has expired: the new secret would be worthless too.
    """
    key, now = _new_key(), datetime.now(UTC)
    lasting = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now)
    valid = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None), lasting)
    until = now + overlap
    values = {"digest": _digest(key), "previous_digest": ApiKeyRow.digest, "previous_until": until}
    return key if changed(session, valid.values(values)) else None


def revoke(session: Session, key_id: str) -> bool:
    """Make a key worthless from now on; False when there is no such key or it was revoked before."""
    unrevoked = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
    return changed(session, unrevoked.values(revoked_at=datetime.now(UTC))) == 1


def _new_key() -> str:
    return "ph_" + secrets.token_urlsafe(32)


def _digest(key: str) -> str:
    """SHA-256: the keys are 256 random bits, so that a slow hash would add nothing but time to every request."""
    return hashlib.sha256(key.encode()).hexdigest()


def _api_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.tenant,
        row.name,
        Role(row.role),
        row.created_at,
        row.revoked_at,
        row.expires_at,
        row.last_used_at,
    )

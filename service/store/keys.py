"""Bearer keys."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.domain.ids import new_id
from service.domain.roles import Role
from service.store.session import changed
from service.store.tables import ApiKeyRow


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who a bearer key speaks for."""

    id: str
    tenant: str
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


def create(session: Session, *, tenant: str, name: str, role: Role) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which is shown once and stored nowhere."""
    key = "ph_" + secrets.token_urlsafe(32)
    row = ApiKeyRow(
        id=new_id("key"), tenant=tenant, name=name, role=role.value, digest=_digest(key), created_at=datetime.now(UTC)
    )
    session.add(row)
    session.flush()
    return _api_key(row), key


def find(session: Session, key: str) -> ApiKey | None:
    """Who this key speaks for; None when it is unknown or revoked."""
    row = session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == _digest(key), ApiKeyRow.revoked_at.is_(None)))
    return _api_key(row) if row else None


def list_all(session: Session) -> list[ApiKey]:
    """Every key of every tenant, oldest first; for the operator's command line."""
    return [_api_key(row) for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))]


def revoke(session: Session, key_id: str) -> bool:
    """Make a key worthless from now on; False when there is no such key or it was revoked before."""
    unrevoked = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
    return changed(session, unrevoked.values(revoked_at=datetime.now(UTC))) == 1


def _digest(key: str) -> str:
    """SHA-256: the keys are 256 random bits, so that a slow hash would add nothing but time to every request."""
    return hashlib.sha256(key.encode()).hexdigest()


def _api_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.tenant, row.name, Role(row.role), row.created_at, row.revoked_at)

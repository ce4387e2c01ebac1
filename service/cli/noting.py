"""What the audit log has of a command."""

import os
import pwd
from typing import Any

from sqlalchemy.orm import Session

from service.store import audit
from service.store.audit import Entry


def note(session: Session, tenant: str, command: str, object_id: str | None = None, **details: Any) -> None:
    """Write that a command was given, by which user of this machine; `details` are facts without secrets, as JSON."""
    facts = {"os_user": os_user(), **details}
    audit.add(session, Entry(tenant, command, object_id=object_id, details=facts))


def os_user() -> str:
    """The user whose process this is: no variable of the environment can say another. Without a name, its number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())

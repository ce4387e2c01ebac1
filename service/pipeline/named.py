"""Targets with a name: kept with their secrets, tried, and copied into the jobs that name them."""

import asyncio
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.domain.completions import CallError, Completion, ErrorCode
from service.domain.specs import JobSpec, PluginSpec
from service.errors import ConflictError
from service.llm.connecting import LookUps
from service.llm.limits import LocalLimiter
from service.pipeline.services import Services
from service.registry import join_secrets
from service.store import stored_targets
from service.store.stored_targets import StoredTarget
from service.targets.base import targets

TRY_SECONDS = 15.0
PROMPT = "Say hello."


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one call. What the target said is not part of it."""

    model: str | None
    latency_ms: int
    error: CallError | None

    @property
    def ok(self) -> bool:
        """Whether the target answered; a refusal and a block are answers."""
        return self.error is None


def keep(services: Services, name: str, target: PluginSpec, *, tenant: str) -> StoredTarget:
    """Store a target under a name.

    Raises:
        ConflictError: the tenant has one of that name.
    """
    with services.store.write() as session:
        return stored_targets.create(session, tenant, name, target, _sealed(services, target))


def change(services: Services, target_id: str, name: str, target: PluginSpec, *, tenant: str) -> StoredTarget:
    """Put another target in the place of one. Jobs that were submitted before keep to what they have.

    Raises:
        NotFoundError: the tenant has no such target.
        ConflictError: it has another of that name.
    """
    with services.store.write() as session:
        stored_targets.lock(session, target_id)
        stored_targets.get(session, tenant, target_id)
        stored_targets.replace(session, target_id, name, target, _sealed(services, target))
    with services.store.read() as session:
        return stored_targets.get(session, tenant, target_id)


def forget(services: Services, target_id: str, *, tenant: str) -> None:
    """Remove a target.

    Raises:
        NotFoundError: the tenant has no such target.
        ConflictError: a job that has not ended was submitted with it.
    """
    with services.store.write() as session:
        stored_targets.lock(session, target_id)
        stored = stored_targets.get(session, tenant, target_id)
        if user := stored_targets.user(session, target_id):
            message = (
                f"Job {user} runs against target {stored.id}, and perhaps others do: wait for them or cancel them."
            )
            raise ConflictError(message, code="target_in_use")
        stored_targets.remove(session, target_id)


def try_out(services: Services, target_id: str, *, tenant: str) -> Trial:
    """Make one call to a target, here and now.

    Raises:
        NotFoundError: the tenant has no such target.
        VaultError: its secrets were sealed with a key that is not among ours.
    """
    with services.store.read() as session:
        target = _opened(services, session, tenant, target_id)
    completion = asyncio.run(_ask(target))
    return Trial(target.options.get("model"), completion.latency_ms, completion.error)


def with_target(services: Services, session: Session, spec: JobSpec, tenant: str) -> JobSpec:
    """The specification with a copy of the stored target it names, held so that nobody removes that meanwhile.

    Raises:
        NotFoundError: the tenant has no such target.
    """
    if spec.target_id is None:
        return spec
    stored_targets.lock(session, spec.target_id)
    return replace(spec, target=_opened(services, session, tenant, spec.target_id))


async def _ask(spec: PluginSpec) -> Completion:
    """One attempt. Tried once and within bounds, whatever the options say, for somebody waits."""
    asyncio.get_running_loop().set_default_executor(LookUps())
    bounds = {"max_attempts": 1, "timeout_seconds": TRY_SECONDS}
    options = join_secrets(targets.schema(spec.name), spec.options, spec.secrets)
    target = targets.get(spec.name)(
        {**options, **{name: bounds[name] for name in bounds if name in options}}, LocalLimiter(1)
    )
    try:
        async with asyncio.timeout(TRY_SECONDS):
            return await target.complete(Case(0, PROMPT))
    except TimeoutError:
        message = f"The target gave no answer within {TRY_SECONDS:g} seconds. Check that it is up and not overloaded."
        return Completion(error=CallError(ErrorCode.TIMEOUT, message), latency_ms=round(TRY_SECONDS * 1000))
    finally:
        await target.close()


def _opened(services: Services, session: Session, tenant: str, target_id: str) -> PluginSpec:
    stored = stored_targets.get(session, tenant, target_id)
    secrets = services.vault.open(stored_targets.sealed_secrets(session, target_id))
    return replace(stored.target, secrets=secrets.get("target", {}))


def _sealed(services: Services, target: PluginSpec) -> bytes | None:
    return services.vault.seal({"target": target.secrets})

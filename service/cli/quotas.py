"""`proofhouse quotas`: what each tenant may use, straight in the database."""

import json
from dataclasses import asdict

import click

from service.cli.databases import database_url, opened
from service.cli.exits import CommandError, Exit
from service.cli.noting import note
from service.cli.text import plain
from service.domain.quotas import Quota
from service.settings import MAX_QUOTA
from service.store import quotas as stored

LIMIT = click.IntRange(1, MAX_QUOTA)


@click.group()
def quotas() -> None:
    """Set, list and unset what a tenant may use.

    A tenant without a quota of its own has the PROOFHOUSE_QUOTA_* of the API. What is set holds from the next request.
    """


@quotas.command("set")
@click.argument("tenant")
@click.option("--requests-per-minute", type=LIMIT, help="Requests to the API.")
@click.option("--active-jobs", type=LIMIT, help="Jobs and judgements that have not ended, suites being made.")
@click.option("--cases-per-day", type=LIMIT, help="Cases of jobs (× repeats) and suites submitted on one day (UTC).")
def set_quota(tenant: str, requests_per_minute: int | None, active_jobs: int | None, cases_per_day: int | None) -> None:
    """Give a tenant a quota of its own. What is left out is not limited, whatever the defaults say."""
    quota = Quota(requests_per_minute, active_jobs, cases_per_day)
    with opened(database_url()) as store, store.write() as session:
        stored.put(session, tenant, quota)
        note(session, tenant, "quotas set", **asdict(quota))
    click.echo(_line(tenant, quota))


@quotas.command("unset")
@click.argument("tenant")
def unset_quota(tenant: str) -> None:
    """Let the defaults hold for a tenant again."""
    with opened(database_url()) as store, store.write() as session:
        if not stored.remove(session, tenant):
            raise CommandError(f"The tenant {tenant} has no quota of its own.", Exit.USAGE)
        note(session, tenant, "quotas unset")
    click.echo(plain(f"The defaults hold for {tenant}."))


@quotas.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_quotas(as_json: bool) -> None:
    """List the tenants that have a quota of their own."""
    with opened(database_url()) as store, store.read() as session:
        found = stored.list_all(session)
    for tenant, quota in found:
        click.echo(json.dumps({"tenant": tenant, **asdict(quota)}) if as_json else _line(tenant, quota))


def _line(tenant: str, quota: Quota) -> str:
    limits = (f"{name.replace('_', ' ')} {limit or 'unlimited'}" for name, limit in asdict(quota).items())
    return plain(f"{tenant}  {', '.join(limits)}")

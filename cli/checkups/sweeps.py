"""How each connection hears of what happens at Stripe: by webhooks that sweeps back up, or by sweeps alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.checkups.finding import Finding, ok, warn
from cli.reach import temporal_client
from clients.connections import Connection
from clients.settings import Settings
from workflows import contract


async def look(settings: Settings, connections: Iterable[Connection]) -> AsyncIterator[Finding]:
    """CannotStart where Temporal cannot be reached."""
    client = await temporal_client(settings)
    for connection in connections:
        yield await schedule_of(client, connection)
        yield await payouts_of(client, connection)


async def schedule_of(client: Client, connection: Connection) -> Finding:
    """Which mode, and whether the schedule that it needs is there and runs."""
    pull, step = connection.stripe.pull, said(connection.sweep.step(connection.stripe.pull))
    fine = f"webhooks, and a sweep every {step} for what they miss"
    if pull:
        fine = f"there is no webhook: a sweep every {step} brings all that happens"
    what = f"{connection.slug}: {'pull mode' if pull else 'sweeps'}"
    return await _seen(client, what, contract.sweep_schedule_id(connection.slug), fine)


async def payouts_of(client: Client, connection: Connection) -> Finding:
    """Whether payouts are checked each night."""
    zone = connection.time_zone or "UTC"
    fine = f"checked each night after {connection.payouts.hour}:00, {zone}"
    return await _seen(client, f"{connection.slug}: payouts", contract.payout_check_schedule_id(connection.slug), fine)


async def _seen(client: Client, what: str, name: str, fine: str) -> Finding:
    try:
        state = (await client.get_schedule_handle(name).describe()).schedule.state
    except RPCError as error:
        seen = "not scheduled yet" if error.status is RPCStatusCode.NOT_FOUND else f"cannot be seen: {error.message}"
        return warn(what, seen, "start a worker, which makes the schedule: throughline up")
    if state.paused:
        cure = f"temporal schedule toggle -n {client.namespace} --schedule-id {name} --unpause --reason …"
        return warn(what, f"paused: {state.note or 'nobody said why'}", cure)
    return ok(what, fine)


def said(span: timedelta) -> str:
    """`10 minutes`, `30 seconds`."""
    seconds = span.total_seconds()
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"

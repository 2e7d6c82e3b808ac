"""Names the workflow an event belongs to, and starts or signals it: the one door into Temporal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client

from clients.connections import Connection
from domain.runs import PaymentEvent, ResolveInput
from domain.sweeps import Case, Heard, RunSeen
from ingress.cases import Cases
from ingress.door import Started, hear, telling
from ingress.events import read
from ingress.known import known_runs
from ingress.payments import Payments
from ingress.polls import Polls
from ingress.signatures import BadDelivery
from ingress.subjects import EVENT_TYPES
from ingress.temporal import Runs
from workflows import contract


class Starter(Payments, Cases, Polls):
    """Starts runs by name on `client`. `patience` bounds one start; `connections` are by slug.

    TryLater from every method: Temporal did not accept within `patience`; starting again is safe.
    """

    # What a sweep asks Stripe for, which takes twenty types: `refund.…` tells what these two tell.
    listens_to = tuple(
        sorted(
            {name for name in EVENT_TYPES if not name.startswith("v1.")} - {"charge.refunded", "charge.refund.updated"}
        )
    )

    def __init__(
        self,
        client: Client,
        connections: Mapping[str, Connection],
        *,
        patience: timedelta = timedelta(seconds=5),
        task_queue: str = contract.MAIN_QUEUE,
        zoho_queue: str = contract.ZOHO_QUEUE,
    ) -> None:
        super().__init__(connections, Runs(client, patience, task_queue), zoho_queue)
        self._client = client
        self._patience = patience

    async def resolve_event(self, connection: str, seen: PaymentEvent) -> Started:
        """A small run that asks Stripe which payment `seen.object_id` belongs to, and passes `seen` on."""
        start = ResolveInput(connection=connection, event=seen, policy=self._connections[connection].policy)
        return await self._runs.start(
            contract.RESOLVE_WORKFLOW,
            start,
            id=contract.resolve_workflow_id(connection, seen.event_id),
            ids=[seen.object_id, seen.event_id],
            connection=connection,
            summary=[seen.object_id, f"which payment is {seen.type} about"],
        )

    def hear(self, connection: str, document: Mapping[str, Any]) -> Heard | None:
        """An event that Stripe was asked for, by its ids; None where it is none that could be understood."""
        try:
            return hear(read(document), self._connections[connection].own_keys())
        except BadDelivery:
            return None

    async def tell(self, connection: str, heard: Heard) -> str:
        """Gives a found event to its run, as the ingress gives a delivered one: `accepted` or `already-done`."""
        return (await telling(self, connection, heard)()).value

    async def runs(self, connection: str, heard: Sequence[Heard]) -> list[RunSeen | None]:
        """The newest run of each, None where there is none."""
        ids = [_run_of(connection, one) for one in heard]
        found = await known_runs(self._client, ids, self._patience)
        return [found.get(name) for name in ids]


def _run_of(connection: str, heard: Heard) -> str:
    """The id of the run that an event belongs to."""
    if heard.case is Case.PAYMENT:
        return contract.payment_workflow_id(connection, heard.about)
    if heard.case is Case.REFUND:
        return contract.refund_workflow_id(connection, heard.about)
    if heard.case is Case.DISPUTE:
        return contract.dispute_workflow_id(connection, heard.about)
    if heard.case is Case.PAYOUT:
        return contract.payout_workflow_id(connection, heard.about)
    return contract.resolve_workflow_id(connection, heard.event.event_id)

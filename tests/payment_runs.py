"""What a test asks of the runs of a shop's payments: how far they are, what they wait for, what became of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from domain.attention import Trouble
from workflows import contract


@dataclass
class PaymentRuns:
    """Those of one connection."""

    slug: str
    client: Client

    def run_of(self, payment_id: str) -> WorkflowHandle[Any, Any]:
        """The payment's run."""
        return self.client.get_workflow_handle(contract.payment_workflow_id(self.slug, payment_id))

    async def done(self, payment_id: str, *, within: float = 60) -> dict[str, Any]:
        """What became of the payment, once its run, which an event is yet to start, has ended."""
        async with asyncio.timeout(within):
            while True:
                try:
                    return dict(await self.run_of(payment_id).result())
                except RPCError:
                    await asyncio.sleep(0.02)

    async def reached(self, payment_id: str, stage: str, *, within: float = 60) -> None:
        """Return once the payment's run, which an event is yet to start, says that it is at `stage`."""
        async with asyncio.timeout(within):
            while True:
                try:
                    if (await self.run_of(payment_id).query(contract.PROGRESS))["stage"] == stage:
                        return
                except RPCError:
                    await asyncio.sleep(0.02)

    async def parked(self, payment_id: str, *, within: float = 60) -> Trouble:
        """What the payment's run asks a person, once it does.

        The server is asked whether it does, for a question to the run itself costs its worker a task each time.
        """
        async with asyncio.timeout(within):
            while True:
                try:
                    about = await self.run_of(payment_id).describe()
                    waits = about.typed_search_attributes.get(contract.NEEDS_ATTENTION)
                    trouble = await self._trouble(payment_id) if waits else None
                except RPCError:
                    trouble = None
                if trouble is not None:
                    return trouble
                await asyncio.sleep(0.05)

    async def _trouble(self, payment_id: str) -> Trouble | None:
        found = await self.run_of(payment_id).query(contract.TROUBLE)
        return Trouble.model_validate(found) if found else None

    async def answer(self, payment_id: str, action: str, **more: Any) -> None:
        """A person's answer to a parked run."""
        await self.run_of(payment_id).execute_update(contract.RESOLVE, {"action": action, "by": "test", **more})

    async def failed(self, payment_id: str, *, within: float = 60) -> WorkflowFailureError:
        """How the payment's run failed."""
        try:
            await self.done(payment_id, within=within)
        except WorkflowFailureError as error:
            return error
        raise AssertionError(f"{payment_id} did not fail")

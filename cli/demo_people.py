"""What people do in the demo: answer what waits, cancel an order by Temporal's own command, settle, refund, return."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError

from cli.demo_clerk import Clerk
from cli.demo_sweep import may_sweep, swept
from cli.demo_telling import STAGES
from cli.exits import CannotStart
from cli.ledgers import Ledgers, Sandboxes
from cli.output import say
from cli.shop import SLUG
from cli.story import Purchase
from domain.attention import Trouble
from workflows import contract


@dataclass
class People:
    """The shop's operator. Each act is done once, when its payment has come so far; what was said is shown."""

    binary: Path
    address: str
    client: Client
    sandboxes: Sandboxes
    clerk: Clerk
    env: Mapping[str, str]  # in which our own commands see the demo's shop
    done: set[str] = field(default_factory=set)

    async def act(self, told: Mapping[Purchase, str], ledgers: Ledgers, stages: Mapping[str, str]) -> None:
        """Does what is due now."""
        for purchase, payment_id in told.items():
            if purchase.unheard and not may_sweep(told, stages):
                continue
            if payment_id not in self.done and await self._act(purchase, payment_id, ledgers, stages[payment_id]):
                self.done.add(payment_id)

    async def _act(self, purchase: Purchase, payment_id: str, ledgers: Ledgers, stage: str) -> bool:
        """Whether what is to be done with the payment was done now."""
        if purchase.unheard:
            return stage != STAGES[0] or await swept(payment_id, self.env)
        if purchase.answer and stage == "announced":
            return await self._answered(payment_id, purchase.answer)
        if purchase.refunds and stage == STAGES[-1]:
            return await self._refunded(payment_id, purchase.refunds, ledgers)
        if purchase.returns and stage == STAGES[-1]:
            return await self._returned(payment_id, purchase.returns, ledgers)
        if purchase.lost and stage == STAGES[-1]:
            return await self._lost(payment_id, ledgers)
        if stage != "done" or not (purchase.canceled or purchase.late_fee):
            return False
        if purchase.canceled == await self._is_open(payment_id):
            await (self._cancel(payment_id) if purchase.canceled else self._settle(payment_id, ledgers))
            return True
        return False

    async def _cancel(self, payment_id: str) -> None:
        say(f"{payment_id} is paid and booked, and now the order is cancelled:")
        await self._temporal("cancel", payment_id)

    async def _refunded(self, payment_id: str, amounts: Sequence[int], ledgers: Ledgers) -> bool:
        """Made once, although a demo may have been stopped in between."""
        made = [row for row in ledgers.stripe["refunds"] if row["payment_intent"] == payment_id]
        for amount in amounts[len(made) :]:
            refund = await self.sandboxes.refund(payment_id, amount)
            say(f"{payment_id} is booked, and somebody refunds it in Stripe's dashboard: {refund['id']}")
        return True

    async def _returned(self, payment_id: str, pieces: Sequence[tuple[str, int]], ledgers: Ledgers) -> bool:
        """Shipped and returned once, although a demo may have been stopped in between."""
        order = next(row for row in ledgers.zoho["salesorders"] if row["reference_number"] == payment_id)
        if not order["packages"]:
            await self.clerk.ships(order["salesorder_id"], payment_id)
            say(f"{payment_id} is booked, and its goods leave the house.")
        if not order["salesreturns"]:
            number = await self.clerk.takes_back(order["salesorder_id"], pieces)
            back = ", ".join(f"{quantity} × {sku}" for sku, quantity in pieces)
            say(f"{payment_id}: {back} came back. The clerk enters return {number} in Zoho and receives it.")
        return True

    async def _lost(self, payment_id: str, ledgers: Ledgers) -> bool:
        """Whether the bank has decided: it takes the money at one look, and keeps it at the next."""
        disputes = [row for row in ledgers.stripe["disputes"] if row["payment_intent"] == payment_id]
        if not disputes:
            charge = next(row for row in ledgers.stripe["charges"] if row["payment_intent"] == payment_id)
            say(f"{payment_id} is booked, and the buyer's bank disputes it and takes the money.")
            await self.sandboxes.dispute(charge["id"])
            return False
        if disputes[0]["status"] != "lost":
            say(f"{payment_id}: the bank decides for the buyer, so the money is lost: {disputes[0]['id']}")
            await self.sandboxes.lose(disputes[0]["id"])
        return True

    async def _answered(self, payment_id: str, answer: Mapping[str, Any]) -> bool:
        """Whether the run waited for an answer and was given it."""
        trouble = await self._trouble(payment_id)
        if trouble is None:
            return False
        say(f"{payment_id} waits for a person ({trouble.attention_class.value}): {trouble.message}")
        await self._temporal("signal", payment_id, "--name", contract.RESUME, "--input", json.dumps(answer))
        return True

    async def _trouble(self, payment_id: str) -> Trouble | None:
        handle = self.client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))
        try:
            said = await handle.query(contract.TROUBLE)
        except (RPCError, WorkflowQueryFailedError):  # no run yet, or no worker to answer for it
            return None
        return Trouble.model_validate(said) if said else None

    async def _is_open(self, payment_id: str) -> bool:
        handle = self.client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    async def _settle(self, payment_id: str, ledgers: Ledgers) -> None:
        """Stripe comes to know its fee when the payment's run has long closed."""
        charge = next(row for row in ledgers.stripe["charges"] if row["payment_intent"] == payment_id)
        say(f"{payment_id}: its run has closed, and only now Stripe tells its fee.")
        await self.sandboxes.settle(charge["id"])

    async def _temporal(self, verb: str, payment_id: str, *more: str) -> None:
        """`temporal workflow …`, shown as a person would type it."""
        command = ["workflow", verb, "--workflow-id", contract.payment_workflow_id(SLUG, payment_id), *more]
        say(f"  $ temporal {shlex.join(command)}")
        process = await asyncio.create_subprocess_exec(
            str(self.binary), *command, "--address", self.address, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode:
            raise CannotStart(f"temporal workflow {verb} failed: {out.decode(errors='replace').strip()}")

"""What can happen to a shop, each thing on the real house and in the model, and how everything settles."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.attention import Action, AttentionClass
from domain.policy import DisputeHold, DisputeLost, ReturnTrigger
from domain.runs import Stage
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shop_model import PRICES, Back, Model, Sale
from tests.endtoend.zoho_desk import Desk, return_shop, tell
from tests.house import BUYER, House
from workflows import contract

SKUS = tuple(PRICES)
_SETTLES = 90.0
_LOOK = 0.2
# What a person answers. A lost dispute is booked by hand until its run books it: this line is all that says so.
ANSWERS: dict[str, dict[str, str]] = {
    AttentionClass.REFUND_TOO_LARGE: {"action": Action.ABORT.value, "reason": "it went back already"},
    AttentionClass.PAYMENT_DISPUTED: {"action": Action.ABORT.value, "reason": "the bank decides"},
    AttentionClass.DISPUTE_LOST: {"action": Action.SKIP.value, "reason": "written off by hand"},
}


def open_shop(client: Client, folder: Path) -> Any:
    """A house that ships when a person does, and pays for returns when their goods are here."""
    asks = {"dispute_lost": DisputeLost.ASK, "dispute_hold": DisputeHold.GO_ON}  # the model books no dispute
    return return_shop(client, folder, trigger=ReturnTrigger.RECEIVED, ships=False, more=asks)


@dataclass
class Story:
    """One shop from its opening on."""

    house: House
    model: Model = field(default_factory=Model)
    refunded: bool = False  # whether anything went back in the dashboard

    def __post_init__(self) -> None:
        self._desk = Desk(self.house)

    async def pay(self, pieces: Sequence[int], *, held: bool) -> None:
        """Somebody buys so many of each, with the money taken or only authorised."""
        named = dict(zip(SKUS, pieces, strict=True))
        lines = [
            {"sku": sku, "unit_amount": PRICES[sku][0], "quantity": n, "tax_percent": PRICES[sku][1]}
            for sku, n in named.items()
            if n
        ]
        wish = {"guest": BUYER, "lines": lines, **({"capture": "manual"} if held else {})}
        made = await self.house.pay(**wish)
        sale = Sale(str(made["payment_intent"]), named, held=held)
        self.model.sales.append(sale)
        sale.paid = 0 if held else await self._captured(sale)

    async def capture(self, sale: Sale) -> None:
        """The money that was authorised is taken."""
        await self._stripe("POST", f"payment_intents/{sale.payment_id}/capture")
        sale.held, sale.paid = False, await self._captured(sale)

    async def let_go(self, sale: Sale) -> None:
        """A payment that is authorised only is cancelled."""
        await self._stripe("POST", f"payment_intents/{sale.payment_id}/cancel")
        sale.held, sale.gone = False, True

    async def ship(self, sale: Sale) -> None:
        """A person packs and ships all goods of an order."""
        await self.house.done(sale.payment_id)
        order = await self._desk.order(sale.payment_id)
        rows = [
            {"so_line_item_id": line["line_item_id"], "quantity": int(line["quantity"])} for line in order["line_items"]
        ]
        packed = {"date": "2026-11-26", "line_items": rows}
        package = (await self._desk.call("POST", "/packages", packed, salesorder_id=order["salesorder_id"]))["package"]
        sent = {
            "date": "2026-11-26",
            "delivery_method": "Post",
            "shipment_number": f"SH-{sale.payment_id}",
            "reference_number": sale.payment_id,
        }
        keys = {"salesorder_id": order["salesorder_id"], "package_ids": package["package_id"]}
        await self._desk.call("POST", "/shipmentorders", sent, **keys)
        sale.shipped = True

    async def give_back(self, sale: Sale, pieces: Mapping[str, int], damaged: Mapping[str, int]) -> None:
        """A return of goods and of damaged goods is entered."""
        wanted = [(sku, pieces[sku], damaged[sku]) for sku in SKUS if pieces[sku] + damaged[sku]]
        made = await self._desk.enters(*wanted, reference=sale.payment_id)
        sale.backs.append(Back(made, sale, pieces, damaged))
        await tell(self.house, made)

    async def receive(self, back: Back) -> None:
        """The goods of a return arrive."""
        await self._desk.receives(back.return_id)
        back.received = True
        await tell(self.house, back.return_id)

    async def refund(self, sale: Sale, amount: int) -> None:
        """Somebody gives money back in the dashboard, where Stripe lets him."""
        wanted = {"account": self.house.connection.stripe.account_id, "payment_intent": sale.payment_id}
        answer = await self.house.http.post(f"{self.house.stripe_url}/_refunds", json={**wanted, "amount": amount})
        self.refunded |= answer.is_success
        if answer.is_success and amount == sale.paid:
            sale.whole, sale.restocks = str(answer.json()["id"]), not sale.shipped

    async def fail(self, place: int) -> None:
        """A refund of the dashboard does not arrive, a while later."""
        rows = (await self.house.stripe(only="refunds"))["refunds"]
        rows = [row for row in rows if row["status"] == "succeeded" and not row["metadata"].get("zoho_salesreturn_id")]
        if rows:
            await self.house.post(f"{self.house.stripe_url}/_refunds/{rows[place % len(rows)]['id']}/fail", {})

    async def dispute(self, sale: Sale) -> None:
        """The buyer's bank takes the money."""
        rows = (await self.house.stripe(only="charges"))["charges"]
        (charge,) = [row for row in rows if row["payment_intent"] == sale.payment_id]
        if charge["amount_captured"] > charge["amount_refunded"]:
            made = await self.house.post(f"{self.house.stripe_url}/_charges/{charge['id']}/dispute", {})
            sale.dispute = str(made["id"])

    async def decide(self, sale: Sale, outcome: str) -> None:
        """The bank decides."""
        await self.house.post(f"{self.house.stripe_url}/_disputes/{sale.dispute}/close", {"outcome": outcome})
        sale.decided = True

    async def repeat(self, places: Sequence[int]) -> None:
        """Stripe and Zoho say things again that they have said before."""
        events = (await self.house.stripe(only="events"))["events"]
        for place in places:
            if events:
                event = events[place % len(events)]["id"]
                await self.house.post(f"{self.house.stripe_url}/_events/{event}/resend", {})
        for back in (back for sale in self.model.sales for back in sale.backs):
            await tell(self.house, back.return_id)

    async def settle(self) -> None:
        """Everything told, every question answered, every run closed that can; then the ledgers and the model agree."""
        async with asyncio.timeout(_SETTLES):
            await self._come_to_rest()
        stripe, zoho = await self.house.stripe(), await self.house.zoho()
        sold = {
            sale.payment_id: {sku: n for sku, n in sale.pieces.items() if n}
            for sale in self.model.sales
            if sale.carried
        }
        wrong = [*map(str, check(stripe, zoho, sold)), *self.model.wrong(stripe, zoho)]
        report = await self.house.store.audit.verify(self.house.slug)
        assert [*wrong, *([] if report.ok else [f"I10: {report.reason}"])] == []

    async def _come_to_rest(self) -> None:
        calm = 0
        while calm < 2:
            # What is told first is begun first: a run that an event starts is on the list once its event was taken.
            await everything_told(self.house)
            calm = calm + 1 if await self._at_rest() else 0
            await asyncio.sleep(_LOOK)

    async def _at_rest(self) -> bool:
        """Whether every run that is open waits for what has not happened; questions are answered on the way."""
        query = f"{contract.CONNECTION.name} = '{self.house.slug}' AND ExecutionStatus = 'Running'"
        rest = True
        async for run in self.house.client.list_workflows(query):
            try:
                if not await self._may_stay_open(run.id):
                    rest = False
            except (RPCError, WorkflowUpdateFailedError):
                rest = False  # it has just closed, or gone on
        return rest

    async def _may_stay_open(self, run: str) -> bool:
        if run.startswith("resolve:"):
            return False
        handle = self.house.client.get_workflow_handle(run)
        subject = run.rpartition(":")[2]
        if trouble := await handle.query(contract.TROUBLE):
            asked = trouble["attention_class"]
            assert asked in ANSWERS, f"{run} asks about {asked}: {trouble['message']}"
            if ANSWERS[asked]["action"] == Action.ABORT.value:
                self._back(subject).aborted = asked
            await handle.execute_update(contract.RESOLVE, {"by": "Grace", **ANSWERS[asked]})
            return False
        stage = (await handle.query(contract.PROGRESS))["stage"]
        if run.startswith("dispute:"):
            undecided = any(sale.dispute == subject and not sale.decided for sale in self.model.sales)
            return stage == Stage.DISPUTED and undecided
        if run.startswith("return:"):
            return stage == Stage.WAITING_FOR_RETURN and not self._back(subject).due
        held = any(sale.payment_id == subject and sale.held for sale in self.model.sales)
        return run.startswith("payment:") and stage == Stage.WAITING_FOR_MONEY and held

    def _back(self, return_id: str) -> Back:
        return next(back for sale in self.model.sales for back in sale.backs if back.return_id == return_id)

    async def _captured(self, sale: Sale) -> int:
        rows = (await self.house.stripe(only="payment_intents"))["payment_intents"]
        return int(next(row["amount_received"] for row in rows if row["id"] == sale.payment_id))

    async def _stripe(self, method: str, path: str) -> None:
        key = {"Authorization": f"Bearer {self.house.connection.stripe.api_key.get_secret_value()}"}
        answer = await self.house.http.request(method, f"{self.house.stripe_url}/v1/{path}", headers=key)
        answer.raise_for_status()

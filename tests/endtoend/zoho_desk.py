"""A person at Zoho who enters returns and deals with their goods, and what a test asks of a return's run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from cli.ledger_check import check
from domain.attention import Trouble
from domain.policy import ReturnPolicy, ReturnTrigger, Ship
from domain.returns import ReturnEvent
from ingress.starter import Starter
from tests.endtoend.outcomes import LINES
from tests.endtoend.test_refunds import CLEARED, CLEARING
from tests.house import BUYER, QUICK, RETURN_FIELDS, SEED, House, a_house
from workflows import contract

SOON = {"look_every": timedelta(milliseconds=200), "look_at_most": timedelta(seconds=1)}


def return_shop(
    client: Client,
    folder: Path,
    *,
    seed: dict[str, Any] | None = None,
    ships: bool = True,
    more: dict[str, Any] | None = None,
    **returns: Any,
) -> Any:
    """A house that ships when paid, or when a person does, and gives money back for returns as `returns` say; `more`
    is other policy.
    """
    wanted = ReturnPolicy(**{"trigger": ReturnTrigger.RECEIVED, **SOON, **returns})
    ways = {"ship": Ship.WHEN_PAID if ships else Ship.NEVER, "unpaid_patience": timedelta(hours=1)}
    policy = QUICK.model_copy(update={**ways, "returns": wanted, **(more or {})})
    seeded = {**CLEARING, "custom_fields": [*SEED["custom_fields"], *RETURN_FIELDS], **(seed or {})}
    return a_house(client, folder, seed=seeded, mapping=CLEARED, policy=policy)


ORDER_FIELD = {"api_name": "cf_return_of", "label": "cf_return_of", "entity": "inventoryadjustment"}


def proposal_shop(client: Client, folder: Path, **returns: Any) -> Any:
    """The same, but it takes adjustments for proposals, and returns only where `returns` say so."""
    agreed = {"adjustment_reason": "Customer return", "adjustment_order_field": "cf_return_of"}
    fields = [*SEED["custom_fields"], *RETURN_FIELDS, ORDER_FIELD]
    wanted = {"trigger": ReturnTrigger.OFF, **agreed, **returns}
    return return_shop(client, folder, seed={"custom_fields": fields}, **wanted)


class Desk:
    """Calls Zoho's own API, as its app does for a person."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._token = ""

    async def _new_token(self) -> str:
        secrets = {"refresh_token": "refresh", "client_id": "client", "client_secret": "secret"}
        asked = {"grant_type": "refresh_token", **secrets}
        answer = await self._house.http.post(f"{self._house.zoho_url}/oauth/v2/token", data=asked)
        return str(answer.json()["access_token"])

    async def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The answer to one call that went well."""
        self._token = self._token or await self._new_token()
        found = await self._house.http.request(
            method,
            f"{self._house.zoho_url}/inventory/v1{path}",
            params={"organization_id": self._house.connection.zoho.organization_id, **query},
            headers={"Authorization": f"Zoho-oauthtoken {self._token}"},
            json=body,
        )
        assert found.status_code < 300, found.text
        return found.json(parse_float=Decimal)

    async def order(self, reference: str = "") -> Any:
        """The order with this reference, or the only one, in full."""
        organization = self._house.connection.zoho.organization_id
        rows = (await self._house.zoho(organization, only="salesorders"))["salesorders"]
        (row,) = [row for row in rows if row["reference_number"] == reference] if reference else rows
        return (await self.call("GET", f"/salesorders/{row['salesorder_id']}"))["salesorder"]

    async def enters(self, *pieces: tuple[str, int, int], reference: str = "") -> str:
        """A return of `pieces`: the SKU, how many can be received, how many are only credited. Its id."""
        order = await self.order(reference)
        lines = {line["sku"]: line for line in order["line_items"]}
        rows = [
            {
                "item_id": lines[sku]["item_id"],
                "salesorder_item_id": lines[sku]["line_item_id"],
                "quantity": quantity,
                "non_receive_quantity": credit_only,
            }
            for sku, quantity, credit_only in pieces
        ]
        body = {"line_items": rows, "reason": "Too small"}
        made = await self.call("POST", "/salesreturns", body, salesorder_id=order["salesorder_id"])
        return str(made["salesreturn"]["salesreturn_id"])

    async def read(self, return_id: str) -> Any:
        """The return as Zoho shows it."""
        return (await self.call("GET", f"/salesreturns/{return_id}"))["salesreturn"]

    async def receives(self, return_id: str) -> None:
        """Everything that can be received has arrived."""
        lines = (await self.read(return_id))["line_items"]
        rows = [
            {"line_item_id": line["line_item_id"], "quantity": int(line["quantity"])}
            for line in lines
            if line["quantity"]
        ]
        body = {"date": "2026-11-26", "line_items": rows}
        await self.call("POST", "/salesreturnreceives", body, salesreturn_id=return_id)

    async def credits(self, return_id: str, price: str) -> dict[str, Any]:
        """A credit note for the return's only line, `price` gross a piece."""
        back = await self.read(return_id)
        order = (await self.call("GET", f"/salesorders/{back['salesorder_id']}"))["salesorder"]
        invoice = (await self.call("GET", f"/invoices/{order['invoices'][0]['invoice_id']}"))["invoice"]
        (line,) = back["line_items"]
        billed = next(row for row in invoice["line_items"] if row["salesorder_item_id"] == line["salesorder_item_id"])
        row = {
            "item_id": line["item_id"],
            "rate": price,
            "quantity": int(line["quantity"]),
            "tax_id": billed["tax_id"],
            "invoice_id": invoice["invoice_id"],
            "invoice_item_id": billed["line_item_id"],
            "salesreturn_item_id": line["line_item_id"],
            "is_item_shipped": True,
            "is_returned_to_stock": True,
        }
        body = {
            "customer_id": order["customer_id"],
            "date": "2026-11-26",
            "is_inclusive_tax": True,
            "line_items": [row],
        }
        links = {"invoice_id": invoice["invoice_id"], "salesreturn_id": return_id}
        return dict((await self.call("POST", "/creditnotes", body, **links))["creditnote"])

    async def adjusts(self, *pieces: tuple[str, int], reason: str, reference: str = "", field: str = "") -> str:
        """An inventory adjustment of `pieces`: the SKU and how many came in; `field` names its order. Its id."""
        organization = self._house.connection.zoho.organization_id
        items = {row["sku"]: row["item_id"] for row in (await self._house.zoho(organization, only="items"))["items"]}
        body = {
            "date": "2026-11-26",
            "reason": reason,
            "adjustment_type": "quantity",
            "reference_number": reference,
            "line_items": [{"item_id": items[sku], "quantity_adjusted": quantity} for sku, quantity in pieces],
            "custom_fields": [{"api_name": "cf_return_of", "value": field}] if field else [],
        }
        made = await self.call("POST", "/inventoryadjustments", body)
        return str(made["inventory_adjustment"]["inventory_adjustment_id"])

    async def renames(self, adjustment_id: str, field: str) -> None:
        """The adjustment's custom field names another order."""
        body = {"custom_fields": [{"api_name": "cf_return_of", "value": field}]}
        await self.call("PUT", f"/inventoryadjustments/{adjustment_id}", body)

    async def pays_out(self, note: dict[str, Any]) -> None:
        """The credit note's money is booked as gone back out of the clearing account."""
        body = {"date": "2026-11-26", "amount": str(note["total"]), "from_account_id": "900", "refund_mode": "Stripe"}
        await self.call("POST", f"/creditnotes/{note['creditnote_id']}/refunds", body)


def run_of(house: House, return_id: str) -> WorkflowHandle[Any, Any]:
    """The return's run."""
    return house.client.get_workflow_handle(contract.return_workflow_id(house.slug, return_id))


def starter_of(house: House) -> Starter:
    """The door to the house's runs."""
    queue = f"house-{house.slug}"
    return Starter(house.client, {house.slug: house.connection}, task_queue=queue, zoho_queue=f"{queue}-zoho")


async def tell(house: House, return_id: str, *, again: bool = False) -> None:
    """What a webhook of Zoho's says."""
    await starter_of(house).return_event(house.slug, return_id, ReturnEvent(source="webhook"), again=again)


async def ended(house: House, return_id: str) -> dict[str, Any]:
    """What became of the return."""
    async with asyncio.timeout(60):
        return dict(await run_of(house, return_id).result())


async def reached(house: House, return_id: str, stage: str) -> None:
    """Return once the return's run is at `stage`."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await run_of(house, return_id).query(contract.PROGRESS))["stage"] == stage:
                    return
            except RPCError:
                pass
            await asyncio.sleep(0.05)


async def parked(house: House, return_id: str) -> Trouble:
    """What the return's run asks a person, once it does."""
    return await until_parked(run_of(house, return_id))


async def until_parked(handle: WorkflowHandle[Any, Any]) -> Trouble:
    """What the run asks a person, once it does."""
    async with asyncio.timeout(60):
        while True:
            try:
                if found := await handle.query(contract.TROUBLE):
                    return Trouble.model_validate(found)
            except RPCError:
                pass
            await asyncio.sleep(0.05)


async def answer(house: House, return_id: str, action: str, by: str = "test", **more: Any) -> None:
    """A person's answer."""
    await answer_run(run_of(house, return_id), action, by, **more)


async def answer_run(handle: WorkflowHandle[Any, Any], action: str, by: str, **more: Any) -> None:
    """A person's answer to a run; said again to one that was just about to begin its fresh history."""
    while True:
        try:
            await handle.execute_update(contract.RESOLVE, {"action": action, "by": by, **more})
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def a_sale(house: House, **wish: Any) -> str:
    """A payment that was carried, with its goods out of the house."""
    paid = await house.pay(**{"guest": BUYER, "lines": LINES, **wish})
    payment_id = str(paid["payment_intent"])
    await house.done(payment_id)
    return payment_id


async def a_return(house: House, *pieces: tuple[str, int, int], reference: str = "", desk: Desk | None = None) -> str:
    """A return whose goods were received, and whose run was told; its id."""
    desk = desk or Desk(house)
    made = await desk.enters(*pieces, reference=reference)
    if any(quantity for _, quantity, _ in pieces):
        await desk.receives(made)
    await tell(house, made)
    return made


async def sound(house: House) -> None:
    """Both ledgers tell the same, and the trail holds."""
    assert check(await house.stripe(), await house.zoho()) == []
    assert (await house.store.audit.verify(house.slug)).ok

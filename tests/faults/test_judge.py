"""The judge of the table sees what it is there to see: each violation that is made by hand has its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.endtoend.shops import Shop
from tests.endtoend.test_first_order import token
from tests.faults.cells import Lane
from tests.faults.kinds import KINDS, forget
from tests.faults.singles import shops_of

KIND = KINDS["known customer, new address, shipped"]


async def second_invoice(shop: Shop, payment: str) -> None:
    """Somebody invoices the order once more."""
    (order,) = [row for row in (await shop.books())["salesorders"] if row["reference_number"] == payment]
    lines = [{"item_id": line["item_id"], "quantity": 1, "rate": 1} for line in order["line_items"]]
    body = {"customer_id": order["customer_id"], "reference_number": payment, "line_items": lines}
    await ask(shop, "POST", "/invoices", body)


async def payment_deleted(shop: Shop, payment: str) -> None:
    """Somebody takes the money out of the books."""
    (row,) = [row for row in (await shop.books())["payments"] if row["reference_number"] == payment]
    await ask(shop, "DELETE", f"/customerpayments/{row['payment_id']}")


async def metadata_cleared(shop: Shop, payment: str) -> None:
    """The order's id is gone from Stripe."""
    form = {"metadata[zoho_salesorder_id]": ""}
    url, key = f"{shop.stripe_url}/v1/payment_intents/{payment}", {"Authorization": "Bearer sk_test_1"}
    (await shop.http.post(url, data=form, headers=key)).raise_for_status()


async def trail_cut(shop: Shop, payment: str) -> None:
    """The audit trail is emptied, and the effects are still there."""
    forget(shop, "audit")


async def ask(shop: Shop, method: str, path: str, body: object = None) -> None:
    """A request to Zoho by somebody else."""
    headers = {"Authorization": f"Zoho-oauthtoken {await token(shop)}"}
    query = {"organization_id": shop.connection.zoho.organization_id}
    url = f"{shop.zoho_url}/inventory/v1{path}"
    (await shop.http.request(method, url, params=query, headers=headers, json=body)).raise_for_status()


WRONG: dict[str, tuple[Callable[[Shop, str], Awaitable[None]], str]] = {
    "a second invoice": (second_invoice, "I1 {payment}: has 2 invoices in Zoho, not one"),
    "no payment": (payment_deleted, "I1 {payment}: has 0 payments in Zoho, not one"),
    "nothing told to Stripe": (metadata_cleared, "zoho_salesorder_id"),
    "no trail": (trail_cut, "I10 "),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_found(temporal_client: Client, tmp_path: Path, name: str) -> None:
    """Nothing is said of a payment that is right, and something of one that is not."""
    make, says = WRONG[name]
    async with shops_of(temporal_client, tmp_path, {"only": KIND}) as street:
        lane = Lane(street["only"], KIND)
        await lane.open()
        story = await lane.undisturbed()
        assert (await lane.judged(lane.last, story, trail=False))[0] == []
        await make(lane.shop, lane.last)
        wrong, _ = await lane.judged(lane.last, story, trail=False)
    assert [line for line in wrong if says.format(payment=lane.last) in line] != []

"""The judge of the table sees what it is there to see: each violation that is made by hand has its name."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.endtoend.shops import Shop
from tests.faults.kinds import KINDS
from tests.faults.lanes import lane_of
from tests.faults.singles import shops_of
from tests.faults.tales import ask, forget


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


async def transfer_doubled(shop: Shop, payment: str) -> None:
    """Somebody enters the payout at the bank once more."""
    (*_, row) = (await shop.books())["banktransactions"]
    names = ("reference_number", "transaction_type", "from_account_id", "to_account_id", "amount", "date")
    body = {name: str(row[name]) for name in names}
    await ask(shop, "POST", "/banktransactions", body, api="books/v3")


async def journal_deleted(shop: Shop, payment: str) -> None:
    """Somebody deletes what the payout's journal said."""
    (*_, row) = (await shop.books())["journals"]
    await ask(shop, "DELETE", f"/journals/{row['journal_id']}", api="books/v3")


async def certificate_changed(shop: Shop, payment: str) -> None:
    """Somebody adds a cent to a line of every certificate."""
    with sqlite3.connect(shop.memory) as database:
        database.execute("UPDATE certificates SET document = replace(document, '\"net\":6550', '\"net\":6551')")


SHIPPED, POSTED = "known customer, new address, shipped", "paid out and posted, the fee missing"
WRONG: dict[str, tuple[str, Callable[[Shop, str], Awaitable[None]], str]] = {
    "a second invoice": (SHIPPED, second_invoice, "I1 {payment}: has 2 invoices in Zoho, not one"),
    "no payment": (SHIPPED, payment_deleted, "I1 {payment}: has 0 payments in Zoho, not one"),
    "nothing told to Stripe": (SHIPPED, metadata_cleared, "zoho_salesorder_id"),
    "no trail": (SHIPPED, trail_cut, "I10 "),
    "a second transfer": (POSTED, transfer_doubled, "is posted 2 times"),
    "no journal": (POSTED, journal_deleted, "I3 the clearing account holds 2.5, not 0"),
    "a changed certificate": (POSTED, certificate_changed, "0.01 EUR too much"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_found(temporal_client: Client, tmp_path: Path, name: str) -> None:
    """Nothing is said of a payment that is right, and something of one that is not."""
    kind, make, says = WRONG[name]
    async with shops_of(temporal_client, tmp_path, {"only": KINDS[kind]}) as street:
        lane = lane_of(street["only"], KINDS[kind])
        await lane.open()
        story = await lane.undisturbed()
        assert (await lane.judged(lane.last, story, trail=False))[0] == []
        await make(lane.shop, lane.last)
        wrong, _ = await lane.judged(lane.last, story, trail=False)
    assert [line for line in wrong if says.format(payment=lane.last) in line] != []

"""What a person aborts is taken back however many payments there are, and whatever answer gets lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.endtoend.test_first_order import MUGS, token
from tests.house import BUYER, ORGANIZATION, House


async def pay_by_hand(house: House, amount: float) -> None:
    """Somebody books a part of the invoice in Zoho."""
    ledger = await house.zoho()
    (invoice,), (order,) = ledger["invoices"], ledger["salesorders"]
    answer = await house.http.post(
        f"{house.zoho_url}/inventory/v1/customerpayments?organization_id={ORGANIZATION}",
        headers={"Authorization": f"Zoho-oauthtoken {await token(house)}"},
        json={
            "customer_id": order["customer_id"],
            "payment_mode": "Cash",
            "amount": amount,
            "date": "2026-11-23",
            "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": amount}],
        },
    )
    answer.raise_for_status()


async def aborted(house: House, payment_id: str) -> list[str]:
    """Abort the parked payment, see that nothing stands, and tell the steps of the audit trail."""
    await house.answer(payment_id, "abort", reason="wrong shop")
    error = await house.failed(payment_id)
    assert getattr(error.cause, "type", "") == "Aborted"
    ledger = await house.zoho()
    assert {row["status"] for kind in ("salesorders", "invoices") for row in ledger[kind]} == {"void"}
    assert ledger["payments"] == []
    assert (await house.store.audit.verify(house.slug)).ok
    return [entry.step.partition("#")[0] for entry in await house.store.audit.entries(house.slug)]


async def test_every_payment_on_the_invoice_is_taken_back(house: House) -> None:
    """Two parts were booked by hand: both go, each with an audit entry of its own."""
    await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.parked(paid["payment_intent"])
    await pay_by_hand(house, 10)
    await pay_by_hand(house, 5)
    assert (await aborted(house, paid["payment_intent"])).count("delete_payment") == 2


UNDOS: dict[str, dict[str, Any]] = {
    "delete_payment": {"method": "DELETE", "path": r"/customerpayments/\d+$"},
    "void_invoice": {"method": "POST", "path": r"/invoices/\d+/status/void$"},
}


@pytest.mark.parametrize("undo", UNDOS)
async def test_undo_whose_answer_was_lost_has_its_audit_entry(house: House, undo: str) -> None:
    """Seen to be done, so it is not done again, and the trail tells of it once."""
    await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.parked(paid["payment_intent"])
    await house.fault("zoho", fault="lost", **UNDOS[undo])
    assert (await aborted(house, paid["payment_intent"])).count(undo) == 1

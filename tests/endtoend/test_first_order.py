"""Payments from the shop's till to the books, through everything."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import Client

from tests.house import BUYER, a_house


async def test_one_payment_becomes_one_paid_order(temporal_client: Client, tmp_path: Path) -> None:
    """A guest's checkout ends as a confirmed, invoiced, paid order, and stock moved by what was sold."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=[{"sku": "MUG", "unit_amount": 1500, "quantity": 2}])
        result = await house.done(paid["payment_intent"])
        ledger = await house.zoho()
        assert result["stage"] == "paid"
        assert [len(ledger[kind]) for kind in ("salesorders", "invoices", "payments", "contacts")] == [1, 1, 1, 1]

"""The client against a running Zoho sandbox: a paid invoice whose payment is lowered, its rest given up, and back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clients.errors import Refused
from clients.zoho.client import ZohoClient
from clients.zoho.translation.payments import receipt_record
from domain.documents import ReceiptRecord
from domain.money import Money
from domain.writeoffs import OweState
from tests.clients.zoho.sandboxed.shop import a_payment, invoiced

WHOLE = Money.of(5481, "EUR")


async def paid(client: ZohoClient) -> tuple[str, ReceiptRecord]:
    """A paid invoice, and the payment recorded on it."""
    invoice = await invoiced(client)
    await client.mark_invoice_sent(invoice.invoice_id)
    record = receipt_record(await client.create_payment(a_payment(invoice)), "EUR")
    assert record is not None
    return invoice.invoice_id, record


@pytest.mark.parametrize("money", [WHOLE, Money.of(2000, "EUR")])
async def test_a_loss_is_written_off_and_taken_back(client: ZohoClient, money: Money) -> None:
    """Paid, owed by just that, written off; then all the way back, with the payment's charges and reference."""
    invoice_id, before = await paid(client)
    writes, states = client.write_offs, []

    async def look() -> None:
        states.append(await writes.state(invoice_id, money))

    await look()
    await writes.lower(before, invoice_id, money)
    await look()
    await writes.write_off(invoice_id)
    await look()
    await writes.cancel(invoice_id)
    await look()
    await writes.restore(before, invoice_id, money)
    await look()
    there = [OweState.PAID, OweState.OWED, OweState.WRITTEN_OFF]
    assert states == [*there, OweState.OWED, OweState.PAID]
    (payment,) = await client.find_payments(reference_number="pi_3ABC")
    now = receipt_record(await client.get_payment(payment.payment_id), "EUR")
    assert now is not None
    assert now.model_copy(update={"zoho_payment_id": before.zoho_payment_id}) == before
    assert (now.zoho_payment_id == before.zoho_payment_id) is (money != WHOLE)


async def test_nothing_owed_cannot_be_written_off(client: ZohoClient) -> None:
    """Zoho refuses: a run that asked too early has done nothing."""
    invoice_id, _ = await paid(client)
    with pytest.raises(Refused):
        await client.write_offs.write_off(invoice_id)
    assert (await client.get_invoice(invoice_id)).write_off_amount == Decimal(0)

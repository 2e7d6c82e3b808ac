"""Customer payments: applied, unused, changed, and never guarded against a second one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.zoho.shop import Refused, Row, Shop

VOID = "/invoices/{}/status/void"


async def test_paid(shop: Shop) -> None:
    """A payment closes its invoice and goes to undeposited funds unless it names an account."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice, reference_number="pi_1", date="2026-03-04", description="Card")
    assert shop.last.headers["Location"] == f"/api/v1/customerpayments/{payment['payment_id']}"
    assert shop.last.json()["message"] == "The payment from the customer has been recorded"
    assert (payment["account_name"], payment["payment_status"]) == ("Undeposited Funds", "paid")
    assert (payment["amount"], payment["unused_amount"], payment["date"]) == (20, 0, "2026-03-04")
    target = payment["invoices"][0]
    assert (target["amount_applied"], target["total"], target["balance"]) == (20, 20, 0)
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"], found["payment_made"]) == ("paid", 0, 20)
    assert found["last_payment_date"] == "2026-03-04"
    row = (await shop.call("GET", "/customerpayments", reference_number="pi_1"))["customerpayments"][0]
    assert (row["payment_id"], row["invoice_number"]) == (payment["payment_id"], "INV-000001")
    again = (await shop.call("GET", f"/customerpayments/{payment['payment_id']}"))["payment"]
    assert again["invoices"] == payment["invoices"]


async def test_payment_not_deduplicated(shop: Shop) -> None:
    """Two payments of one reference are two payments: only the invoice's balance can stop them."""
    order = await shop.confirmed()
    invoice = await shop.sent(order)
    half = {"amount": 10, "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 10}]}
    for _ in range(2):
        await shop.pay(invoice, reference_number="pi_1", **half)
    assert len((await shop.call("GET", "/customerpayments", reference_number="pi_1"))["customerpayments"]) == 2
    with pytest.raises(Refused):
        await shop.pay(invoice, reference_number="pi_1", **half)


@pytest.mark.parametrize("refused", [True, False])
async def test_overpayment(shop: Shop, refused: bool) -> None:
    """Applying more than the balance is refused, or the excess stays unused, as the switch says."""
    invoice = await shop.sent(await shop.confirmed())
    await shop.switch(overpayment_refused=refused)
    body = payment_of(invoice, 25)
    answer = (await shop.send("POST", "/customerpayments", body)).json()
    assert answer["code"] == (99010 if refused else 0)
    if not refused:
        assert (answer["payment"]["unused_amount"], answer["payment"]["invoices"][0]["amount_applied"]) == (5, 20)


def payment_of(invoice: Row, amount: int, **fields: Any) -> Row:
    """A payment that applies all of `amount` to the invoice."""
    return {
        "customer_id": invoice["customer_id"],
        "payment_mode": "Stripe",
        "amount": amount,
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": amount}],
        **fields,
    }


async def test_unused(shop: Shop) -> None:
    """What a payment has beyond its invoices is the customer's credit."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice, amount=30)
    assert payment["unused_amount"] == 10
    contact = await shop.read("contact", invoice["customer_id"])
    assert contact["unused_credits_receivable_amount"] == 10


async def test_all_or_nothing(shop: Shop) -> None:
    """One bad target fails the whole payment."""
    order = await shop.confirmed()
    invoice = await shop.sent(order)
    for bad in ({"invoice_id": "1", "amount_applied": 5}, {"invoice_id": invoice["invoice_id"], "amount_applied": 99}):
        targets = [{"invoice_id": invoice["invoice_id"], "amount_applied": 10}, bad]
        answer = await shop.send("POST", "/customerpayments", payment_of(invoice, 200, invoices=targets))
        assert answer.status_code >= 400
    assert (await shop.read("invoice", invoice["invoice_id"]))["balance"] == 20
    assert (await shop.ledger())["payments"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"payment_mode": ""}, 99002),
        ({"invoices": []}, 99002),
        ({"amount": 19}, 99010),
        ({"amount": -1}, 99010),
        ({"account_id": "1"}, 1002),
        ({"customer_id": "1"}, 1002),
        ({"reference_number": "a" * 101}, 99003),
    ],
)
async def test_payment_refused(shop: Shop, fields: Row, code: int) -> None:
    """What a payment cannot be made of is refused and leaves nothing behind."""
    invoice = await shop.sent(await shop.confirmed())
    answer = await shop.send("POST", "/customerpayments", payment_of(invoice, 20) | fields)
    assert answer.json()["code"] == code
    assert (await shop.ledger())["payments"] == []


async def test_foreign_and_void_invoice(shop: Shop) -> None:
    """Another customer's invoice and a void one take no payment."""
    invoice = await shop.sent(await shop.confirmed())
    other = await shop.contact("Bob")
    body = payment_of(invoice, 20, customer_id=other["contact_id"])
    assert (await shop.send("POST", "/customerpayments", body)).json()["code"] == 1002
    await shop.call("POST", VOID.format(invoice["invoice_id"]))
    assert (await shop.send("POST", "/customerpayments", payment_of(invoice, 20))).json()["code"] == 99011


@pytest.mark.parametrize(("takes", "code"), [(True, 0), (False, 99011)])
async def test_payment_on_draft(shop: Shop, takes: bool, code: int) -> None:
    """Whether a draft invoice takes payments is a switch."""
    invoice = await shop.invoice(await shop.confirmed())
    await shop.switch(draft_invoice_takes_payment=takes)
    assert (await shop.send("POST", "/customerpayments", payment_of(invoice, 20))).json()["code"] == code


@pytest.mark.parametrize(("sends", "status", "stock"), [(True, "paid", 98), (False, "draft", 100)])
async def test_payment_sends_draft(shop: Shop, sends: bool, status: str, stock: int) -> None:
    """Whether a payment turns a draft into a sent invoice, moving its stock, is a switch."""
    invoice = await shop.invoice(await shop.confirmed())
    await shop.switch(payment_sends_draft=sends)
    await shop.pay(invoice)
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"]) == (status, 0)
    assert (await shop.stock())["accounting"] == stock


@pytest.mark.parametrize(("reduced", "deposited"), [(True, "19.12"), (False, "20")])
async def test_bank_charges(shop: Shop, reduced: bool, deposited: str) -> None:
    """Whether bank charges lower the deposit or are only an expense is a switch; the invoice is paid in full."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice, bank_charges="0.88", account_id="900")
    assert (str(payment["bank_charges"]), payment["account_name"]) == ("0.88", "Stripe clearing")
    await shop.switch(bank_charges_reduce_deposit=reduced)
    accounts = (await shop.ledger())["accounts"]
    assert str(accounts["Stripe clearing"]["EUR"]) == deposited
    assert str(accounts["Bank Fees and Charges"]["EUR"]) == "0.88"


async def test_payment_changed(shop: Shop) -> None:
    """A changed payment frees what it held before it takes anew."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice, reference_number="pi_1")
    path = f"/customerpayments/{payment['payment_id']}"
    changed = (await shop.call("PUT", path, payment_of(invoice, 12, bank_charges="0.5")))["payment"]
    assert (changed["amount"], str(changed["bank_charges"]), changed["reference_number"]) == (12, "0.5", "pi_1")
    assert (await shop.read("invoice", invoice["invoice_id"]))["status"] == "partially_paid"
    await shop.call("PUT", path, payment_of(invoice, 20))
    assert (await shop.read("invoice", invoice["invoice_id"]))["balance"] == 0


async def test_payment_deleted(shop: Shop) -> None:
    """A deleted payment leaves its invoice owed."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice)
    await shop.call("DELETE", f"/customerpayments/{payment['payment_id']}")
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"], found["payments"]) == ("sent", 20, [])
    assert (await shop.read("contact", invoice["customer_id"]))["outstanding_receivable_amount"] == 20
    assert (await shop.ledger())["accounts"] == {}


@pytest.mark.parametrize("status", ["paid", "written_off"])
async def test_a_write_off_and_back(shop: Shop, status: str) -> None:
    """What an invoice still wants is given up, and wanted again; one that wants nothing has nothing to give up."""
    await shop.switch(written_off_status=status)
    invoice = await shop.sent(await shop.confirmed())
    payment, place = await shop.pay(invoice), f"/invoices/{invoice['invoice_id']}/writeoff"
    with pytest.raises(Refused):
        await shop.call("POST", place)
    await shop.call("PUT", f"/customerpayments/{payment['payment_id']}", payment_of(invoice, 12))
    await shop.call("POST", place)
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"], found["write_off_amount"]) == (status, 0, 8)
    assert (await shop.read("contact", invoice["customer_id"]))["outstanding_receivable_amount"] == 0
    await shop.call("POST", f"{place}/cancel")
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"], found["write_off_amount"]) == ("partially_paid", 8, 0)
    with pytest.raises(Refused):
        await shop.call("POST", f"{place}/cancel")


async def test_foreign_currency_payment(shop: Shop) -> None:
    """A payment is in its customer's currency and tells its value in the organisation's."""
    order = await shop.confirmed(contact=await shop.contact(currency="KWD"))
    payment = await shop.pay(await shop.sent(order), exchange_rate="3")
    assert (payment["currency_code"], payment["amount"], payment["bcy_amount"]) == ("KWD", 20, 60)

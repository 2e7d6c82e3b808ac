"""Money received."""

from __future__ import annotations

from datetime import date

from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.records.payments import Payment
from clients.zoho.translation.amounts import day_of, exact
from domain.documents import ReceiptRecord, Share
from domain.matching import NEAR, is_stripe_id
from domain.money import Money


def receipt_record(paid: Payment, currency: str) -> ReceiptRecord | None:
    """The payment as it can be said again; None where an amount is finer than a minor unit, or the day unclear."""
    amount, charges, day = exact(paid.amount, currency), exact(paid.bank_charges, currency), day_of(paid.date)
    shares = [(row.invoice_id, exact(row.amount_applied, currency)) for row in paid.invoices]
    applied = tuple(Share(invoice_id=invoice, amount=money) for invoice, money in shares if money is not None)
    if amount is None or charges is None or day is None or len(applied) < len(shares):
        return None
    return ReceiptRecord(
        zoho_payment_id=paid.payment_id,
        contact_id=paid.customer_id,
        mode=paid.payment_mode,
        amount=amount,
        day=day,
        reference=paid.reference_number,
        shares=applied,
        account_id=paid.account_id,
        exchange_rate=None if paid.exchange_rate == 1 else paid.exchange_rate,
        bank_charges=charges,
    )


def looks_alike(paid: Payment, money: Money, near: date) -> bool:
    """Whether a list's row may be that money by amount and date, and names no payment of Stripe's."""
    day = day_of(paid.date)
    return (
        day is not None
        and abs(day - near) <= NEAR
        and exact(paid.amount, money.currency) == money
        and paid.currency_code in ("", money.currency)
        and not is_stripe_id(paid.reference_number)
    )


def changed_payment(record: ReceiptRecord, charges: Money) -> NewPayment:
    return NewPayment(
        customer_id=record.contact_id,
        payment_mode=record.mode,
        amount=record.amount.decimal(),
        date=record.day,
        reference_number=record.reference,
        invoices=tuple(
            InvoiceShare(invoice_id=share.invoice_id, amount_applied=share.amount.decimal()) for share in record.shares
        ),
        bank_charges=charges.decimal(),
        account_id=record.account_id,
        exchange_rate=record.exchange_rate,
    )

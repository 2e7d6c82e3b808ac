"""What is still owed: the balance and status of an invoice, and what that makes of its customer's account."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho.records import touch
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def applied(org: Organization, invoice: Row) -> list[tuple[Row, Row]]:
    """The payments of an invoice, each with its part in `invoices` that is for this one."""
    return [
        (payment, target)
        for payment in org.tables["customerpayments"].find("invoice", invoice["invoice_id"])
        for target in payment["invoices"]
        if target["invoice_id"] == invoice["invoice_id"]
    ]


def payments_of(org: Organization, invoice: Row) -> list[Row]:
    """The payments of an invoice as its detail and its order's detail show them."""
    names = ("payment_id", "payment_number", "date", "payment_mode", "reference_number", "description")
    return [
        {
            **{name: payment[name] for name in names},
            "invoice_id": invoice["invoice_id"],
            "invoice_payment_id": target["invoice_payment_id"],
            "amount": target["amount_applied"],
            "exchange_rate": payment["exchange_rate"],
            "online_transaction_id": "",
            "is_single_invoice_payment": len(payment["invoices"]) == 1,
        }
        for payment, target in applied(org, invoice)
    ]


def refresh_invoice(org: Organization, invoice: Row) -> None:
    """Brings payment_made, balance and status of an invoice up to date, and its customer's receivables."""
    found = applied(org, invoice)
    invoice["payment_made"] = sum((target["amount_applied"] for _, target in found), ZERO)
    invoice["last_payment_date"] = max((payment["date"] for payment, _ in found), default="")
    void = invoice["_void"]
    invoice["balance"] = ZERO if void else invoice["total"] - invoice["payment_made"] - invoice["write_off_amount"]
    invoice["status"] = "void" if void else _status(org, invoice)
    owed = invoice["balance"] if invoice["_sent"] and not void else ZERO
    move_contact(org, invoice["customer_id"], "outstanding_receivable_amount", owed - invoice["_owed"])
    invoice["_owed"] = owed
    touch(org, org.tables["invoices"], invoice["invoice_id"])


def _status(org: Organization, invoice: Row) -> str:
    if not invoice["_sent"]:
        return "draft"
    if invoice["write_off_amount"] and not invoice["balance"]:
        return org.switches.written_off_status
    if invoice["balance"] == 0:
        return "paid"
    return "partially_paid" if invoice["payment_made"] else "sent"


def move_contact(org: Organization, contact_id: str, field: str, delta: Decimal) -> None:
    """Adds to a sum on the customer's account."""
    contact = org.tables["contacts"].get(contact_id)
    if contact is not None and (delta or not contact["has_transaction"]):
        contact[field] += delta
        contact["has_transaction"] = True
        org.tables["contacts"].save(contact_id)

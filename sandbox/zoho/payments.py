"""Customer payments: no key of any kind guards against a second one; all invoices take their part, or none does."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import balances, custom_fields, errors, stock
from sandbox.zoho.documents import exchange_rate
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, number, refer, required, rows, text, touch
from sandbox.zoho.routing import Answer, Call, crud
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)
BANK_CHARGES = "Bank Fees and Charges"


def _targets(call: Call, customer: Row, body: Row, credit: dict[str, Decimal]) -> list[Row]:
    """What each invoice gets; refuses all where one does not fit. `credit` is what the payment itself gives back."""
    targets = []
    for given in rows(body, "invoices"):
        invoice = refer(call, "invoices", given, "invoice_id", "Invoice")
        _check_status(call, customer, invoice)
        balance = invoice["balance"] + credit.get(invoice["invoice_id"], ZERO)
        wanted = number(given, "amount_applied", balance)
        if wanted > balance and not call.switches.overpayment_refused:
            wanted = balance
        if wanted <= 0 or wanted > balance:
            raise errors.overpaid()
        targets.append(
            {
                "invoice_id": invoice["invoice_id"],
                "invoice_payment_id": call.world.new_id(),
                "amount_applied": wanted,
                "tax_amount_withheld": ZERO,
            }
        )
    return targets


def _check_status(call: Call, customer: Row, invoice: Row) -> None:
    if invoice["customer_id"] != customer["contact_id"]:
        raise errors.missing("Invoice")
    refused = ("void",) if call.switches.draft_invoice_takes_payment else ("void", "draft")
    if invoice["status"] in refused:
        raise errors.wrong_status("invoice", invoice["status"])
    if not invoice["_sent"] and call.switches.payment_sends_draft:
        stock.check_invoice(call.org, invoice)


def _account(call: Call, account_id: str) -> Row:
    for account in call.org.settings["accounts"]:
        if account_id in ("", account["account_id"]):
            return {"account_id": account["account_id"], "account_name": account["account_name"]}
    raise errors.missing("Account")


def _fill(call: Call, body: Row, before: Row | None) -> Row:
    customer = refer(call, "contacts", body, "customer_id", "Contact")
    currency = call.org.currency(customer["currency_code"])
    precision = int(currency["price_precision"])
    amount = rounded(number(body, "amount"), precision)
    credit = {target["invoice_id"]: target["amount_applied"] for target in before["invoices"]} if before else {}
    targets = _targets(call, customer, body, credit)
    left = amount - sum((target["amount_applied"] for target in targets), ZERO)
    if amount <= 0 or left < 0:
        raise errors.overpaid()
    charges = rounded(number(body, "bank_charges"), precision)
    rate = exchange_rate(call, body, currency)
    base = call.org.currency(call.org.settings["currency_code"])
    return {
        "customer_id": customer["contact_id"],
        "customer_name": customer["contact_name"],
        "email": customer["email"],
        "payment_mode": text(body, "payment_mode"),
        "date": text(body, "date") or call.org.today(),
        "amount": amount,
        "bcy_amount": rounded(amount * rate, int(base["price_precision"])),
        "unused_amount": left,
        "bank_charges": charges,
        "bank_charges_account_id": "",
        "exchange_rate": rate,
        "reference_number": text(body, "reference_number", most=100),
        "description": text(body, "description"),
        "invoices": targets,
        **{name: currency[name] for name in ("currency_id", "currency_code", "currency_symbol")},
        **_account(call, text(body, "account_id")),
        **custom_fields.read(call, body, "customerpayment", before),
    }


def record(call: Call, body: Row) -> Row:
    """Makes a payment of `body`, applies it and returns its row."""
    filled = _fill(call, body, None)
    payment_id = call.world.new_id()
    payment = {
        "payment_id": payment_id,
        "payment_number": call.org.next_number("").lstrip("0"),
        "status": "paid",
        "payment_status": "paid",
        "amount_refunded": ZERO,
        "settlement_status": "",
        "online_transaction_id": "",
        "payment_gateway": "",
        "payment_refunds": [],
        "tax_account_id": "",
        "tax_account_name": "",
        "tax_amount_withheld": ZERO,
        "last_four_digits": "",
        "location_id": call.org.settings["location_id"],
        "location_name": call.org.settings["name"],
        **filled,
        **born(call.org),
        "_unused": ZERO,
    }
    call.table("customerpayments").put(payment_id, payment)
    _apply(call, payment, payment["invoices"])
    return payment


def _apply(call: Call, payment: Row, touched: list[Row]) -> None:
    for target in touched:
        invoice = call.table("invoices").get(target["invoice_id"])
        if invoice is not None:
            if not invoice["_sent"] and call.switches.payment_sends_draft:
                send(call.org, invoice)
            balances.refresh_invoice(call.org, invoice)
    _settle_credit(call.org, payment)


def _settle_credit(org: Organization, payment: Row) -> None:
    delta = payment["unused_amount"] - payment["_unused"]
    balances.move_contact(org, payment["customer_id"], "unused_credits_receivable_amount", delta)
    payment["_unused"] = payment["unused_amount"]
    touch(org, org.tables["customerpayments"], payment["payment_id"])


def send(org: Organization, invoice: Row) -> None:
    """Marks an invoice as sent and moves its goods; refused where the organisation forbids negative stock."""
    stock.check_invoice(org, invoice)
    invoice["_sent"] = True
    stock.settle_invoice_and_orders(org, invoice)


def release_invoice(org: Organization, invoice: Row) -> None:
    """Gives what was paid on an invoice back to its payments, as credit of the customer."""
    for payment, target in balances.applied(org, invoice):
        payment["invoices"] = [other for other in payment["invoices"] if other is not target]
        payment["unused_amount"] += target["amount_applied"]
        _settle_credit(org, payment)


def _payment(call: Call) -> Row:
    return call.row("customerpayments", "payment_id", "Payment")


def show(org: Organization, payment: Row) -> Row:
    """A payment in full, with the present balance of its invoices."""
    shown = []
    for target in payment["invoices"]:
        invoice = org.tables["invoices"].get(target["invoice_id"])
        if invoice is not None:
            names = ("invoice_number", "date", "total", "balance")
            shown.append(
                {
                    **target,
                    **{name: invoice[name] for name in names},
                    "invoice_amount": invoice["total"],
                    "balance_amount": invoice["balance"],
                }
            )
    return {**public(payment), "invoices": shown}


def _create(call: Call) -> Answer:
    required(call.body, "customer_id", "payment_mode", "amount", "invoices")
    payment = record(call, call.body)
    return Answer(
        "The payment from the customer has been recorded",
        {"payment": show(call.org, payment)},
        f"/customerpayments/{payment['payment_id']}",
    )


def _read(call: Call) -> Answer:
    return Answer("success", {"payment": show(call.org, _payment(call))})


def _update(call: Call) -> Answer:
    payment = _payment(call)
    kept = {key: payment[key] for key in ("bank_charges", "exchange_rate", "reference_number", "date", "account_id")}
    filled = _fill(call, {**public(payment), **kept, **call.body}, payment)
    touched = payment["invoices"] + filled["invoices"]
    payment.update(filled)
    call.table("customerpayments").save(payment["payment_id"])
    _apply(call, payment, touched)
    return Answer("The payment has been updated.", {"payment": show(call.org, payment)})


def _delete(call: Call) -> Answer:
    payment = _payment(call)
    touched = payment["invoices"]
    payment["invoices"], payment["unused_amount"] = [], ZERO
    call.table("customerpayments").save(payment["payment_id"])
    _apply(call, payment, touched)
    call.table("customerpayments").remove(payment["payment_id"])
    return Answer("The payment has been deleted.")


def accounts(org: Organization) -> dict[str, dict[str, Decimal]]:
    """What payments put on each account and refunds took from it, by account name and currency."""
    sums: dict[str, dict[str, Decimal]] = {}

    def add(account: str, currency: str, amount: Decimal) -> None:
        held = sums.setdefault(account, {})
        held[currency] = held.get(currency, ZERO) + amount

    for payment in org.tables["customerpayments"].rows():
        code, charges = payment["currency_code"], payment["bank_charges"]
        reduced = org.switches.bank_charges_reduce_deposit
        add(payment["account_name"], code, payment["amount"] - (charges if reduced else ZERO))
        if charges:
            add(BANK_CHARGES, code, charges)
    for refund in org.tables["creditnoterefunds"].rows():
        note = org.tables["creditnotes"].get(refund["creditnote_id"])
        if note is not None:
            add(refund["from_account_name"], note["currency_code"], -refund["amount"])
    return sums


_ROW = (
    "payment_id", "payment_number", "date", "payment_mode", "amount", "bcy_amount", "unused_amount", "account_id",
    "account_name", "description", "reference_number", "customer_id", "customer_name", "currency_code",
    "bank_charges", "payment_status", "created_time", "last_modified_time", "custom_field_hash",
)  # fmt: skip


def _list_row(call: Call, payment: Row) -> Row:
    shown = show(call.org, payment)["invoices"]
    numbers = ", ".join(target["invoice_number"] for target in shown)
    return {**{name: payment[name] for name in _ROW}, "invoice_number": numbers}


_LIST = Listing(
    "customerpayments",
    "customerpayments",
    "Payments Received",
    _list_row,
    filters=("reference_number", "customer_id", "customer_name", "date", "amount", "payment_mode"),
    search=("reference_number", "customer_name", "description", "payment_number"),
)


ROUTES = [
    *crud(
        "/customerpayments",
        "payment_id",
        "customerpayments",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
]

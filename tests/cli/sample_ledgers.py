"""Ledgers of Stripe and Zoho that agree, and ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

Ledger = dict[str, Any]
SOLD = {"pi_1": {"LAMP": 2}, "ch_2": {"LAMP": 1}}


def intent(payment_id: str, amount: int, currency: str = "eur", status: str = "succeeded") -> Ledger:
    """A payment intent as Stripe's ledger shows it."""
    return {
        "id": payment_id,
        "status": status,
        "amount_received": amount if status == "succeeded" else 0,
        "currency": currency,
        "created": 1,
    }


def stripe() -> Ledger:
    """One intent with its charge, one charge without an intent, one payment that never came about."""
    charge = {"paid": True, "captured": True, "currency": "eur", "created": 2}
    row = {"currency": "eur", "fee": 314, "id": "txn_1"}
    return {
        "payment_intents": [intent("pi_1", 9800), intent("pi_3", 100, status="requires_payment_method")],
        "charges": [
            {"id": "ch_1", "payment_intent": "pi_1", "amount_captured": 9800, "balance_transaction": "txn_1", **charge},
            {
                "id": "ch_2",
                "payment_intent": None,
                "amount_captured": 4900,
                "balance_transaction": None,
                **charge,
            },
        ],
        "balance_transactions": [row],
    }


def documents(reference: str, total: str, pieces: int) -> dict[str, Ledger]:
    """The order, the invoice and the payment of one reference."""
    line = {"item_id": "i1", "quantity": Decimal(pieces)}
    money = {"reference_number": reference, "currency_code": "EUR"}
    amount, invoice_id = Decimal(total), f"inv-{reference}"
    return {
        "salesorders": {**money, "status": "confirmed", "total": amount, "line_items": [line]},
        "invoices": {
            **money,
            "invoice_id": invoice_id,
            "status": "paid",
            "total": amount,
            "balance": Decimal(0),
            "line_items": [line],
        },
        "payments": {
            **money,
            "amount": amount,
            "bank_charges": Decimal("3.14") if reference == "pi_1" else Decimal(0),
            "invoices": [{"invoice_id": invoice_id}],
        },
    }


def zoho() -> Ledger:
    """The books of both payments, and three lamps gone from the shelf."""
    lamp = {
        "item_id": "i1",
        "sku": "LAMP",
        "track_inventory": True,
        "opening": Decimal(10),
        "accounting": Decimal(7),
        "physical": Decimal(10),
    }
    both = [documents("pi_1", "98", 2), documents("ch_2", "49.00", 1)]
    return {
        "items": [lamp, {"item_id": "i2", "sku": "SHIP", "track_inventory": False}],
        **{kind: [pair[kind] for pair in both] for kind in ("salesorders", "invoices", "payments")},
    }


def drop(kind: str) -> Callable[[Ledger], None]:
    """Takes the first document of a kind away."""
    return lambda books: books[kind].pop(0)


def double(kind: str) -> Callable[[Ledger], None]:
    """Writes the first document of a kind a second time."""
    return lambda books: books[kind].append(deepcopy(books[kind][0]))


def change(kind: str, **values: Any) -> Callable[[Ledger], None]:
    """Changes the first row of a kind."""
    return lambda books: books[kind][0].update(values)


def adjust(reference: str, *pieces: int) -> Callable[[Ledger], None]:
    """Adjusts the lamps, once for each number of pieces, and moves both ledgers by it."""

    def spoil(books: Ledger) -> None:
        for count in pieces:
            line = {"item_id": "i1", "quantity_adjusted": Decimal(count)}
            row = {"reference_number": reference, "status": "adjusted", "line_items": [line]}
            books.setdefault("adjustments", []).append(row)
            for ledger in ("accounting", "physical"):
                books["items"][0][ledger] += count

    return spoil

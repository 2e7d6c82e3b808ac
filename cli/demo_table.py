"""The demo's last word: one row a payment, read back from the two ledgers alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.demo_refunds import notes_of
from cli.demo_telling import told_payments
from cli.ledger_facts import Books, Ledger, Paid, books_by_reference, decimals, succeeded, voided
from cli.ledgers import Ledgers

COLUMNS = {
    "payment": "Payment",
    "stripe": "Stripe",
    "order": "Order",
    "invoice": "Invoice",
    "received": "Paid",
    "fee": "Fee",
    "balance": "Balance",
    "refunded": "Refunded",
    "stock": "Stock",
}
ID_WIDTH = 27  # an id is to be copied, so it stands in one line
PIPED_WIDTH = 140  # columns where no terminal says how many there are


def final_rows(ledgers: Ledgers) -> list[dict[str, str]]:
    """Amounts, documents and stock of every payment that succeeded, in the order they were made."""
    books = books_by_reference(ledgers.zoho)
    titles = {payment_id: purchase.shows for purchase, payment_id in told_payments(ledgers.stripe).items()}
    stock, voids, notes = stock_moves(ledgers.zoho), voided(ledgers.zoho), notes_of(ledgers)
    return [
        _row(paid, books.get(paid.payment_id, Books()), titles.get(paid.payment_id, ""), stock[paid.payment_id])
        | {"refunded": "\n".join(map(_note, notes.get(paid.payment_id, ())))}
        | ({"order": "void"} if voids[paid.payment_id] and paid.payment_id not in books else {})
        for paid in sorted(succeeded(ledgers.stripe).values(), key=lambda paid: paid.created)
    ]


def show_final(rows: Sequence[Mapping[str, str]]) -> None:
    """The rows as a table; only the payment's cell wraps."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    table = Table(title="Read back from the two ledgers", title_justify="left", box=SIMPLE_HEAD)
    for key, heading in COLUMNS.items():
        words = key in ("payment", "stock")
        table.add_column(
            heading,
            no_wrap=key != "payment",
            min_width=ID_WIDTH if key == "payment" else None,
            overflow="fold",
            justify="left" if words else "right",
        )
    for row in rows:
        table.add_row(*(row[key] for key in COLUMNS), end_section=True)
    console.print(table)


def _row(paid: Paid, books: Books, title: str, stock: Sequence[str]) -> dict[str, str]:
    return {
        "payment": "\n".join(filter(None, [title, paid.payment_id])),
        "stripe": _money(paid.amount, paid.currency),
        "order": "\n".join(f"{_money(row['total'], row['currency_code'])}\n{row['status']}" for row in books.orders),
        "invoice": "\n".join(
            f"{_money(row['total'], row['currency_code'])}\n{row['invoice_number']}" for row in books.invoices
        ),
        "received": "\n".join(_money(row["amount"], row["currency_code"]) for row in books.payments),
        "fee": "\n".join(_money(row["bank_charges"], row["currency_code"]) for row in books.payments),
        "balance": "\n".join(str(row["balance"]) for row in books.invoices),
        "stock": "\n".join(stock),
    }


def _note(note: Ledger) -> str:
    paid = _money(note["total_refunded_amount"], note["currency_code"])
    open_still = "" if note["status"] == "closed" else f" {note['status']}"
    return f"{paid}\n{note['creditnote_number']}{open_still}"


def _money(amount: Decimal | int, currency: str) -> str:
    """With the currency's decimals, and with every further one that is really there."""
    exact = Decimal(amount)
    shown = exact.quantize(Decimal(1).scaleb(-decimals(currency)))
    return f"{shown if shown == exact else exact} {currency}"


def stock_moves(organization: Ledger) -> dict[str, list[str]]:
    """For each payment, `SKU before→after` of accounting stock, document by document as they were made."""
    items = {row["item_id"]: row for row in organization["items"] if row["track_inventory"]}
    level = {item_id: Decimal(row["opening"]) for item_id, row in items.items()}
    moves: dict[str, list[str]] = defaultdict(list)
    for _, reference, item_id, pieces in sorted(_moves(organization)):
        if item_id in items:
            before = level[item_id]
            level[item_id] = before + pieces
            moves[reference].append(f"{items[item_id]['sku']} {before:f}→{level[item_id]:f}")
    return moves


def _moves(organization: Ledger) -> Iterator[tuple[tuple[int, int], str, str, Decimal]]:
    """When, for which payment, which item and by how many pieces invoices and credit notes moved stock."""
    references = {invoice["invoice_id"]: invoice["reference_number"] for invoice in organization["invoices"]}
    for document in (*organization["invoices"], *organization.get("creditnotes", ())):
        note = "creditnote_id" in document
        made = int(document["creditnote_id"] if note else document["invoice_id"])
        for position, line in enumerate(document["line_items"] if document["status"] not in ("draft", "void") else ()):
            pieces = Decimal(line["quantity"]) * (1 if note else -1)
            if not note or line["is_returned_to_stock"]:
                yield (made, position), references[document["invoice_id"]], line["item_id"], pieces

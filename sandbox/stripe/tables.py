"""Stripe's objects by kind: found by id, by account and by the links that are searched often."""

from __future__ import annotations

from collections.abc import Iterator, Reversible
from typing import Any

from sandbox.persistence import Collection, Database

Doc = dict[str, Any]

#: Name of a table -> (prefix of its ids, Stripe's word in refusals, fields that are searched often).
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "customers": ("cus_", "customer", ("email",)),
    "products": ("prod_", "product", ()),
    "prices": ("price_", "price", ("lookup_key", "_sku")),
    "tax_rates": ("txr_", "tax rate", ()),
    "coupons": ("", "coupon", ()),
    "promotion_codes": ("promo_", "promotion code", ()),
    "payment_intents": ("pi_", "payment_intent", ("customer",)),
    "charges": ("ch_", "charge", ("payment_intent", "customer")),
    "refunds": ("re_", "refund", ("charge", "payment_intent")),
    "disputes": ("du_", "dispute", ("charge", "payment_intent")),
    "sessions": ("cs_", "checkout.session", ("payment_intent", "customer")),
    "invoices": ("in_", "invoice", ("customer",)),
    "invoice_payments": ("inpay_", "invoice_payment", ("_payment_intent", "invoice")),
    "balance_transactions": ("txn_", "balance transaction", ("source", "_payout")),
    "payouts": ("po_", "payout", ()),
    "events": ("evt_", "event", ("_thin_id",)),
    "webhook_endpoints": ("we_", "webhook endpoint", ()),
}


class Table:
    """The objects of one kind, in the order they were made. A field that begins with `_` is never shown."""

    def __init__(self, rows: Collection, word: str, indexed: tuple[str, ...]) -> None:
        self._rows, self.word = rows, word
        self._fields = ("_account", *indexed)
        self._index: dict[tuple[str, str], dict[str, None]] = {}
        for doc in rows.values():
            self._note(doc)

    def get(self, name: str, account: str | None = None) -> Doc | None:
        """The object of that id, if it is one of `account` (any, for None)."""
        doc: Doc | None = self._rows.get(name)
        return doc if doc is not None and account in (None, doc["_account"]) else None

    def save(self, doc: Doc) -> Doc:
        """Keeps a new or changed object."""
        self._rows[doc["id"]] = doc
        self._note(doc)
        return doc

    def remove(self, name: str) -> None:
        """Forgets an object."""
        del self._rows[name]

    def find(self, newest_first: bool = False, **fields: Any) -> Iterator[Doc]:
        """The objects with these values, by the narrowest index there is; no saving while it is read."""
        pools = [self._index.get((name, str(value)), {}) for name, value in fields.items() if name in self._fields]
        narrowest = min(pools, key=_size) if pools else None
        names: Reversible[str] = self._rows if narrowest is None else narrowest
        for name in reversed(names) if newest_first else names:
            doc = self._rows.get(name)
            if doc is not None and all(doc.get(field) == value for field, value in fields.items()):
                yield doc

    def all(self) -> Iterator[Doc]:
        """Every object of every account, oldest first."""
        return iter(self._rows.values())

    def forget_index(self) -> None:
        """After the rows were cleared."""
        self._index.clear()

    def _note(self, doc: Doc) -> None:
        for field in self._fields:
            value = doc.get(field)
            if value is not None:
                self._index.setdefault((field, str(value)), {})[doc["id"]] = None


def _size(pool: dict[str, None]) -> int:
    return len(pool)


class Tables:
    """All tables of the program, over one database."""

    def __init__(self, database: Database) -> None:
        self._tables = {
            name: Table(database.collection(name), word, indexed) for name, (_, word, indexed) in KINDS.items()
        }

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def of_id(self, name: str) -> Table | None:
        """The table an id belongs to by its prefix."""
        for kind, (prefix, _, _) in KINDS.items():
            if prefix and name.startswith(prefix):
                return self._tables[kind]
        return None

    def forget_indexes(self) -> None:
        """After the database was cleared."""
        for table in self._tables.values():
            table.forget_index()

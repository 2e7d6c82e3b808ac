"""How an order as Zoho shows it differs from what was written of its payment, field by field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from pydantic import Field

from domain.cards import mask_cards
from domain.contacts import address_fingerprint
from domain.documents import InvoiceDocument, OrderDocument, ShipmentDocument
from domain.matching import is_stripe_id
from domain.money import Money
from domain.orders import OrderDraft
from domain.payments import Address, Fact
from domain.policy import VALUE_LIMIT, ShipmentKeys
from domain.sales import OrderInput
from domain.shipping import ShipmentWritten, shipment_metadata

# What people wrote: told only as changed.
_PRIVATE = ("billing address", "shipping address", "reference", "field ")
_MISSING = "missing"
_NOT_YET = ("draft", "void", "pending_approval")


class Difference(Fact):
    """One field that was written as `was` and is `now`; both are "" where they are nobody's business."""

    field: str
    was: str = ""
    now: str = ""

    @property
    def private(self) -> bool:
        """Whether its values may be people's data."""
        return self.field.startswith(_PRIVATE)

    def public(self) -> Difference:
        """The same without values that may be people's data."""
        return Difference(field=self.field) if self.private else self

    def __str__(self) -> str:
        if not (self.was or self.now):
            return f"{self.field} changed"
        return f"{self.field}: {self.was or 'nothing'} is now {self.now or 'nothing'}"


class CreditState(Fact):
    """A credit note of the order's invoices; `total` is None where it is finer than a minor unit.

    `reference` is what it is said to be for; `refund_id` is Zoho's id of the refund that we booked of it.
    """

    creditnote_id: str
    number: str = ""
    status: str = ""
    total: Money | None = None
    reference: str = ""
    refund_id: str = ""

    @property
    def counts(self) -> bool:
        """Whether it credits anything."""
        return self.status not in ("void", "draft")


class OrderState(OrderDocument):
    """An order in Zoho with all that people may change of it. Holds people's data: never crosses Temporal.

    `fields` are its custom fields by api_name; `receipts` what each recorded payment brought, by Zoho's id, and
    `repaid` what each refund of a credit note gave back. `returned`: a return of it was entered.
    """

    billing: Address = Address()
    shipping: Address = Address()
    fields: dict[str, str] = Field(default_factory=dict)
    receipts: dict[str, Money | None] = Field(default_factory=dict)
    credits: tuple[CreditState, ...] = ()
    repaid: dict[str, Money | None] = Field(default_factory=dict)
    returned: bool = False

    @property
    def void(self) -> bool:
        """Whether it counts no longer."""
        return self.status == "void"

    @property
    def shipments(self) -> tuple[ShipmentDocument, ...]:
        """Its packages that are on their way, each shipment once."""
        found = {one.shipment.shipment_id: one.shipment for one in self.packages if one.shipment}
        return tuple(found.values())

    def standing(self) -> tuple[InvoiceDocument, ...]:
        """Its invoices that count, or may yet."""
        return tuple(invoice for invoice in self.invoices if invoice.status != "void")


class WrittenDocuments(Fact):
    """The documents that our writes made; "" for one that was not written, or that we took back or changed since."""

    total: Money | None = None
    invoice_id: str = ""
    receipt_id: str = ""
    shipment_id: str = ""
    credits: tuple[CreditState, ...] = ()


def written_fields(
    draft: OrderDraft | None,
    order: OrderInput | None,
    documents: WrittenDocuments,
    *,
    carried: Collection[str] = (),
    texts: bool = True,
) -> dict[str, str]:
    """What Zoho should still say, by field. `carried` are custom fields that are people's to set; without `texts` no
    address and no custom field is said.

    Where the draft is forgotten, only the documents are known.
    """
    said = {"status": "confirmed", **_documents(documents, str(documents.total or ""))}
    if documents.total is not None:
        said["total"] = str(documents.total)
    if draft is None or order is None:
        return said
    said |= {"number": draft.number, "reference": draft.reference, "customer": order.contact_id}
    said |= _lines((item, Decimal(line.quantity)) for line, item in zip(draft.lines, order.item_ids, strict=False))
    if not texts:
        return said
    for name, address in (("billing address", draft.billing), ("shipping address", draft.shipping)):
        if not address.is_empty():
            said[name] = address_fingerprint(address)
    return said | {_field(name): _plain(text) for name, text in draft.custom_fields.items() if name not in carried}


def shown_fields(state: OrderState, documents: WrittenDocuments) -> dict[str, str]:
    """The same fields as Zoho shows them."""
    standing = {invoice.invoice_id: invoice for invoice in state.standing()}
    invoice = standing.get(documents.invoice_id)
    said = {
        "status": state.status if state.status in _NOT_YET else "confirmed",
        "total": str(state.total or ""),
        "number": state.number,
        "reference": state.reference,
        "customer": state.customer_id,
        "billing address": address_fingerprint(state.billing),
        "shipping address": address_fingerprint(state.shipping),
        "invoices": str(len(standing)),
        "invoice": _MISSING if invoice is None else "draft" if invoice.status == "draft" else "sent",
        "invoice total": str(invoice.total or "") if invoice else "",
        "payment": str(state.receipts.get(documents.receipt_id) or _MISSING),
        "shipment": "there" if documents.shipment_id in {one.shipment_id for one in state.shipments} else _MISSING,
    }
    said |= _credits(state, documents)
    said |= _lines((line.item_id, line.quantity) for line in state.lines)
    return said | {_field(name): _plain(text) for name, text in state.fields.items()}


def differences(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """Every field of `was` that is otherwise `now`, by name. What nobody wrote may be anything."""
    changed = (name for name in sorted(was) if was[name] != now.get(name, ""))
    return tuple(Difference(field=name, was=was[name], now=now.get(name, "")) for name in changed)


def _field(name: str) -> str:
    return f"field {name}"


def _plain(text: str) -> str:
    """A tick is True to one side and true to the other."""
    return text.strip().casefold()


def _documents(documents: WrittenDocuments, total: str) -> dict[str, str]:
    said: dict[str, str] = {}
    if documents.invoice_id:
        said |= {"invoices": "1", "invoice": "sent", "invoice total": total}
    if documents.receipt_id:
        said["payment"] = total
    if documents.shipment_id:
        said["shipment"] = "there"
    said |= {_credit(one): str(one.total or "") for one in documents.credits}
    return said | {_repaid(one): str(one.total or "") for one in documents.credits if one.refund_id}


def _credit(note: CreditState) -> str:
    return f"credit note {note.number or note.creditnote_id}"


def _repaid(note: CreditState) -> str:
    return f"refund of {_credit(note)}"


def _credits(state: OrderState, documents: WrittenDocuments) -> dict[str, str]:
    """Each of our credit notes as it is, and what it gave back; what is not among the order's own is missing."""
    notes = {one.creditnote_id: one for one in state.credits}
    said: dict[str, str] = {}
    for one in documents.credits:
        now = notes.get(one.creditnote_id)
        said[_credit(one)] = _MISSING if now is None else "void" if now.status == "void" else str(now.total or "")
        # Where the order tells no refund at all, one of a note that is used up is there.
        there = one.refund_id in state.repaid if state.repaid else now is not None and now.status == "closed"
        said[_repaid(one)] = str(state.repaid.get(one.refund_id) or one.total or "") if there else _MISSING
    return said


def credited_by_hand(state: OrderState, documents: WrittenDocuments) -> tuple[Difference, ...]:
    """The credit notes of the order that people wrote: ours are among its documents, or name what they are for."""
    ours = {one.creditnote_id for one in documents.credits}
    found = (one for one in state.credits if one.counts and one.creditnote_id not in ours)
    return tuple(
        Difference(field=_credit(one), now=str(one.total or one.status))
        for one in found
        if not is_stripe_id(one.reference)
    )


def _lines(lines: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    said: dict[str, str] = {}
    for number, (item_id, quantity) in enumerate(lines, 1):
        said |= {f"line {number} item": item_id, f"line {number} quantity": f"{quantity.normalize():f}"}
    return {**said, "lines": str(len(said) // 2)}


def told_by_zoho(state: OrderState, keys: ShipmentKeys, write_back: Mapping[str, str]) -> dict[str, str]:
    """What Stripe's metadata is to say of what people entered in Zoho: tracking, and custom fields of the order.

    `write_back` are metadata keys with the custom field of each. Where there are several shipments, each is named.
    """
    told = {
        keys.shipment_id: _joined(one.shipment_id for one in state.shipments),
        keys.tracking_number: _joined(one.tracking_number for one in state.shipments),
        keys.carrier: _joined(one.carrier for one in state.shipments),
        keys.status: _joined(one.status for one in state.shipments),
        keys.date: _joined(one.day for one in state.shipments),
        **{key: state.fields.get(source, "") for key, source in write_back.items() if source.startswith("cf_")},
    }
    return {key: mask_cards(value)[:VALUE_LIMIT] for key, value in told.items() if key and value}


def told_by_us(
    draft: OrderDraft | None,
    shipment: ShipmentWritten | None,
    keys: ShipmentKeys,
    write_back: Mapping[str, str],
    written: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What the payment's own run has told Stripe of the same: of shipments what it is known to have `written` there."""
    fields = draft.custom_fields if draft else {}
    told = {key: fields.get(source, "")[:VALUE_LIMIT] for key, source in write_back.items()}
    shipped = shipment_metadata(shipment, keys) if written is None else written
    own = {key: shipped[key] for key in keys.named() if key in shipped}
    return own | {key: value for key, value in told.items() if value}


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, words)))

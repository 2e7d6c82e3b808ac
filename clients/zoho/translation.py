"""Our words into Zoho's and back: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from clients.zoho.models import (
    ChangedLine,
    ChangedPerson,
    ChangedSalesOrder,
    Contact,
    ContactAddress,
    CustomField,
    Invoice,
    InvoiceShare,
    Item,
    LinkedInvoice,
    LinkedPackage,
    NewAdjustment,
    NewAdjustmentLine,
    NewContact,
    NewContactPerson,
    NewInvoice,
    NewInvoiceLine,
    NewLine,
    NewPackage,
    NewPackageLine,
    NewPayment,
    NewSalesOrder,
    NewShipment,
    Payment,
    SalesOrder,
    Shipment,
    ZohoAddress,
)
from domain.contacts import address_fingerprint
from domain.corrections import OrderCorrection
from domain.documents import (
    ContactDocument,
    InvoiceDocument,
    ItemStock,
    OrderDocument,
    OrderDocumentLine,
    OwnStep,
    PackageDocument,
    Part,
    ReceiptRecord,
    Share,
    ShipmentDocument,
)
from domain.money import Money
from domain.orders import OrderDraft, OrderLine
from domain.payments import Address
from domain.sales import InvoiceInput, OrderInput

_ADJUSTED = "Rounding"


def exact(amount: Decimal, currency: str) -> Money | None:
    """`amount` major units as Money; None where it is finer than a minor unit, and so no amount of Stripe's."""
    try:
        return Money.from_decimal(amount, currency)
    except ValueError:
        return None


def zoho_address(address: Address) -> ZohoAddress:
    return ZohoAddress(
        attention=address.name,
        address=address.line1,
        street2=address.line2,
        city=address.city,
        state=address.state,
        zip=address.postal_code,
        country=address.country,
        phone=address.phone,
    )


def address_of(row: ContactAddress) -> Address:
    return Address(
        name=row.attention,
        line1=row.address,
        line2=row.street2,
        city=row.city,
        state=row.state,
        postal_code=row.zip,
        country=row.country,
        phone=row.phone,
    )


def new_contact(name: str, draft: OrderDraft, currency_id: str) -> NewContact:
    buyer = draft.buyer
    first, _, last = buyer.name.partition(" ")
    person = NewContactPerson(first_name=first or name[:100], last_name=last, email=buyer.email, phone=buyer.phone)
    return NewContact(
        contact_name=name[:200],
        currency_id=currency_id,
        billing_address=zoho_address(draft.billing),
        shipping_address=zoho_address(draft.shipping),
        contact_persons=(person,),
        notes=f"Stripe customer {buyer.customer_id}" if buyer.customer_id else "Stripe guest",
    )


def _fields(draft: OrderDraft) -> tuple[CustomField, ...]:
    return tuple(CustomField(api_name=name, value=value) for name, value in draft.custom_fields.items())


def new_order(draft: OrderDraft, wanted: OrderInput) -> NewSalesOrder:
    lines = tuple(NewLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i])) for i, line in enumerate(draft.lines))
    return NewSalesOrder(
        **_sale(draft, wanted) | {"notes": _order_notes(draft, wanted)},
        salesorder_number=wanted.number,
        shipment_date=draft.shipment_date,
        custom_fields=_fields(draft),
        line_items=lines,
    )


def changed_order(draft: OrderDraft, wanted: OrderCorrection) -> ChangedSalesOrder:
    lines = tuple(
        ChangedLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i]), line_item_id=wanted.line_item_ids[i])
        for i, line in enumerate(draft.lines)
    )
    return ChangedSalesOrder(
        **_sale(draft, wanted),
        salesorder_number=wanted.number,
        shipment_date=draft.shipment_date,
        custom_fields=_fields(draft),
        line_items=lines,
    )


def order_says(order: SalesOrder, draft: OrderDraft) -> bool:
    """Whether the order has the draft's addresses and custom fields; an address that the draft lacks may be any."""
    places = ((order.billing_address, draft.billing), (order.shipping_address, draft.shipping))
    fields = {name: str(value) for name, value in order.custom_field_hash.items()}
    return all(
        wanted.is_empty() or address_fingerprint(address_of(row)) == address_fingerprint(wanted)
        for row, wanted in places
    ) and all(fields.get(name) == value for name, value in draft.custom_fields.items())


def person_of(draft: OrderDraft) -> tuple[str, str, str, str]:
    """First name, last name, e-mail and phone of the draft's payer."""
    first, _, last = draft.buyer.name.partition(" ")
    return first or draft.contact.names[0][:100], last, draft.buyer.email or draft.contact.email, draft.buyer.phone


def changed_person(contact_id: str, draft: OrderDraft) -> ChangedPerson:
    first, last, email, phone = person_of(draft)
    return ChangedPerson(contact_id=contact_id, first_name=first, last_name=last, email=email, phone=phone)


def _order_notes(draft: OrderDraft, wanted: OrderInput) -> str:
    marked = f"Backordered: {', '.join(wanted.backordered)}" if wanted.backordered else ""
    return "\n".join(filter(None, (marked, draft.notes)))


def new_invoice(draft: OrderDraft, wanted: InvoiceInput) -> NewInvoice:
    lines = tuple(
        NewInvoiceLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i]), salesorder_item_id=wanted.line_item_ids[i])
        for i, line in enumerate(draft.lines)
    )
    return NewInvoice(**_sale(draft, wanted), due_date=draft.order_date, line_items=lines)


def _sale(draft: OrderDraft, wanted: OrderInput) -> dict[str, object]:
    return {
        "customer_id": wanted.contact_id,
        "reference_number": draft.reference,
        "date": draft.order_date,
        "is_inclusive_tax": draft.inclusive,
        "shipping_charge": draft.shipping_charge.decimal() if draft.shipping_charge else None,
        "adjustment": draft.adjustment.decimal() if draft.adjustment else None,
        "adjustment_description": _adjusted(draft),
        "exchange_rate": wanted.exchange_rate,
        "billing_address_id": wanted.addresses.billing_address_id,
        "shipping_address_id": wanted.addresses.shipping_address_id,
        "notes": draft.notes,
    }


def _adjusted(draft: OrderDraft) -> str:
    if draft.uncaptured:
        return f"{draft.uncaptured} not captured"
    return _ADJUSTED if draft.adjustment else ""


def _line(line: OrderLine, item_id: str, tax_id: str) -> dict[str, object]:
    return {
        "item_id": item_id,
        "name": line.name,
        "description": line.description,
        "rate": line.rate,
        "quantity": Decimal(line.quantity),
        "discount": line.discount.decimal() if line.discount else None,
        "tax_id": tax_id,
    }


def contact_document(row: Contact) -> ContactDocument:
    return ContactDocument(
        contact_id=row.contact_id,
        name=row.contact_name,
        email=row.email,
        kind=row.contact_type or "customer",
        currency=row.currency_code,
        active=row.status in ("", "active"),
        billing_address_id=row.billing_address.address_id,
        shipping_address_id=row.shipping_address.address_id,
    )


def order_document(order: SalesOrder) -> OrderDocument:
    currency = order.currency_code
    return OrderDocument(
        salesorder_id=order.salesorder_id,
        number=order.salesorder_number,
        reference=order.reference_number,
        status=order.order_status or order.status,
        customer_id=order.customer_id,
        total=exact(order.total, currency),
        lines=tuple(
            OrderDocumentLine(
                line_item_id=line.line_item_id,
                item_id=line.item_id,
                quantity=line.quantity,
                stocked=line.item_type == "inventory",
            )
            for line in order.line_items
        ),
        invoices=tuple(_linked(invoice, currency) for invoice in order.invoices),
        packages=tuple(map(_package, order.packages)),
        own_steps=own_steps(order.so_cycle_preference),
    )


def own_steps(preference: dict[str, object]) -> tuple[OwnStep, ...]:
    """What the organisation does by itself with a confirmed order; () where that is off, or Zoho does not say."""
    if preference.get("is_feature_enabled") is not True:
        return ()
    invoice = preference.get("invoice_preference")
    pays = isinstance(invoice, dict) and invoice.get("record_payment") is True
    does = {
        OwnStep.INVOICE: preference.get("can_create_invoice") is True,
        OwnStep.PAYMENT: preference.get("can_create_invoice") is True and pays,
        OwnStep.PACKAGE: preference.get("can_create_package") is True,
        OwnStep.SHIPMENT: preference.get("can_create_shipment") is True,
    }
    return tuple(step for step, on in does.items() if on)


def _package(row: LinkedPackage) -> PackageDocument:
    shipment = ShipmentDocument(
        shipment_id=row.shipment_id,
        number=row.shipment_number,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        status=row.shipment_status or row.status,
    )
    return PackageDocument(
        package_id=row.package_id, number=row.package_number, shipment=shipment if row.shipment_id else None
    )


def new_package(draft: OrderDraft, goods: Sequence[OrderDocumentLine]) -> NewPackage:
    lines = tuple(NewPackageLine(so_line_item_id=line.line_item_id, quantity=line.quantity) for line in goods)
    return NewPackage(date=draft.order_date, line_items=lines, notes=f"Stripe payment {draft.reference}")


def new_shipment(draft: OrderDraft, number: str, delivery_method: str) -> NewShipment:
    return NewShipment(
        shipment_number=number,
        date=draft.order_date,
        delivery_method=delivery_method,
        reference_number=draft.reference,
    )


def shipment_document(row: Shipment) -> ShipmentDocument:
    return ShipmentDocument(
        shipment_id=row.shipment_id,
        number=row.shipment_number,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        status=row.status,
    )


def _linked(invoice: LinkedInvoice, currency: str) -> InvoiceDocument:
    return InvoiceDocument(
        invoice_id=invoice.invoice_id,
        number=invoice.invoice_number,
        reference=invoice.reference_number,
        status=invoice.status,
        total=exact(invoice.total, currency),
        balance=exact(invoice.balance, currency),
    )


def receipt_record(paid: Payment, currency: str) -> ReceiptRecord | None:
    """The payment as it can be said again; None where an amount is finer than a minor unit, or the day unclear."""
    amount, charges, day = exact(paid.amount, currency), exact(paid.bank_charges, currency), _day(paid.date)
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


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    currency = invoice.currency_code
    stock = {line.item_id: line.available_for_sale_stock for line in invoice.line_items}
    return InvoiceDocument(
        invoice_id=invoice.invoice_id,
        number=invoice.invoice_number,
        reference=invoice.reference_number,
        status=invoice.status,
        total=exact(invoice.total, currency),
        balance=exact(invoice.balance, currency),
        payment_ids=tuple(payment.payment_id for payment in invoice.payments),
        available={item: left for item, left in stock.items() if left is not None},
    )


def item_stock(item: Item) -> ItemStock:
    tracked = item.item_type == "inventory" if item.track_inventory is None else item.track_inventory
    left = item.available_for_sale_stock
    if left is None and item.stock_on_hand is not None and item.committed_stock is not None:
        left = item.stock_on_hand - item.committed_stock
    return ItemStock(item_id=item.item_id, sku=item.sku, tracked=tracked, combined=item.is_combo_product, left=left)


def new_adjustment(draft: OrderDraft, parts: Sequence[Part]) -> NewAdjustment:
    lines = tuple(NewAdjustmentLine(item_id=part.item_id, quantity_adjusted=Decimal(-part.quantity)) for part in parts)
    return NewAdjustment(
        date=draft.order_date,
        reason="Sold sets and gifts",
        description=f"Order {draft.number}, Stripe payment {draft.reference}",
        reference_number=draft.reference,
        line_items=lines,
    )

"""What sales orders and invoices have in common: customer, currency, lines, sums and addresses."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import custom_fields, errors, totals
from sandbox.zoho.contacts import address_of
from sandbox.zoho.records import flag, number, refer, required, rows, text
from sandbox.zoho.routing import Call
from sandbox.zoho.wire import Row

ZERO = Decimal(0)


def customer(call: Call, body: Row) -> Row:
    """The contact that the document is for; refuses an inactive one."""
    contact = refer(call, "contacts", body, "customer_id", "Contact")
    if contact["status"] != "active" and call.switches.inactive_contacts_refused:
        raise errors.inactive("contact")
    return contact


def fill(call: Call, body: Row, entity: str, before: Row | None, lines: list[Row]) -> Row:
    """The common fields of a document made of `body`, or of `before` changed by it, with its `lines` summed up."""
    merged = {**(before or {}), **body}
    contact = customer(call, merged)
    document = {
        "customer_id": contact["contact_id"],
        "customer_name": contact["contact_name"],
        "email": contact["email"],
        "contact_persons_associated": [],
        "date": text(merged, "date") or call.org.today(),
        "reference_number": text(merged, "reference_number", most=100),
        "notes": text(merged, "notes"),
        "terms": text(merged, "terms"),
        "adjustment_description": text(merged, "adjustment_description", "Adjustment"),
        "salesperson_id": text(merged, "salesperson_id"),
        "salesperson_name": text(merged, "salesperson_name"),
        "source": "Api",
        "location_id": call.org.settings["location_id"],
        "location_name": call.org.settings["name"],
        "is_emailed": False,
        "template_id": "",
        "template_name": "Standard Template",
        **_currency(call, contact, merged),
        **_addresses(contact, body, before),
        **custom_fields.read(call, body, entity, before),
    }
    return document | _sums(call, document, merged, lines)


def _currency(call: Call, contact: Row, merged: Row) -> Row:
    currency = call.org.currency(contact["currency_code"])
    names = ("currency_id", "currency_code", "currency_symbol", "price_precision")
    return {**{name: currency[name] for name in names}, "exchange_rate": exchange_rate(call, merged, currency)}


def exchange_rate(call: Call, body: Row, currency: Row) -> Decimal:
    """The rate the body names, or what is taken where it names none."""
    by_default = currency["exchange_rate"] if call.switches.missing_exchange_rate == "currency" else Decimal(1)
    rate = number(body, "exchange_rate", by_default)
    if rate <= 0:
        raise errors.invalid_value("exchange_rate")
    return rate


def _addresses(contact: Row, body: Row, before: Row | None) -> Row:
    found: Row = {}
    for kind in ("billing", "shipping"):
        named, field = text(body, f"{kind}_address_id"), f"{kind}_address"
        if named or before is None:
            own = contact[field]["address_id"]
            found[field] = address_of(contact, named or own)
            found[f"{field}_id"] = named or own
        else:
            found[field], found[f"{field}_id"] = before[field], before[f"{field}_id"]
    return found


def read_lines(call: Call, body: Row) -> list[Row]:
    """The lines of a request with what item and tax give them; refuses an inactive or unknown item."""
    given = rows(body, "line_items")
    if not given:
        raise errors.mandatory("line_items")
    return [_line(call, line, order) for order, line in enumerate(given)]


def _line(call: Call, given: Row, order: int) -> Row:
    item = refer(call, "items", given, "item_id", "Item") if given.get("item_id") else None
    if item is None:
        required(given, "name")
    elif item["status"] != "active" and call.switches.inactive_items_refused:
        raise errors.inactive("item")
    quantity = number(given, "quantity", Decimal(1))
    if quantity <= 0:
        raise errors.invalid_value("quantity")
    tax_id = text(given, "tax_id")
    if not tax_id and item is not None and call.switches.item_tax_by_default:
        tax_id = item["tax_id"]
    known = item or {"item_id": "", "sku": "", "name": "", "description": "", "rate": ZERO, "unit": ""}
    return {
        "line_item_id": text(given, "line_item_id"),
        "item_id": known["item_id"],
        "sku": known["sku"],
        "name": text(given, "name") or known["name"],
        "description": text(given, "description", known["description"], most=2000),
        "item_order": order,
        "rate": number(given, "rate", known["rate"]),
        "quantity": quantity,
        "unit": text(given, "unit", known["unit"]),
        "discount": _discount(given),
        "item_type": known.get("item_type", ""),
        "product_type": known.get("product_type", ""),
        "is_combo_product": False,
        **_tax(call, tax_id),
    }


def _discount(given: Row) -> Decimal | str:
    value = text(given, "discount")
    return value if value.endswith("%") else number(given, "discount")


def _tax(call: Call, tax_id: str) -> Row:
    names = ("tax_id", "tax_name", "tax_percentage", "tax_type")
    if not tax_id:
        return dict.fromkeys(names, "")
    tax = call.table("taxes").get(tax_id)
    if tax is None:
        raise errors.missing("Tax")
    return {name: tax[name] for name in names}


def _taxes(call: Call, tax_id: str) -> list[Row]:
    if not tax_id:
        return []
    group = call.table("taxgroups").get(tax_id)
    if group is not None:
        return list(group["taxes"])
    tax = call.table("taxes").get(tax_id)
    return [tax] if tax else []


def _terms(merged: Row, lines: list[Row]) -> totals.Terms:
    precision = int(merged["price_precision"])
    kind = text(merged, "discount_type")
    if not kind:
        kind = "item_level" if any(line["discount"] for line in lines) else "entity_level"
    if kind not in ("item_level", "entity_level"):
        raise errors.invalid_value("discount_type")
    return totals.Terms(
        precision=precision,
        inclusive=flag(merged, "is_inclusive_tax", False),
        discount=text(merged, "discount"),
        item_level=kind == "item_level",
        before_tax=flag(merged, "is_discount_before_tax", True),
        shipping=totals.rounded(number(merged, "shipping_charge"), precision),
        adjustment=totals.rounded(number(merged, "adjustment"), precision),
    )


def _price(call: Call, line: Row, terms: totals.Terms) -> totals.Line:
    rate = totals.rounded(line["rate"], terms.precision) if call.switches.rates_rounded else line["rate"]
    gross = totals.rounded(rate * line["quantity"], terms.precision)
    discount = totals.discount_of(str(line["discount"]), gross, terms.precision) if terms.item_level else ZERO
    base = gross - discount if terms.before_tax else gross
    return totals.Line(gross, discount, base, _taxes(call, line["tax_id"]))


def _sums(call: Call, document: Row, merged: Row, lines: list[Row]) -> Row:
    terms = _terms({**merged, "price_precision": document["price_precision"]}, lines)
    priced = [_price(call, line, terms) for line in lines]
    sums = totals.Sums(priced, terms, call.switches)
    base_precision = int(call.org.currency(call.org.settings["currency_code"])["price_precision"])
    exchange = document["exchange_rate"]
    for line, price in zip(lines, priced, strict=True):
        line["item_total"] = sums.net(price)
        line["item_total_inclusive_of_tax"] = price.amount if terms.inclusive else ""
        line["discount_amount"] = price.discount
        line["bcy_rate"] = totals.rounded(line["rate"] * exchange, base_precision)
    discount = sums.document_discount + sum((price.discount for price in priced), ZERO)
    return {
        "line_items": lines,
        "is_inclusive_tax": terms.inclusive,
        "is_discount_before_tax": terms.before_tax,
        "discount_type": "item_level" if terms.item_level else "entity_level",
        "discount": _discount(merged),
        "discount_amount": discount,
        "shipping_charge": terms.shipping,
        "adjustment": terms.adjustment,
        "sub_total": sums.sub_total,
        "tax_total": sums.tax_total,
        "taxes": sums.taxes,
        "total": sums.total,
        "bcy_total": totals.rounded(sums.total * exchange, base_precision),
        "roundoff_value": sums.roundoff,
        "tax_rounding": call.switches.tax_rounding,
        "rounding_mode": "round_half_up",
        "transaction_rounding_type": "whole_unit" if call.switches.whole_unit_rounding else "no_rounding",
        "total_quantity": sum((line["quantity"] for line in lines), ZERO),
    }

"""What was paid for: the lines of a session, an invoice, an intent's details or metadata, as Stripe has them.

Nothing is made up or rounded: lines that do not come to the amount paid are left for the domain to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from clients.errors import Refused
from clients.stripe.raw import Raw, money, number, part, parts, reference, text, words
from domain.mapping_policy import MappingPolicy
from domain.money import Money, total
from domain.payments import LineTax, PaidLine, ShippingCost

_METADATA_KEY = re.compile(r"line_(\d{1,4})")
_METADATA_LINE = re.compile(r"\s*(\S.*?)\s*\*\s*([1-9]\d{0,8})\s*@\s*(\d{1,12})\s*")


def sku_of(mapping: MappingPolicy, price: Raw, product: Raw) -> str:
    """The SKU by the shop's rule: metadata of the price, then of the product, then the price's lookup key."""
    found = [words(thing).get(key, "").strip() for thing in (price, product) for key in mapping.sku_keys]
    return next(filter(None, found), "") or text(price, "lookup_key")


def item_link_of(mapping: MappingPolicy, price: Raw, product: Raw) -> str:
    """The stored link to a Zoho item, on the price before the product; "" where there is none."""
    found = [words(thing).get(mapping.item_link_key, "").strip() for thing in (price, product)]
    return next(filter(None, found), "")


def checkout_lines(rows: Iterable[Raw], mapping: MappingPolicy) -> tuple[PaidLine, ...]:
    """The line items of a session, listed with `price.product` and `taxes` expanded."""
    return tuple(_checkout_line(row, mapping) for row in rows if _sold(row, "amount_total"))


def _checkout_line(row: Raw, mapping: MappingPolicy) -> PaidLine:
    currency, price = text(row, "currency"), part(row, "price")
    product, quantity = part(price, "product"), _quantity(row)
    subtotal = money(row, "amount_subtotal", currency)
    return PaidLine(
        line_id=text(row, "id"),
        product_id=reference(price, "product"),
        price_id=reference(row, "price"),
        sku=sku_of(mapping, price, product),
        item_id=item_link_of(mapping, price, product),
        description=text(row, "description") or text(product, "name"),
        quantity=quantity,
        unit_minor=_unit(price.get("unit_amount_decimal"), price.get("unit_amount"), subtotal, quantity),
        subtotal=subtotal,
        discount=money(row, "amount_discount", currency),
        tax=money(row, "amount_tax", currency),
        total=money(row, "amount_total", currency),
        taxes=rate_taxes(row, currency),
    )


def invoice_lines(
    rows: Iterable[Raw], mapping: MappingPolicy, products: Mapping[str, Raw], rates: Mapping[str, Raw]
) -> tuple[PaidLine, ...]:
    """The lines of an invoice, with `pricing.price_details.price` expanded; products and rates by id."""
    return tuple(_invoice_line(row, mapping, products, rates) for row in rows if _sold(row, "amount"))


def _invoice_line(row: Raw, mapping: MappingPolicy, products: Mapping[str, Raw], rates: Mapping[str, Raw]) -> PaidLine:
    currency, quantity = text(row, "currency"), _quantity(row)
    details = part(row, "pricing", "price_details")
    price, product = part(details, "price"), products.get(product_of(row), {})
    subtotal, taxes = money(row, "amount", currency), invoice_taxes(row, currency, rates)
    discount = total((money(one, "amount", currency) for one in parts(row, "discount_amounts")), currency)
    on_top = total((tax.amount for tax in taxes if not tax.inclusive), currency)
    unit = part(row, "pricing").get("unit_amount_decimal")
    return PaidLine(
        line_id=text(row, "id"),
        product_id=product_of(row),
        price_id=reference(details, "price"),
        sku=sku_of(mapping, price, product),
        item_id=item_link_of(mapping, price, product),
        description=text(row, "description") or text(product, "name"),
        quantity=quantity,
        unit_minor=_unit(unit, price.get("unit_amount"), subtotal, quantity),
        subtotal=subtotal,
        discount=discount,
        tax=total((tax.amount for tax in taxes), currency),
        total=subtotal - discount + on_top,
        taxes=taxes,
    )


def product_of(row: Raw) -> str:
    """The product's id on an invoice line, "" for a line without price."""
    return reference(part(row, "pricing", "price_details"), "product")


def tax_rate_ids(rows: Iterable[Raw]) -> set[str]:
    """The tax rates that invoice lines name; they carry no percentage themselves."""
    named = (reference(part(tax, "tax_rate_details"), "tax_rate") for row in rows for tax in parts(row, "taxes"))
    return {rate for rate in named if rate}


def invoice_taxes(row: Raw, currency: str, rates: Mapping[str, Raw]) -> tuple[LineTax, ...]:
    """The taxes of an invoice line; Refused where a rate is named that nobody knows."""
    taxes = []
    for tax in parts(row, "taxes"):
        rate_id = reference(part(tax, "tax_rate_details"), "tax_rate")
        percentage = number(rates.get(rate_id, {}).get("percentage"))
        if percentage is None:
            raise Refused("stripe", f"tax rate {rate_id!r} of an invoice line has no percentage", code="tax_rate")
        inclusive = text(tax, "tax_behavior") == "inclusive"
        amount = money(tax, "amount", currency)
        taxes.append(LineTax(percentage=percentage, inclusive=inclusive, amount=amount))
    return tuple(taxes)


def rate_taxes(row: Raw, currency: str) -> tuple[LineTax, ...]:
    """The taxes of a session's line or of a shipping cost, each with its whole rate inside."""
    return tuple(
        LineTax(
            percentage=number(part(tax, "rate").get("percentage")) or Decimal(0),
            inclusive=part(tax, "rate").get("inclusive") is True,
            amount=money(tax, "amount", currency),
        )
        for tax in parts(row, "taxes")
    )


def shipping_cost(owner: Raw, currency: str) -> ShippingCost | None:
    """What a session's or an invoice's shipping cost; None where nothing was shipped for money."""
    cost = part(owner, "shipping_cost")
    if not cost.get("amount_total"):
        return None
    return ShippingCost(
        subtotal=money(cost, "amount_subtotal", currency),
        tax=money(cost, "amount_tax", currency),
        total=money(cost, "amount_total", currency),
        taxes=rate_taxes(cost, currency),
    )


def detail_lines(rows: Iterable[Raw], currency: str) -> tuple[PaidLine, ...]:
    """The intent's `amount_details` lines; `product_code` is the SKU, taxes come on top, with no rate."""
    lines = []
    for row in rows:
        quantity, unit = _quantity(row), money(row, "unit_cost", currency)
        subtotal = Money.of(unit.minor * quantity, currency)
        discount = money(row, "discount_amount", currency)
        tax = money(part(row, "tax"), "total_tax_amount", currency)
        line = PaidLine(
            line_id=text(row, "id"),
            sku=text(row, "product_code"),
            description=text(row, "product_name"),
            quantity=quantity,
            unit_minor=Decimal(unit.minor),
            subtotal=subtotal,
            discount=discount,
            tax=tax,
            total=subtotal - discount + tax,
        )
        lines.append(line)
    return tuple(lines)


def detail_shipping(intent: Raw) -> ShippingCost | None:
    """The untaxed shipping amount of an intent's `amount_details`."""
    currency = text(intent, "currency")
    amount = money(part(intent, "amount_details", "shipping"), "amount", currency)
    return ShippingCost(subtotal=amount, tax=amount.zero(), total=amount) if amount else None


def metadata_lines(metadata: Mapping[str, str], currency: str) -> tuple[PaidLine, ...]:
    """`line_1` … as `SKU*QUANTITY@UNIT_MINOR`, by number; none where one of them is written otherwise."""
    found = {int(m[1]): (m.string, metadata[m.string]) for m in map(_METADATA_KEY.fullmatch, metadata) if m}
    read = [(key, _METADATA_LINE.fullmatch(value)) for _, (key, value) in sorted(found.items())]
    lines = [_metadata_line(key, match, currency) for key, match in read if match]
    return tuple(lines) if len(lines) == len(read) else ()


def _metadata_line(key: str, match: re.Match[str], currency: str) -> PaidLine:
    quantity, unit = int(match[2]), int(match[3])
    amount = Money.of(quantity * unit, currency)
    return PaidLine(
        line_id=key,
        sku=match[1],
        quantity=quantity,
        unit_minor=Decimal(unit),
        subtotal=amount,
        discount=amount.zero(),
        tax=amount.zero(),
        total=amount,
    )


def _sold(row: Raw, amount: str) -> bool:
    """A line of no pieces and no money is only Stripe's bookkeeping; a gift of one piece is a line."""
    return row.get("quantity") != 0 or bool(row.get(amount))


def _quantity(row: Raw) -> int:
    """Whole pieces. Null means one. Refused for a fraction, which would move stock that nobody counted."""
    exact = number(row.get("quantity_decimal")) or number(row.get("quantity")) or Decimal(1)
    if exact != exact.to_integral_value():
        raise Refused("stripe", f"line {text(row, 'id')} has a fraction of a piece: {exact}", code="quantity")
    return int(exact)


def _unit(exact: object, whole: object, subtotal: Money, quantity: int) -> Decimal:
    """The price of one in minor units: Stripe's where it explains the subtotal, else subtotal by quantity.

    Tiers, packages, chosen amounts and prices in another currency have no unit price that explains it.
    """
    units: Sequence[Decimal | None] = (number(exact), number(whole))
    fitting = (unit for unit in units if unit is not None and abs(unit * quantity - subtotal.minor) < 1)
    return next(fitting, Decimal(subtotal.minor) / quantity)

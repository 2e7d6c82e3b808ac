"""What a sale adds up to: lines with their discount and taxes, shipping, and the totals of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.stripe.amounts import rounded, shares, step, taxed
from sandbox.stripe.catalog import tax_rate_for
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World


@dataclass(frozen=True)
class Wish:
    """One thing to be sold: a price, how many, and the tax rates on it."""

    price: Doc
    quantity: int
    rates: tuple[Doc, ...] = ()
    description: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()


def subtotals(wishes: Sequence[Wish], currency: str) -> list[int]:
    """What each line costs before discount and tax that comes on top, in minor units."""
    return [rounded(Decimal(wish.price["unit_amount_decimal"]) * wish.quantity, currency) for wish in wishes]


def discounts(before: Sequence[int], coupon: Doc | None, currency: str) -> list[int]:
    """What a coupon takes off each line: a percentage of each, or an amount in proportion."""
    if coupon is None:
        return [0] * len(before)
    if coupon["percent_off"] is not None:
        percent = Decimal(str(coupon["percent_off"]))
        return [rounded(amount * percent / 100, currency) for amount in before]
    return shares(min(coupon["amount_off"], sum(before)), before, step(currency))


def taxes(base: int, rates: Sequence[Doc], currency: str) -> tuple[list[Doc], int, int]:
    """The taxes on `base`: as Stripe lists them, their sum, and the part that comes on top."""
    pairs = [(Decimal(str(rate["percentage"])), bool(rate["inclusive"])) for rate in rates]
    amounts = taxed(base, pairs, currency)
    inside = sum(amount for amount, (_, inclusive) in zip(amounts, pairs, strict=True) if inclusive)
    listed = [
        {"amount": amount, "rate": rate, "taxability_reason": None, "taxable_amount": base - inside}
        for amount, rate in zip(amounts, rates, strict=True)
    ]
    return listed, sum(amounts), sum(amounts) - inside


def price_lines(world: World, wishes: Sequence[Wish], currency: str, discount: Doc | None) -> list[Doc]:
    """The lines of a session as its `line_items` shows them; `discount` is what `discount_of` made."""
    coupon = world.table("coupons").get(discount["source"]["coupon"]) if discount else None
    before = subtotals(wishes, currency)
    off = discounts(before, coupon, currency)
    return [
        _line(world, wish, subtotal, less, currency, discount)
        for wish, subtotal, less in zip(wishes, before, off, strict=True)
    ]


def _line(world: World, wish: Wish, subtotal: int, less: int, currency: str, discount: Doc | None) -> Doc:
    listed, tax, on_top = taxes(subtotal - less, wish.rates, currency)
    product = world.table("products").get(wish.price["product"])
    return {
        "id": world.new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": less,
        "amount_subtotal": subtotal,
        "amount_tax": tax,
        "amount_total": subtotal - less + on_top,
        "currency": currency,
        "description": wish.description or (product["name"] if product else None),
        "metadata": dict(wish.metadata),
        "price": wish.price,
        "quantity": wish.quantity,
        "+taxes": listed,
        "+discounts": [{"amount": less, "discount": discount}] if discount and less else [],
    }


def shipping_cost(amount: int, rates: Sequence[Doc], currency: str, rate_id: str | None) -> Doc:
    """What shipping costs, with its taxes."""
    listed, tax, on_top = taxes(amount, rates, currency)
    return {
        "amount_subtotal": amount,
        "amount_tax": tax,
        "amount_total": amount + on_top,
        "shipping_rate": rate_id,
        "+taxes": listed,
    }


def totals(lines: Sequence[Doc], shipped: Doc | None) -> Doc:
    """The sums of a session: subtotal, total, and how much of it is discount, shipping and tax."""
    rows = list(lines)
    everything = [*rows, shipped] if shipped else rows
    breakdown: dict[str, Doc] = {}
    for tax in (tax for row in everything for tax in row["+taxes"]):
        summed = breakdown.setdefault(tax["rate"]["id"], {**tax, "amount": 0, "taxable_amount": 0})
        summed["amount"] += tax["amount"]
        summed["taxable_amount"] += tax["taxable_amount"]
    off = sum(row["amount_discount"] for row in rows)
    reductions = [less["discount"] for row in rows for less in row["+discounts"]][:1]
    return {
        "amount_subtotal": sum(row["amount_subtotal"] for row in rows),
        "amount_total": sum(row["amount_total"] for row in everything),
        "total_details": {
            "amount_discount": off,
            "amount_shipping": shipped["amount_subtotal"] if shipped else 0,
            "amount_tax": sum(row["amount_tax"] for row in everything),
            "+breakdown": {
                "discounts": [{"amount": off, "discount": discount} for discount in reductions],
                "taxes": list(breakdown.values()),
            },
        },
    }


def automatic_rates(world: World, account: str, tax_behavior: str | None) -> tuple[Doc, ...]:
    """The rate automatic tax applies to a price of this behaviour."""
    percent = world.switches.percent("automatic_tax_percent")
    return (tax_rate_for(world, account, percent, tax_behavior == "inclusive"),)

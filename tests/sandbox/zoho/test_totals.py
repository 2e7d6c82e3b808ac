"""How a document adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.zoho.shop import Row, Shop


async def total(shop: Shop, lines: list[Row], tax: str = "", currency: str = "", **fields: Any) -> Row:
    """An order over `lines`, each taxed with `tax`."""
    tax_id = await shop.tax_id(tax) if tax else ""
    contact = await shop.contact(f"Ada {currency}{len((await shop.ledger())['contacts'])}", currency)
    given = [{"name": "Thing", **line, **({"tax_id": tax_id} if tax_id else {})} for line in lines]
    number = f"SO-{len((await shop.ledger())['salesorders'])}"
    return await shop.order(contact, number, line_items=given, **fields)


def sums(order: Row) -> tuple[Decimal, Decimal, Decimal]:
    """Sub-total, tax and total."""
    return order["sub_total"], order["tax_total"], order["total"]


def d(*texts: str) -> tuple[Decimal, ...]:
    """Decimals of texts."""
    return tuple(map(Decimal, texts))


async def test_tax_on_rounded_line(shop: Shop) -> None:
    """54.54545 with 10 % comes to 60.01, for tax is taken of the rounded line (reported by a shop)."""
    order = await total(shop, [{"rate": "54.54545"}], "Ten")
    assert sums(order) == d("54.55", "5.46", "60.01")


@pytest.mark.parametrize(("level", "tax"), [("entity_level", "0.19"), ("line_level", "0.18")])
async def test_tax_rounding(shop: Shop, level: str, tax: str) -> None:
    """Tax is rounded once over all lines of a tax, or line by line where the switch says so."""
    await shop.switch(tax_rounding=level)
    order = await total(shop, [{"rate": "0.34"}, {"rate": "0.34"}, {"rate": "0.34"}], "VAT")
    assert (order["sub_total"], order["tax_total"]) == d("1.02", tax)
    assert order["total"] == Decimal("1.02") + Decimal(tax)
    assert order["tax_rounding"] == level


async def test_half_up(shop: Shop) -> None:
    """A half is rounded up, not to the even digit."""
    order = await total(shop, [{"rate": "0.125"}, {"rate": "0.25", "quantity": "0.5"}])
    assert order["total"] == Decimal("0.26")


async def test_inclusive(shop: Shop) -> None:
    """Tax-inclusive lines add up to themselves, the tax is taken out of them."""
    order = await total(shop, [{"rate": "11.90", "quantity": 2}], "VAT", is_inclusive_tax=True)
    assert sums(order) == d("20.00", "3.80", "23.80")
    assert order["line_items"][0]["item_total"] == Decimal("20.00")
    assert order["line_items"][0]["item_total_inclusive_of_tax"] == Decimal("23.80")


@pytest.mark.parametrize(("way", "amount"), [("gross", "0.09"), ("recomputed", "0.10")])
async def test_inclusive_penny(shop: Shop, way: str, amount: str) -> None:
    """Whether an inclusive total can be a penny off the sum of its lines is a switch."""
    await shop.switch(inclusive_total=way)
    order = await total(shop, [{"rate": "0.09"}], "VAT", is_inclusive_tax=True)
    assert order["total"] == Decimal(amount)


@pytest.mark.parametrize(("rounds", "amount"), [(False, "100.50"), (True, "101.00")])
async def test_rate_rounding(shop: Shop, rounds: bool, amount: str) -> None:
    """Whether a rate is rounded before it is multiplied is a switch."""
    await shop.switch(rates_rounded=rounds)
    assert (await total(shop, [{"rate": "1.005", "quantity": 100}]))["total"] == Decimal(amount)


@pytest.mark.parametrize(("whole", "amount", "roundoff"), [(False, "99.50", "0"), (True, "100", "0.50")])
async def test_whole_units(shop: Shop, whole: bool, amount: str, roundoff: str) -> None:
    """Where the organisation rounds to whole units, 99.50 becomes 100."""
    await shop.switch(whole_unit_rounding=whole)
    order = await total(shop, [{"rate": "99.50"}])
    assert (order["total"], order["roundoff_value"]) == d(amount, roundoff)


@pytest.mark.parametrize(("discount", "net"), [("1.50", "18.50"), (1.5, "18.50"), ("10%", "18.00")])
async def test_line_discount(shop: Shop, discount: Any, net: str) -> None:
    """A line's discount is an amount of the line or a share of it, and is off before tax."""
    order = await total(shop, [{"rate": 10, "quantity": 2, "discount": discount}], "Ten", discount_type="item_level")
    assert order["sub_total"] == Decimal(net)
    assert order["tax_total"] == Decimal(net) / 10
    assert order["discount_type"] == "item_level"


async def test_line_discount_after_tax(shop: Shop) -> None:
    """A discount after tax leaves the tax of the full line."""
    line = {"rate": 10, "quantity": 2, "discount": 5}
    order = await total(shop, [line], "Ten", discount_type="item_level", is_discount_before_tax=False)
    assert sums(order) == d("15.00", "2.00", "17.00")


@pytest.mark.parametrize(("before", "tax", "amount"), [(True, "2.70", "29.70"), (False, "3.00", "30.00")])
async def test_document_discount(shop: Shop, before: bool, tax: str, amount: str) -> None:
    """A document's discount is taken off before tax or after it."""
    lines = [{"rate": 10}, {"rate": 20}]
    order = await total(shop, lines, "Ten", discount="3", discount_type="entity_level", is_discount_before_tax=before)
    assert (order["tax_total"], order["total"]) == d(tax, amount)


async def test_document_discount_ignores_lines(shop: Shop) -> None:
    """Where the discount is the document's, discounts of lines do not count."""
    order = await total(shop, [{"rate": 10, "discount": 5}], discount="10%", discount_type="entity_level")
    assert order["total"] == Decimal("9.00")


@pytest.mark.parametrize("discount", ["20.01", "-1", "101%", "much"])
async def test_discount_out_of_range(shop: Shop, discount: str) -> None:
    """A discount above its line, below zero or no number is refused."""
    contact = await shop.contact()
    line = {"name": "Thing", "rate": 20, "discount": discount}
    body = {"customer_id": contact["contact_id"], "line_items": [line]}
    assert (await shop.send("POST", "/salesorders", body)).json()["code"] == 99001


async def test_shipping_and_adjustment(shop: Shop) -> None:
    """Shipping and adjustment are added untaxed; the adjustment may be negative."""
    order = await total(shop, [{"rate": 10}], "Ten", shipping_charge="4.90", adjustment="-0.01")
    assert sums(order) == d("10.00", "1.00", "15.89")


async def test_tax_group(shop: Shop) -> None:
    """A group's taxes are told apart and each rounded."""
    order = await total(shop, [{"rate": "9.99"}], "State and city")
    assert [tax["tax_amount"] for tax in order["taxes"]] == list(d("0.45", "0.30"))
    assert order["total"] == Decimal("10.74")


async def test_two_taxes(shop: Shop) -> None:
    """Lines of different taxes are summed tax by tax."""
    contact = await shop.contact()
    lines = [{"name": "A", "rate": "1.11", "tax_id": await shop.tax_id(name)} for name in ("VAT", "Ten", "VAT")]
    order = await shop.order(contact, line_items=lines)
    assert {tax["tax_name"]: tax["tax_amount"] for tax in order["taxes"]} == {
        "VAT (19%)": Decimal("0.42"),
        "Ten (10%)": Decimal("0.11"),
    }


@pytest.mark.parametrize(
    ("currency", "rate", "amount", "own"),
    [("JPY", "1000.5", "1001", "6.21"), ("KWD", "1.2345", "1.235", "3.69"), ("EUR", "1.234", "1.23", "1.23")],
)
async def test_currency_precision(shop: Shop, currency: str, rate: str, amount: str, own: str) -> None:
    """A document is rounded to its currency's decimals, its value in the own currency to those of the own."""
    order = await total(shop, [{"rate": rate}], currency=currency)
    assert (order["total"], order["bcy_total"]) == d(amount, own)
    assert order["currency_code"] == currency


@pytest.mark.parametrize(("takes", "rate"), [("currency", "2.99"), ("one", "1")])
async def test_missing_exchange_rate(shop: Shop, takes: str, rate: str) -> None:
    """Which rate a document takes when none is given is a switch; a given one is kept."""
    await shop.switch(missing_exchange_rate=takes)
    assert (await total(shop, [{"rate": 1}], currency="KWD"))["exchange_rate"] == Decimal(rate)
    assert (await total(shop, [{"rate": 1}], currency="KWD", exchange_rate="3.1"))["exchange_rate"] == Decimal("3.1")


@pytest.mark.parametrize(("by_default", "tax"), [(False, "0"), (True, "1.90")])
async def test_item_tax(shop: Shop, by_default: bool, tax: str) -> None:
    """Whether a line without a tax takes its item's is a switch."""
    await shop.switch(item_tax_by_default=by_default)
    order = await shop.order(line_items=[{"item_id": await shop.item_id()}])
    assert order["tax_total"] == Decimal(tax)

"""Lines as Stripe has them: SKU rule, unit price, discount, taxes, shipping, and nothing made up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clients.errors import Refused
from clients.stripe.lines import (
    checkout_lines,
    detail_lines,
    detail_shipping,
    invoice_lines,
    metadata_lines,
    shipping_cost,
    sku_of,
    tax_rate_ids,
)
from domain.mapping_policy import MappingPolicy
from domain.money import Money
from tests.clients.stripe.fake import sample

MAPPING = MappingPolicy()


def eur(minor: int) -> Money:
    return Money.of(minor, "EUR")


def checkout_row(**changes: Any) -> dict[str, Any]:
    """Two of a 10.00 article with 19 % on top, 1.00 off."""
    row = {
        "id": "li_1",
        "object": "item",
        "currency": "eur",
        "description": "Mug",
        "quantity": 2,
        "amount_subtotal": 2000,
        "amount_discount": 100,
        "amount_tax": 361,
        "amount_total": 2261,
        "price": {
            "id": "price_1",
            "unit_amount": 1000,
            "unit_amount_decimal": Decimal("1000"),
            "lookup_key": "MUG-LOOKUP",
            "metadata": {},
            "product": {"id": "prod_1", "name": "Mug", "metadata": {"sku": "MUG-1", "zoho_item_id": "46001"}},
        },
        "taxes": [{"amount": 361, "rate": {"id": "txr_1", "percentage": 19.0, "inclusive": False}}],
    }
    return row | changes


def test_the_samples_lines_are_read() -> None:
    """Stripe's own sample of a session's line items gives its SKUs, quantities and amounts."""
    first, second = checkout_lines(sample("line_items")["data"], MAPPING)
    assert (first.sku, first.quantity, first.unit_minor) == ("WIDGET-1", 2, Decimal(1500))
    assert (first.product_id, first.price_id, first.line_id) == ("prod_SCN1", "price_1SCN1", "li_1SCN1")
    assert (second.sku, second.total) == ("CABLE-2", Money.of(999, "USD"))


def test_a_checkout_line_with_everything() -> None:
    """Discount, tax and its rate, stored link and SKU of the product all arrive."""
    (line,) = checkout_lines([checkout_row()], MAPPING)
    assert (line.sku, line.item_id, line.description) == ("MUG-1", "46001", "Mug")
    assert (line.subtotal, line.discount, line.tax, line.total) == (eur(2000), eur(100), eur(361), eur(2261))
    (tax,) = line.taxes
    assert (tax.percentage, tax.inclusive, tax.amount) == (Decimal("19.0"), False, eur(361))


def test_a_line_of_nulls_is_read() -> None:
    """Price, taxes, quantity and texts null: one piece of what was paid, without SKU."""
    row = dict.fromkeys(checkout_row()) | {"id": "li_1", "currency": "eur", "amount_subtotal": 5, "amount_total": 5}
    (line,) = checkout_lines([row], MAPPING)
    assert (line.sku, line.quantity, line.unit_minor, line.total) == ("", 1, Decimal(5), eur(5))


@pytest.mark.parametrize(
    ("price", "product", "sku"),
    [
        ({"sku": "P"}, {"sku": "Q"}, "P"),
        ({"article": "A"}, {"sku": "Q"}, "A"),
        ({}, {"sku": "Q"}, "Q"),
        ({"sku": "  "}, {}, "LOOKUP"),
        (None, None, "LOOKUP"),
    ],
)
def test_the_sku_rule(price: dict[str, str] | None, product: dict[str, str] | None, sku: str) -> None:
    """Metadata of the price, then of the product, then the lookup key; a blank is none."""
    mapping = MappingPolicy(sku_keys=("sku", "article"))
    assert sku_of(mapping, {"metadata": price, "lookup_key": "LOOKUP"}, {"metadata": product}) == sku


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ({"unit_amount": None, "unit_amount_decimal": Decimal("999.9")}, Decimal("999.9")),
        ({"unit_amount": 700, "unit_amount_decimal": None}, Decimal(1000)),
        ({"unit_amount": None, "unit_amount_decimal": None}, Decimal(1000)),
    ],
)
def test_the_unit_price_explains_the_subtotal(price: dict[str, Any], unit: Decimal) -> None:
    """Stripe's unit amount counts where it comes to the subtotal; a tier or another currency's does not."""
    (line,) = checkout_lines([checkout_row(price={"id": "price_1", **price})], MAPPING)
    assert line.unit_minor == unit


def test_nothing_sold_is_no_line_and_a_gift_is_one() -> None:
    """No pieces for no money is left out; one piece for nothing moves stock and stays."""
    nothing = checkout_row(quantity=0, amount_subtotal=0, amount_discount=0, amount_tax=0, amount_total=0, taxes=[])
    gift = nothing | {"quantity": 1}
    assert [line.quantity for line in checkout_lines([nothing, gift], MAPPING)] == [1]


def invoice_row(**changes: Any) -> dict[str, Any]:
    """Three of a 5.00 article, 0.50 off, 20 % inside and 1.00 on top."""
    row = {
        "id": "il_1",
        "object": "line_item",
        "currency": "eur",
        "description": None,
        "quantity": 3,
        "quantity_decimal": None,
        "amount": 1500,
        "discount_amounts": [{"amount": 50, "discount": "di_1"}],
        "pricing": {
            "type": "price_details",
            "unit_amount_decimal": Decimal("500"),
            "price_details": {"price": {"id": "price_1", "metadata": {}}, "product": "prod_1"},
        },
        "taxes": [
            {"amount": 242, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_20"}},
            {"amount": 100, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_7"}},
        ],
    }
    return row | changes


RATES: dict[str, dict[str, Any]] = {"txr_20": {"percentage": 20}, "txr_7": {"percentage": 6.9}}
PRODUCTS = {"prod_1": {"name": "Cup", "metadata": {"sku": "CUP"}}}


def test_an_invoice_line_with_everything() -> None:
    """Discounts go off, exclusive taxes come on top, the product gives name and SKU."""
    (line,) = invoice_lines([invoice_row()], MAPPING, PRODUCTS, RATES)
    assert (line.sku, line.description, line.product_id, line.price_id) == ("CUP", "Cup", "prod_1", "price_1")
    assert (line.subtotal, line.discount, line.tax, line.total) == (eur(1500), eur(50), eur(342), eur(1550))
    assert [(tax.percentage, tax.inclusive) for tax in line.taxes] == [(20, True), (Decimal("6.9"), False)]


def test_an_invoice_line_of_nulls_is_read() -> None:
    """A line without price, discounts and taxes is its amount."""
    row = dict.fromkeys(invoice_row()) | {"id": "il_1", "currency": "eur", "amount": -250}
    (line,) = invoice_lines([row], MAPPING, {}, {})
    assert (line.total, line.quantity, line.taxes) == (eur(-250), 1, ())


def test_an_unknown_tax_rate_is_refused() -> None:
    """A percentage is never guessed from the amounts."""
    assert tax_rate_ids([invoice_row()]) == {"txr_20", "txr_7"}
    with pytest.raises(Refused, match="txr_7"):
        invoice_lines([invoice_row()], MAPPING, PRODUCTS, {"txr_20": {"percentage": 20}})


def test_a_fraction_of_a_piece_is_refused() -> None:
    """2.5 pieces cannot leave a shelf; 3.0 can."""
    (whole,) = invoice_lines([invoice_row(quantity_decimal=Decimal("3.0"))], MAPPING, PRODUCTS, RATES)
    assert whole.quantity == 3
    with pytest.raises(Refused, match=r"2\.5"):
        invoice_lines([invoice_row(quantity_decimal=Decimal("2.5"))], MAPPING, PRODUCTS, RATES)


def test_shipping_is_what_was_paid_for_it() -> None:
    """A session's shipping keeps its tax; none, or free, is none."""
    cost = {
        "amount_subtotal": 500,
        "amount_tax": 95,
        "amount_total": 595,
        "taxes": [{"amount": 95, "rate": {"percentage": 19, "inclusive": False}}],
    }
    shipping = shipping_cost({"shipping_cost": cost}, "eur")
    assert shipping is not None
    assert (shipping.subtotal, shipping.tax, shipping.total) == (eur(500), eur(95), eur(595))
    assert shipping.taxes[0].percentage == 19
    assert shipping_cost({"shipping_cost": None}, "eur") is None
    assert shipping_cost({"shipping_cost": {"amount_total": 0}}, "eur") is None


def test_amount_details_are_lines() -> None:
    """`product_code` is the SKU; discount and tax of the line make its total; shipping stands beside them."""
    row = {
        "id": "li_d",
        "product_code": "SKU12",
        "product_name": "Lamp",
        "quantity": 2,
        "unit_cost": 1000,
        "discount_amount": 100,
        "tax": {"total_tax_amount": 190},
    }
    (line,) = detail_lines([row], "eur")
    assert (line.sku, line.quantity, line.total, line.tax) == ("SKU12", 2, eur(2090), eur(190))
    (bare,) = detail_lines([row | {"product_code": None, "discount_amount": None, "tax": None}], "eur")
    assert (bare.sku, bare.total) == ("", eur(2000))
    shipping = detail_shipping({"currency": "eur", "amount_details": {"shipping": {"amount": 300}}})
    assert shipping is not None
    assert shipping.total == eur(300)
    assert detail_shipping({"currency": "eur", "amount_details": {"tip": {}}}) is None


def test_metadata_lines_are_read_by_number() -> None:
    """`line_N` is SKU*QUANTITY@UNIT_MINOR, in the order of N; a SKU may hold a star or an at sign."""
    metadata = {"line_10": "C@1*1@5", "line_2": "A*B*2@250", "order": "7", "line_x": "no"}
    lines = metadata_lines(metadata, "jpy")
    assert [(line.sku, line.quantity, line.total.minor) for line in lines] == [("A*B", 2, 500), ("C@1", 1, 5)]


@pytest.mark.parametrize("value", ["SKU", "SKU*0@5", "SKU*1@-5", "SKU*1@5.5", "*1@5", "SKU*1", ""])
def test_one_unreadable_metadata_line_spoils_all(value: str) -> None:
    """Half an order would be a wrong order: no lines at all."""
    assert metadata_lines({"line_1": "OK*1@100", "line_2": value}, "eur") == ()

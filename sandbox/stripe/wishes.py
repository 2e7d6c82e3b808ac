"""What a payment wished for in one call is made of: buyer, lines, prices, discount, shipping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe.catalog import create_coupon, create_customer, create_price, tax_rate_for
from sandbox.stripe.errors import ApiError, missing_parameter, unknown_parameter
from sandbox.stripe.lines import Wish, shipping_cost
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World

LINE = frozenset({
    "sku", "name", "description", "unit_amount", "unit_amount_decimal", "quantity", "tax_percent", "tax_inclusive",
    "item_id",
})  # fmt: skip


def check_names(given: Mapping[str, Any], known: frozenset[str]) -> None:
    """ApiError for a name that is not known."""
    for name in given:
        if name not in known:
            raise unknown_parameter(name)


def check_line(line: Doc) -> None:
    """ApiError for a line that cannot be understood."""
    check_names(line, LINE)
    if not isinstance(line.get("unit_amount", 0), int) or not isinstance(line.get("quantity", 1), int):
        raise ApiError("unit_amount and quantity are whole numbers", param="lines")
    if line.get("unit_amount") is None and line.get("unit_amount_decimal") is None:
        raise missing_parameter("lines[unit_amount]")
    if line.get("quantity", 1) < 1:
        raise ApiError("quantity is at least 1", param="lines")


def customer_of(world: World, account: str, wish: Doc, always: bool) -> str | None:
    """The customer who pays, made where he is new; None for a guest (never for `always`)."""
    given = wish.get("customer") or (wish.get("guest") or {"email": "guest@example.com"} if always else None)
    if given is None:
        return None
    if isinstance(given, str):
        known: str = world.need("customers", given, account, "customer")["id"]
        return known
    if given.get("id") and world.table("customers").get(given["id"], account):
        return str(given["id"])
    sent = wish.get("shipping_details")
    return str(create_customer(world, account, {"shipping": sent, **given})["id"])


def buyer_details(world: World, wish: Doc, customer: str | None) -> Doc:
    """What the buyer types into the page: the guest's, the customer's, or an anonymous one's."""
    if wish.get("guest"):
        return dict(wish["guest"])
    known = world.table("customers").get(customer) if customer else None
    if known is not None:
        return {name: known[name] for name in ("address", "email", "name", "phone")}
    return {"email": wish.get("receipt_email") or "guest@example.com", "name": "Guest Buyer"}


def wishes_of(world: World, account: str, wish: Doc) -> list[Wish]:
    """The lines as something that can be priced."""
    if not wish.get("lines"):
        raise missing_parameter("lines")
    return [_wish(world, account, line, wish["currency"]) for line in wish["lines"]]


def _wish(world: World, account: str, line: Doc, currency: str) -> Wish:
    rates: tuple[Doc, ...] = ()
    if line.get("tax_percent") is not None:
        rates = (tax_rate_for(world, account, line["tax_percent"], bool(line.get("tax_inclusive"))),)
    price = _price(world, account, line, currency)
    return Wish(price, line.get("quantity", 1), rates, line.get("description"))


def _price(world: World, account: str, line: Doc, currency: str) -> Doc:
    """The price of a SKU, made at its first sale; only the first of a SKU holds the lookup key."""
    sku, behavior = line.get("sku"), "inclusive" if line.get("tax_inclusive") else "exclusive"
    exact = str(line.get("unit_amount_decimal", line.get("unit_amount")))
    metadata = {"sku": sku, "zoho_item_id": line.get("item_id")}
    metadata = {name: value for name, value in metadata.items() if value}
    priced = (exact, currency, behavior, metadata)
    taken = False
    for price in world.table("prices").find(_account=account, _sku=sku) if sku else ():
        names = ("unit_amount_decimal", "currency", "tax_behavior", "metadata")
        if tuple(price[name] for name in names) == priced:
            return price
        taken = taken or price["lookup_key"] == sku
    params = {
        "currency": currency,
        "lookup_key": None if taken else sku,
        "metadata": metadata,
        "product_data": {"name": line.get("name") or sku or "Something", "metadata": dict(metadata)},
        "tax_behavior": behavior,
        "unit_amount_decimal": exact,
    }
    return create_price(world, account, params)


def coupon_of(world: World, account: str, wish: Doc) -> Doc | None:
    """A coupon for the wished discount: an amount off, or {amount_off} or {percent_off}."""
    given = wish.get("discount")
    if not given:
        return None
    params = given if isinstance(given, dict) else {"amount_off": given}
    if params.get("amount_off"):
        params = {"currency": wish["currency"], **params}
    return create_coupon(world, account, params)


def shipped_of(world: World, account: str, wish: Doc) -> Doc | None:
    """What shipping costs: an amount, or {amount, tax_percent, tax_inclusive}."""
    given = wish.get("shipping")
    if not given:
        return None
    cost = given if isinstance(given, dict) else {"amount": given}
    rates: tuple[Doc, ...] = ()
    if cost.get("tax_percent") is not None:
        rates = (tax_rate_for(world, account, cost["tax_percent"], bool(cost.get("tax_inclusive"))),)
    return shipping_cost(cost["amount"], rates, wish["currency"], world.new_id("shr_1"))

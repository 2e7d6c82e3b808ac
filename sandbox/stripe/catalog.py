"""What is sold and to whom: customers, products, prices, tax rates, coupons and promotion codes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.stripe.amounts import check_currency
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, changed, merged

ADDRESS_PARTS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: Doc | None) -> Doc:
    """An address with all its parts; those not given are null."""
    return {part: (given or {}).get(part) for part in ADDRESS_PARTS}


def shipping(given: Doc | None) -> Doc | None:
    """Where and to whom it is sent, as intents and charges show it."""
    if not given:
        return None
    rest = {part: given.get(part) for part in ("carrier", "name", "phone", "tracking_number")}
    return {"address": address(given.get("address")), **rest}


def create_customer(world: World, account: str, params: Doc) -> Doc:
    """A new customer; tells `customer.created`."""
    given_shipping = params.get("shipping")
    doc = {
        **world.base("customer", "cus_", account, 14),
        "address": address(params["address"]) if params.get("address") else None,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "invoice_prefix": world.new_id("", 8).upper(),
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None
        },
        "metadata": merged({}, params.get("metadata", {})),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": _customer_shipping(given_shipping),
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": None,
    }  # fmt: skip
    if params.get("id"):
        doc["id"] = params["id"]
    world.table("customers").save(doc)
    world.emit("customer.created", doc)
    return doc


def update_customer(world: World, doc: Doc, params: Doc) -> Doc:
    """Changes what is named; tells `customer.updated` where anything changed."""
    changes = {name: value for name, value in params.items() if name not in ("metadata", "expand")}
    if "address" in changes:
        changes["address"] = address(changes["address"]) if changes["address"] else None
    if "shipping" in changes:
        changes["shipping"] = _customer_shipping(changes["shipping"])
    return apply_update(world, "customers", doc, params, changes, "customer.updated")


def apply_update(world: World, table: str, doc: Doc, params: Doc, changes: Doc, event: str | None) -> Doc:
    """Sets `changes` and merges `params["metadata"]`; saves and tells it where something differs."""
    if "metadata" in params:
        changes["metadata"] = merged(doc["metadata"], params["metadata"])
    before = changed(doc, changes)
    if "metadata" in before:
        # An event names the keys that changed, null for those that were not there.
        old, new = before["metadata"] or {}, doc["metadata"]
        before["metadata"] = {key: old.get(key) for key in {**old, **new} if old.get(key) != new.get(key)}
    if before:
        world.table(table).save(doc)
        if event is not None:
            world.emit(event, doc, before)
    return doc


def _customer_shipping(given: Doc | None) -> Doc | None:
    if not given:
        return None
    return {"address": address(given.get("address")), "name": given.get("name"), "phone": given.get("phone")}


def create_product(world: World, account: str, params: Doc) -> Doc:
    """A new product."""
    base = world.base("product", "prod_", account, 14)
    doc = {
        **base,
        "active": True,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images") or [],
        "marketing_features": [],
        "metadata": merged({}, params.get("metadata", {})),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": params.get("tax_code"),
        "type": "service",
        "unit_label": params.get("unit_label"),
        "updated": base["created"],
        "url": None,
    }
    world.table("products").save(doc)
    world.emit("product.created", doc)
    return doc


def create_price(world: World, account: str, params: Doc, active: bool = True) -> Doc:
    """A new one-time price, of a named product or of one made with it."""
    amount, exact = _unit_amount(params)
    lookup = params.get("lookup_key")
    if lookup is not None:
        _free_lookup_key(world, account, lookup, bool(params.get("transfer_lookup_key")))
    doc = {
        **world.base("price", "price_1", account),
        "active": active,
        "billing_scheme": "per_unit",
        "currency": check_currency(params["currency"]),
        "custom_unit_amount": None,
        "lookup_key": lookup,
        "metadata": merged({}, params.get("metadata", {})),
        "nickname": params.get("nickname"),
        "product": _product_of(world, account, params)["id"],
        "recurring": None,
        "tax_behavior": params.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": exact,
    }
    doc["_sku"] = doc["metadata"].get("sku")
    world.table("prices").save(doc)
    world.emit("price.created", doc)
    return doc


def _unit_amount(params: Doc) -> tuple[int | None, str]:
    if params.get("unit_amount_decimal") is not None:
        exact = Decimal(params["unit_amount_decimal"])
        whole = int(exact) if exact == exact.to_integral_value() else None
        return whole, format(exact.normalize(), "f")
    if params.get("unit_amount") is None:
        raise missing_parameter("unit_amount")
    if params["unit_amount"] < 0:
        raise ApiError("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    return params["unit_amount"], str(params["unit_amount"])


def _free_lookup_key(world: World, account: str, key: str, transfer: bool) -> None:
    for other in list(world.table("prices").find(_account=account, lookup_key=key, active=True)):
        if not transfer:
            message = f"A price (`{other['id']}`) already uses that lookup key."
            raise ApiError(message, code="resource_already_exists", param="lookup_key")
        world.table("prices").save({**other, "lookup_key": None})


def _product_of(world: World, account: str, params: Doc) -> Doc:
    if params.get("product_data"):
        return create_product(world, account, params["product_data"])
    if not params.get("product"):
        raise missing_parameter("product")
    return world.need("products", params["product"], account, "product")


def create_tax_rate(world: World, account: str, params: Doc) -> Doc:
    """A new tax rate; whether it is inclusive and how much it is never change."""
    percentage = float(params["percentage"])
    doc = {
        **world.base("tax_rate", "txr_1", account),
        "active": True,
        "country": params.get("country"),
        "description": params.get("description"),
        "display_name": params["display_name"],
        "effective_percentage": percentage,
        "flat_amount": None,
        "inclusive": params["inclusive"],
        "jurisdiction": params.get("jurisdiction"),
        "jurisdiction_level": None,
        "metadata": merged({}, params.get("metadata", {})),
        "percentage": percentage,
        "rate_type": "percentage",
        "state": params.get("state"),
        "tax_type": params.get("tax_type"),
    }
    return world.table("tax_rates").save(doc)


def tax_rate_for(world: World, account: str, percent: Any, inclusive: bool) -> Doc:
    """The account's rate of that percentage, made where there is none yet."""
    for doc in world.table("tax_rates").find(_account=account, inclusive=inclusive):
        if Decimal(str(doc["percentage"])) == Decimal(str(percent)):
            return doc
    params = {"display_name": "VAT", "inclusive": inclusive, "percentage": str(percent), "tax_type": "vat"}
    return create_tax_rate(world, account, params)


def create_coupon(world: World, account: str, params: Doc) -> Doc:
    """A new coupon: a percentage or an amount off."""
    percent, amount = params.get("percent_off"), params.get("amount_off")
    if (percent is None) == (amount is None):
        raise ApiError("A coupon takes either percent_off or amount_off", param="percent_off")
    if amount is not None and not params.get("currency"):
        raise missing_parameter("currency")
    doc = {
        **world.base("coupon", "", account, 8),
        "amount_off": amount,
        "currency": check_currency(params["currency"]) if amount is not None else None,
        "duration": params.get("duration") or "once",
        "duration_in_months": None,
        "max_redemptions": None,
        "metadata": merged({}, params.get("metadata", {})),
        "name": params.get("name"),
        "percent_off": float(percent) if percent is not None else None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }
    if params.get("id"):
        doc["id"] = params["id"]
    return world.table("coupons").save(doc)


def create_promotion_code(world: World, account: str, params: Doc) -> Doc:
    """A code buyers type to get a coupon."""
    coupon = world.need("coupons", params["promotion"].get("coupon") or "", account, "promotion[coupon]")
    doc = {
        **world.base("promotion_code", "promo_1", account),
        "active": True,
        "code": params.get("code") or world.new_id("", 8).upper(),
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "max_redemptions": None,
        "metadata": merged({}, params.get("metadata", {})),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None
        },
        "times_redeemed": 0,
    }  # fmt: skip
    return world.table("promotion_codes").save(doc)


def discount_of(world: World, coupon: Doc, promotion_code: str | None, **sale: str | None) -> Doc:
    """The application of a coupon to one sale: a `checkout_session` or an `invoice`, and its `customer`."""
    return {
        "id": world.new_id("di_1"),
        "object": "discount",
        "checkout_session": sale.get("checkout_session"),
        "customer": sale.get("customer"),
        "customer_account": None,
        "end": None,
        "invoice": sale.get("invoice"),
        "invoice_item": None,
        "promotion_code": promotion_code,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": coupon["created"],
        "subscription": None,
        "subscription_item": None,
    }

"""The parameters each endpoint takes here, and their types: a subset of Stripe's, everything else is refused.

A specification is a type name, a dict of them (a trailing `!` marks what is required), or a list of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.errors import ApiError, missing_parameter, unknown_parameter

Spec = str | Mapping[str, "Spec"] | list["Spec"]

ADDRESS: Spec = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), "str")
SHIPPING: Spec = {
    "address": ADDRESS, "name": "str", "phone": "str", "carrier": "str", "tracking_number": "str"
}  # fmt: skip
CREATED: Spec = {"gt": "int", "gte": "int", "lt": "int", "lte": "int"}
PAGE: dict[str, Spec] = {"limit": "int", "starting_after": "str", "ending_before": "str"}
SEARCH: dict[str, Spec] = {"query!": "str", "limit": "int", "page": "str"}
TAX_BEHAVIOR: dict[str, Spec] = {"tax_behavior": "str"}
PRODUCT: dict[str, Spec] = {
    "name!": "str", "description": "str", "metadata": "map", "tax_code": "str", "unit_label": "str", "images": ["str"]
}  # fmt: skip
AMOUNT_DETAILS: Spec = {
    "discount_amount": "int",
    "enforce_arithmetic_validation": "bool",
    "shipping": {"amount": "int", "from_postal_code": "str", "to_postal_code": "str"},
    "tax": {"total_tax_amount": "int"},
    "line_items": [
        {
            "product_name!": "str",
            "product_code": "str",
            "quantity!": "int",
            "unit_cost!": "int",
            "unit_of_measure": "str",
            "discount_amount": "int",
            "tax": {"total_tax_amount": "int"},
        }
    ],
}
INTENT_COMMON: dict[str, Spec] = {
    "allowed_payment_method_types": ["str"],
    "amount_details": AMOUNT_DETAILS,
    "payment_details": {"customer_reference": "str", "order_reference": "str"},
    "payment_method": "str",
    "receipt_email": "str",
    "setup_future_usage": "str",
    "shipping": SHIPPING,
    "capture_method": "str",
}
INTENT_TEXTS: dict[str, Spec] = {
    "description": "str", "metadata": "map", "statement_descriptor": "str", "statement_descriptor_suffix": "str"
}  # fmt: skip
INTENT_CREATE: dict[str, Spec] = {
    "amount!": "int",
    "currency!": "str",
    "customer": "str",
    "confirm": "bool",
    "confirmation_method": "str",
    "automatic_payment_methods": {"enabled": "bool", "allow_redirects": "str"},
    "off_session": "bool",
    "return_url": "str",
    **INTENT_COMMON,
    **INTENT_TEXTS,
}
INTENT_UPDATE: dict[str, Spec] = {
    "amount": "int", "currency": "str", "customer": "str", **INTENT_COMMON, **INTENT_TEXTS
}  # fmt: skip
INTENT_CONFIRM: dict[str, Spec] = {**INTENT_COMMON, "off_session": "bool", "return_url": "str"}
INTENT_CAPTURE: dict[str, Spec] = {"amount_to_capture": "int", "final_capture": "bool", "metadata": "map"}

REFUND: dict[str, Spec] = {
    "amount": "int", "charge": "str", "payment_intent": "str", "reason": "str", "metadata": "map"
}  # fmt: skip

CUSTOMER: dict[str, Spec] = {
    "address": ADDRESS,
    "description": "str",
    "email": "str",
    "metadata": "map",
    "name": "str",
    "phone": "str",
    "preferred_locales": ["str"],
    "shipping": {"address": ADDRESS, "name": "str", "phone": "str"},
    "tax_exempt": "str",
}
PRICE_PRODUCT: Spec = {"name!": "str", "metadata": "map", "tax_code": "str", "unit_label": "str"}
PRICE: dict[str, Spec] = {
    "active": "bool",
    "currency!": "str",
    "lookup_key": "str",
    "metadata": "map",
    "nickname": "str",
    "product": "str",
    "product_data": PRICE_PRODUCT,
    "transfer_lookup_key": "bool",
    "unit_amount": "int",
    "unit_amount_decimal": "decimal",
    **TAX_BEHAVIOR,
}
TAX_RATE: dict[str, Spec] = {
    "active": "bool",
    "country": "str",
    "description": "str",
    "display_name!": "str",
    "inclusive!": "bool",
    "jurisdiction": "str",
    "metadata": "map",
    "percentage!": "decimal",
    "state": "str",
    "tax_type": "str",
}
COUPON: dict[str, Spec] = {
    "amount_off": "int",
    "currency": "str",
    "duration": "str",
    "id": "str",
    "metadata": "map",
    "name": "str",
    "percent_off": "decimal",
}
PROMOTION_CODE: dict[str, Spec] = {
    "promotion!": {"type!": "str", "coupon": "str"}, "code": "str", "metadata": "map", "active": "bool"
}  # fmt: skip
PRICE_DATA: dict[str, Spec] = {
    "currency!": "str",
    "product": "str",
    "product_data": PRODUCT,
    "unit_amount": "int",
    "unit_amount_decimal": "decimal",
    **TAX_BEHAVIOR,
}
SESSION_CREATE: dict[str, Spec] = {
    "allow_promotion_codes": "bool",
    "automatic_tax": {"enabled!": "bool"},
    "billing_address_collection": "str",
    "cancel_url": "str",
    "client_reference_id": "str",
    "currency": "str",
    "customer": "str",
    "customer_creation": "str",
    "customer_email": "str",
    "discounts": [{"coupon": "str", "promotion_code": "str"}],
    "expires_at": "int",
    "line_items": [
        {"price": "str", "price_data": PRICE_DATA, "quantity": "int", "tax_rates": ["str"], "metadata": "map"}
    ],
    "locale": "str",
    "metadata": "map",
    "mode": "str",
    "payment_intent_data": {
        "capture_method": "str",
        "description": "str",
        "metadata": "map",
        "receipt_email": "str",
        "shipping": SHIPPING,
        "statement_descriptor": "str",
        "statement_descriptor_suffix": "str",
    },
    "phone_number_collection": {"enabled!": "bool"},
    "return_url": "str",
    "shipping_address_collection": {"allowed_countries!": ["str"]},
    "shipping_options": [
        {
            "shipping_rate_data": {
                "display_name!": "str",
                "fixed_amount": {"amount!": "int", "currency!": "str"},
                "type": "str",
                **TAX_BEHAVIOR,
            }
        }
    ],
    "submit_type": "str",
    "success_url": "str",
    "ui_mode": "str",
}
ENDPOINT: dict[str, Spec] = {
    "api_version": "str", "description": "str", "enabled_events!": ["str"], "metadata": "map", "url!": "str"
}  # fmt: skip


def listed(**filters: Spec) -> dict[str, Spec]:
    """The parameters of a list endpoint with these filters."""
    return {**PAGE, **filters}


def checked(spec: Mapping[str, Spec], params: Mapping[str, Any]) -> dict[str, Any]:
    """`params` with the types the endpoint takes; ApiError where one is unknown, missing or of another type."""
    return _object({"expand": ["str"], **spec}, params, "")


def optional(spec: Mapping[str, Spec]) -> dict[str, Spec]:
    """The same parameters with none required, as an update takes them."""
    return {name.removesuffix("!"): below for name, below in spec.items()}


def _object(spec: Mapping[str, Spec], params: Mapping[str, Any], at: str) -> dict[str, Any]:
    known = {name.removesuffix("!"): below for name, below in spec.items()}
    for name in params:
        if name not in known:
            raise unknown_parameter(_path(at, name))
    for name in spec:
        if name.endswith("!") and params.get(name[:-1], "") == "":
            raise missing_parameter(_path(at, name[:-1]))
    return {name: _value(known[name], value, _path(at, name)) for name, value in params.items()}


def _path(at: str, name: str) -> str:
    return f"{at}[{name}]" if at else name


def _value(spec: Spec, value: Any, at: str) -> Any:
    if isinstance(spec, str):
        return _leaf(spec, value, at)
    if value == "":
        return None
    if isinstance(spec, list):
        if not isinstance(value, list):
            raise ApiError("Invalid array", param=at)
        return [_value(spec[0], row, f"{at}[{index}]") for index, row in enumerate(value)]
    if not isinstance(value, dict):
        # `created=123` is allowed where `created[gte]=123` is.
        if spec is CREATED:
            second = _leaf("int", value, at)
            return {"gte": second, "lte": second}
        raise ApiError("Invalid object", param=at)
    return _object(spec, value, at)


def _leaf(kind: str, value: Any, at: str) -> Any:
    if kind == "map":
        return _metadata(value, at)
    if not isinstance(value, str):
        raise ApiError("Invalid string", code="parameter_invalid_string_empty", param=at)
    if value == "":
        return None
    if kind == "int":
        if not re.fullmatch(r"-?\d+", value):
            raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=at)
        return int(value)
    if kind == "bool":
        if value not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {value}", param=at)
        return value == "true"
    if kind == "decimal":
        return _decimal(value, at)
    return value


def _decimal(value: str, at: str) -> str:
    try:
        if not Decimal(value).is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise ApiError(f"Invalid decimal: {value}", param=at) from None
    return value


def _metadata(value: Any, at: str) -> dict[str, str] | None:
    if value == "":
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ApiError("Metadata keys and values are strings", param=at)
    for key, text in value.items():
        if len(key) > 40 or len(text) > 500:
            message = f"Metadata keys have 40 characters at most, values 500: {key[:40]}"
            raise ApiError(message, param=_path(at, key))
    return value

"""Derives stripe.json, the index of what exists at Stripe, from a folder of its specification files.

Usage: python derive_stripe.py FOLDER. The folder holds what SOURCE says.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

SOURCE = (
    "Derived from tables generated from the official Python SDK 16.1.0 (object fields and request parameters,"
    " API 2026-10-28.endive), fixtures3.json of 2026-07-29 and the OpenAPI file of API 2024-04-10; all MIT."
)
OUT = Path(__file__).with_name("stripe.json")
ANY = 1
#: Parameters whose inside has hundreds of names and that nothing here sends.
OPAQUE = ("payment_method_options", "payment_method_data", "hooks", "mandate_data", "billing", "cash_balance")
#: Kinds the table of classes lacks; taken from the fixtures, by example.
BY_EXAMPLE = ("account", "tax_rate", "coupon", "promotion_code", "discount", "shipping_rate")
#: Endpoint -> the SDK's parameter class.
CLASSES = {
    "GET /v1/balance": "BalanceRetrieveParams",
    "GET /v1/balance_transactions": "BalanceTransactionListParams",
    "GET /v1/balance_transactions/{id}": "BalanceTransactionRetrieveParams",
    "GET /v1/charges": "ChargeListParams",
    "GET /v1/charges/{id}": "ChargeRetrieveParams",
    "POST /v1/charges/{id}": "ChargeUpdateParams",
    "POST /v1/customers": "CustomerCreateParams",
    "GET /v1/customers": "CustomerListParams",
    "GET /v1/customers/{id}": "CustomerRetrieveParams",
    "POST /v1/customers/{id}": "CustomerUpdateParams",
    "GET /v1/events": "EventListParams",
    "GET /v1/events/{id}": "EventRetrieveParams",
    "GET /v1/invoices": "InvoiceListParams",
    "GET /v1/invoices/{id}": "InvoiceRetrieveParams",
    "POST /v1/invoices/{id}": "InvoiceUpdateParams",
    "GET /v1/invoices/{id}/lines": "InvoiceLineItemListParams",
    "GET /v1/invoice_payments": "InvoicePaymentListParams",
    "GET /v1/invoice_payments/{id}": "InvoicePaymentRetrieveParams",
    "GET /v1/payment_intents/{id}/amount_details_line_items": "PaymentIntentAmountDetailsLineItemListParams",
    "POST /v1/payment_intents/{id}/cancel": "PaymentIntentCancelParams",
    "POST /v1/payment_intents/{id}/capture": "PaymentIntentCaptureParams",
    "POST /v1/payment_intents/{id}/confirm": "PaymentIntentConfirmParams",
    "POST /v1/payment_intents": "PaymentIntentCreateParams",
    "GET /v1/payment_intents/search": "PaymentIntentSearchParams",
    "GET /v1/payment_intents": "PaymentIntentListParams",
    "GET /v1/payment_intents/{id}": "PaymentIntentRetrieveParams",
    "POST /v1/payment_intents/{id}": "PaymentIntentUpdateParams",
    "POST /v1/prices": "PriceCreateParams",
    "GET /v1/prices": "PriceListParams",
    "GET /v1/prices/{id}": "PriceRetrieveParams",
    "POST /v1/prices/{id}": "PriceUpdateParams",
    "POST /v1/products": "ProductCreateParams",
    "GET /v1/products": "ProductListParams",
    "GET /v1/products/{id}": "ProductRetrieveParams",
    "POST /v1/products/{id}": "ProductUpdateParams",
    "GET /v1/disputes": "DisputeListParams",
    "GET /v1/disputes/{id}": "DisputeRetrieveParams",
    "POST /v1/disputes/{id}": "DisputeUpdateParams",
    "POST /v1/disputes/{id}/close": "DisputeCloseParams",
    "POST /v1/refunds": "RefundCreateParams",
    "GET /v1/refunds": "RefundListParams",
    "GET /v1/refunds/{id}": "RefundRetrieveParams",
    "POST /v1/refunds/{id}": "RefundUpdateParams",
    "POST /v1/refunds/{id}/cancel": "RefundCancelParams",
    "GET /v1/payouts": "PayoutListParams",
    "GET /v1/payouts/{id}": "PayoutRetrieveParams",
    "POST /v1/webhook_endpoints": "WebhookEndpointCreateParams",
    "GET /v1/webhook_endpoints": "WebhookEndpointListParams",
    "GET /v1/webhook_endpoints/{id}": "WebhookEndpointRetrieveParams",
    "POST /v1/webhook_endpoints/{id}": "WebhookEndpointUpdateParams",
    "POST /v1/checkout/sessions": "SessionCreateParams",
    "GET /v1/checkout/sessions": "SessionListParams",
    "GET /v1/checkout/sessions/{id}": "SessionRetrieveParams",
    "POST /v1/checkout/sessions/{id}": "SessionUpdateParams",
    "POST /v1/checkout/sessions/{id}/expire": "SessionExpireParams",
    "GET /v1/checkout/sessions/{id}/line_items": "SessionLineItemListParams",
}
#: Endpoints the table of parameters lacks; taken from the OpenAPI file, by their path there.
OPENAPI = {
    "GET /v1/account": "/v1/account",
    "GET /v1/accounts/{id}": "/v1/accounts/{account}",
    "DELETE /v1/webhook_endpoints/{id}": "/v1/webhook_endpoints/{webhook_endpoint}",
    "POST /v1/tax_rates": "/v1/tax_rates",
    "GET /v1/tax_rates": "/v1/tax_rates",
    "GET /v1/tax_rates/{id}": "/v1/tax_rates/{tax_rate}",
    "POST /v1/coupons": "/v1/coupons",
    "GET /v1/coupons/{id}": "/v1/coupons/{coupon}",
    "POST /v1/promotion_codes": "/v1/promotion_codes",
    "GET /v1/promotion_codes/{id}": "/v1/promotion_codes/{promotion_code}",
}
KEPT = (
    "PaymentIntent", "Charge", "BalanceTransaction", "Customer", "checkout.session", "LineItem", "Event", "Invoice",
    "InvoiceLineItem", "InvoicePayment", "PaymentIntentAmountDetailsLineItem", "WebhookEndpoint", "Product", "Price",
    "v2.core.event", "Refund", "Dispute", "Payout",
)  # fmt: skip


def names_in(annotation: str) -> list[str]:
    """The identifiers of an annotation, without what stands in quotes of a Literal."""
    return re.findall(r"[A-Za-z_][A-Za-z0-9_]*", re.sub(r"Literal\[[^\]]*\]", "", annotation))


def fields_of(spec: dict[str, Any], scopes: list[dict[str, Any]]) -> dict[str, Any]:
    """A class as nested names; `!` marks what is always there."""
    inside = [spec.get("$inner", {}), *scopes]
    shown: dict[str, Any] = {}
    for name, annotation in spec.items():
        if name == "$inner":
            continue
        below = next((scope[word] for word in names_in(annotation) for scope in inside if word in scope), None)
        required = "" if annotation.startswith("Optional[") else "!"
        shown[name + required] = ANY if below is None else fields_of(below, inside)
    return shown


def by_example(value: Any) -> Any:
    """Names of an example, nested; nothing is required, and what is null or empty may be anything."""
    if not isinstance(value, dict) or not value:
        return ANY
    return {name: by_example(below) for name, below in value.items()}


def parameters_of(name: str, params: dict[str, Any], seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A parameter class as nested names; `!` marks what has to be sent."""
    shown: dict[str, Any] = {}
    for field, about in params[name].items():
        words = [word for word in names_in(about["t"]) if word in params and word not in seen]
        below = parameters_of(words[0], params, (*seen, name)) if words and field not in OPAQUE else ANY
        shown[field + ("!" if about["req"] else "")] = below
    return shown


def operation_of(method: str, about: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an OpenAPI operation; only their own names, not what is inside them."""
    operation = about[method.lower()]
    query = {row["name"]: ANY for row in operation.get("parameters", []) if row["in"] == "query"}
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    return query | {name: ANY for body in bodies for name in body["schema"].get("properties", {})}


def derive(folder: Path) -> dict[str, Any]:
    """The whole index."""
    classes = json.loads((folder / "sdk_16.1.0_object_fields.json").read_text())["objects"]
    params = json.loads((folder / "sdk_16.1.0_request_params.json").read_text())["params"]
    examples = json.loads((folder / "fixtures3.2026-07-29.json").read_text())["resources"]
    paths = json.loads((folder / "openapi.spec3.2024-04-10.min.json").read_text())["paths"]
    objects = {}
    for name in KEPT:
        kind = re.findall(r"Literal\['([^']+)'\]", classes[name]["object"])
        objects[kind[0] if kind else name] = fields_of(classes[name], [])
    objects |= {name: by_example(examples[name]) for name in BY_EXAMPLE}
    requests = {endpoint: parameters_of(name, params) for endpoint, name in CLASSES.items()}
    requests |= {name: operation_of(name.split()[0], paths[path]) for name, path in OPENAPI.items()}
    return {"source": SOURCE, "objects": objects, "requests": requests}


def main() -> None:
    """Writes the index beside this file, one object or endpoint a line."""
    index = derive(Path(sys.argv[1]))
    parts = [f'"source": {json.dumps(index["source"])}']
    for part in ("objects", "requests"):
        rows = [f"{json.dumps(name)}: {json.dumps(index[part][name], sort_keys=True)}" for name in sorted(index[part])]
        parts.append(f'"{part}": {{\n' + ",\n".join(rows) + "\n}")
    OUT.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()

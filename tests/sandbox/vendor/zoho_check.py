"""Does Zoho's specification know this request, and this answer? Its known defects are one table, each with its reason.

`request_problems` and `response_problems` return sentences; an empty list means that everything exists there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Tree = dict[str, Any]

_INDEX: Tree = json.loads(Path(__file__).with_name("zoho_operations.json").read_text(encoding="utf-8"))
_PREFIX, _BOOKS_PREFIX = "/inventory/v1", "/books/v3"
_ENVELOPE = {"code", "message", "page_context"}


@dataclass(frozen=True)
class Known:
    """Names that live traffic has and the specification has not; `operation` is a regular expression."""

    operation: str
    part: str
    names: str
    reason: str


LIVE = "seen in recorded live answers of one organisation"
BOOKS = "in the Books v3 specification of the same record"
SIBLING = "in the specification of another answer about the same thing"
INFERRED = "neither specified nor recorded; the sandbox shows it, no step may need it"
DOCUMENTS = "(POST|GET|PUT) /(salesorders|invoices|creditnotes)(/.*)?"
_LIKE_AN_INVOICE = (
    "adjustment adjustment_description billing_address_id discount discount_type is_discount_before_tax"
    " is_inclusive_tax line_items.bcy_rate line_items.item_total line_items.tax_name line_items.tax_percentage"
    " line_items.tax_type price_precision salesperson_id salesperson_name shipping_address_id shipping_charge sub_total"
    " tax_total"
)
KNOWN = (
    Known(".*", "query", "organization_id", "every call needs it; the specification says so in words only"),
    Known("GET .*", "query", "sort_column sort_order page per_page", "accepted live by every list"),
    Known(
        "GET /salesorders",
        "query",
        "salesorder_number reference_number customer_id customer_name status date total search_text filter_by",
        f"the Inventory file lists page and per_page only; {BOOKS}",
    ),
    Known("GET /itemdetails", "query", "item_ids", "named in the text of the operation only"),
    Known("GET /inventoryadjustments", "query", "reference_number", "as lists of other records take it; a `?` of ours"),
    Known("POST /inventoryadjustments", "query", "status", "reported by an integrator: posts it at once"),
    Known("POST /invoices/fromsalesorder", "operation", "", "not in the specification, used in public code"),
    Known("POST /invoices/fromsalesorder", "query", "salesorder_id", "not in the specification, used in public code"),
    Known("POST /invoices/fromsalesorder", "answer", "invoice", "answers as POST /invoices does"),
    Known("POST /contacts/{contact_id}/address", "operation", "", BOOKS),
    Known("(POST|PUT) /salesorders.*", "request", "line_items.discount", BOOKS),
    Known("PUT /salesorders/{salesorder_id}", "request", "is_inclusive_tax", BOOKS),
    Known("(POST|PUT) .*", "request", "custom_fields.api_name", "reported of Books, a switch of the sandbox"),
    Known("(POST|PUT) /customerpayments.*", "request", "custom_fields.customfield_id", SIBLING),
    Known("(POST|PUT) /salesorders.*", "answer", "salesorder", "the specification says sales_order"),
    Known(".*/(status/.*|approve)", "answer", "data", "status actions answer an empty object, seen live"),
    Known("(POST|GET|PUT) .*", "answer", "custom_field_hash custom_field_hash.*", LIVE),
    Known("(POST|GET|PUT) .*", "answer", "custom_fields.*", "the parts of a custom field differ from file to file"),
    Known("GET /organizations.*", "answer", "AppList org_joined_app_list sales_tax_type version", LIVE),
    Known(
        "(POST|GET|PUT) /(items|itemdetails|invoices).*",
        "answer",
        "stock_on_hand available_stock committed_stock available_for_sale_stock actual_available_stock"
        " actual_committed_stock actual_available_for_sale_stock line_items.stock_on_hand line_items.available_stock"
        " line_items.committed_stock line_items.available_for_sale_stock line_items.actual_available_stock"
        " line_items.actual_committed_stock line_items.actual_available_for_sale_stock",
        LIVE,
    ),
    Known(
        "GET /itemdetails",
        "answer",
        "can_be_purchased can_be_sold created_time group_id group_name is_combo_product last_modified_time source"
        " track_inventory",
        SIBLING,
    ),
    Known(
        "(POST|GET|PUT) /contacts.*",
        "answer",
        "addresses addresses.* billing_address.* shipping_address.* contact_persons.contact_person_id",
        SIBLING,
    ),
    Known(DOCUMENTS, "answer", "billing_address.* shipping_address.*", "the whole address of the contact"),
    Known(DOCUMENTS, "answer", "billing_address_id shipping_address_id", "as in the request"),
    Known(DOCUMENTS, "answer", "tax_rounding rounding_mode transaction_rounding_type roundoff_value source", LIVE),
    Known(DOCUMENTS, "answer", "total_quantity line_items.sku line_items.item_type", LIVE),
    Known(DOCUMENTS, "answer", "taxes.tax_id line_items.discount line_items.product_type", BOOKS),
    Known(DOCUMENTS, "answer", "discount_amount line_items.discount_amount currency_symbol bcy_total email", SIBLING),
    Known(DOCUMENTS, "answer", "line_items.item_total_inclusive_of_tax", INFERRED),
    Known(
        ".* /salesorders.*",
        "answer",
        "order_status current_sub_status invoiced_status paid_status shipped_status balance payments payments.*"
        " salesreturns creditnotes refunds so_cycle_preference so_cycle_preference.* line_items.is_fulfillable"
        " line_items.is_returnable line_items.quantity_*",
        LIVE,
    ),
    Known(".* /salesorders.*", "answer", "invoices.reference_number", INFERRED),
    Known(".* /invoices.*", "answer", "payments payments.* salesorder_id salesorder_number", INFERRED),
    Known(".* /invoices.*", "answer", "line_items.salesorder_item_id", "as in the request"),
    Known(
        ".* /customerpayments.*",
        "answer",
        "bank_charges_account_id payment_status settlement_status online_transaction_id payment_gateway"
        " payment_refunds invoices.invoice_payment_id invoices.total invoices.balance",
        LIVE,
    ),
    Known(".* /customerpayments.*", "answer", "created_time last_modified_time currency_code bank_charges", SIBLING),
    Known(".* /customerpayments.*", "answer", "invoices.tax_amount_withheld", "as in the request"),
    Known(
        "(POST|PUT) /creditnotes.*", "request", "line_items.rate", "in its own answer, and in the Books specification"
    ),
    Known("(POST|PUT) /creditnotes.*", "request", "line_items.salesreturn_item_id line_items.line_item_id", SIBLING),
    Known("(GET|PUT) /creditnotes/{creditnote_id}", "answer", "creditnote_refunds.*", SIBLING),
    Known("POST /creditnotes", "query", "salesreturn_id", "reported of public code"),
    Known("(POST|GET|PUT) /creditnotes.*", "answer", _LIKE_AN_INVOICE, "as of an invoice, whose shape it shares"),
    Known(
        "(POST|GET|PUT) /creditnotes.*",
        "answer",
        "creditnote_refunds invoice_id invoice_number salesorder_id salesreturn_id total_credits_used"
        " total_refunded_amount line_items.can_skip_stock_tracking line_items.is_credit_only_item exchange_rate",
        LIVE,
    ),
    Known(
        "(POST|GET|PUT) /creditnotes.*",
        "answer",
        "exchange_rate from_account_id from_account_name",
        "as in the request",
    ),
    Known(
        "POST /creditnotes/{creditnote_id}/(void|draft|converttoopen)", "answer", "data", "as of other status actions"
    ),
    Known(
        ".* /salesorders.*",
        "answer",
        "creditnotes.* refunds.* salesreturns.*",
        "the lists are seen live, their rows are not: inferred",
    ),
    Known(".* /packages.*", "answer", "shipment_order shipment_order.*", SIBLING),
    Known("(POST|GET) /shipmentorders.*", "answer", "shipmentorder", "the specification says so of an update only"),
    Known("(POST|PUT) /salesreturns.*", "request", "reference_number", "as every other record has it; a `?` of ours"),
    Known(
        ".* /salesreturns.*",
        "answer",
        "reference_number created_time last_modified_time line_items.quantity_received line_items.quantity_credited",
        INFERRED,
    ),
    Known("POST /salesreturnreceives", "answer", "created_time last_modified_time", INFERRED),
    Known("(POST|PUT) /items.*", "request", "is_returnable", "of a composite item, and of an order's lines"),
    Known("(POST|GET|PUT) /(items|itemdetails).*", "answer", "is_returnable", "as in the request"),
    Known(".* /inventoryadjustments.*", "answer", "status created_time last_modified_time", INFERRED),
    Known("GET /journals", "query", "reference_number_startswith", "a variant that the text of the filter names"),
    Known("GET /(banktransactions|journals).*", "answer", "status created_time last_modified_time", SIBLING),
)


def _template(method: str, path: str) -> str | None:
    wanted = path.removeprefix(_PREFIX).removeprefix(_BOOKS_PREFIX).strip("/").split("/")
    best: tuple[int, str] | None = None
    known = [*_INDEX["inventory"], *(row.operation for row in KNOWN if row.part == "operation")]
    if path.startswith(f"{_BOOKS_PREFIX}/"):
        known = list(_INDEX["books"])
    for name in known:
        verb, _, template = name.partition(" ")
        parts = template.strip("/").split("/")
        fits = len(parts) == len(wanted) and all(
            p == w or p.startswith("{") for p, w in zip(parts, wanted, strict=True)
        )
        parameters = sum(part.startswith("{") for part in parts)
        if verb == method and fits and (best is None or parameters < best[0]):
            best = (parameters, name)
    return best[1] if best else None


def _extra(operation: str, part: str) -> list[str]:
    return [
        name
        for row in KNOWN
        if row.part == part and re.fullmatch(row.operation, operation)
        for name in row.names.split()
    ]


def _known(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _app(operation: str) -> Tree:
    """The operations of the app that has this one; Inventory's where none has."""
    apps: list[Tree] = [_INDEX["inventory"], _INDEX["books"]]
    return next((app for app in apps if operation in app), apps[0])


def _tree(operation: str, part: str) -> Tree:
    # Books is asked only for what the Inventory files leave out altogether; else it would hide their differences.
    for app in (_INDEX["inventory"], _INDEX["books"]):
        if operation in app:
            found: Tree = _INDEX["trees"][app[operation][part]]
            return found
    return {}


def _paths(value: Any, at: str = "") -> Iterator[str]:
    """Every dotted name in a body, lists looked through."""
    if isinstance(value, list):
        for row in value:
            yield from _paths(row, at)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield f"{at}{name}"
            yield from _paths(inner, f"{at}{name}.")


def _knows(tree: Tree, path: str) -> bool:
    node = tree
    for name in path.split("."):
        if name not in node:
            return False
        node = node[name]
        if not node:
            return True
    return True


def _query(operation: str) -> set[str]:
    app = _app(operation)
    return set(app.get(operation, {"query": []})["query"])


def request_problems(method: str, path: str, query: Any, body: Any = None) -> list[str]:
    """What of a request the specification does not know."""
    operation = _template(method, path)
    if operation is None:
        return [f"there is no operation {method} {path}"]
    taken = _query(operation).union(_extra(operation, "query"))
    allowed, tree = _extra(operation, "request"), _tree(operation, "request")
    return [f"{operation} takes no query parameter {name}" for name in query or {} if name not in taken] + [
        f"{operation} takes no field {name}"
        for name in sorted(set(_paths(body or {})))
        if not _known(name, allowed) and not _knows(tree, name)
    ]


def _records(operation: str) -> list[Tree]:
    """The records that the operations on one resource answer: the specification describes the same one unevenly."""
    resource = operation.partition(" ")[2].split("/{")[0].split("/status")[0].split("/from")[0]
    trees = []
    app = _app(operation)
    for name in app:
        if name.partition(" ")[2].split("/{")[0] == resource:
            answer = _tree(name, "answer")
            trees += [tree for key, tree in answer.items() if key not in _ENVELOPE and tree]
    return trees


def response_problems(method: str, path: str, body: Any) -> list[str]:
    """What of a successful answer the specification does not know."""
    operation = _template(method, path)
    if operation is None:
        return [f"there is no operation {method} {path}"]
    allowed, envelope, records = _extra(operation, "answer"), _tree(operation, "answer"), _records(operation)
    problems = []
    for key, value in body.items():
        if key not in _ENVELOPE.union(envelope, allowed):
            problems.append(f"{operation} answers no {key}")
        elif key not in _ENVELOPE:
            trees = [envelope.get(key, {}), *records]
            problems += [
                f"{operation} answers no {key}.{name}"
                for name in sorted(set(_paths(value)))
                if not _known(name, allowed) and not any(_knows(tree, name) for tree in trees)
            ]
    return problems

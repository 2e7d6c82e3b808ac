"""Derives an index of operations and their field names from a folder with Zoho's OpenAPI files.

Usage: python tests/sandbox/vendor/derive_zoho.py FOLDER
FOLDER holds openapi/ (Inventory v1) and openapi-books/ (Books v3). Only names are kept: what an operation takes in its
query and body, and what its answer holds. Trees that are alike are stored once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

OUTPUT = Path(__file__).with_name("zoho_operations.json")
INVENTORY = {
    "contacts.yml": ("/contacts", "/contacts/{contact_id}", "/contacts/{contact_id}/address",
                     "/contacts/{contact_id}/active", "/contacts/{contact_id}/inactive"),
    "contact-persons.yml": ("/contacts/contactpersons/{contact_person_id}",),
    "items.yml": ("/items", "/items/{item_id}", "/itemdetails", "/items/{item_id}/active", "/items/{item_id}/inactive"),
    "salesorders.yml": ("/salesorders", "/salesorders/{salesorder_id}", "/salesorders/{salesorder_id}/status/confirmed",
                        "/salesorders/{salesorder_id}/status/void"),
    "invoices.yml": ("/invoices", "/invoices/{invoice_id}", "/invoices/{invoice_id}/status/sent",
                     "/invoices/{invoice_id}/status/void", "/invoices/{invoice_id}/status/draft",
                     "/invoices/{invoice_id}/payments", "/invoices/{invoice_id}/writeoff",
                     "/invoices/{invoice_id}/writeoff/cancel"),
    "customer-payments.yml": ("/customerpayments", "/customerpayments/{payment_id}"),
    "inventoryadjustments.yml": ("/inventoryadjustments", "/inventoryadjustments/{inventory_adjustment_id}",
                                 "/inventoryadjustments/{inventory_adjustment_id}/approve"),
    "packages.yml": ("/packages", "/packages/{package_id}"),
    "shipmentorders.yml": ("/shipmentorders", "/shipmentorders/{shipmentorder_id}",
                           "/shipmentorders/{shipmentorder_id}/status/delivered"),
    "credit-notes.yml": ("/creditnotes", "/creditnotes/{creditnote_id}", "/creditnotes/{creditnote_id}/void",
                         "/creditnotes/{creditnote_id}/draft", "/creditnotes/{creditnote_id}/converttoopen",
                         "/creditnotes/{creditnote_id}/comments", "/creditnotes/refunds",
                         "/creditnotes/{creditnote_id}/refunds",
                         "/creditnotes/{creditnote_id}/refunds/{creditnote_refund_id}"),
    "salesreturns.yml": ("/salesreturns", "/salesreturns/{salesreturn_id}", "/salesreturnreceives",
                         "/salesreturnreceives/{salesreturnreceive_id}"),
    "taxes.yml": ("/settings/taxes", "/settings/taxes/{tax_id}", "/settings/taxgroups/{tax_group_id}"),
    "currency.yml": ("/settings/currencies", "/settings/currencies/{currency_id}"),
    "organizations.yml": ("/organizations", "/organizations/{organization_id}"),
}  # fmt: skip
BOOKS = {
    "contacts.yml": ("/contacts/{contact_id}/address",),
    "sales-order.yml": ("/salesorders", "/salesorders/{salesorder_id}"),
    "customer-payments.yml": ("/customerpayments",),
    "chart-of-accounts.yml": ("/chartofaccounts",),
    "bank-transactions.yml": ("/banktransactions", "/banktransactions/{bank_transaction_id}"),
    "journals.yml": ("/journals", "/journals/{journal_id}"),
}
METHODS = ("get", "post", "put", "delete")
Tree = dict[str, Any]


def resolve(document: Tree, node: Tree) -> Tree:
    """Follows `$ref`."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        node = target
    return node


def names(document: Tree, schema: Tree, depth: int = 0) -> Tree:
    """The field names of a schema as a tree; arrays are looked through."""
    schema = resolve(document, schema)
    if schema.get("type") == "array" or "items" in schema:
        return names(document, schema.get("items", {}), depth)
    found: Tree = {}
    for part in [*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        found.update(names(document, part, depth))
    for name, inner in schema.get("properties", {}).items():
        found[name] = names(document, inner, depth + 1) if depth < 4 else {}
    return found


def body(document: Tree, node: Tree) -> Tree:
    """The field names of a request or answer."""
    content = resolve(document, node).get("content", {}).get("application/json", {})
    return names(document, content.get("schema", {}))


def operation(document: Tree, found: Tree) -> Tree:
    """What one operation takes and gives."""
    answers = [body(document, answer) for status, answer in found["responses"].items() if status.startswith("2")]
    merged: Tree = {}
    for answer in answers:
        merged.update(answer)
    query = [p for p in (resolve(document, p) for p in found.get("parameters", [])) if p.get("in") == "query"]
    return {
        "query": sorted(p["name"] for p in query),
        "request": body(document, found.get("requestBody", {})),
        "answer": merged,
    }


def derive(folder: Path, wanted: dict[str, tuple[str, ...]]) -> Tree:
    """All wanted operations of one folder, by `METHOD /template`."""
    found: Tree = {}
    for file, paths in wanted.items():
        document = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
        for path in paths:
            shared = document["paths"].get(path, {})
            for method in METHODS:
                if method in shared:
                    found[f"{method.upper()} {path}"] = operation(document, shared[method])
    return found


def compact(operations: Tree, trees: list[Tree]) -> Tree:
    """The operations with their trees replaced by places in `trees`."""
    packed: Tree = {}
    for name, found in operations.items():
        packed[name] = dict(found)
        for part in ("request", "answer"):
            if found[part] not in trees:
                trees.append(found[part])
            packed[name][part] = trees.index(found[part])
    return packed


def main(folder: Path) -> None:
    """Writes the index beside this file."""
    trees: list[Tree] = []
    index = {
        "source": "Zoho's OpenAPI files, Inventory v1 and Books v3: names only",
        "inventory": compact(derive(folder / "openapi", INVENTORY), trees),
        "books": compact(derive(folder / "openapi-books", BOOKS), trees),
        "trees": trees,
    }
    OUTPUT.write_text(json.dumps(index, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

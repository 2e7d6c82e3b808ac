"""Items: SKU unique, stock in two ledgers, opening stock at creation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.zoho import custom_fields, errors, stock
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, flag, number, required, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

_FOR_SALE = tuple(
    f"{side}{name}" for side in ("", "actual_") for name in ("available_for_sale_stock", "committed_stock")
)
_KEPT = ("description", "purchase_description", "upc", "ean", "isbn", "part_number")


def new_item(org: Organization, body: Row) -> Row:
    """Adds an item with `initial_stock` pieces; a service or one with track_inventory false has no stock."""
    item_id = text(body, "item_id") or org.world.new_id()
    service = text(body, "product_type", "goods") == "service"
    tracked = flag(body, "track_inventory", not service)
    row: Row = {
        "item_id": item_id,
        "name": text(body, "name", most=100),
        "sku": text(body, "sku", most=100),
        "status": text(body, "status", "active"),
        "source": "api",
        "unit": text(body, "unit", "pcs"),
        "item_type": text(body, "item_type", "inventory" if tracked else "sales"),
        "product_type": "service" if service else "goods",
        "rate": number(body, "rate"),
        "purchase_rate": number(body, "purchase_rate"),
        "reorder_level": "",
        "can_be_sold": True,
        "can_be_purchased": True,
        "track_inventory": tracked,
        "is_combo_product": False,
        "is_taxable": True,
        "is_returnable": flag(body, "is_returnable", True),
        "group_id": "",
        "group_name": "",
        "image_name": "",
        "image_type": "",
        **{name: text(body, name) for name in _KEPT},
        "_stock": stock.empty(number(body, "initial_stock")),
        **born(org),
    }
    _take_tax(org, row, text(body, "tax_id"))
    return row


def _take_tax(org: Organization, row: Row, tax_id: str) -> None:
    tax = org.tables["taxes"].get(tax_id) if tax_id else None
    if tax_id and tax is None:
        raise errors.missing("Tax")
    for name in ("tax_id", "tax_name", "tax_percentage", "tax_type"):
        row[name] = tax[name] if tax else ""


def _show(call: Call, row: Row) -> Row:
    stocks = stock.fields(call.org, row)
    location = {
        "location_id": call.org.settings["location_id"],
        "location_name": call.org.settings["name"],
        "status": "active",
        "is_primary": True,
        "location_stock_on_hand": stocks["stock_on_hand"],
        "location_available_stock": stocks["available_stock"],
        "location_actual_available_stock": stocks["actual_available_stock"],
    }
    return {**public(row), **stocks, "locations": [location]}


def _list_row(call: Call, row: Row) -> Row:
    shown = {**public(row), **stock.fields(call.org, row)}
    del shown["custom_fields"], shown["custom_field_hash"]
    return shown


def _check_sku(call: Call, sku: str, own_id: str = "") -> None:
    taken = call.table("items").find("sku", sku, ignore_case=call.switches.text_ignores_case)
    if any(row["item_id"] != own_id for row in taken):
        raise errors.sku_taken(sku)


def _create(call: Call) -> Answer:
    required(call.body, "name")
    if call.body.get("initial_stock") and call.body.get("locations"):
        raise errors.invalid_value("initial_stock")
    _check_sku(call, text(call.body, "sku"))
    row = new_item(call.org, {**call.body, "item_id": "", "status": "active"})
    row.update(custom_fields.read(call, call.body, "item"))
    call.table("items").put(row["item_id"], row)
    return Answer("The item has been added.", {"item": _show(call, row)}, f"/items/{row['item_id']}")


def _item(call: Call) -> Row:
    return call.row("items", "item_id", "Item")


def _read(call: Call) -> Answer:
    return Answer("success", {"item": _show(call, _item(call))})


def _update(call: Call) -> Answer:
    row, body = _item(call), call.body
    if body.get("sku"):
        _check_sku(call, text(body, "sku"), row["item_id"])
    row.update({name: text(body, name) for name in ("name", "sku", "unit", *_KEPT) if body.get(name)})
    row.update({name: number(body, name) for name in ("rate", "purchase_rate") if name in body})
    if "is_returnable" in body:
        row["is_returnable"] = flag(body, "is_returnable", True)
    if "tax_id" in body:
        _take_tax(call.org, row, text(body, "tax_id"))
    row.update(custom_fields.read(call, body, "item", row))
    touch(call.org, call.table("items"), row["item_id"])
    return Answer("Item details have been saved.", {"item": _show(call, row)})


def _delete(call: Call) -> Answer:
    row = _item(call)
    if row["_stock"]["committed"] and call.switches.delete_with_children_refused:
        raise errors.has_children("item")
    call.table("items").remove(row["item_id"])
    return Answer("The item has been deleted.")


def _mark(status: str) -> Any:
    def mark(call: Call) -> Answer:
        row = _item(call)
        row["status"] = status
        touch(call.org, call.table("items"), row["item_id"])
        return Answer(f"The item has been marked as {status}.")

    return mark


def _details(call: Call) -> Answer:
    wanted = [item_id for item_id in call.query.get("item_ids", "").split(",") if item_id]
    found = [row for row in map(call.table("items").get, wanted) if row is not None]
    shown = [_show(call, row) for row in found]
    if not call.switches.itemdetails_show_for_sale:
        shown = [{name: value for name, value in row.items() if name not in _FOR_SALE} for row in shown]
    return Answer("success", {"items": shown})


def ledger(item: Row) -> Row:
    """An item as the sandbox's own ledger shows it."""
    return {name: item[name] for name in ("item_id", "sku", "name", "status", "track_inventory")} | {
        ledger: item["_stock"][ledger] for ledger in stock.empty(Decimal(0))
    }


_LIST = Listing(
    "items",
    "items",
    "Items",
    _list_row,
    filters=("sku", "name", "status", "rate", "purchase_rate", "tax_id", "item_id"),
    search=("name", "sku", "description"),
)

ROUTES = [
    *crud(
        "/items",
        "item_id",
        "items",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("GET", "/itemdetails", "items.READ", _details),
    Route("POST", "/items/{item_id}/active", "items.CREATE", _mark("active")),
    Route("POST", "/items/{item_id}/inactive", "items.CREATE", _mark("inactive")),
]

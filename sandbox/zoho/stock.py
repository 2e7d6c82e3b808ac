"""Two stock ledgers and what is committed: a sent invoice moves accounting stock, a shipment physical stock.

An item's `_stock` holds `opening`, `accounting`, `physical`, `committed` (ordered, not yet invoiced and sent) and
`committed_physical` (ordered, not yet shipped). Every function here settles a document to where it should be, so that
doing it twice moves nothing.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def empty(opening: Decimal) -> Row:
    """The stock of a new item."""
    return {
        "opening": opening,
        "accounting": opening,
        "physical": opening,
        "committed": ZERO,
        "committed_physical": ZERO,
    }


def fields(org: Organization, item: Row) -> Row:
    """The stock fields of an item or of a document's line; "" for what is not tracked."""
    names = ("stock_on_hand", "available_stock", "actual_available_stock")
    if not item["track_inventory"]:
        return dict.fromkeys(names, "")
    stock = item["_stock"]
    sides = [("accounting", "committed"), ("physical", "committed_physical")]
    if not org.switches.plain_stock_is_accounting:
        sides.reverse()
    (plain, plain_committed), (actual, actual_committed) = sides
    return {
        "stock_on_hand": stock[plain],
        "available_stock": stock[plain],
        "committed_stock": stock[plain_committed],
        "available_for_sale_stock": stock[plain] - stock[plain_committed],
        "actual_available_stock": stock[actual],
        "actual_committed_stock": stock[actual_committed],
        "actual_available_for_sale_stock": stock[actual] - stock[actual_committed],
    }


def _move(org: Organization, item_id: str, **deltas: Decimal) -> None:
    item = org.tables["items"].get(item_id)
    if item is None or not item["track_inventory"] or not any(deltas.values()):
        return
    for ledger, delta in deltas.items():
        item["_stock"][ledger] += delta
    org.tables["items"].save(item_id)


def settle_order(org: Organization, order: Row) -> None:
    """Commits what the order still has to deliver."""
    commits = order["order_status"] == "confirmed" or (
        order["order_status"] == "draft" and org.switches.draft_commits_stock
    )
    for line in order["line_items"]:
        wanted = max(ZERO, line["quantity"] - line["_sent"]) if commits else ZERO
        unshipped = line["quantity"] - line["quantity_shipped"] - line.get("_cancelled", ZERO)
        physical = max(ZERO, unshipped) if commits else ZERO
        _move(
            org,
            line["item_id"],
            committed=wanted - line["_committed"],
            committed_physical=physical - line["_committed_physical"],
        )
        line["_committed"], line["_committed_physical"] = wanted, physical


def check_invoice(org: Organization, invoice: Row) -> None:
    """Refuses to send an invoice that would take stock below zero, where the organisation forbids that."""
    if not org.switches.negative_stock_refused:
        return
    needed: dict[str, Decimal] = {}
    for line in invoice["line_items"]:
        needed[line["item_id"]] = needed.get(line["item_id"], ZERO) + line["quantity"] - line["_moved"]
    for item_id, quantity in needed.items():
        item = org.tables["items"].get(item_id)
        if item and item["track_inventory"] and quantity > 0 and item["_stock"]["accounting"] < quantity:
            raise errors.insufficient_stock(item["name"])


def settle_invoice(org: Organization, invoice: Row, *, sent: bool) -> None:
    """Takes the goods of a sent invoice out of accounting stock, or puts back those of one that is no more."""
    for line in invoice["line_items"]:
        wanted = line["quantity"] if sent else ZERO
        _move(org, line["item_id"], accounting=line["_moved"] - wanted)
        line["_moved"] = wanted


def settle_invoice_and_orders(org: Organization, invoice: Row) -> None:
    """Settles an invoice's goods, and what its orders have invoiced and still commit."""
    live = not invoice["_void"]
    settle_invoice(org, invoice, sent=live and invoice["_sent"])
    orders = org.tables["salesorders"]
    for line in invoice["line_items"]:
        for order in orders.find("line", line["salesorder_item_id"]):
            _progress(order, line, live=live, sent=live and invoice["_sent"])
    for order_id in invoice["_orders"]:
        order_row = orders.get(order_id)
        if order_row is not None:
            settle_order(org, order_row)
            orders.save(order_id)


def _progress(order: Row, line: Row, *, live: bool, sent: bool) -> None:
    invoiced, delivered = line["quantity"] if live else ZERO, line["quantity"] if sent else ZERO
    for target in order["line_items"]:
        if target["line_item_id"] == line["salesorder_item_id"]:
            target["quantity_invoiced"] += invoiced - line["_invoiced"]
            target["_sent"] += delivered - line["_delivered"]
            target["is_invoiced"] = target["quantity_invoiced"] >= target["quantity"]
    line["_invoiced"], line["_delivered"] = invoiced, delivered


def settle_package(org: Organization, package: Row, *, packed: bool, shipped: bool, delivered: bool) -> None:
    """Takes a shipped package's goods out of physical stock, or puts them back, and tells its order how far it is."""
    orders = org.tables["salesorders"]
    order = orders.get(package["salesorder_id"])
    targets = {line["line_item_id"]: line for line in order["line_items"]} if order else {}
    for line in package["line_items"]:
        target = targets.get(line["so_line_item_id"])
        for stage, reached in (("packed", packed), ("shipped", shipped), ("delivered", delivered)):
            wanted = line["quantity"] if reached else ZERO
            delta, line[f"_{stage}"] = wanted - line[f"_{stage}"], wanted
            if target is not None:
                target[f"quantity_{stage}"] += delta
            if stage == "shipped":
                _move(org, line["item_id"], physical=-delta)
    org.tables["packages"].save(package["package_id"])
    if order is not None:
        settle_order(org, order)
        orders.save(order["salesorder_id"])


def settle_credit_note(org: Organization, note: Row, *, live: bool) -> None:
    """Puts what an open note returns to stock back into accounting stock; goods that never left are no longer owed.

    Goods that were shipped come back into physical stock by the receive of a sales return, not by the note.
    """
    orders = org.tables["salesorders"]
    for line in note["line_items"]:
        returned = line["quantity"] if live and line["is_returned_to_stock"] else ZERO
        _move(org, line["item_id"], accounting=returned - line["_returned"])
        cancelled = line["quantity"] if live and not line["is_item_shipped"] else ZERO
        for order in orders.find("line", line["_order_line"]) if line["_order_line"] else ():
            for target in order["line_items"]:
                if target["line_item_id"] == line["_order_line"]:
                    target["_cancelled"] = target.get("_cancelled", ZERO) + cancelled - line["_cancelled"]
            settle_order(org, order)
            orders.save(order["salesorder_id"])
        line["_returned"], line["_cancelled"] = returned, cancelled


def settle_receive(org: Organization, receive: Row, *, received: bool) -> None:
    """Puts received goods into physical stock, or takes out those of a receive that is no more."""
    for line in receive["line_items"]:
        wanted = line["quantity"] if received else ZERO
        _move(org, line["item_id"], physical=wanted - line["_moved"])
        line["_moved"] = wanted


def settle_adjustment(org: Organization, adjustment: Row, *, applied: bool) -> None:
    """Adds a quantity adjustment's deltas to both ledgers, or takes them back."""
    for line in adjustment["line_items"]:
        quantity = line["quantity_adjusted"]
        wanted = quantity if applied and adjustment["adjustment_type"] == "quantity" else ZERO
        delta = wanted - line["_moved"]
        _move(org, line["item_id"], accounting=delta, physical=delta)
        line["_moved"] = wanted

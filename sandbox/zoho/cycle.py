"""What an organisation does by itself with an order that was confirmed."""

from __future__ import annotations

from sandbox.zoho import packages, shipments
from sandbox.zoho.invoices import invoice_order, pay_in_full
from sandbox.zoho.routing import Call
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization


def _by_itself(org: Organization) -> tuple[bool, bool, bool]:
    """Whether the organisation itself invoices, records the payment, and ships what was confirmed."""
    steps = ("off", "invoice", "payment", "shipment").index(org.switches.so_cycle_preference)
    return steps >= 1, steps >= 2, steps >= 3


def run(call: Call, order: Row) -> None:
    """Does what the organisation does by itself with a confirmed order."""
    invoices, pays, ships = _by_itself(call.org)
    if not invoices:
        return
    invoice = invoice_order(call, order, sent=True)
    if pays:
        pay_in_full(call, invoice)
    if ships and (package := packages.pack_order(call, order)):
        shipments.ship(call, order, [package], {"date": call.org.today(), "shipment_number": package["package_number"]})
    order["_cycle"] = "completed"


def show(org: Organization, order: Row) -> Row:
    """The preference as an order shows it."""
    invoices, pays, ships = _by_itself(org)
    return {
        "is_feature_enabled": invoices,
        "socycle_status": order.get("_cycle", "not_triggered"),
        "can_create_invoice": invoices,
        "can_create_package": ships,
        "can_create_shipment": ships,
        "invoice_preference": {
            "mark_as_sent": invoices,
            "record_payment": pays,
            "payment_mode_id": "",
            "payment_account_id": "",
        },
        "shipment_preference": {
            "deliver_shipments": False,
            "send_notification": False,
            "default_carrier": "",
        },
    }

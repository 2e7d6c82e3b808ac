"""Every activity of the house, put together from a store, its keys and the shops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from activities.adjustments import AdjustmentActivities
from activities.catalogue import CatalogueActivities
from activities.changes import ChangeActivities
from activities.contact_book import ContactBook
from activities.contact_claims import ContactClaims
from activities.contacts import ContactActivities
from activities.credits import CreditActivities
from activities.disputes import DisputeActivities, DisputeStarter
from activities.dossier import Dossier
from activities.effects import Once
from activities.invoices import InvoiceActivities
from activities.memory import Memory
from activities.messages import MessageActivities
from activities.orders import OrderActivities
from activities.planning import Planner
from activities.receipts import ReceiptActivities
from activities.refunds import RefundActivities, RefundStarter
from activities.shipping import ShippingActivities
from activities.shops import Shops
from activities.starts import PaymentStarter, StartActivities
from activities.stock import StockActivities
from activities.stripe import StripeActivities

if TYPE_CHECKING:
    from clients.store import Store

Activity = Callable[..., Any]


class Starter(PaymentStarter, RefundStarter, DisputeStarter, Protocol):
    """Who can start every run that another run has to start."""


@dataclass(frozen=True)
class Activities:
    """The activities by the queue that runs them: the main one, and the one whose pace Zoho's limits set."""

    main: Sequence[Activity]
    zoho: Sequence[Activity]


def assemble(shops: Shops, store: Store, starter: Starter, now: Callable[[], datetime]) -> Activities:
    """All activities, sharing one memory, one dossier and one guard of writes."""
    memory = Memory(store.links, now)
    dossier = Dossier(store.dossiers, memory, shops, now)
    book = ContactBook(store.links, store.keys, now)
    once = Once(store.effects, now)
    stripe = StripeActivities(shops, dossier, once)
    catalogue = CatalogueActivities(shops, memory)
    contacts = ContactActivities(shops, dossier, book, memory, once, ContactClaims(store.effects, book, shops, now))
    orders = OrderActivities(shops, dossier, Planner(shops, dossier, memory, book), once, store.reservations, now)
    invoices = InvoiceActivities(shops, dossier, once)
    receipts = ReceiptActivities(shops, dossier, once)
    shipping = ShippingActivities(shops, dossier, once)
    stock = StockActivities(shops, dossier, once, store.reservations, now)
    adjustments = AdjustmentActivities(shops, dossier, memory, once)
    messages = MessageActivities(shops, once, store.notices, now)
    starts = StartActivities(starter)
    changes = ChangeActivities(shops, dossier, book, once, store.effects, starter, now)
    refunds = RefundActivities(shops, once, starter)
    disputes = DisputeActivities(shops, starter)
    credits = CreditActivities(shops, memory, once)
    main: list[Activity] = [
        stripe.fetch_payment,
        stripe.fetch_fee,
        stripe.resolve_payment,
        stripe.resolve_customer,
        stripe.write_back,
        starts.start_payment,
        starts.start_change,
        changes.take_turn,
        changes.end_turn,
        changes.plan_change,
        changes.keep_change,
        refunds.fetch_refund,
        refunds.resolve_refunds,
        refunds.start_refund,
        refunds.mark_refund,
        refunds.unmark_refund,
        disputes.fetch_dispute,
        disputes.resolve_dispute,
        disputes.start_dispute,
        orders.prepare_order,
        stock.sell_beyond_stock,
        stock.release_stock,
        contacts.claim_contact,
        contacts.release_contact,
        contacts.plan_addresses,
        messages.notify_paid,
        messages.notify_refund,
        messages.notify_dispute,
        messages.note_waiting,
        messages.tell_attention,
        messages.tell_resolved,
        messages.record_answer,
        messages.close_round,
        stripe.clear_metadata,
        stripe.let_go_of_hold,
    ]
    zoho: list[Activity] = [
        catalogue.describe_organization,
        catalogue.list_currencies,
        catalogue.list_taxes,
        catalogue.find_item,
        contacts.find_contact,
        contacts.create_contact,
        contacts.read_addresses,
        contacts.add_address,
        contacts.find_address,
        changes.find_person,
        changes.update_person,
        changes.see_person,
        stock.reserve_stock,
        orders.create_sales_order,
        orders.find_sales_order,
        orders.read_sales_order,
        orders.confirm_sales_order,
        orders.update_sales_order,
        orders.find_correction,
        orders.void_sales_order,
        invoices.create_invoice,
        invoices.find_invoice,
        invoices.read_invoice,
        invoices.mark_invoice_sent,
        invoices.void_invoice,
        adjustments.check_sets,
        adjustments.adjust_stock,
        adjustments.find_adjustments,
        adjustments.restore_stock,
        receipts.record_payment,
        receipts.find_payment,
        receipts.find_receipt,
        receipts.read_receipt,
        receipts.book_fee,
        receipts.find_fee,
        receipts.delete_payment,
        credits.find_sale,
        credits.read_sale,
        credits.read_sold_lines,
        credits.find_account,
        credits.create_credit_note,
        credits.find_credit_note,
        credits.pay_out,
        credits.find_paid_out,
        credits.delete_credit_refund,
        credits.void_credit_note,
        shipping.create_package,
        shipping.create_shipment,
        shipping.find_packages,
        shipping.delete_package,
        shipping.delete_shipment,
    ]
    return Activities(main=main, zoho=zoho)

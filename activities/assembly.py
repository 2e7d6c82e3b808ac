"""Every activity of the house, put together from a store, its keys and the shops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from activities.adjustments import AdjustmentActivities
from activities.backfills import BackfillActivities, BackfillStarter
from activities.books import BooksActivities
from activities.cancellations import AgainStarter, CancellationActivities
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
from activities.missing import MissingActivities
from activities.order_checks import OrderCheckActivities
from activities.order_polls import CheckStarter, OrderPollActivities
from activities.orders import OrderActivities
from activities.payout_checks import PayoutCheckActivities, PayoutStarter
from activities.payouts import PayoutActivities
from activities.planning import Planner
from activities.proposals import ProposalActivities, ProposalStarter
from activities.quota import QuotaActivities
from activities.receipts import ReceiptActivities
from activities.refreshing import RefreshActivities
from activities.refunds import RefundActivities, RefundStarter
from activities.restocking import RestockActivities, SoldOut, SoldOutStarter
from activities.return_polls import ReturnPollActivities, ReturnStarter
from activities.returns import ReturnActivities
from activities.shipping import ShippingActivities
from activities.shops import Shops
from activities.starts import PaymentStarter, StartActivities
from activities.stock import StockActivities
from activities.stripe import StripeActivities
from activities.sweeps import SweepActivities
from activities.writeoffs import WriteOffActivities

if TYPE_CHECKING:
    from clients.store import Store

Activity = Callable[..., Any]


class Starter(
    PaymentStarter,
    RefundStarter,
    DisputeStarter,
    ReturnStarter,
    ProposalStarter,
    CheckStarter,
    SoldOutStarter,
    AgainStarter,
    PayoutStarter,
    BackfillStarter,
    Protocol,
):
    """Who can start every run that another run has to start, and knows which runs there are."""


@dataclass(frozen=True)
class Activities:
    """The activities by the queue that runs them: the main one, and the two whose pace Zoho's limits set.

    `bulk` are those of `zoho` for work that can wait.
    """

    main: Sequence[Activity]
    zoho: Sequence[Activity]
    bulk: Sequence[Activity]


def assemble(shops: Shops, store: Store, starter: Starter, now: Callable[[], datetime]) -> Activities:
    """All activities, over one store."""
    main, zoho = _assembled(shops, store, starter, now)
    _, bulk = _assembled(shops.in_bulk(), store, starter, now)
    return Activities(main=main, zoho=zoho, bulk=bulk)


def _assembled(
    shops: Shops, store: Store, starter: Starter, now: Callable[[], datetime]
) -> tuple[list[Activity], list[Activity]]:
    """Those of the main queue and those of Zoho's, sharing one memory, one dossier and one guard of writes."""
    memory = Memory(store.links, now)
    dossier = Dossier(store.dossiers, memory, shops, now)
    book = ContactBook(store.links, store.keys, now)
    once = Once(store.effects, now)
    stripe = StripeActivities(shops, dossier, once)
    catalogue = CatalogueActivities(shops, memory)
    contacts = ContactActivities(shops, dossier, book, memory, once, ContactClaims(store.effects, book, shops, now))
    orders = OrderActivities(
        shops, dossier, Planner(shops, dossier, memory, book), once, memory, store.reservations, now
    )
    invoices = InvoiceActivities(shops, dossier, once)
    receipts = ReceiptActivities(shops, dossier, once)
    shipping = ShippingActivities(shops, dossier, once)
    sold_out = SoldOut(store.links, now)
    stock = StockActivities(shops, dossier, once, store.reservations, sold_out, now)
    adjustments = AdjustmentActivities(shops, dossier, memory, once)
    messages = MessageActivities(shops, once, store.notices, now)
    starts = StartActivities(starter)
    changes = ChangeActivities(shops, dossier, book, once, store.effects, starter, now)
    refunds = RefundActivities(shops, once, starter)
    disputes = DisputeActivities(shops, once, starter)
    credits = CreditActivities(shops, memory, once)
    returns = ReturnActivities(shops, memory, once)
    polls = ReturnPollActivities(shops, store.links, starter, now)
    refreshing = RefreshActivities(shops, book, memory)
    restocking = RestockActivities(shops, sold_out, starter, now)
    order_polls = OrderPollActivities(shops, store.links, store.effects, sold_out, starter, now)
    order_checks = OrderCheckActivities(shops, dossier, once, store.effects, store.links, store.keys, now)
    cancellations = CancellationActivities(shops, once, starter)
    proposals = ProposalActivities(shops, store.links, starter, now)
    write_offs = WriteOffActivities(shops, once)
    payouts = PayoutActivities(shops, store.payouts, store.effects, memory, now)
    checks = PayoutCheckActivities(shops, store.payouts, payouts, store.events, starter, now)
    books = BooksActivities(shops, store.payouts, store.effects, memory, once)
    missing = MissingActivities(shops, payouts, store.effects, once, store.events, starter)
    sweeps = SweepActivities(shops, once, memory, store.events, starter, now)
    quota = QuotaActivities(shops, store.budgets, memory, now)
    backfills = BackfillActivities(shops, once, store.budgets, starter, now)
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
        changes.recall_order,
        refunds.fetch_refund,
        refunds.resolve_refunds,
        refunds.start_refund,
        refunds.mark_refund,
        refunds.unmark_refund,
        returns.remember_payment,
        returns.identify_payment,
        returns.fetch_return_money,
        returns.give_back,
        returns.find_given_back,
        returns.own_receives,
        polls.tell_return,
        polls.keep_returns,
        order_polls.begin_order_poll,
        order_polls.keep_look,
        order_polls.end_order_poll,
        order_polls.tell_check,
        restocking.tell_restocked,
        order_checks.carry_back,
        order_checks.notify_shipment,
        order_checks.accept_order,
        order_checks.note_gone,
        cancellations.fetch_left,
        cancellations.give_all_back,
        cancellations.find_all_given_back,
        cancellations.carry_anew,
        proposals.tell_proposal,
        proposals.keep_proposals,
        disputes.fetch_dispute,
        disputes.fetch_loss,
        disputes.find_disputes,
        disputes.keep_moves,
        disputes.resolve_dispute,
        disputes.start_dispute,
        write_offs.recall_receipt,
        write_offs.keep_receipt,
        payouts.fetch_payout,
        payouts.keep_payout_page,
        payouts.certify_payout,
        checks.look_at_payouts,
        checks.look_at_open_payouts,
        checks.tell_payouts,
        books.plan_postings,
        books.leave_postings,
        missing.list_missing,
        missing.keep_receipt_found,
        missing.keep_fee_found,
        missing.keep_credit_found,
        missing.tell_missing,
        orders.prepare_order,
        orders.known_numbers,
        stock.sell_beyond_stock,
        stock.release_stock,
        contacts.claim_contact,
        contacts.release_contact,
        contacts.plan_addresses,
        messages.notify_paid,
        messages.notify_refund,
        messages.notify_dispute,
        messages.notify_return,
        messages.note_waiting,
        messages.tell_attention,
        messages.tell_resolved,
        messages.record_answer,
        messages.close_round,
        stripe.clear_metadata,
        stripe.let_go_of_hold,
        sweeps.find_beginning,
        sweeps.look_at_received,
        sweeps.look_at_events,
        sweeps.look_at_balance,
        sweeps.heal_gaps,
        sweeps.note_sweep,
        quota.watch_quota,
        backfills.list_charges,
        backfills.start_backfilled,
        backfills.list_cases,
        backfills.start_cases,
        backfills.watch_backfilled,
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
        orders.find_orders_by_hand,
        orders.adopt_sales_order,
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
        missing.find_alike,
        receipts.book_fee,
        receipts.find_fee,
        receipts.delete_payment,
        credits.find_sale,
        credits.read_sale,
        credits.read_sold_lines,
        credits.read_credited,
        credits.find_account,
        credits.create_credit_note,
        credits.find_credit_note,
        credits.find_credits_by_hand,
        credits.pay_out,
        credits.find_paid_out,
        credits.delete_credit_refund,
        credits.void_credit_note,
        credits.comment_credit_note,
        credits.find_comment,
        returns.read_return,
        returns.trace_order,
        returns.receive_return,
        returns.delete_receive,
        returns.mark_return,
        returns.find_return_mark,
        polls.list_returns,
        proposals.read_proposal,
        proposals.find_named_order,
        proposals.list_proposals,
        write_offs.see_owed,
        write_offs.lower_payment,
        write_offs.write_off,
        write_offs.cancel_write_off,
        write_offs.restore_payment,
        books.find_book_accounts,
        books.post_transfer,
        books.find_transfers,
        books.read_transfer,
        books.delete_transfer,
        books.post_journal,
        books.find_journals,
        books.read_journal,
        books.delete_journal,
        shipping.create_package,
        shipping.create_shipment,
        shipping.find_packages,
        shipping.delete_package,
        shipping.delete_shipment,
        order_polls.list_changed,
        order_polls.trace_credit_note,
        refreshing.refresh_contacts,
        refreshing.refresh_items,
        restocking.see_restocked,
        order_checks.see_order,
        cancellations.find_standing,
    ]
    return main, zoho

"""Every behaviour of Zoho that nobody could tell us, as one named switch with a default.

An afternoon with a trial organisation settles them; until then a client has to live with both positions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True)
class Switches:
    """The positions of all switches. An organisation's `preferences` override the program's."""

    # Protocol.
    # One source says `Bearer` is refused, another that it is accepted beside `Zoho-oauthtoken`.
    accept_bearer: bool = False
    # 401 or 403 for a token that lacks the scope: both are reported, with the same code 57.
    missing_scope_status: Literal[401, 403] = 401
    # The HTTP status of invalid_code and invalid_client is not established; many clients guard against 200.
    token_errors_as_200: bool = False
    # A user of one organisation may or may not leave organization_id out; documented as always needed.
    single_organization_default: bool = False
    # `Retry-After` is said by one integrator and missing from the documentation.
    retry_after_header: bool = False
    # "Blocked for some time" after the minute limit: the length is not documented.
    minute_block_seconds: float = 60.0
    # Whether a call made while blocked starts the block anew.
    calls_extend_block: bool = False
    # How long a new record stays out of lists; no report either way.
    list_lag_seconds: float = 0.0
    # How long every answer takes, so that requests meet each other in process.
    answer_seconds: float = 0.0
    # Zoho's own specification names other envelope keys than live traffic shows.
    spec_envelope_keys: bool = False
    # Whether text filters and unique names compare without regard to letter case.
    text_ignores_case: bool = True

    # Contacts.
    # An organisation's preference "allow duplicate contact display names".
    duplicate_contact_names: bool = False
    # Whether a contact with transactions may change its currency: common knowledge says no, no source found.
    contact_currency_changeable: bool = False
    # POST /contacts/{id}/address is in the Books specification, not in the Inventory one.
    contact_address_endpoint: bool = True
    # Whether new documents for an inactive contact are refused.
    inactive_contacts_refused: bool = True

    # Items and stock.
    # Inactive items are refused in new documents: reported once.
    inactive_items_refused: bool = True
    # Whether a line without a tax takes the tax of its item.
    item_tax_by_default: bool = False
    # Whether a draft order already commits stock, or only a confirmed one.
    draft_commits_stock: bool = False
    # Whether the plain stock fields show accounting stock and the `actual_` ones physical stock, or the reverse.
    plain_stock_is_accounting: bool = True
    # Negative stock is allowed by default; a blocking preference may exist. Its code is invented.
    negative_stock_refused: bool = False
    # Whether GET /itemdetails tells what is left for sale: seen live of documents' lines, not in the specification.
    itemdetails_show_for_sale: bool = True
    # Whether an adjustment moves stock when it is made, or needs `?status=adjusted` or an approval.
    adjustment_applies_at_once: bool = True
    # Whether an adjustment tells who made it: the specification has no such field.
    adjustment_tells_maker: bool = False

    # Lists.
    # Whether lists honour `last_modified_time`: documented of items, of no document.
    lists_filter_modified: bool = True
    # Whether they can be sorted by it: sort_column is accepted live, its values are not listed.
    lists_sort_modified: bool = True
    # Whether a shipment that is entered, changed or deleted changes the time of its order too.
    shipment_touches_order: bool = True

    # Sales orders.
    # A number given while auto-numbering is on and ignore_auto_number_generation is not: three answers possible.
    number_without_flag: Literal["refused", "accepted", "replaced"] = "refused"
    # Two creates of one number in process at the same moment: one refused, or both made.
    concurrent_numbers_unique: bool = True
    # A deleted order frees its number (documented); whether a void one does is unknown.
    void_frees_number: bool = False
    # The word for a confirmed order in `status`: Inventory and Books documents differ.
    confirmed_status: Literal["confirmed", "open"] = "confirmed"
    # Which rate a document takes when exchange_rate is left out: the currency's, or 1.
    missing_exchange_rate: Literal["currency", "one"] = "currency"
    # Whether an order with an invoice can be voided.
    void_with_invoice_refused: bool = True
    # Whether records that others depend on can be deleted.
    delete_with_children_refused: bool = True
    # Organisation setting that does steps by itself when an order is confirmed, each position with those before it:
    # the sent invoice, its payment, the package with its shipment. The field is observed, the behaviour is not.
    so_cycle_preference: Literal["off", "invoice", "payment", "shipment"] = "off"
    # Whether a custom field that does not exist is refused, or dropped silently.
    unknown_custom_field_refused: bool = True
    # Whether `api_name` names a custom field in requests: reported of Books, not in the Inventory specification.
    custom_field_api_name_accepted: bool = True

    # Whether an order can still be changed once it is invoiced (its addresses and custom fields, say).
    invoiced_order_editable: bool = True

    # Credit notes.
    # Whether a line that does not say so returns to stock: a note raises the stock of a tracked item (documented).
    credit_note_restocks: bool = True
    # Whether a credit note's detail tells the order that it credits: seen in the answer to a new one.
    credit_note_tells_order: bool = True
    # Whether an order tells the refunds of its credit notes: the field is observed, what is in it is not.
    order_tells_refunds: bool = True

    # Whether an update may leave out what the specification marks as required (a credit note's customer, date, number
    # and lines, a return's lines); creates prove such marks wrong.
    partial_update_refused: bool = False

    # Sales returns.
    # Whether a new return waits for an approval; the API has no operation for that.
    new_return_status: Literal["approved", "draft"] = "approved"
    # Whether a draft return can be received and credited.
    draft_return_usable: bool = False
    # Whether two returns may have one number.
    return_number_unique: bool = True
    # Whether a return has a reference number, as every other record has; the specification names none.
    return_takes_reference: bool = True
    # In which order the list comes, which honours nothing but paging (observed).
    return_list_newest_first: bool = True
    # Whether an order's line counts units as returned when the return is made, or when they are received.
    returned_counts_from: Literal["return", "receive"] = "return"
    # Whether a return reads refunded once the money has gone back, or once its units are credited.
    refund_status_follows: Literal["refunds", "credits"] = "refunds"
    # Whether a return that is received and refunded becomes `closed`.
    return_closes: bool = False
    # Whether a credit note's line for a return's receivable units must return to stock, and one for credit-only units
    # must not (documented); else only their sum is limited.
    return_credit_matches_kind: bool = True

    # Whether more can be credited of a return's line than it has.
    overcredit_refused: bool = True
    # Whether more can be received of a return's line than it has.
    overreceive_refused: bool = True

    # Invoices and payments.
    # Whether an order's line can be invoiced beyond its quantity ("invoice already exists"): unknown.
    overinvoicing_refused: bool = False
    # An order in draft cannot be invoiced: reported of Books.
    draft_order_invoiceable: bool = False
    # A draft invoice accepts payments: reported once.
    draft_invoice_takes_payment: bool = True
    # Whether a payment turns a draft invoice into a sent one, moving its stock.
    payment_sends_draft: bool = True
    # Whether an invoice's detail shows its payments; the specification only has GET /invoices/{id}/payments.
    invoice_shows_payments: bool = True
    # Applying more than an invoice's balance: refused, or the excess kept as unused.
    overpayment_refused: bool = True
    # The status of an invoice whose rest was written off.
    written_off_status: Literal["paid", "written_off"] = "paid"
    # Whether bank charges lower what the deposit account receives, or are a separate expense.
    bank_charges_reduce_deposit: bool = True

    # Books.
    # Whether a transfer of funds takes any account, or banks, cards, cash and clearing accounts only (documented of the
    # first two).
    transfer_takes_any_account: bool = False
    # Whether the list shows a transfer once, or once for each of its two accounts.
    transfers_listed: Literal["once", "twice"] = "once"
    # Whether a journal takes a line for a bank account.
    journal_takes_bank: bool = True
    # The status of a journal that is posted without one.
    new_journal_status: Literal["draft", "published"] = "published"

    # Packages and shipments.
    # Whether a service's line may be packed.
    service_lines_packable: bool = False
    # Whether an order with a package can be voided.
    void_with_package_refused: bool = True
    # The specification marks a shipment's number as required; orders prove such marks wrong.
    shipment_number_required: bool = True
    # The specification marks a shipment's tracking number as required, but not in an update.
    tracking_number_required: bool = False
    # Whether two shipments may have one number.
    shipment_number_unique: bool = True
    # Whether a connected carrier tells the tracking number in the answer to a new shipment, or only later.
    shipment_gets_tracking: bool = False
    # Whether a delivered shipment can be deleted.
    delivered_shipment_deletable: bool = False

    # Webhooks of workflow rules.
    # How often one that was not taken is sent again; nothing is documented.
    webhook_retries: Literal[0, 1, 3] = 0
    # How long before it is sent again.
    webhook_retry_seconds: float = 0.5
    # How long an endpoint has to answer.
    webhook_timeout_seconds: float = 10.0
    # How long one that is to be overtaken waits for the next.
    webhook_late_seconds: float = 1.0

    # Money.
    # Live documents carry `tax_rounding: entity_level`; an organisation may round each line's tax instead.
    tax_rounding: Literal["entity_level", "line_level"] = "entity_level"
    # Tax-inclusive totals: the sum of the gross lines, or net and tax rounded for themselves (penny off).
    inclusive_total: Literal["gross", "recomputed"] = "gross"
    # Organisation option that rounds totals to whole units (99.5 becomes 100).
    whole_unit_rounding: bool = False
    # Whether a rate is rounded to the currency's precision before it is multiplied.
    rates_rounded: bool = False

    def changed(self, values: dict[str, Any]) -> Switches:
        """With `values` put over these; ValueError names a switch or a position that does not exist."""
        return replace(self, **{name: _position(name, value) for name, value in values.items()})


NAMES = tuple(field.name for field in fields(Switches))
_TYPES = get_type_hints(Switches)


def _position(name: str, value: Any) -> Any:
    if name not in NAMES:
        raise ValueError(f"no switch is called {name!r}; there are: {', '.join(NAMES)}")
    kind = _TYPES[name]
    if kind is bool and isinstance(value, bool):
        return value
    if kind is float and isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value >= 0:
        return float(value)
    for position in get_args(kind):
        if position == value:
            return position
    positions = "true or false" if kind is bool else "seconds" if kind is float else get_args(kind)
    raise ValueError(f"switch {name} takes {positions}, not {value!r}")

"""Every name that outlives a deploy. A string of this file is typed nowhere else."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

# Task queues: workflows and Stripe; live Zoho calls; sweeps and backfills.
MAIN_QUEUE = "throughline"
ZOHO_QUEUE = "zoho"
ZOHO_BULK_QUEUE = "zoho-bulk"

# Workflow types.
PAYMENT_WORKFLOW = "PaymentWorkflow"
RESOLVE_WORKFLOW = "ResolveWorkflow"

# Signals, updates, queries.
PAYMENT_EVENT = "payment_event"
PROGRESS = "progress"

# Activities: verb_object, unique in the house.
FETCH_PAYMENT = "fetch_payment"
RESOLVE_PAYMENT = "resolve_payment"
START_PAYMENT = "start_payment"
PREPARE_ORDER = "prepare_order"
DESCRIBE_ORGANIZATION = "describe_organization"
LIST_CURRENCIES = "list_currencies"
LIST_TAXES = "list_taxes"
FIND_ITEM = "find_item"
CLAIM_CONTACT = "claim_contact"
RELEASE_CONTACT = "release_contact"
FIND_CONTACT = "find_contact"
CREATE_CONTACT = "create_contact"
ADD_ADDRESS = "add_address"
CREATE_SALES_ORDER = "create_sales_order"
FIND_SALES_ORDER = "find_sales_order"
VOID_SALES_ORDER = "void_sales_order"
READ_SALES_ORDER = "read_sales_order"
CONFIRM_SALES_ORDER = "confirm_sales_order"
CREATE_INVOICE = "create_invoice"
FIND_INVOICE = "find_invoice"
MARK_INVOICE_SENT = "mark_invoice_sent"
RECORD_PAYMENT = "record_payment"
FIND_PAYMENT = "find_payment"
WRITE_BACK = "write_back"
NOTIFY_PAID = "notify_paid"

# Search attributes: few, for a server takes ten Keywords; never personal data.
BUSINESS_IDS = SearchAttributeKey.for_keyword_list("BusinessIds")
CONNECTION = SearchAttributeKey.for_keyword("Connection")
STAGE = SearchAttributeKey.for_keyword("Stage")
NEEDS_ATTENTION = SearchAttributeKey.for_bool("NeedsAttention")
ATTENTION_CLASS = SearchAttributeKey.for_keyword("AttentionClass")
SEARCH_ATTRIBUTES = (BUSINESS_IDS, CONNECTION, STAGE, NEEDS_ATTENTION, ATTENTION_CLASS)


def payment_workflow_id(connection: str, payment_id: str) -> str:
    """`payment:<connection>:pi_…` (or `ch_…` for a charge without an intent)."""
    return f"payment:{connection}:{payment_id}"


def resolve_workflow_id(connection: str, event_id: str) -> str:
    """`resolve:<connection>:evt_…`: the small run that finds out which payment an event is about."""
    return f"resolve:{connection}:{event_id}"

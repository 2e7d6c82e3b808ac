"""Every name that outlives a deploy. A string of this file is typed nowhere else."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

from domain.numbers import order_number

# Task queues: workflows and Stripe; live Zoho calls; sweeps and backfills.
MAIN_QUEUE = "throughline"
ZOHO_QUEUE = "zoho"
ZOHO_BULK_QUEUE = "zoho-bulk"

# Workflow types.
PAYMENT_WORKFLOW = "PaymentWorkflow"
RESOLVE_WORKFLOW = "ResolveWorkflow"
CHANGE_WORKFLOW = "ChangeWorkflow"
REFUND_WORKFLOW = "RefundWorkflow"
DISPUTE_WORKFLOW = "DisputeWorkflow"

# Signals, updates, queries.
PAYMENT_EVENT = "payment_event"
REFUND_EVENT = "refund_event"
DISPUTE_EVENT = "dispute_event"
RESUME = "resume"
RESOLVE = "resolve"
PROGRESS = "progress"
TROUBLE = "trouble"

# Kept with a run that was traced from its webhook on: 32 hex digits.
TRACE_ID = "trace_id"

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


def change_workflow_id(connection: str, event_id: str, payment_id: str = "") -> str:
    """`change:<connection>:evt_…`: the run that carries over what the event changed of a closed payment.

    `payment_id` is named, `change:<connection>:evt_…:pi_…`, where one event (a customer's) changes several payments.
    """
    return ":".join(filter(None, ("change", connection, event_id, payment_id)))


def refund_workflow_id(connection: str, refund_id: str) -> str:
    """`refund:<connection>:re_…`: every event of a refund meets there, in any order and as often as it comes.

    A run that has completed is started again, under the same id, by an event that may tell another end:
    `refund.failed`, and an update of the status (`domain.changes.reopens`). Any other event finds it done. One that
    was aborted or cancelled is begun anew by `refund.created` as well, and by nothing else.
    """
    return f"refund:{connection}:{refund_id}"


def dispute_workflow_id(connection: str, dispute_id: str) -> str:
    """`dispute:<connection>:dp_…` (or `du_…`): every event of a dispute meets there, in any order, however often.

    A run that has completed is started again, under the same id, by an event that may tell another end: closed,
    funds withdrawn or reinstated, an update of the status. `charge.dispute.created` begins one anew that was aborted or
    cancelled; any other finds it done.
    """
    return f"dispute:{connection}:{dispute_id}"


def business_ids(payment_id: str, *found: str) -> list[str]:
    """What a payment's run can be found by: its id, its order's number, and every id found since."""
    return list(dict.fromkeys([payment_id, order_number(payment_id), *filter(None, found)]))

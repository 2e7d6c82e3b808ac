"""Every name that outlives a deploy. A string of this file is typed nowhere else."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

from domain.numbers import order_number

# Task queues: workflows and Stripe; live Zoho calls; sweeps and backfills.
MAIN_QUEUE = "throughline"
ZOHO_QUEUE = "zoho"
ZOHO_BULK_QUEUE = "zoho-bulk"


def bulk_queue(zoho_queue: str) -> str:
    """The queue of Zoho calls that can wait, beside that of the live ones: `zoho-bulk` beside `zoho`."""
    return f"{zoho_queue}{ZOHO_BULK_QUEUE.removeprefix(ZOHO_QUEUE)}"


# Workflow types.
PAYMENT_WORKFLOW = "PaymentWorkflow"
RESOLVE_WORKFLOW = "ResolveWorkflow"
CHANGE_WORKFLOW = "ChangeWorkflow"
REFUND_WORKFLOW = "RefundWorkflow"
DISPUTE_WORKFLOW = "DisputeWorkflow"
RETURN_WORKFLOW = "ReturnWorkflow"
RETURN_POLL_WORKFLOW = "ReturnPollWorkflow"
ORDER_POLL_WORKFLOW = "OrderPollWorkflow"
ORDER_CHECK_WORKFLOW = "OrderCheckWorkflow"
ADJUSTMENT_WORKFLOW = "AdjustmentWorkflow"
ADJUSTMENT_POLL_WORKFLOW = "AdjustmentPollWorkflow"
PAYOUT_WORKFLOW = "PayoutWorkflow"
SWEEP_WORKFLOW = "SweepWorkflow"
BACKFILL_WORKFLOW = "BackfillWorkflow"
PAYOUT_CHECK_WORKFLOW = "PayoutCheckWorkflow"

# Signals, updates, queries.
PAYMENT_EVENT = "payment_event"
REFUND_EVENT = "refund_event"
DISPUTE_EVENT = "dispute_event"
RETURN_EVENT = "return_event"  # to the run of a return, and of an adjustment made for one
LOOK_NOW = "look_now"
PAYOUT_EVENT = "payout_event"
RESUME = "resume"
PAUSE = "pause"
RESOLVE = "resolve"
PROGRESS = "progress"
TROUBLE = "trouble"

# Changes of a story that runs of an earlier version may be in the middle of.
DISPUTE_BOOKS = "dispute-books"
PAYOUT_FILLS = "payout-fills"
FEE_FOUND = "fee-found"
OPEN_PAYOUTS = "open-payouts"
SHIP_UNDISPUTED = "ship-undisputed"
QUOTA_WATCHED = "quota-watched"
BACKFILL_CASES = "backfill-cases"
CANCELLED_UNDO = "cancelled-undo"
PLANS_ANEW = "plans-anew"
POLL_SERVES = "poll-serves-who-asked"
RETURN_RUNS = "return-runs"
# An abort or a cancellation waits for its turn and for what was on its way, and touches nothing that others wrote.
CAREFUL_UNDO = "careful-undo"
THEIRS_STAYS = "what was paid out before is not taken back"
CLOSES_ROUND = "an order voided before the run was parked is taken back"
READS_ANEW = "after a wait for the money everything is read anew"
MONEY_FIRST = "the trigger counts no more once money went back"
ONE_NOTE = "several credit notes of one return ask a person"
DISPUTES_SEE_NOTES = "a lost dispute weighs credit notes by hand"
ORDER_NAMES_NOTE = "a credit note that its order names is there, whatever the list shows"
NAMES_LATE = "an abort looks for a refund whose answer never came"
SHIPMENTS_TOLD = "people are told what was shipped by hand"

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


def return_workflow_id(connection: str, return_id: str) -> str:
    """`return:<connection>:<Zoho's id>`: whatever is heard of a return meets there, in any order, however often.

    A run that has ended is started again, under the same id, by a refund of its own that failed afterwards, and by a
    person; by nothing else, for a return that is changed once the money went back is for people.
    """
    return f"return:{connection}:{return_id}"


def return_poll_workflow_id(connection: str) -> str:
    """`returns:<connection>`: the one run that reads Zoho's list of returns from time to time."""
    return f"returns:{connection}"


def order_poll_workflow_id(connection: str) -> str:
    """`orders:<connection>`: the one run that reads what was changed in Zoho from time to time."""
    return f"orders:{connection}"


def order_check_workflow_id(connection: str, payment_id: str) -> str:
    """`check:<connection>:pi_…`: the run that looks into an order of a payment that somebody changed in Zoho.

    One at a time: it is started again, under the same id, when the order is found changed once more.
    """
    return f"check:{connection}:{payment_id}"


def adjustment_workflow_id(connection: str, adjustment_id: str) -> str:
    """`adjustment:<connection>:<Zoho's id>`: whatever is heard of an adjustment that may propose a refund meets there.

    A run that has ended is started again, under the same id, by a refund of its own that failed afterwards; and by
    any news where it gave nothing back, for the adjustment may say by now what it was made for.
    """
    return f"adjustment:{connection}:{adjustment_id}"


def adjustment_poll_workflow_id(connection: str) -> str:
    """`adjustments:<connection>`: the one run that reads Zoho's list of adjustments from time to time."""
    return f"adjustments:{connection}"


def payout_workflow_id(connection: str, payout_id: str) -> str:
    """`payout:<connection>:po_…`: every event of a payout meets there. `payout.failed` starts a completed run again."""
    return f"payout:{connection}:{payout_id}"


def sweep_schedule_id(connection: str) -> str:
    """`sweep:<connection>`: the schedule of a connection's sweeps; each of its runs has its time behind it."""
    return f"sweep:{connection}"


def sweep_workflow_id(connection: str, since: str, until: str) -> str:
    """`sweep:<connection>:<from>/<to>`: a sweep that a person asked for; the same time asked twice is one run."""
    return f"sweep:{connection}:{since}/{until}"


def backfill_workflow_id(connection: str, since: str, until: str) -> str:
    """`backfill:<connection>:<from>:<to>`: the payments of that time; the same time asked twice is one run."""
    return f"backfill:{connection}:{since}:{until}"


def payout_check_schedule_id(connection: str) -> str:
    """`payouts:<connection>`: the schedule of a connection's checks of payouts, one a night."""
    return f"payouts:{connection}"


def payout_check_workflow_id(connection: str, since: str, until: str) -> str:
    """`payouts:<connection>:<from>/<to>`: a check that a person asked for; the same time asked twice is one run."""
    return f"payouts:{connection}:{since}/{until}"


def business_ids(payment_id: str, *found: str) -> list[str]:
    """What a payment's run can be found by: its id, its order's number, and every id found since.

    A return's run does not know its payment at first: "" for that.
    """
    named = [payment_id, order_number(payment_id)] if payment_id else []
    return list(dict.fromkeys([*named, *filter(None, found)]))

"""Stories of what comes back or is changed in Zoho: returns, adjustments for them, orders that people cancel."""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError

from domain.credits import CreditedPieces, PaidOut
from domain.given_back import GivenBack
from domain.policy import ReturnTrigger
from domain.returns import OrderTrace, ReturnedPayment
from domain.runs import StepDone
from tests.workflows.returning import FAILED, GONE_BACK, LIMIT, NOTED, PENDING, RECEIVED, policy
from tests.workflows.samples import (
    NOTE,
    PROPOSAL,
    REFUND,
    RETURN,
    SOLD,
    TOTAL,
    UNPAID_BACK,
)
from tests.workflows.test_order_checks import EDITED, HELD, SAME, VOID
from tests.workflows.test_order_checks import GONE as DELETED

# Returns that somebody entered in Zoho.
RETURNS: dict[str, dict[str, Any]] = {
    "return-received": {"read_return": [RETURN, RETURN, RECEIVED]},
    "return-approval-parked-and-approved": {},
    "return-failed-retried": {
        "fetch_refund": [FAILED, REFUND.model_copy(update={"refund_id": "re_2"})],
        "give_back": [GivenBack(refund_id="re_1"), GivenBack(refund_id="re_2")],
        "fetch_return_money": [UNPAID_BACK, UNPAID_BACK.model_copy(update={"failed": ("re_1",)})],
    },
    "return-refused": {"read_return": [RETURN, RETURN.model_copy(update={"gone": True})]},
    "return-with-credit-note": {
        "read_return": NOTED,
        "comment_credit_note": [StepDone(unknown=True, asked=1), StepDone()],
    },
    "return-aborted": {
        "create_credit_note": NOTE.model_copy(update={"total": TOTAL.zero()}),
        "read_return": [RETURN, NOTED],
    },
    "return-undone-in-turn": {
        "mark_return": ApplicationError("no right", type="NotAllowed", non_retryable=True),
        "fetch_return_money": [UNPAID_BACK, GONE_BACK],
        "read_return": [RETURN, NOTED, RETURN],
        "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None],
        "find_credit_note": [NOTE, None],
    },
    "return-booked-without-its-trigger": {
        "fetch_refund": [PENDING, REFUND],
        "fetch_return_money": [UNPAID_BACK, GONE_BACK],
        "read_return": [NOTED, RETURN],
    },
}
# When their money goes back, where that is not as soon as they are approved.
RETURN_POLICIES = {
    "return-received": policy(ReturnTrigger.RECEIVED),
    "return-refused": policy(ReturnTrigger.RECEIVED),
    "return-approval-parked-and-approved": policy(**LIMIT),
    "return-with-credit-note": policy(ReturnTrigger.CREDIT_NOTE),
    "return-booked-without-its-trigger": policy(ReturnTrigger.CREDIT_NOTE),
}
# And what a person decides about it.
ORDER_CHECKS: dict[str, dict[str, Any]] = {
    "check-nothing": {"see_order": SAME},
    "check-drift-skipped": {"see_order": EDITED},
    "check-cancelled-and-refunded": {
        "see_order": DELETED,
        "give_all_back": [GivenBack(unknown=True, asked=1), GivenBack(refund_id="re_1")],
    },
    "check-restored": {"see_order": DELETED},
    "check-hold-let-go": {"see_order": VOID, "fetch_payment": HELD},
}
# Adjustments that were made for a return, once somebody has answered.
ADJUSTMENTS: dict[str, dict[str, Any]] = {
    "adjustment-approved": {"give_back": [GivenBack(unknown=True, asked=1), GivenBack(refund_id="re_1")]},
    "adjustment-without-memory": {
        "remember_payment": ReturnedPayment(),
        "trace_order": OrderTrace(salesorder_id="so-1", candidates=("pi_1",)),
        "identify_payment": ReturnedPayment(payment_id="pi_1", told_by="the order's fields in Zoho"),
        "read_sale": SOLD.model_copy(update={"notes": ("cn-0",)}),
        "read_credited": CreditedPieces(refund_id="re_0"),
    },
    "adjustment-refused": {"read_proposal": PROPOSAL.model_copy(update={"reason": "Recount"})},
    "adjustment-refund-failed": {
        "fetch_return_money": [
            UNPAID_BACK.model_copy(update={"failed": ("re_0",)}),
            UNPAID_BACK.model_copy(update={"failed": ("re_0",)}),
        ],
        "find_credit_note": [NOTE, None],
        "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None],
    },
}

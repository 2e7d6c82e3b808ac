"""A return whose money did not reach the buyer."""

from __future__ import annotations

from temporalio.client import Client

from domain.given_back import GivenBack
from domain.refunds import RefundStatus
from tests.workflows.fakes import Script
from tests.workflows.returning import (
    ABORT,
    BEGIN,
    FAILED,
    NOTED,
    OPEN_NOTE,
    PAID,
    RECEIVED,
    RETRY,
    SETTLED,
    answered,
)
from tests.workflows.samples import REFUND, UNPAID_BACK


async def test_a_refund_that_fails_is_given_back_once_more(temporal_client: Client) -> None:
    """Another attempt with effects of its own; what is written then belongs to the refund that stands."""
    again = REFUND.model_copy(update={"refund_id": "re_2"})
    once = UNPAID_BACK.model_copy(update={"failed": ("re_1",)})
    script = Script(
        {
            "fetch_refund": [FAILED, again],
            "give_back": [GivenBack(refund_id="re_1"), GivenBack(refund_id="re_2")],
            "fetch_return_money": [UNPAID_BACK, once],
        }
    )
    trouble, said = await answered(temporal_client, script, RETRY)
    assert (trouble.attention_class, trouble.step) == ("refund_failed", "refund")
    assert [(one.attempt, one.answers) for one in script.inputs("give_back")] == [(0, 0), (1, 1)]
    (note,) = script.inputs("create_credit_note")
    (paid,) = script.inputs("pay_out")
    assert (note.refund_id, paid.refund_id, paid.round) == ("re_2", "re_2", 1)  # another effect than those of re_1
    assert "re_2" in said


async def test_a_refund_that_fails_weeks_later_is_taken_out_of_the_books(temporal_client: Client) -> None:
    """The credit note stands and is not paid out; once a person says so, the money goes back again, and it is."""
    failed = UNPAID_BACK.model_copy(update={"failed": ("re_1",)})
    again = REFUND.model_copy(update={"refund_id": "re_2"})
    script = Script(
        {
            "read_return": [SETTLED, RECEIVED.model_copy(update={"notes": (OPEN_NOTE,)})],
            "fetch_return_money": [failed, failed.model_copy(update={"unpaid": 1})],
            "give_back": GivenBack(refund_id="re_2"),
            "find_paid_out": [PAID, None],
            "fetch_refund": again,
        }
    )
    trouble, _ = await answered(temporal_client, script, RETRY)
    assert trouble.attention_class == "refund_failed"
    names = [name for name in script.names() if not name.startswith("tell_")]
    out = ["find_paid_out", "delete_credit_refund", "find_paid_out", "mark_return"]
    assert names[: names.index("note_waiting")] == [*BEGIN[:4], *out, "comment_credit_note"]
    after = names[names.index("record_answer") :]
    assert "create_credit_note" not in after
    assert [wanted.attempt for wanted in script.inputs("give_back")] == [1]
    assert [(wanted.refund_id, wanted.round) for wanted in script.inputs("pay_out")] == [("re_2", 2)]
    assert [(one.refund_id, one.status) for one in script.inputs("mark_return")] == [
        ("re_1", RefundStatus.FAILED),
        ("re_2", RefundStatus.SUCCEEDED),
    ]


async def test_a_refund_that_failed_and_was_given_up_leaves_the_note_open(temporal_client: Client) -> None:
    """Paid another way, as the guide says: nothing of a person's note is touched."""
    script = Script({"fetch_refund": FAILED, "read_return": NOTED})
    trouble, said = await answered(temporal_client, script, ABORT)
    assert trouble.attention_class == "refund_failed"
    assert said.endswith("nothing had been written; no money went back")
    assert not {"void_credit_note", "delete_credit_refund"} & set(script.names())

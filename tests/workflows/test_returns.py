"""A return, told on the real server with activities that answer from a script."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client

from domain.given_back import GivenBack
from domain.policy import ReturnTrigger
from domain.returns import ReturnedPayment
from domain.runs import Stage, StepDone
from tests.workflows.fakes import Script
from tests.workflows.returning import (
    BACK,
    BEGIN,
    END,
    MARKS,
    NOTED,
    PAID,
    RECEIVED,
    SETTLED,
    STORY,
    carried,
)
from tests.workflows.samples import ANSWERS, NOTE, RETURN, TOTAL


async def test_an_approved_return_takes_every_step(temporal_client: Client) -> None:
    """Money first, then the documents, then a word on both sides; the note names the line that came back."""
    script = Script()
    result = await carried(temporal_client, script)
    assert script.names() == STORY
    assert (result["stage"], result["refund_id"], result["creditnote_id"]) == (Stage.CREDITED, "re_1", "cn-1")
    (given,) = script.inputs("give_back")
    assert (given.money, given.attempt, given.metadata) == (TOTAL, 0, {"zoho_salesreturn_id": given.return_id})
    (note,) = script.inputs("create_credit_note")
    assert [(line.salesreturn_item_id, line.gross, line.restock) for line in note.lines] == [("rl-1", TOTAL, True)]
    (received,) = script.inputs("receive_return")
    assert received.lines == (("rl-1", Decimal(1)),)


async def test_goods_that_were_received_are_not_received_again(temporal_client: Client) -> None:
    """What the trigger waited for is there."""
    script = Script({"read_return": RECEIVED})
    await carried(temporal_client, script, trigger=ReturnTrigger.RECEIVED)
    assert script.names() == [name for name in STORY if name != "receive_return"]


async def test_a_credit_note_that_somebody_wrote_is_used(temporal_client: Client) -> None:
    """None is written beside it; the refund names it, and it is told."""
    script = Script({"read_return": NOTED})
    await carried(temporal_client, script, trigger=ReturnTrigger.CREDIT_NOTE)
    books = ["receive_return", "find_account", "pay_out", *MARKS, "comment_credit_note"]
    assert script.names() == [*BEGIN[:-1], "read_sold_lines", *BACK, *books, *END]
    assert script.inputs("give_back")[0].metadata["zoho_creditnote_id"] == "cn-1"
    assert "re_1" in script.inputs("comment_credit_note")[0].said


async def test_a_credit_note_that_was_paid_out_is_not_paid_out_again(temporal_client: Client) -> None:
    """Looked at before the money goes back, and instead of a second booking."""
    script = Script({"read_return": SETTLED, "find_paid_out": PAID})
    await carried(temporal_client, script, trigger=ReturnTrigger.CREDIT_NOTE_REFUND)
    books = ["receive_return", "find_account", "find_paid_out", *MARKS, "comment_credit_note"]
    assert script.names() == [*BEGIN, "find_paid_out", *BACK, *books, *END]


async def test_a_return_is_not_received_where_the_shop_does_that(temporal_client: Client) -> None:
    """`receive = false`: its own people book what arrives."""
    script = Script()
    await carried(temporal_client, script, receive=False)
    assert script.names() == [name for name in STORY if name != "receive_return"]


async def test_a_lost_memory_costs_two_questions(temporal_client: Client) -> None:
    """What the order says of its payment, and whether Stripe knows that."""
    script = Script({"remember_payment": ReturnedPayment()})
    result = await carried(temporal_client, script)
    assert result["payment_id"] == "pi_1"
    assert script.names()[:4] == [*BEGIN[:2], "trace_order", "identify_payment"]
    assert script.inputs("identify_payment")[0].candidates == ("pi_1",)


@pytest.mark.parametrize(
    ("answers", "why", "asked"),
    [
        ({"read_return": RETURN.model_copy(update={"gone": True})}, "deleted", 1),
        ({"read_return": RETURN.model_copy(update={"status": "void"})}, "it is void", 1),
        ({"read_return": RETURN.model_copy(update={"salesorder_id": ""})}, "no order", 1),
        ({"remember_payment": ReturnedPayment(), "identify_payment": ReturnedPayment()}, "no payment", 4),
    ],
)
async def test_what_gives_nothing_back_ends_as_refused(
    temporal_client: Client, answers: Any, why: str, asked: int
) -> None:
    """No turn was taken, so none is given back; people are told."""
    script = Script(answers)
    result = await carried(temporal_client, script)
    assert result["stage"] == Stage.REFUSED
    assert why in result["notes"][-1]
    assert script.names()[asked:] == ["notify_return"]


@pytest.mark.parametrize(
    ("write", "look", "found"),
    [
        ("give_back", "find_given_back", GivenBack(refund_id="re_1")),
        ("create_credit_note", "find_credit_note", NOTE),
        ("receive_return", "read_return", RECEIVED),
        ("pay_out", "find_paid_out", PAID),
        ("mark_return", "find_return_mark", StepDone()),
        ("comment_credit_note", "find_comment", StepDone()),
    ],
)
@pytest.mark.parametrize("shows", ["at once", "late", "never"])
async def test_a_lost_answer_is_looked_for_twice(
    temporal_client: Client, write: str, look: str, found: Any, shows: str
) -> None:
    """Found, at once or a while later, it is not written again; else it is, and says after how many tries."""
    lost = {"unknown": True, "asked": 1}
    nothing = RETURN if look == "read_return" else None
    answers: list[Any] = {"at once": [found], "late": [nothing, found], "never": [nothing]}[shows]
    script = Script({write: [lost, ANSWERS[write]], look: list(answers)})
    if look == "read_return":
        script.answers[look] = [RETURN, *answers]
    if write == "comment_credit_note":
        script.answers["read_return"] = NOTED
    await carried(temporal_client, script)
    first = script.names().index(write)
    asked = [name for name in script.names()[first:] if name in (write, look)]
    looks = {"at once": 1, "late": 2, "never": 2}[shows]
    assert asked == [write, *[look] * looks, *([write] if shows == "never" else [])]
    assert [wanted.after for wanted in script.inputs(write)] == ([0, 1] if shows == "never" else [0])

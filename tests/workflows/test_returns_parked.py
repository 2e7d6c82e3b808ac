"""A return that asks a person, and what it does with each answer."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client

from domain.credits import CreditedPieces
from domain.given_back import GivenBack
from domain.money import Money
from domain.policy import ReturnTrigger
from domain.returns import ReturnedPayment
from tests.workflows.fakes import Script, on_stage
from tests.workflows.returning import (
    ABORT,
    APPROVE,
    BEGIN,
    GONE_BACK,
    LIMIT,
    LINE,
    NOTED,
    OPEN_NOTE,
    PENDING,
    RETRY,
    SETTLED,
    STORY,
    Lively,
    anew,
    answered,
    policy,
    refusing,
)
from tests.workflows.samples import ANSWERS, REFUND, RETURN, SOLD, TOTAL, UNPAID_BACK
from tests.workflows.test_payments import until_parked
from workflows import contract

SECOND_NOTE = OPEN_NOTE.model_copy(update={"creditnote_id": "cn-2", "number": "CN-2", "status": "closed"})


async def test_a_second_person_agrees_above_the_limit(temporal_client: Client) -> None:
    """Nothing was given back before; approved, the story is told from its beginning."""
    script = Script()
    trouble, said = await answered(temporal_client, script, APPROVE, **LIMIT)
    assert (trouble.attention_class, trouble.step, trouble.requester) == ("approval_needed", "approval", "Clara")
    assert trouble.at_risk == TOTAL
    assert "re_1" in said
    names = [name for name in script.names() if not name.startswith("tell_")]  # people, sooner or later
    again = ["read_return", *BEGIN[2:]]  # the payment is known
    assert names == [*BEGIN, "note_waiting", "record_answer", *again, *STORY[len(BEGIN) :]]


async def test_an_approval_is_for_the_amount_that_was_shown(temporal_client: Client) -> None:
    """Where the credit note was made larger meanwhile, it is asked again."""
    dearer = OPEN_NOTE.model_copy(update={"total": Decimal("60.00")})
    script = Script(
        {
            "fetch_return_money": UNPAID_BACK.model_copy(update={"captured": Money.of(9000, "EUR")}),
            "read_return": [NOTED, RETURN.model_copy(update={"notes": (dearer,)})],
            "fetch_refund": REFUND.model_copy(update={"money": Money.of(6000, "EUR")}),
        }
    )
    await answered(temporal_client, script, APPROVE, APPROVE, trigger=ReturnTrigger.CREDIT_NOTE, **LIMIT)
    assert [given.money for given in script.inputs("give_back")] == [Money.of(6000, "EUR")]
    assert script.names().count("record_answer") == 2


async def test_a_retry_is_no_approval(temporal_client: Client) -> None:
    """It asks again; aborted, nothing was written."""
    script = Script()
    _, said = await answered(temporal_client, script, RETRY, ABORT, **LIMIT)
    assert "give_back" not in script.names()
    assert said == "ada aborted: wrong return; taken back: nothing had been written; no money went back"
    assert script.names()[-2:] == ["fetch_return_money", "end_turn"]


async def test_more_than_is_left_asks_a_person(temporal_client: Client) -> None:
    """Told again once there is enough, it goes back."""
    little = UNPAID_BACK.model_copy(update={"given": Money.of(1, "EUR")})
    script = Script({"fetch_return_money": [little, UNPAID_BACK]})
    trouble, _ = await answered(temporal_client, script, RETRY)
    assert (trouble.attention_class, trouble.step) == ("refund_too_large", "refund")
    assert "49.89 EUR is left" in trouble.message
    assert script.names().count("give_back") == 1


async def test_pieces_that_an_adjustment_paid_for_are_known_before_a_return_is_priced(temporal_client: Client) -> None:
    """Its refund has no credit note yet: a person is asked. Once it has one, what that credits cannot come back."""
    other = UNPAID_BACK.model_copy(update={"proposed": ("re_9",)})
    same = CreditedPieces(refund_id="re_9", lines=(("il-1", Decimal(1)),))
    noted = SOLD.model_copy(update={"notes": ("cn-9",)})
    script = Script(
        {
            "fetch_return_money": other,
            "read_sale": [SOLD, noted],
            "read_sold_lines": [SOLD, noted],
            "read_credited": same,
        }
    )
    trouble, said = await answered(temporal_client, script, RETRY, ABORT)
    assert (trouble.attention_class, "re_9 gave money back" in trouble.message) == ("changed_by_hand", True)
    assert "no money went back" in said
    assert [one.document_id for one in script.inputs("read_credited")] == ["cn-9"]
    assert "give_back" not in script.names()


@pytest.mark.parametrize(("refused", "asked"), [("disputed", "payment_disputed"), ("spent", "refund_too_large")])
async def test_what_stripe_refuses_is_asked_again_with_another_key(
    temporal_client: Client, refused: str, asked: str
) -> None:
    """Stripe repeats a refusal for as long as it keeps the key: each answer counts."""
    script = Script({"give_back": [GivenBack(refused=refused), GivenBack(refund_id="re_1")]})
    trouble, _ = await answered(temporal_client, script, RETRY)
    assert (trouble.attention_class, trouble.step) == (asked, "refund")
    assert [(one.attempt, one.answers) for one in script.inputs("give_back")] == [(0, 0), (0, 1)]


async def test_a_payment_of_another_account_asks_a_person(temporal_client: Client) -> None:
    """The order names a payment that Stripe does not know; aborted, there is no turn to give back."""
    script = Script({"remember_payment": ReturnedPayment(), "identify_payment": ReturnedPayment(foreign="pi_x")})
    trouble, said = await answered(temporal_client, script, ABORT)
    assert (trouble.attention_class, trouble.step) == ("foreign", "payment")
    assert "pi_x" in trouble.message
    assert said.endswith("nothing had been written")
    assert "end_turn" not in script.names()


@pytest.mark.parametrize(
    "answers",
    [
        {"read_sale": SOLD.model_copy(update={"invoice_id": ""})},
        {"read_sold_lines": SOLD.model_copy(update={"lines": ()})},
        {"read_return": RETURN.model_copy(update={"lines": (LINE.model_copy(update={"order_line_id": "l-9"}),)})},
        {"read_return": RETURN.model_copy(update={"lines": (LINE.model_copy(update={"quantity": Decimal(2)}),)})},
        {"read_return": RETURN.model_copy(update={"lines": (LINE.model_copy(update={"quantity": Decimal(0)}),)})},
        {"read_return": SETTLED},
        {"read_return": RETURN.model_copy(update={"notes": (OPEN_NOTE.model_copy(update={"total": Decimal(0)}),)})},
        {"read_return": RETURN.model_copy(update={"notes": (OPEN_NOTE, SECOND_NOTE)})},
    ],
    ids=[
        *("no invoice", "no lines", "line of none", "more than sold", "no pieces", "settled", "note over nothing"),
        "two notes",
    ],
)
async def test_what_only_people_can_tell_is_asked(temporal_client: Client, answers: Any) -> None:
    """Nothing was given back, and nothing is written."""
    script = Script(answers)
    trouble, _ = await answered(temporal_client, script, ABORT)
    assert trouble.attention_class == "changed_by_hand"
    assert not {"give_back", "create_credit_note", "receive_return"} & set(script.names())


async def test_of_several_credit_notes_of_a_return_all_are_named(temporal_client: Client) -> None:
    """One of them is not taken for all; a void one does not count, so voiding the others is the cure."""
    void = SECOND_NOTE.model_copy(update={"status": "void"})
    noted = [RETURN.model_copy(update={"notes": notes}) for notes in ((OPEN_NOTE, SECOND_NOTE), (void, OPEN_NOTE))]
    script = Script({"read_return": noted})
    trouble, said = await answered(temporal_client, script, RETRY)
    assert "CN-1 over 49.90, CN-2 over 49.90" in trouble.message
    assert "credit note CN-1" in said


async def test_a_return_that_is_deleted_after_its_money_went_back_asks_a_person(temporal_client: Client) -> None:
    """The money is with the buyer, and Zoho has nothing to book it with."""
    script = Lively()
    script.answers["create_credit_note"] = refusing()
    gone = RETURN.model_copy(update={"gone": True})
    script.answers["read_return"] = lambda wanted: gone if "create_credit_note" in script.names() else RETURN
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=policy()), anew())
        latest = temporal_client.get_workflow_handle(handle.id)
        await until_parked(latest)
        await latest.execute_update(contract.RESOLVE, RETRY)
        async with asyncio.timeout(20):
            while (trouble := await until_parked(latest)).attention_class != "changed_by_hand":
                await asyncio.sleep(0.02)
        await latest.terminate()
    assert "re_1 gave 49.90 EUR back" in trouble.message
    assert script.names().count("give_back") == 1


async def test_a_refund_that_stays_under_way_asks_a_person(temporal_client: Client) -> None:
    """After `refund_patience`; asked again, the same refund is read anew, and no other is made."""
    script = Lively()
    script.answers["fetch_refund"] = lambda wanted: REFUND if "record_answer" in script.names() else PENDING
    trouble, _ = await answered(temporal_client, script, RETRY)
    assert (trouble.attention_class, trouble.step) == ("refund_pending", "refund")
    assert script.names().count("give_back") == 1


async def test_a_refund_of_another_amount_asks_a_person(temporal_client: Client) -> None:
    """Somebody changed the return once its money had gone back."""
    script = Script(
        {"fetch_return_money": GONE_BACK, "fetch_refund": REFUND.model_copy(update={"money": TOTAL.zero()})}
    )
    trouble, _ = await answered(temporal_client, script, ABORT)
    assert trouble.attention_class == "totals_differ"
    assert "create_credit_note" not in script.names()


@pytest.mark.parametrize(
    ("call", "step"), [("receive_return", "receive"), ("mark_refund", "mark"), ("mark_return", "mark")]
)
async def test_what_the_books_can_do_without_is_skipped(temporal_client: Client, call: str, step: str) -> None:
    """With a reason; every other document is there, once."""
    script = Lively()
    script.answers[call] = refusing()
    trouble, said = await answered(temporal_client, script, {"action": "skip", "reason": "by hand", "by": "ada"})
    assert (trouble.step, trouble.skippable) == (step, True)
    names = script.names()
    assert said.startswith("return RMA-1 · re_1")
    assert [names.count(name) for name in ("give_back", "create_credit_note", "pay_out", call)] == [1, 1, 1, 1]


@pytest.mark.parametrize("call", ["create_credit_note", "pay_out", "find_account", "give_back"])
async def test_what_money_hangs_on_is_not_skipped(temporal_client: Client, call: str) -> None:
    """Retried, it goes on where it stopped: what was written is read, and not written again."""
    script, right = Lively(), ANSWERS[call]
    script.answers[call] = lambda wanted: _once_cured(script, wanted, right)
    trouble, _ = await answered(temporal_client, script, RETRY)
    assert not trouble.skippable
    names = script.names()
    assert "comment_credit_note" not in names, "its own credit note says its refund already"
    for name in ("give_back", "create_credit_note", "receive_return", "pay_out"):
        assert names.count(name) == (2 if name == call else 1), name


def _once_cured(script: Script, wanted: Any, right: Any) -> Any:
    if "record_answer" not in script.names():
        return refusing()
    return right(wanted) if callable(right) else right

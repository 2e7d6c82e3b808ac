"""The run that looks into an order which somebody changed: when it asks, what an answer does, what it never does."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.drift import Difference
from domain.given_back import GivenBack
from domain.money import Money
from domain.order_polls import LeftMoney, OrderLook, Standing, StandingFound
from domain.payments import PaymentStatus
from domain.policy import HeldMoney, PaymentPolicy, ReturnPolicy
from domain.runs import FetchedPayment, HoldLetGo
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import QUICK, TOTAL
from tests.workflows.test_payments import until_parked
from workflows import contract

SAME = OrderLook(standing=Standing.STANDS, number="SO-1")
EDITED = SAME.model_copy(update={"digest": "d1", "differences": (Difference(field="total", was="1", now="2"),)})
VOID = OrderLook(standing=Standing.VOID, number="SO-1", digest="void")
GONE = OrderLook(standing=Standing.GONE, digest="gone")
LIMIT = QUICK.model_copy(update={"returns": ReturnPolicy(approve_above={"EUR": 20})})
HELD = FetchedPayment(status=PaymentStatus.UNCAPTURED, money=TOTAL, facts_ref="facts")
REFUND = {"action": "refund", "by": "ada"}


async def answer(handle: WorkflowHandle[Any, Any], **said: Any) -> None:
    """What a person says once the run waits."""
    await until_parked(handle)
    await handle.execute_update(contract.RESOLVE, said)


async def played(
    client: Client, script: Script, *answers: dict[str, Any], policy: PaymentPolicy = QUICK
) -> dict[str, Any]:
    """What the run came to after these answers."""
    async with on_stage(client, script) as stage:
        handle = await stage.check(stage.payment(policy=policy))
        for said in answers:
            await answer(handle, **said)
        return dict(await client.get_workflow_handle(handle.id).result())


async def refused(client: Client, script: Script, *answers: dict[str, Any], policy: PaymentPolicy = QUICK) -> Any:
    """What the run asks after these answers; then it is aborted."""
    async with on_stage(client, script) as stage:
        handle = await stage.check(stage.payment(policy=policy))
        for said in answers:
            await answer(handle, **said)
        trouble = await until_parked(client.get_workflow_handle(handle.id))
        await answer(client.get_workflow_handle(handle.id), action="abort", reason="test")
        with pytest.raises(WorkflowFailureError):
            await client.get_workflow_handle(handle.id).result()
        return trouble


@pytest.mark.parametrize(
    "look",
    [SAME, EDITED.model_copy(update={"accepted": True}), VOID.model_copy(update={"ours": True})],
    ids=["same", "accepted", "ours"],
)
async def test_what_is_all_right_asks_nobody(temporal_client: Client, look: OrderLook) -> None:
    """Looked at under the turn, which is given back; Stripe is not even asked."""
    script = Script({"see_order": look})
    assert (await played(temporal_client, script))["notes"] == ["there is nothing to ask"]
    assert script.names() == ["take_turn", "see_order", "end_turn"]


async def test_who_waits_for_a_person_lets_others_write(temporal_client: Client) -> None:
    """The turn is given back before the run parks, and taken again for the look after the answer."""
    script = Script({"see_order": [EDITED, SAME]})
    await played(temporal_client, script, {"action": "retry", "by": "ada"})
    kept = [name for name in script.names() if name in ("take_turn", "see_order", "end_turn", "record_answer")]
    assert kept == ["take_turn", "see_order", "end_turn", "record_answer", "take_turn", "see_order", "end_turn"]
    assert "accept_order" not in script.names()


async def test_what_was_skipped_is_what_was_shown(temporal_client: Client) -> None:
    """Changed again while somebody thought, it is asked anew; a retry of that is no leave to let it stand."""
    other = EDITED.model_copy(update={"digest": "d2"})
    script = Script({"see_order": [EDITED, other, other]})
    answers = ({"action": "skip", "reason": "on the house", "by": "ada"}, {"action": "retry", "by": "ada"})
    trouble = await refused(temporal_client, script, *answers)
    assert trouble.attention_class == "drift"
    assert "accept_order" not in script.names()


async def test_money_above_the_limit_needs_a_second_person(temporal_client: Client) -> None:
    """Whoever wanted the refund cannot approve it; then it is made once."""
    script = Script({"see_order": VOID})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.check(stage.payment(policy=LIMIT))
        await until_parked(handle)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(contract.RESOLVE, {"action": "refund"})
        await answer(handle, **REFUND)
        again = temporal_client.get_workflow_handle(handle.id)
        trouble = await until_parked(again)
        assert (trouble.attention_class, trouble.requester) == ("approval_needed", "ada")
        with pytest.raises(WorkflowUpdateFailedError):
            await again.execute_update(contract.RESOLVE, {"action": "approve", "by": "Ada"})
        assert script.inputs("give_all_back") == []
        await answer(again, action="approve", by="bob")
        result = await again.result()
    assert result["refund_id"] == "re_1"
    (given,) = script.inputs("give_all_back")
    assert (given.money, given.attempt, given.salesorder_id) == (TOTAL, 0, "so-1")
    (accepted,) = script.inputs("accept_order")
    assert accepted.digest == "0/void"


async def test_a_lost_answer_to_the_refund_is_looked_for(temporal_client: Client) -> None:
    """What is found was made; it is not made again."""
    script = Script(
        {
            "see_order": VOID,
            "give_all_back": GivenBack(unknown=True, asked=1),
            "find_all_given_back": [None, GivenBack(refund_id="re_9")],
        }
    )
    assert (await played(temporal_client, script, REFUND))["refund_id"] == "re_9"
    assert len(script.inputs("give_all_back")) == 1


async def test_a_refund_that_stripe_will_not_make(temporal_client: Client) -> None:
    """A disputed payment is not paid back twice, nor one that has nothing left: a person is asked each time."""
    script = Script({"see_order": VOID, "give_all_back": [GivenBack(refused=word) for word in ("disputed", "spent")]})
    async with on_stage(temporal_client, script) as stage:
        handle = temporal_client.get_workflow_handle((await stage.check(stage.payment())).id)
        await answer(handle, **REFUND)
        assert (await until_parked(handle)).attention_class == "payment_disputed"
        await answer(handle, action="retry", by="ada")
        assert (await until_parked(handle)).attention_class == "refund_too_large"
        await handle.terminate()
    assert [given.answers for given in script.inputs("give_all_back")] == [1, 2]


@pytest.mark.parametrize("late", [False, True])
async def test_an_abort_names_the_money_that_went_back(temporal_client: Client, late: bool) -> None:
    """Also where the refund was made and the run could not go on, or its answer never came."""
    stuck = ApplicationError("not now", {"service": "zoho"}, type="NotAllowed", non_retryable=True)
    script = Script({"see_order": VOID, "give_all_back" if late else "accept_order": stuck})
    script.answers["find_all_given_back"] = [None, GivenBack(refund_id="re_1")]
    async with on_stage(temporal_client, script) as stage:
        handle = temporal_client.get_workflow_handle((await stage.check(stage.payment())).id)
        await answer(handle, **REFUND)
        await answer(handle, action="abort", reason="test")
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
    assert str(ended.value.cause).endswith("the order stays as it is in Zoho; money went back with re_1")


async def test_money_that_went_back_already_is_no_question(temporal_client: Client) -> None:
    """Somebody refunded in Stripe and voided in Zoho: both say the same, so it stands."""
    left = LeftMoney(captured=TOTAL, left=TOTAL.zero(), attempt=0)
    script = Script({"see_order": VOID, "fetch_left": left})
    assert "all of the money has gone back" in (await played(temporal_client, script))["notes"]
    assert "give_all_back" not in script.names()
    assert len(script.inputs("accept_order")) == 1


async def test_what_is_left_goes_back_and_no_more(temporal_client: Client) -> None:
    """A part of it went back before."""
    rest = Money.of(1000, "EUR")
    script = Script({"see_order": VOID, "fetch_left": LeftMoney(captured=TOTAL, left=rest, attempt=1)})
    await played(temporal_client, script, REFUND)
    (given,) = script.inputs("give_all_back")
    assert (given.money, given.attempt) == (rest, 1)


@pytest.mark.parametrize(("policy", "answers"), [(HeldMoney.LET_GO, ()), (HeldMoney.KEEP, (REFUND,))])
async def test_money_that_is_authorised_only(
    temporal_client: Client, policy: HeldMoney, answers: tuple[dict[str, Any], ...]
) -> None:
    """By policy the payment is cancelled in Stripe at once, else when a person says so; nothing is refunded."""
    script = Script(
        {"see_order": VOID, "fetch_payment": HELD, "let_go_of_hold": HoldLetGo(status=PaymentStatus.CANCELED)}
    )
    shop = QUICK.model_copy(update={"held_money": policy})
    await played(temporal_client, script, *answers, policy=shop)
    assert len(script.inputs("let_go_of_hold")) == 1
    assert "give_all_back" not in script.names()


async def test_a_deleted_order_whose_invoice_stands_is_not_kept_as_gone(temporal_client: Client) -> None:
    """The refund's run has something to credit then, and asks a person as ever."""
    script = Script({"see_order": GONE, "find_standing": StandingFound(document_ids=("in-1",))})
    await played(temporal_client, script, REFUND)
    assert "note_gone" not in script.names()


async def test_nothing_is_carried_anew_beside_what_stands(temporal_client: Client) -> None:
    """An invoice that stands would be there twice: the round stays open; who wanted a refund before does no more."""
    script = Script({"see_order": GONE, "find_standing": StandingFound(document_ids=("in-1",))})
    script.answers["give_all_back"] = GivenBack(refused="disputed")
    answers = (REFUND, {"action": "restore", "by": "ada"}, {"action": "retry", "by": "ada"})
    trouble = await refused(temporal_client, script, *answers)
    assert len(script.inputs("give_all_back")) == 1
    assert (trouble.attention_class, trouble.choices) == ("order_cancelled", ("refund", "restore"))
    assert "restore carries the payment anew" in trouble.message
    assert not {"close_round", "carry_anew"} & set(script.names())


async def test_a_payment_is_carried_anew_in_a_round_of_its_own(temporal_client: Client) -> None:
    """The old round is closed, the turn given back, and only then the payment's run is started."""
    script = Script({"see_order": GONE.model_copy(update={"round": 2})})
    await played(temporal_client, script, {"action": "restore", "by": "ada"})
    names = script.names()
    assert names.index("close_round") < names.index("end_turn", names.index("close_round")) < names.index("carry_anew")
    (closed,) = script.inputs("close_round")
    assert (closed.round, closed.change) == (2, "")


async def test_an_aborted_check_says_that_nothing_was_changed(temporal_client: Client) -> None:
    """Its drift is asked about, and closes the run as aborted; the order is not accepted."""
    script = Script({"see_order": EDITED})
    trouble = await refused(temporal_client, script)
    assert (trouble.attention_class, trouble.step, trouble.skippable) == ("drift", "differs", True)
    assert "accept_order" not in script.names()

"""An adjustment that proposes a refund, told on the real server with activities that answer from a script."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from domain.attention import AttentionClass, Trouble
from domain.credits import CreditWritten, PaidOut
from domain.given_back import GivenBack
from domain.money import Money
from domain.policy import ADJUSTMENT_ID_KEY
from domain.proposals import OrderFound, ProposalSeen
from domain.returns import ReturnedPayment
from domain.runs import Stage
from tests.workflows.fakes import Script, on_stage
from tests.workflows.fakes import Stage as Theatre
from tests.workflows.samples import NOTE, PROPOSAL, PROPOSALS, REFUND, SOLD, TOTAL, UNPAID_BACK
from tests.workflows.test_payments import until_parked
from workflows import contract

FOUND = ["read_proposal", "find_named_order", "remember_payment"]
KNOWN = ["take_turn", "fetch_return_money", "read_sale", "read_sold_lines"]
ASKED = [*FOUND, *KNOWN, "end_turn", "note_waiting"]
GIVEN = ["give_back", "fetch_refund", "create_credit_note", "find_account", "pay_out", "mark_refund"]
END = ["end_turn", "notify_return"]
GONE_BACK = UNPAID_BACK.model_copy(update={"refund_id": "re_1", "refunded": TOTAL})


async def begun(stage: Theatre) -> WorkflowHandle[Any, Any]:
    """A run of an adjustment that nobody else has."""
    return await stage.adjustment(uuid.uuid4().hex, PROPOSALS)


async def answered(handle: WorkflowHandle[Any, Any], action: str, **more: Any) -> None:
    """What Grace says."""
    await handle.execute_update(contract.RESOLVE, {"action": action, "by": "Grace", **more})


async def asks(handle: WorkflowHandle[Any, Any], wanted: AttentionClass) -> Trouble:
    """What the run asks, once it is of this class."""
    async with asyncio.timeout(20):
        while (trouble := await until_parked(handle)).attention_class is not wanted:
            await asyncio.sleep(0.01)
    return trouble


async def approved(client: Client, script: Script) -> Any:
    """What the run comes to once somebody agreed."""
    async with on_stage(client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        return await handle.result()


async def test_nothing_is_written_before_a_yes(temporal_client: Client) -> None:
    """It reads, gives its turn back, and asks; afterwards money, note, its refund, and the note in Stripe."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        trouble = await asks(handle, AttentionClass.APPROVAL_NEEDED)
        assert (trouble.at_risk, trouble.approvable) == (TOTAL, True)
        assert script.names()[: len(ASKED)] == ASKED
        await answered(handle, "approve")
        result = await handle.result()
    after = [name for name in script.names()[len(ASKED) :] if name not in ("tell_attention", "tell_resolved")]
    assert after == ["record_answer", "read_proposal", *KNOWN, *GIVEN, *END]
    assert (result["stage"], result["payment_id"], result["creditnote_id"]) == (Stage.CREDITED, "pi_1", "cn-1")
    (money,) = script.inputs("give_back")
    assert (money.money, list(money.metadata)) == (TOTAL, [ADJUSTMENT_ID_KEY])
    (note,) = script.inputs("create_credit_note")
    assert [(line.restock, line.quantity) for line in note.lines] == [(False, 1)]
    assert (note.adjustment_id, note.return_id) == (money.return_id, "")


@pytest.mark.parametrize(
    ("step", "look", "found"),
    [
        ("give_back", "find_given_back", GivenBack(refund_id="re_1")),
        ("create_credit_note", "find_credit_note", NOTE),
        ("pay_out", "find_paid_out", PaidOut(zoho_refund_id="cr-1")),
    ],
)
async def test_a_lost_answer_is_looked_for(temporal_client: Client, step: str, look: str, found: Any) -> None:
    """Found, it is not written again."""
    lost = type(found)(unknown=True, asked=1)
    script = Script({step: lost, look: found})
    assert (await approved(temporal_client, script))["stage"] == Stage.CREDITED
    assert (script.names().count(step), look in script.names()) == (1, True)


@pytest.mark.parametrize("missing", ["find_named_order", "reference", "item"])
async def test_what_does_not_match_forgets_order_and_yes(temporal_client: Client, missing: str) -> None:
    """After a retry it looks for the order again; nothing was given back for the wrong one."""
    other = PROPOSAL.model_copy(
        update={"lines": tuple(line.model_copy(update={"item_id": "i-9"}) for line in PROPOSAL.lines)}
    )
    answers: dict[str, dict[str, Any]] = {
        "find_named_order": {"find_named_order": [OrderFound(), OrderFound(salesorder_id="so-1")]},
        "reference": {"read_proposal": [PROPOSAL.model_copy(update={"reference": ""}), PROPOSAL]},
        "item": {"read_proposal": [other, PROPOSAL]},
    }
    script = Script(answers[missing])
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        trouble = await asks(handle, AttentionClass.ADJUSTMENT_UNMATCHED)
        assert not trouble.approvable
        await answered(handle, "retry")
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        assert "give_back" not in script.names()
        assert script.names().count("find_named_order") == (1 if missing == "reference" else 2)
        await answered(handle, "approve")
        assert (await handle.result())["stage"] == Stage.CREDITED


TWO = PROPOSAL.model_copy(
    update={"lines": tuple(line.model_copy(update={"pieces": line.pieces + 1}) for line in PROPOSAL.lines)}
)
PAIR = SOLD.model_copy(update={"lines": tuple(line.model_copy(update={"quantity": 2}) for line in SOLD.lines)})


@pytest.mark.parametrize(
    ("asked", "then", "money"),
    [(PROPOSAL, TWO, TOTAL), (TWO, PROPOSAL, Money.of(2495, "EUR"))],
    ids=["more", "less"],
)
async def test_a_yes_is_for_these_very_pieces(
    temporal_client: Client, asked: ProposalSeen, then: ProposalSeen, money: Money
) -> None:
    """Edited while somebody was asked: it asks again, though less may be meant by now."""
    script = Script(
        {
            "read_proposal": [asked, then],
            "read_sale": PAIR,
            "read_sold_lines": PAIR,
            "fetch_refund": REFUND.model_copy(update={"money": money}),
            "create_credit_note": NOTE.model_copy(update={"total": money}),
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        async with asyncio.timeout(20):
            while (await asks(handle, AttentionClass.APPROVAL_NEEDED)).at_risk != money:
                await asyncio.sleep(0.01)
        assert "give_back" not in script.names()
        await answered(handle, "approve")
        await handle.result()
    assert [one.money for one in script.inputs("give_back")] == [money]


async def test_a_yes_is_never_moved_to_another_order(temporal_client: Client) -> None:
    """Named anew while somebody was asked: it says so, and asks for the order of now."""
    renamed = PROPOSAL.model_copy(update={"named": "SO-2"})
    script = Script({"read_proposal": [PROPOSAL, renamed]})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        assert "it names SO-2 now" in (await asks(handle, AttentionClass.ADJUSTMENT_UNMATCHED)).message
        await answered(handle, "retry")
        assert "order SO-2" in (await asks(handle, AttentionClass.APPROVAL_NEEDED)).message
        assert "give_back" not in script.names()
    assert [one.named for one in script.inputs("find_named_order")] == ["SO-1", "SO-2"]


async def test_a_yes_for_what_is_no_longer_meant_gives_nothing_back(temporal_client: Client) -> None:
    """The clerk has called it a recount since."""
    script = Script({"read_proposal": [PROPOSAL, PROPOSAL.model_copy(update={"reason": "Recount"})]})
    assert (await approved(temporal_client, script))["stage"] == Stage.REFUSED
    assert "give_back" not in script.names()


async def test_pieces_that_nobody_knows_of_stop_it(temporal_client: Client) -> None:
    """Another adjustment of the payment gave money back, and no credit note says for what."""
    script = Script({"fetch_return_money": UNPAID_BACK.model_copy(update={"proposed": ("re_9",)})})
    async with on_stage(temporal_client, script) as stage:
        trouble = await asks(await begun(stage), AttentionClass.ADJUSTMENT_UNMATCHED)
        assert "re_9 gave money back for an adjustment" in trouble.message


async def test_money_that_went_back_is_never_given_again(temporal_client: Client) -> None:
    """A run that finds its refund needs no yes: it only writes what is missing, whatever was entered since."""
    script = Script(
        {
            "fetch_return_money": GONE_BACK,
            "read_sale": SOLD.model_copy(update={"returns": ("ret-9",)}),
        }
    )
    async with on_stage(temporal_client, script) as stage:
        result = await (await begun(stage)).result()
    assert result["stage"] == Stage.CREDITED
    assert not {"give_back", "read_return"} & set(script.names())


async def test_an_adjustment_that_changed_after_its_refund_waits(temporal_client: Client) -> None:
    """What went back and what it comes to now differ: no credit note is written."""
    less = Money.of(100, "EUR")
    script = Script(
        {
            "fetch_return_money": UNPAID_BACK.model_copy(update={"refund_id": "re_1", "refunded": less}),
            "fetch_refund": REFUND.model_copy(update={"money": less}),
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.TOTALS_DIFFER)
        assert "create_credit_note" not in script.names()
        await answered(handle, "abort", reason="by hand")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"read_proposal": PROPOSAL.model_copy(update={"reason": "Recount"})}, "neither its reason"),
        ({"read_proposal": PROPOSAL.model_copy(update={"gone": True})}, "deleted"),
        ({"read_proposal": PROPOSAL.model_copy(update={"reference": "pi_1"})}, "neither its reason"),
        ({"remember_payment": ReturnedPayment(), "identify_payment": ReturnedPayment()}, "no payment in Stripe"),
    ],
)
async def test_what_is_none_of_ours_ends_by_itself(temporal_client: Client, answers: dict[str, Any], said: str) -> None:
    """Nobody is asked, and nothing is read of Stripe's money."""
    script = Script(answers)
    async with on_stage(temporal_client, script) as stage:
        result = await (await begun(stage)).result()
    assert (result["stage"], said in result["notes"][-1]) == (Stage.REFUSED, True)
    assert "fetch_return_money" not in script.names()


async def test_a_note_over_another_total_is_paid_out_to_nobody(temporal_client: Client) -> None:
    """Zoho disagrees about the price: the run waits with the note written."""
    wrong = CreditWritten(creditnote_id="cn-1", number="CN-1", status="open", total=Money.of(1, "EUR"))
    script = Script({"create_credit_note": wrong})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        await asks(handle, AttentionClass.TOTALS_DIFFER)
        assert "pay_out" not in script.names()
        await answered(handle, "abort", reason="by hand")

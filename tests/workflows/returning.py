"""What a test of a return's run is made of: the story, what was seen on its way, and answers that fit together."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.attention import Trouble
from domain.credits import PaidOut
from domain.policy import PaymentPolicy, ReturnTrigger
from domain.refunds import RefundStatus
from domain.returns import ReceiveWritten, ReturnNote, ReturnSeen
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import NOTE, PROMPT, REFUND, RETURN, TOTAL, UNPAID_BACK
from tests.workflows.test_payments import until_parked
from workflows import contract

BEGIN = ["read_return", "remember_payment", "take_turn", "fetch_return_money", "read_sale", "read_sold_lines"]
BACK = ["give_back", "fetch_refund"]
MARKS = ["mark_refund", "mark_return"]
END = ["end_turn", "notify_return"]
STORY = [*BEGIN, *BACK, "create_credit_note", "receive_return", "find_account", "pay_out", *MARKS, *END]

(LINE,) = RETURN.lines
ENTERED = RETURN.model_copy(update={"status": "pending_approval"})
RECEIVED = RETURN.model_copy(
    update={"receives": ("rc-1",), "lines": (LINE.model_copy(update={"received": Decimal(1)}),)}
)
OPEN_NOTE = ReturnNote(creditnote_id="cn-1", number="CN-1", status="open", total=Decimal("49.90"))
NOTED = RETURN.model_copy(update={"notes": (OPEN_NOTE,)})
SETTLED = RETURN.model_copy(update={"notes": (OPEN_NOTE.model_copy(update={"status": "closed"}),)})
GONE_BACK = UNPAID_BACK.model_copy(update={"refund_id": "re_1", "refunded": TOTAL})
PENDING = REFUND.model_copy(update={"status": RefundStatus.PENDING})
FAILED = REFUND.model_copy(update={"status": RefundStatus.FAILED})
PAID = PaidOut(zoho_refund_id="cr-1")
RETRY = {"action": "retry", "by": "ada"}
APPROVE = {"action": "approve", "by": "Grace"}
ABORT = {"action": "abort", "reason": "wrong return", "by": "ada"}
# Above which a second person has to agree.
LIMIT: dict[str, Any] = {"approve_above": {"EUR": Decimal("49.89")}}
# Nothing is looked at by itself.
LONG_WAIT: dict[str, Any] = {"look_every": PROMPT.remind_every, "look_at_most": PROMPT.remind_every}


def policy(trigger: ReturnTrigger = ReturnTrigger.APPROVED, **returns: Any) -> PaymentPolicy:
    """That of a shop which gives money back when `trigger` says so."""
    decided = PROMPT.returns.model_copy(update={"trigger": trigger, **returns})
    return PROMPT.model_copy(update={"returns": decided})


def anew() -> str:
    """The id of a return that nobody else has."""
    return f"ret-{uuid.uuid4().hex}"


async def carried(client: Client, script: Script, **returns: Any) -> Any:
    """What a return's run comes to."""
    async with on_stage(client, script) as stage, asyncio.timeout(20):
        return await (await stage.return_(stage.payment(policy=policy(**returns)), anew())).result()


async def answered(client: Client, script: Script, *answers: Any, **returns: Any) -> tuple[Trouble, str]:
    """What a return's run asks first, and what it says at its end, after one answer each time it asks."""
    async with on_stage(client, script) as stage:
        handle = await stage.return_(stage.payment(policy=policy(**returns)), anew())
        latest, first = client.get_workflow_handle(handle.id), None
        for answer in answers:
            trouble = await until_parked(latest)
            first = first or trouble
            await latest.execute_update(contract.RESOLVE, answer)
        with suppress(WorkflowFailureError):  # an aborted run fails
            async with asyncio.timeout(20):
                await latest.result()
        assert first is not None
        return first, (await latest.query(contract.PROGRESS))["notes"][-1]


async def cancelled(client: Client, script: Script, begun: str, **returns: Any) -> str:
    """What a return's run says at its end, cancelled once the call `begun` was made."""
    async with on_stage(client, script) as stage, asyncio.timeout(20):
        handle = await stage.return_(stage.payment(policy=policy(**returns)), anew())
        while begun not in script.names():
            await asyncio.sleep(0.01)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        return str((await handle.query(contract.PROGRESS))["notes"][-1])


def refusing(why: str = "no right") -> ApplicationError:
    """The failure of a call that only a person can cure."""
    return ApplicationError(why, {"service": "zoho"}, type="NotAllowed", non_retryable=True)


class Lively(Script):
    """Answers that tell what was written so far; the call `stuck` fails, and is tried again, until it is given up."""

    def __init__(self, stuck: str = "") -> None:
        super().__init__()
        self.done: list[str] = []
        self.answers = {
            "read_return": self.seen,
            "fetch_return_money": lambda wanted: GONE_BACK if "give_back" in self.done else UNPAID_BACK,
            "find_credit_note": lambda wanted: NOTE if self.seen(wanted).notes else None,
            "find_paid_out": lambda wanted: PAID if self.stands("pay_out", "delete_credit_refund") else None,
            "own_receives": lambda wanted: ReceiveWritten(receive_ids=self.seen(wanted).receives),
        }
        if stuck:
            self.answers[stuck] = ApplicationError("not now", type="TryLater")

    def answer(self, name: str, arg: Any) -> Any:
        """The next answer of `name`, which is done where it is no failure."""
        found = super().answer(name, arg)
        self.done.append(name)
        return found

    def stands(self, write: str, undo: str) -> bool:
        """Whether it was written, and not taken back since."""
        return write in self.done and undo not in self.done

    def seen(self, wanted: Any) -> ReturnSeen:
        """The return as Zoho has it now."""
        status = "closed" if self.stands("pay_out", "delete_credit_refund") else "open"
        note = OPEN_NOTE.model_copy(update={"status": status})
        notes = (note,) if self.stands("create_credit_note", "void_credit_note") else ()
        back = RECEIVED if self.stands("receive_return", "delete_receive") else RETURN
        return back.model_copy(update={"notes": notes})

"""The guard of every write: intent before the call, completion after it, and "look first" when neither is sure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel
from temporalio import activity

from clients.errors import OutcomeUnknown, Refused, TryLater
from domain.money import Money

if TYPE_CHECKING:
    from clients.store import Effects


class About(Protocol):
    """Which payment's, in which round, corrected after which event."""

    @property
    def connection(self) -> str: ...
    @property
    def payment_id(self) -> str: ...
    @property
    def round(self) -> int: ...
    @property
    def change(self) -> str: ...


class Guarded(About, Protocol):
    """The input of a guarded write: also after how many tries the caller looked and found nothing."""

    @property
    def after(self) -> int: ...


Answer = TypeVar("Answer", bound=BaseModel)
TAKEN_BACK = "taken_back"
#: A recorded payment that may be this one's by its amount and date: a person confirms it.
LIKELY = "likely_payment"


class Once:
    """Runs a write at most once for each step of a payment, over crashes, retries, resets and reruns."""

    def __init__(self, effects: Effects, now: Callable[[], datetime]) -> None:
        self._effects = effects
        self._now = now

    async def write(
        self,
        step: str,
        wanted: Guarded,
        answer: type[Answer],
        call: Callable[[], Awaitable[Answer]],
        *,
        key: str = "",
        amount: Money | None = None,
    ) -> Answer:
        """What `call` answered, now or the first time; `unknown` where only a look at Zoho can tell.

        `key` replaces the payment id where the effect belongs to something else (a contact). Raises what `call`
        raises when it certainly changed nothing; the intent is withdrawn then.
        """
        row = _row(step, wanted, key)
        owner = _actor()
        effect = await self._effects.begin(*row, owner=owner, at=self._now(), after=wanted.after)
        if effect.state == "done":
            return answer.model_validate_json(effect.result["answer"])
        if effect.state != "fresh":
            return answer.model_validate({"unknown": True, "asked": effect.asked})
        try:
            result = await call()
        except OutcomeUnknown:
            return answer.model_validate({"unknown": True, "asked": effect.asked})
        except (Refused, TryLater):
            # After a lost answer the intent stays: the earlier try may still show up, so the next one looks first.
            if effect.asked == 1:
                await self._effects.withdraw(*row, owner=owner)
            raise
        await self._complete(row, result, amount, "written")
        return result

    async def repeat(
        self,
        step: str,
        wanted: About,
        answer: type[Answer],
        call: Callable[[], Awaitable[Answer]],
        *,
        amount: Money | None = None,
        note: str = "written",
    ) -> Answer:
        """A write that the other side itself makes harmless to repeat: done until an answer came, audited once."""
        row = _row(step, wanted)
        effect = await self._effects.begin(*row, owner=_actor(), at=self._now())
        if effect.state == "done":
            return answer.model_validate_json(effect.result["answer"])
        result = await call()
        await self._complete(row, result, amount, note)
        return result

    async def adopt(
        self, step: str, wanted: About, found: BaseModel, *, key: str = "", amount: Money | None = None
    ) -> None:
        """Close the intent of a write that was found done: by an earlier try, another program or a person."""
        await self._complete(_row(step, wanted, key), found, amount, "found")

    async def adopt_begun(
        self, step: str, wanted: About, found: BaseModel, *, key: str = "", amount: Money | None = None
    ) -> None:
        """The same for what may also have been done without us: nothing where no write of ours waits for its answer."""
        connection, begun, about = _row(step, wanted, key)
        rows = await self._effects.of(connection, about)
        if any(row.step == begun and row.completed_at is None for row in rows):
            await self.adopt(step, wanted, found, key=key, amount=amount)

    async def known(self, step: str, wanted: About, answer: type[Answer]) -> Answer | None:
        """What the completed step answered, in this round; None where it is not completed."""
        connection, done, about = _row(step, wanted)
        for row in await self._effects.of(connection, about):
            if row.step == done and row.completed_at is not None:
                return answer.model_validate_json(row.result["answer"])
        return None

    async def did(self, connection: str, payment_id: str, step: str) -> bool:
        """Whether the step was completed for the payment, in any round."""
        rows = await self._effects.of(connection, payment_id)
        return any(row.completed_at and row.step.partition("~")[0] == step for row in rows)

    async def ended(self, connection: str, payment_id: str, step: str, about: str = "") -> bool:
        """Whether the step was completed for the payment in any round, and is `about` this refund or dispute of it."""
        rows = await self._effects.of(connection, payment_id)
        return any(row.completed_at and row.step.startswith(step) and about in row.step for row in rows)

    async def written(self, step: str, about: About, answer: type[Answer]) -> list[Answer]:
        """What the step answered each time that it was completed for the payment: in any round, for any change."""
        rows = await self._effects.of(about.connection, about.payment_id)
        named = re.compile(rf"{step}(~\d+)?(@.+)?")
        done = [row.result for row in rows if row.completed_at and named.fullmatch(row.step)]
        return [answer.model_validate_json(result["answer"]) for result in done if "answer" in result]

    async def rounds(self, connection: str, payment_id: str) -> int:
        """How often the payment's documents were taken back: each time every step may be done anew."""
        return sum(row.step.startswith(TAKEN_BACK) for row in await self._effects.of(connection, payment_id))

    async def steps(self, connection: str, payment_id: str) -> dict[str, bool]:
        """Every step that was begun for the payment, by its full name, and whether it was completed."""
        return {row.step: row.completed_at is not None for row in await self._effects.of(connection, payment_id)}

    async def answers(self, ref: About) -> dict[str, str]:
        """The answers of the payment's own completed writes, by step, in the round of `ref`."""
        suffix = f"~{ref.round}" if ref.round else ""
        return {
            row.step.removesuffix(suffix): row.result["answer"]
            for row in await self._effects.of(ref.connection, ref.payment_id)
            if row.completed_at and "answer" in row.result and row.step.endswith(suffix) and "@" not in row.step
        }

    async def undone(self, step: str, wanted: About) -> int:
        """How many documents the step `step#<id>` has taken back for this change of the payment."""
        rows = await self._effects.of(wanted.connection, wanted.payment_id)
        own = (row for row in rows if row.completed_at and row.step.endswith(f"@{wanted.change}"))
        return sum(row.step.startswith(f"{step}#") for row in own)

    async def _complete(self, row: tuple[str, str, str], result: BaseModel, amount: Money | None, note: str) -> None:
        kept: dict[str, Any] = {"answer": result.model_dump_json()}
        await self._effects.complete(*row, result=kept, at=self._now(), actor=_actor(), amount=amount, note=note)


def _row(step: str, wanted: About, key: str = "") -> tuple[str, str, str]:
    """Connection, step and id of the effect: a step that is done anew after it was taken back is another effect, and
    so is one that an event corrects.
    """
    anew = f"~{wanted.round}" if wanted.round else ""
    corrected = f"@{wanted.change}" if wanted.change else ""
    return wanted.connection, f"{step}{anew}{corrected}", key or wanted.payment_id


def _actor() -> str:
    return activity.info().workflow_id or "activity"

"""The guard of writes, against a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.effects import Once
from clients.errors import AlreadyExists, ClientError, OutcomeUnknown, RateLimited
from clients.keys import KeyRing
from clients.store import Store
from domain.money import Money
from domain.sales import DocumentRef, InvoiceWritten

REF = DocumentRef(connection="shop", payment_id="pi_1", document_id="so-1", total=Money.of(100, "EUR"))
MADE = InvoiceWritten(invoice_id="in-1", status="draft")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store of its own."""
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
    yield opened
    await opened.close()


class Zoho:
    """Counts the writes; answers, or fails, as told."""

    def __init__(self, *answers: InvoiceWritten | ClientError) -> None:
        self.calls = 0
        self._answers = list(answers) or [MADE]

    async def create(self) -> InvoiceWritten:
        """One write."""
        self.calls += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, ClientError):
            raise answer
        return answer


def writer(store: Store, zoho: Zoho) -> Callable[..., Any]:
    """A guarded write in an activity's surroundings."""
    once = Once(store.effects, lambda: datetime(2026, 11, 23, tzinfo=UTC))

    async def write(after: int = 0) -> InvoiceWritten:
        wanted = REF.model_copy(update={"after": after})
        return await ActivityEnvironment().run(_write, once, wanted, zoho)

    return write


async def _write(once: Once, wanted: DocumentRef, zoho: Zoho) -> InvoiceWritten:
    return await once.write("invoice", wanted, InvoiceWritten, zoho.create, amount=wanted.total)


async def test_a_repeat_gets_the_first_answer_without_a_second_write(store: Store) -> None:
    """Retried, reset or run again: the write is done once."""
    zoho = Zoho()
    write = writer(store, zoho)
    assert [await write(), await write()] == [MADE, MADE]
    assert zoho.calls == 1


async def test_a_lost_answer_is_not_written_again_until_somebody_looked(store: Store) -> None:
    """Unknown stays unknown for every repeat; the one who looked gets exactly one more try."""
    zoho = Zoho(OutcomeUnknown("zoho", "silence"), MADE)
    write = writer(store, zoho)
    first, again = await write(), await write()
    assert first.unknown
    assert again.unknown
    assert zoho.calls == 1
    looked = await write(again.asked)
    assert looked == MADE
    assert zoho.calls == 2


async def test_a_look_that_somebody_overtook_gives_no_right_to_write(store: Store) -> None:
    """Between look and write another try began: look again."""
    zoho = Zoho(OutcomeUnknown("zoho", "silence"))
    write = writer(store, zoho)
    first = await write()
    await write()
    assert (await write(first.asked)).unknown
    assert zoho.calls == 1


async def test_two_repeats_of_one_look_write_once(store: Store) -> None:
    """An activity repeated by Temporal carries the same `after`: only the first of them may write."""
    zoho = Zoho(OutcomeUnknown("zoho", "silence"))
    write = writer(store, zoho)
    looked = (await write()).asked
    await asyncio.gather(*(write(looked) for _ in range(5)))
    assert zoho.calls == 2


@pytest.mark.parametrize("refusal", [AlreadyExists("zoho", "taken"), RateLimited("zoho", "later")])
async def test_what_certainly_did_not_happen_may_be_tried_at_once(store: Store, refusal: ClientError) -> None:
    """The intent is withdrawn, so that the next try need not look."""
    zoho = Zoho(refusal, MADE)
    write = writer(store, zoho)
    with pytest.raises(type(refusal)):
        await write()
    assert await write() == MADE


async def test_a_refusal_after_a_lost_answer_keeps_the_intent(store: Store) -> None:
    """The first try may still show up: a quota error on the second does not wipe it out."""
    zoho = Zoho(OutcomeUnknown("zoho", "silence"), RateLimited("zoho", "later"), MADE)
    write = writer(store, zoho)
    lost = await write()
    with pytest.raises(RateLimited):
        await write(lost.asked)
    assert (await write(lost.asked)).unknown
    assert zoho.calls == 2


async def test_one_audit_entry_for_one_effect(store: Store) -> None:
    """However often it is repeated or found, the chain has one entry with the money and who did it."""
    write = writer(store, Zoho())
    await write()
    await write()
    entries = await store.audit.entries("shop")
    assert [(entry.step, str(entry.amount)) for entry in entries] == [("invoice", "1.00 EUR")]
    assert (await store.audit.verify("shop")).ok

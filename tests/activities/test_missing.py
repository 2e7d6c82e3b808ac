"""What is found in Zoho is remembered where our memory lacks it, and only there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.effects import Once
from activities.memory import Memory
from activities.missing import MissingActivities
from activities.payouts import PayoutActivities
from activities.remembered import documents_of
from activities.shops import Shops
from clients.keys import KeyRing
from clients.store import Store
from domain.documents import ReceiptRecord
from domain.missing import FoundCredit
from domain.money import Money
from domain.receipts import FeeInput
from domain.sales import ReceiptWritten
from ingress.starter import Starter

AT = datetime(2026, 11, 20, tzinfo=UTC)
ABOUT: dict[str, Any] = {"connection": "shop", "payment_id": "pi_1"}
TOTAL, FEE = Money.of(4990, "EUR"), Money.of(175, "EUR")


def recorded(fee: Money) -> ReceiptRecord:
    """The payment as Zoho has it."""
    about = {"zoho_payment_id": "9", "contact_id": "7", "mode": "stripe", "amount": TOTAL, "day": date(2026, 11, 20)}
    return ReceiptRecord(**about, shares=(), bank_charges=fee)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A memory of nothing."""
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
    yield opened
    await opened.close()


@pytest.fixture
def missing(store: Store, temporal_client: Client) -> MissingActivities:
    """The activities over it, of no shop: nothing outside is asked."""
    shops, once, memory = Shops([]), Once(store.effects, lambda: AT), Memory(store.links, lambda: AT)
    payouts = PayoutActivities(shops, store.payouts, store.effects, memory, lambda: AT)
    return MissingActivities(shops, payouts, store.effects, once, store.events, Starter(temporal_client, {}))


@pytest.mark.parametrize(
    ("record", "steps"),
    [(None, ["customer_payment", "fee"]), (recorded(FEE), ["customer_payment"])],
    ids=["found through its invoice", "answered"],
)
async def test_a_fee_that_was_found_is_remembered_once(
    store: Store, missing: MissingActivities, record: ReceiptRecord | None, steps: list[str]
) -> None:
    """A payout then has its document with the fee, and posts it nowhere else."""
    answer = ReceiptWritten(zoho_payment_id="9", record=record).model_dump_json()
    await store.effects.complete(
        "shop", "customer_payment", "pi_1", result={"answer": answer}, at=AT, actor="run", amount=TOTAL
    )
    found = FeeInput(**ABOUT, record=recorded(FEE), charges=FEE)
    for _ in range(2):
        await ActivityEnvironment().run(missing.keep_fee_found, found)
    rows = await store.effects.of("shop", "pi_1")
    assert [row.step for row in rows] == steps
    assert [one.fee for one in documents_of(rows)] == [FEE]
    assert (await store.audit.verify("shop")).ok


async def test_a_credit_note_that_was_found_keeps_what_the_books_count_it_for(
    store: Store, missing: MissingActivities
) -> None:
    """10.00 dollars that went back as 9.20 euro in the books: a payout's line can tell gain or loss."""
    found = FoundCredit(
        **ABOUT,
        change="re_1",
        creditnote_id="5",
        zoho_refund_id="6",
        money=Money.of(1000, "USD"),
        value=Decimal("9.20"),
    )
    await ActivityEnvironment().run(missing.keep_credit_found, found)
    (document,) = documents_of(await store.effects.of("shop", "pi_1"), "EUR")
    assert (document.document_id, document.value) == ("6", Money.of(920, "EUR"))

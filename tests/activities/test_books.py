"""The postings of a payout with a real store and a running Zoho: what is remembered, and what may be done anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.books import BooksActivities, posted_rows
from activities.effects import Once
from activities.memory import Memory
from activities.messages import MessageActivities
from activities.shops import Shops
from clients.errors import Refused
from clients.keys import KeyRing
from clients.signing import SigningRing
from clients.store import Store
from domain.books import JOURNAL, TRANSFER, JournalInput, PostedRef, PostInput, TransferInput
from domain.canonical import canonical
from domain.certificates import certify
from domain.documents import OrganizationFacts
from domain.matching import explain
from domain.policy import BooksPolicy, ForeignPayout
from domain.posting_plans import by_id
from domain.postings import AccountNames
from domain.runs import PaymentRef
from sandbox.serving import serve
from sandbox.zoho.app import make_app
from tests.domain.months import a_line, a_payout
from tests.house import ORGANIZATION, QUICK, SEED, connection_of
from worker import open_shop

AT = datetime(2026, 11, 20, tzinfo=UTC)
IDS = {"Stripe Clearing": "1", "Bank": "2", "Stripe Fees": "3"}
KINDS = {"Stripe Clearing": "payment_clearing", "Bank": "bank", "Stripe Fees": "expense"}
ACCOUNTS = [{"account_id": id_, "account_name": name, "account_type": KINDS[name]} for name, id_ in IDS.items()]
LINES = [a_line(1, "fee", -250), a_line(2, "fee", 4000)]


class Acts:
    """The activities over one store, each run in an activity's surroundings."""

    def __init__(self, store: Store, shops: Shops) -> None:
        self.store = store
        self.shops = shops
        once = Once(store.effects, lambda: AT)
        self.memory = Memory(store.links, lambda: AT)
        self.books = BooksActivities(shops, store.payouts, store.effects, self.memory, once)
        self.messages = MessageActivities(shops, once, store.notices, lambda: AT)

    async def __call__(self, method: Any, wanted: Any) -> Any:
        return await ActivityEnvironment().run(method, wanted)


@pytest.fixture
async def acts(tmp_path: Path) -> AsyncIterator[Acts]:
    """A shop with Books, and a payout that is certified."""
    async with AsyncExitStack() as stack:
        running = await serve(make_app())
        stack.push_async_callback(running.stop)
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
        stack.push_async_callback(store.close)
        policy = QUICK.model_copy(update={"books": BooksPolicy(post=True, since=date(2026, 11, 3))})
        connection = connection_of("shop", "http://unused", running.url, policy=policy)
        async with httpx.AsyncClient() as http:
            seed = {"organization_id": ORGANIZATION, **SEED, "accounts": ACCOUNTS}
            (await http.post(f"{running.url}/_seed", json={"organizations": [seed]})).raise_for_status()
        explained = explain(a_payout(LINES), LINES, ())
        made = certify(explained, AccountNames(), SigningRing.generate(), connection="shop", at=AT)
        text = canonical(made.document()).decode()
        await store.payouts.issue("shop", "po_1", 1, made.hash, document=text, at=AT)
        yield Acts(store, Shops([await open_shop(stack, connection, store)]))


ABOUT: dict[str, Any] = {"connection": "shop", "payment_id": "po_1"}
WANTED = PostInput(**ABOUT, version=1)


async def test_what_is_posted_is_remembered_until_it_is_deleted(acts: Acts) -> None:
    """Repeated it is not posted again; deleted and kept as taken back, it is posted anew, and the old one is told."""
    plan = by_id(await acts(acts.books.plan_postings, WANTED), IDS)
    assert (plan.round, plan.exported, plan.base, plan.transfers_known, plan.journals) == (0, False, "", {}, ())
    (one,) = plan.transfers
    post = TransferInput(**ABOUT, transfer=one)
    first = await acts(acts.books.post_transfer, post)
    assert await acts(acts.books.post_transfer, post) == first
    journal = JournalInput(**ABOUT, reference="po_1/1", sides=plan.sides, day=plan.day)
    other = await acts(acts.books.post_journal, journal)
    plan = await acts(acts.books.plan_postings, WANTED)
    assert plan.transfers_known == {"po_1": first.document_id}
    assert [(kept.journal_id, kept.sides) for kept in plan.journals] == [(other.document_id, journal.sides)]
    gone = PostedRef(**ABOUT, kind=TRANSFER, document_id=first.document_id, currency="EUR")
    await acts(acts.books.delete_transfer, gone)
    assert await acts(acts.books.read_transfer, gone) is None
    await acts(acts.messages.close_round, PaymentRef(**ABOUT))
    plan = await acts(acts.books.plan_postings, WANTED)
    assert (plan.round, plan.transfers_known, len(plan.journals)) == (1, {}, 1)
    seen = {"kind": JOURNAL, "document_id": other.document_id, "reference": "po_1/1", "sides": journal.sides}
    await acts(acts.books.read_journal, PostedRef(**ABOUT, **seen, currency="EUR", round=1))
    again = await acts(acts.books.post_transfer, post.model_copy(update={"round": 1}))
    assert again.document_id != first.document_id
    rows = list(posted_rows(await acts.store.effects.of("shop", "po_1")))
    assert len(rows) == 3
    assert {(row.kind, row.document_id, row.reference, str(row.money), row.deleted) for row in rows} == {
        (TRANSFER, first.document_id, "po_1", "37.50 EUR", True),
        (JOURNAL, other.document_id, "po_1/1", "37.50 EUR", False),
        (TRANSFER, again.document_id, "po_1", "37.50 EUR", False),
    }


async def test_what_is_found_is_remembered(acts: Acts) -> None:
    """A transfer and a journal that our memory lost are read, found to fit, and kept; others are not."""
    plan = by_id(await acts(acts.books.plan_postings, WANTED), IDS)
    (one,) = plan.transfers
    wanted = TransferInput(**ABOUT, transfer=one)
    shop = acts.shops["shop"]  # as another program would
    transfer = await shop.zoho.books.transfer(wanted)
    journal = await shop.zoho.books.journal(JournalInput(**ABOUT, reference="po_1/1", sides=plan.sides, day=plan.day))
    ref = PostedRef(**ABOUT, currency="EUR", reference="po_1", document_id=transfer)
    other = one.model_copy(update={"money": one.money + one.money})
    await acts(acts.books.read_transfer, ref.model_copy(update={"transfer": other}))
    assert (await acts(acts.books.plan_postings, WANTED)).transfers_known == {}
    await acts(acts.books.read_transfer, ref.model_copy(update={"transfer": one}))
    ref = ref.model_copy(update={"reference": "po_1/1", "document_id": journal, "keep": True})
    await acts(acts.books.read_journal, ref)
    known = await acts(acts.books.plan_postings, WANTED)
    assert (known.transfers_known, [kept.journal_id for kept in known.journals]) == ({"po_1": transfer}, [journal])


async def test_what_people_book_is_left_to_them(acts: Acts) -> None:
    """Once somebody said so; a version that is not there is refused."""
    await acts(acts.books.leave_postings, WANTED)
    assert (await acts(acts.books.plan_postings, WANTED.model_copy(update={"round": 3}))).exported is True
    with pytest.raises(Refused, match="version 2 of po_1 is not kept"):
        await acts(acts.books.plan_postings, WANTED.model_copy(update={"version": 2}))


@pytest.mark.parametrize(
    ("decided", "own", "exported"),
    [
        (ForeignPayout.EXPORT, "USD", True),
        (ForeignPayout.EXPORT, "EUR", False),
        (ForeignPayout.EXPORT, "", False),
        (ForeignPayout.ASK, "USD", False),
    ],
)
async def test_a_foreign_payout_is_exported_where_the_shop_says_so(
    acts: Acts, decided: ForeignPayout, own: str, exported: bool
) -> None:
    """Once the organisation's own currency is known, and is another one than the payout's."""
    if own:
        facts = OrganizationFacts(organization_id=ORGANIZATION, time_zone="UTC", currency=own)
        await acts.memory.keep_organization("shop", facts)
    shop = acts.shops["shop"]
    policy = shop.policy.model_copy(update={"books": BooksPolicy(post=True, foreign=decided)})
    told = Acts(acts.store, Shops([replace(shop, policy=policy)]))
    plan = await told(told.books.plan_postings, WANTED)
    assert (plan.currency, plan.base, plan.exported) == ("EUR", own, exported)

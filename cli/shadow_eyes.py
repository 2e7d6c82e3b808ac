"""The eyes of a shadow run: everything is read as a real run reads it, and nothing is written anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from activities.catalogue import CatalogueActivities
from activities.contact_book import ContactBook
from activities.dossier import Dossier
from activities.memory import Memory
from activities.planning import Planner
from activities.shops import Shop, Shops
from activities.sweeps import LAST_STEP
from cli.shadow_guards import DossiersSeen, LinksSeen, OnlyLooks
from clients.connections import Connection
from clients.errors import QuotaGone, Refused, TryLater
from clients.notify import Notifier
from clients.store import Store
from clients.stripe.gateway import StripeGateway
from clients.zoho.client import CALL_TIMEOUT
from clients.zoho.gateway import live_and_bulk
from clients.zoho.transport import open_http
from domain.backfills import ChargeRow
from domain.contacts import payer_among
from domain.currencies import UnknownCurrency
from domain.hand_orders import DAYS_APART, FoundBy, HandOrders, HandQuery, OrderRow, sorted_out
from domain.numbers import order_number
from domain.orders import OrderDraft
from domain.plans import LookUp, LookUpInput, LookUpKind, OrderPlan, PrepareInput
from domain.problems import Problem
from domain.runs import PaymentRef
from domain.sales import OrderWritten
from domain.shadows import ShadowRow, Verdict, compare
from domain.sweeps import Case
from domain.totals import RoundingRules

_TRIES = 8  # of a question whose answer did not come
_ENTERED_LATER = timedelta(days=30)  # how long after a payment its order may have been entered
T = TypeVar("T")


class Eyes:
    """Looks at one connection's payments. Raises QuotaGone where Zoho's day leaves no more questions."""

    def __init__(self, shop: Shop, store: Store, watch: OnlyLooks, now: Callable[[], datetime]) -> None:
        self.shop = shop
        self.watch = watch
        self._store = store
        links = LinksSeen(store.links)
        shops = Shops([shop])
        self._memory = Memory(links, now)
        self._dossier = Dossier(DossiersSeen(), self._memory, shops, now)
        self._book = ContactBook(links, store.keys, now)
        self._planner = Planner(shops, self._dossier, self._memory, self._book)
        self._catalogue = CatalogueActivities(shops, self._memory)
        self._orders: list[OrderRow] = []
        self._unknown: set[str] = set()  # payers that Zoho has no contact of

    @classmethod
    async def open(
        cls, stack: AsyncExitStack, connection: Connection, store: Store, now: Callable[[], datetime]
    ) -> Eyes:
        """Its gateways are closed with `stack`. Zoho's calls leave the day's reserve to live payments."""
        watch = OnlyLooks(connection.slug)
        stripe = StripeGateway(connection.stripe, connection.mapping, watch=watch)
        stack.push_async_callback(stripe.close)
        http = await stack.enter_async_context(open_http(watch=watch))
        _, zoho = live_and_bulk(connection, store.tokens, store.budgets, http, now=now, timeout=CALL_TIMEOUT)
        shop = Shop(
            slug=connection.slug,
            account_id=connection.stripe.account_id,
            livemode=connection.stripe.livemode,
            stripe=stripe,
            zoho=zoho,
            notifier=Notifier(()),
            mapping=connection.mapping,
            policy=connection.policy,
        )
        return cls(shop, store, watch, now)

    async def see_orders(self, since: date, until: date) -> int:
        """Read Zoho's orders of these days and about; how many there are."""
        page, more = 1, True
        first, last = since - DAYS_APART, until + _ENTERED_LATER
        while more:
            rows, more = await self._ask(partial(self.shop.zoho.hand.between, first, last, page))
            self._orders += rows
            page += 1
        return len(self._orders)

    async def charges(self, since: datetime, until: datetime) -> AsyncIterator[ChargeRow]:
        """The charges that took money, the oldest first."""
        begin, span = since, until - since
        while begin < until:
            page = await self._ask(partial(self.shop.stripe.history.charges, begin, until, span))
            for row in page.rows:
                yield row
            begin, span = page.until, page.span

    async def see(self, charge: ChargeRow) -> ShadowRow:
        """What would become of the payment."""
        row = ShadowRow(
            payment_id=charge.payment_id,
            charge_id=charge.charge_id,
            at=charge.at,
            verdict=Verdict.WAIT,
            went_back=charge.refunded or charge.disputed,
        )
        ref = PaymentRef(connection=self.shop.slug, payment_id=charge.payment_id)
        try:
            facts, facts_ref = await self._ask(lambda: self._dossier.fetch(ref))
            plan = await self._plan(PrepareInput(**dict(ref), facts_ref=facts_ref))
        except (Refused, UnknownCurrency) as error:
            return row.model_copy(update={"why": type(error).__name__, "message": str(error)})
        row = row.model_copy(update={"money": facts.money, "lines": len(facts.lines)})
        carried, own = await self._carried(row.payment_id)
        if carried:
            row = row.model_copy(update={"verdict": Verdict.CARRIED, "number": own.number if own else ""})
        if plan.problems:
            # One that was carried all the same is as a person amended it: there is nothing to compare it with.
            return row if carried else _waits(row, plan.problems)
        draft = await self._dossier.order(ref, plan.order_ref)
        contact_id = plan.contact_id or await self._contact(draft)
        row = row.model_copy(update={"day": draft.order_date, "contact": "known" if contact_id else "new"})
        if carried:
            return await self._compared(row, own, draft, plan) if own else row
        return await self._held_against(row, draft, plan, contact_id, facts.metadata)

    async def _carried(self, payment_id: str) -> tuple[bool, OrderRow | None]:
        """Whether the payment was carried or is on its way, and the order that we wrote or adopted."""
        effects = [one for one in await self._store.effects.of(self.shop.slug, payment_id) if one.completed_at]
        written = [one.result["answer"] for one in effects if one.step.startswith("sales_order")]
        own = self._own(payment_id, [OrderWritten.model_validate_json(one).salesorder_id for one in written])
        return own is not None or any(one.step.startswith(LAST_STEP[Case.PAYMENT]) for one in effects), own

    async def _held_against(
        self, row: ShadowRow, draft: OrderDraft, plan: OrderPlan, contact_id: str, metadata: dict[str, str]
    ) -> ShadowRow:
        """A payment that was not carried against what people entered in Zoho."""
        found = await self._by_hand(row, draft, contact_id, metadata)
        if found.sure is not None:
            row = row.model_copy(update={"verdict": Verdict.ADOPT})
            compared = await self._compared(row, found.sure, draft, plan)
            if found.sure.total == draft.total:
                return compared
            return compared.model_copy(update={"verdict": Verdict.WAIT, "why": "order_by_hand"})
        if found.alike:
            asked = row.model_copy(update={"verdict": Verdict.ASK, "why": "order_by_hand"})
            return await self._compared(asked, found.alike[0], draft, plan)
        return row.model_copy(update={"verdict": Verdict.CREATE, "number": draft.number})

    def _own(self, payment_id: str, written: Collection[str]) -> OrderRow | None:
        """The order that we wrote, or adopted."""
        number = order_number(payment_id)
        alive = (one for one in self._orders if one.status != "void")
        return next(
            (
                one
                for one in alive
                if one.salesorder_id in written or (one.number == number and one.reference == payment_id)
            ),
            None,
        )

    async def _by_hand(
        self, row: ShadowRow, draft: OrderDraft, contact_id: str, metadata: dict[str, str]
    ) -> HandOrders:
        """As a backfill finds it: by what names the payment, then by a number, then by customer, amount and date."""
        numbers = [metadata.get(key, "").strip() for key in self.shop.policy.order_number_keys]
        names = [row.payment_id, row.charge_id]
        candidates = [
            (FoundBy.REFERENCE, [one for one in self._orders if one.reference in names]),
            (FoundBy.NUMBER, [one for one in self._orders if one.number and one.number in numbers]),
            (FoundBy.CUSTOMER, [one for one in self._orders if contact_id and one.contact_id == contact_id]),
        ]
        for found_by, rows in candidates:
            wanted = HandQuery(
                connection=self.shop.slug,
                payment_id=row.payment_id,
                found_by=found_by,
                words="",
                order_ref="",
                total=draft.total,
                charge_id=row.charge_id,
            )
            taken = {
                one.salesorder_id: await self._memory.payment_of(self.shop.slug, one.salesorder_id) for one in rows
            }
            free = [one for one in rows if taken[one.salesorder_id] in ("", row.payment_id)]
            found = sorted_out(free, taken, wanted, draft.order_date)
            if found.sure is not None or found.alike:
                return found
        return HandOrders()

    async def _compared(self, row: ShadowRow, order: OrderRow, draft: OrderDraft, plan: OrderPlan) -> ShadowRow:
        sale = await self._ask(lambda: self.shop.zoho.hand.sale(order.salesorder_id))
        currency = (await self._memory.catalogue(self.shop.slug)).currency(draft.total.currency)
        assert currency is not None  # the order was planned with it
        rules = RoundingRules.of(self.shop.mapping, price_precision=currency.price_precision)
        differences = compare(draft, plan.item_ids, sale, rules)
        return row.model_copy(update={"number": order.number, "differences": differences})

    async def _plan(self, wanted: PrepareInput) -> OrderPlan:
        while True:
            plan = await self._planner.plan(wanted)
            if plan.problems or not plan.lookups:
                return plan
            for lookup in plan.lookups:
                await self._look_up(lookup)
            wanted = wanted.model_copy(update={"asked": (*wanted.asked, *plan.lookups)})

    async def _look_up(self, lookup: LookUp) -> None:
        asks: dict[LookUpKind, Callable[[LookUpInput], Awaitable[None]]] = {
            LookUpKind.ORGANIZATION: self._catalogue.describe_organization,
            LookUpKind.CURRENCIES: self._catalogue.list_currencies,
            LookUpKind.TAXES: self._catalogue.list_taxes,
            LookUpKind.ITEM: self._catalogue.find_item,
        }
        wanted = LookUpInput(connection=self.shop.slug, lookup=lookup)
        await self._ask(lambda: asks[lookup.kind](wanted))

    async def _contact(self, draft: OrderDraft) -> str:
        """The payer's contact, asked for once; "" where Zoho has none."""
        key = self._book.key(draft)
        if key in self._unknown:
            return ""
        identity = draft.contact
        asked = {"email": identity.email} if identity.email else {"name": identity.names[-1]}
        rows = await self._ask(lambda: self.shop.zoho.contacts(**asked))
        payer = payer_among(rows, identity)
        if payer is None:
            self._unknown.add(key)
            return ""
        await self._book.remember(self.shop.slug, draft, payer)
        return payer.contact_id

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer, however often it has to be asked for; a used-up day is not waited for."""
        for tried in range(1, _TRIES + 1):
            try:
                return await question()
            except QuotaGone:
                raise
            except TryLater as error:
                if tried == _TRIES:
                    raise
                await asyncio.sleep(error.retry_after if error.retry_after is not None else min(2.0**tried, 30))
        raise AssertionError("a question is answered or raises")


def _waits(row: ShadowRow, problems: Sequence[Problem]) -> ShadowRow:
    said = " · ".join(problem.message for problem in problems)
    return row.model_copy(update={"why": problems[0].code.value, "message": said})

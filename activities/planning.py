"""The order as our own memory can settle it: mapped, checked, with Zoho's ids, or with what has to be asked first."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from activities.contact_book import ContactBook
from activities.dossier import Dossier
from activities.memory import Catalogue, Memory
from activities.shops import Shop, Shops
from domain.attention import AmendableField, Amendment
from domain.documents import Part
from domain.lines import with_quantity
from domain.mapping import UnknownTimeZone, map_order, mapping_hash
from domain.mapping_policy import ANY_ORDER, MappingPolicy
from domain.orders import OrderDraft, OrderLine
from domain.payments import PaymentFacts
from domain.plans import LookUp, LookUpKind, OrderPlan, PrepareInput
from domain.policy import PAID
from domain.problems import Problem, ProblemCode
from domain.totals import RoundingRules
from domain.validation import check_facts, check_origin, validate_order


class Planner:
    """Asks our memory only; no request leaves the machine."""

    def __init__(self, shops: Shops, dossier: Dossier, memory: Memory, book: ContactBook) -> None:
        self._shops = shops
        self._dossier = dossier
        self._memory = memory
        self._book = book

    async def plan(self, wanted: PrepareInput) -> OrderPlan:
        """A plan that is complete, or names look-ups to make first, or problems that forbid the order."""
        shop = self._shops[wanted.connection]
        facts = amended(await self._dossier.facts(wanted), wanted.amendments)
        catalogue = await self._memory.catalogue(wanted.connection)
        problems = (
            *check_origin(facts, account_id=shop.account_id, livemode=shop.livemode),
            *check_facts(facts, shop.mapping.partial_capture),
        )
        if problems:
            return OrderPlan(problems=problems)
        if lookups := _unknown(facts, catalogue, wanted.asked):
            return OrderPlan(lookups=lookups)
        return await self._map(wanted, shop, facts, catalogue)

    async def forget(self, connection: str, draft: OrderDraft) -> None:
        """Zoho refused the order: what we remember for it may be gone there, so the next try asks anew."""
        await self._book.forget(connection, draft)
        await self._memory.forget_items(connection, sorted({line.sku for line in draft.lines if line.sku}))
        await self._memory.forget_taxes(connection)

    async def _map(self, wanted: PrepareInput, shop: Shop, facts: PaymentFacts, catalogue: Catalogue) -> OrderPlan:
        currency = catalogue.currency(facts.money.currency)
        if catalogue.organization is None or currency is None:
            return OrderPlan(problems=(_no_currency(facts.money.currency),))
        rules = RoundingRules.of(shop.mapping, price_precision=currency.price_precision)
        try:
            draft = map_order(facts, shop.mapping, time_zone=catalogue.organization.time_zone, settings=rules)
        except UnknownTimeZone as error:
            return OrderPlan(problems=(Problem(code=ProblemCode.UNKNOWN_TIME_ZONE, message=str(error)),))
        draft = await self._link(wanted.connection, draft)
        if problems := validate_order(facts, draft, rules, shop.mapping.partial_capture):
            return OrderPlan(problems=problems)
        plan = await self._name(wanted, draft, catalogue)
        if plan.lookups or plan.problems:
            return plan
        rate = None if currency.is_base else currency.exchange_rate
        return plan.model_copy(
            update={
                "exchange_rate": rate or None,
                "mapping_hash": mapping_hash(shop.mapping),
                "notify": shop.notifier.wanted and PAID not in shop.policy.quiet,
            }
        )

    async def _name(self, wanted: PrepareInput, draft: OrderDraft, catalogue: Catalogue) -> OrderPlan:
        """Zoho's ids for lines, taxes, contact and addresses."""
        items = await self._items(wanted.connection, draft)
        taxes = {tax.percentage: tax.tax_id for tax in catalogue.taxes or ()}
        mapping = self._shops[wanted.connection].mapping
        sold = parts_sold(draft, mapping)
        parts = await self._memory.items(wanted.connection, sorted(sold))
        lookups, problems = _missing(draft, items, taxes, wanted.asked)
        for sku in sorted(sold.keys() - parts.keys()):
            lookup = LookUp(kind=LookUpKind.ITEM, key=sku)
            if lookup in wanted.asked:
                problems += (_no_item(sku),)
            elif lookup not in lookups:
                lookups += (lookup,)
        if lookups or problems:
            return OrderPlan(lookups=lookups, problems=problems)
        contact_id = await self._book.recall(wanted.connection, draft)
        addresses = None
        if contact_id:
            addresses = await self._book.plan_addresses(wanted.connection, contact_id, draft)
        return OrderPlan(
            number=draft.number,
            order_ref=await self._dossier.keep_order(wanted, draft),
            total=draft.total,
            item_ids=tuple(items[line.line_id] for line in draft.lines),
            tax_ids=tuple(
                taxes[line.tax_percentage] if line.tax_percentage is not None else "" for line in draft.lines
            ),
            contact_id=contact_id,
            addresses=addresses,
            sets=tuple(dict.fromkeys(items[line.line_id] for line in draft.lines if line.sku in mapping.bundle_parts)),
            parts=tuple(Part(item_id=parts[sku], sku=sku, quantity=count) for sku, count in sold.items()),
        )

    async def _link(self, connection: str, draft: OrderDraft) -> OrderDraft:
        """The draft with the items that somebody linked to Stripe's products: a link goes before a SKU."""
        products = {line.product_id for line in draft.lines if line.product_id and not line.item_id}
        linked = await self._memory.linked_items(connection, sorted(products))
        if not linked:
            return draft
        lines = tuple(
            line.model_copy(update={"item_id": line.item_id or linked.get(line.product_id, "")}) for line in draft.lines
        )
        return draft.model_copy(update={"lines": lines})

    async def _items(self, connection: str, draft: OrderDraft) -> dict[str, str]:
        """Item ids by line: the link, else the item with the SKU."""
        skus = {line.sku for line in draft.lines if line.sku and not line.item_id}
        by_sku = await self._memory.items(connection, sorted(skus))
        named = ((line.line_id, line.item_id or by_sku.get(line.sku, "")) for line in draft.lines)
        return {line_id: item_id for line_id, item_id in named if item_id}


def parts_sold(draft: OrderDraft, mapping: MappingPolicy) -> dict[str, int]:
    """Pieces by SKU that leave with the order and are on no line of it: parts of its sets, and gifts."""
    sold: Counter[str] = Counter({gift.sku: gift.quantity for gift in mapping.gifts.get(ANY_ORDER, ())})
    for line in draft.lines:
        for part in (*mapping.bundle_parts.get(line.sku, ()), *mapping.gifts.get(line.sku, ())):
            sold[part.sku] += part.quantity * line.quantity
    return dict(sold)


def amended(facts: PaymentFacts, amendments: tuple[Amendment, ...]) -> PaymentFacts:
    """The facts with what a person corrected; a line of no pieces is left out."""
    changes: dict[str, dict[str, str]] = {}
    pieces: dict[str, int] = {}
    for amendment in amendments:
        if amendment.field is AmendableField.QUANTITY:
            pieces[amendment.line] = int(amendment.value)
            continue
        change = changes.setdefault(amendment.line, {})
        if amendment.field is AmendableField.SKU:
            change["item_id"] = ""  # the corrected SKU counts, not a link that was there before
        change[amendment.field.value] = amendment.value.strip()
    named = (line.model_copy(update=changes.get(line.line_id, {})) for line in facts.lines)
    counted = ((line, pieces.get(line.line_id, line.quantity)) for line in named)
    lines = tuple(line if count == line.quantity else with_quantity(line, count) for line, count in counted if count)
    return facts.model_copy(update={"lines": lines})


def _unknown(facts: PaymentFacts, catalogue: Catalogue, asked: tuple[LookUp, ...]) -> tuple[LookUp, ...]:
    wanted = []
    if catalogue.organization is None:
        wanted.append(LookUp(kind=LookUpKind.ORGANIZATION))
    currency = catalogue.currency(facts.money.currency)
    if currency is None or (catalogue.rates_are_old and not currency.is_base):
        wanted.append(LookUp(kind=LookUpKind.CURRENCIES))
    return tuple(lookup for lookup in wanted if lookup not in asked)


def _missing(
    draft: OrderDraft, items: dict[str, str], taxes: dict[Decimal, str], asked: tuple[LookUp, ...]
) -> tuple[tuple[LookUp, ...], tuple[Problem, ...]]:
    """What one look-up each would tell; what was asked already and is still missing is a problem."""
    lookups: dict[LookUp, None] = {}
    problems = []
    for line in draft.lines:
        if line.line_id not in items:
            lookup = LookUp(kind=LookUpKind.ITEM, key=line.sku)
            if lookup in asked:
                problems.append(_no_item(line.sku))
            else:
                lookups[lookup] = None
        if line.tax_percentage is not None and line.tax_percentage not in taxes:
            lookup = LookUp(kind=LookUpKind.TAXES)
            if lookup in asked:
                problems.append(_no_tax(line))
            else:
                lookups[lookup] = None
    return tuple(lookups), tuple(problems)


def _no_item(sku: str) -> Problem:
    return Problem.of(
        ProblemCode.UNKNOWN_SKU,
        f"Zoho has no active item with SKU {sku!r}, or several",
        "create it there, or correct the SKU on the price or product in Stripe",
    )


def _no_tax(line: OrderLine) -> Problem:
    return Problem.of(
        ProblemCode.UNKNOWN_TAX, f"Zoho has no tax of {line.tax_percentage} %", "create it there (Settings, Taxes)"
    )


def _no_currency(code: str) -> Problem:
    return Problem.of(
        ProblemCode.CURRENCY_NOT_IN_ZOHO,
        f"the Zoho organisation does not trade in {code}",
        "add the currency there (Settings, Currencies)",
    )

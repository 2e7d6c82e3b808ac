"""A payment's facts as a sales order: which word of Stripe's becomes which of Zoho's."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.contacts import contact_identity
from domain.lines import order_line, priced, shipping_line, tax_rates
from domain.mapping_policy import MappingPolicy, PartialCapture
from domain.money import Money, total
from domain.numbers import order_number
from domain.orders import OrderDraft
from domain.payments import Address, PaidLine, PaymentFacts
from domain.totals import RoundingRules, zoho_totals

# Raised whenever the same facts and policy would give another order: a run keeps the hash it started with.
MAPPING_VERSION = 1

# Zoho's specification gives "PST" as an example; recorded organisations carry IANA names.
_ZONE_ALIASES = {"PST": "America/Los_Angeles"}


class UnknownTimeZone(ValueError):
    """The organisation's time zone is in no table, so the order's date cannot be told."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the Zoho organisation's time zone {name!r} is unknown here; set it again in Zoho "
            "(Settings, Organization Profile) or update the tzdata package"
        )


def mapping_hash(mapping: MappingPolicy) -> str:
    """SHA-256 hex of the policy and MAPPING_VERSION: equal hashes map equal facts to equal orders."""
    pinned = {"version": MAPPING_VERSION, "policy": mapping.model_dump(mode="json")}
    return hashlib.sha256(json.dumps(pinned, sort_keys=True).encode()).hexdigest()


def order_day(at: datetime, time_zone: str) -> date:
    """The calendar day of the aware `at` in the organisation's `time_zone`. Raises UnknownTimeZone."""
    try:
        zone = ZoneInfo(_ZONE_ALIASES.get(time_zone, time_zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownTimeZone(time_zone) from error
    return at.astimezone(zone).date()


def map_order(facts: PaymentFacts, mapping: MappingPolicy, *, time_zone: str, settings: RoundingRules) -> OrderDraft:
    """The order that `facts` call for, with the adjustment that brings Zoho's total to Stripe's amount.

    Rates are net; they are gross as soon as one tax of the payment is inclusive, or one line has several taxes. The
    draft may still be wrong: only validate_order says whether it may be written. Raises UnknownTimeZone, and
    CurrencyMismatch where check_facts says MIXED_CURRENCIES.
    """
    currency = facts.money.currency
    paid_lines, charge = _lines_and_shipping(facts, mapping)
    inclusive = any(_is_gross(line) for line in paid_lines)
    day = order_day(facts.paid_at(), time_zone)
    promised = None if mapping.shipment_days is None else day + timedelta(days=mapping.shipment_days)
    draft = OrderDraft(
        number=order_number(facts.payment_id),
        reference=facts.payment_id,
        order_date=day,
        shipment_date=promised,
        inclusive=inclusive,
        lines=tuple(order_line(line, inclusive=inclusive, rules=settings) for line in paid_lines),
        shipping_charge=charge,
        adjustment=facts.money.zero(),
        uncaptured=uncaptured(facts) if mapping.partial_capture is PartialCapture.ADJUST else None,
        tax=total((line.tax for line in paid_lines), currency),
        total=facts.money,
        buyer=facts.buyer,
        contact=contact_identity(facts),
        billing=billing_of(facts),
        shipping=facts.shipping,
        custom_fields=custom_fields(facts, mapping),
        notes=_notes(facts),
    )
    return _adjusted(draft, settings) if draft.lines else draft


def uncaptured(facts: PaymentFacts) -> Money | None:
    """What was authorised and not captured, where the lines come to the authorised amount; None where all was taken."""
    if facts.intended is None or not facts.money < facts.intended or not facts.money.minor:
        return None
    return facts.intended - facts.money if priced(facts) == facts.intended else None


def _lines_and_shipping(facts: PaymentFacts, mapping: MappingPolicy) -> tuple[tuple[PaidLine, ...], Money]:
    cost = facts.shipping_cost
    if cost is None:
        return facts.lines, facts.money.zero()
    if not cost.tax:
        return facts.lines, cost.total
    return (*facts.lines, shipping_line(cost, mapping.shipping_sku)), facts.money.zero()


def _is_gross(line: PaidLine) -> bool:
    """Several rates are one tax group in Zoho, rounded part by part or as one: only a gross total does not care."""
    return len(tax_rates(line)) > 1 or any(tax.inclusive for tax in line.taxes)


def _adjusted(draft: OrderDraft, settings: RoundingRules) -> OrderDraft:
    gap = draft.total.decimal() - zoho_totals(draft, settings).total
    return draft.model_copy(update={"adjustment": Money.rounded(gap, draft.total.currency)})


def billing_of(facts: PaymentFacts) -> Address:
    """The address to bill: the payment's own, else the payer's."""
    return facts.buyer.address if facts.billing.is_empty() else facts.billing


def custom_fields(facts: PaymentFacts, mapping: MappingPolicy) -> dict[str, str]:
    """The order's custom fields by api_name: Stripe's ids, and what the shop carries over from the metadata."""
    told = {field: facts.metadata.get(key, "") for key, field in mapping.metadata_fields.items()}
    wanted = told | {mapping.charge_field: facts.charge_id, mapping.payment_field: facts.payment_id}
    return {name: value for name, value in wanted.items() if name and value}


def _notes(facts: PaymentFacts) -> str:
    origin = [
        facts.description,
        f"Stripe payment {facts.payment_id}",
        f"Stripe checkout session {facts.session_id}" if facts.session_id else "",
        f"Stripe invoice {facts.invoice_id}" if facts.invoice_id else "",
    ]
    return "\n".join(line for line in origin if line)

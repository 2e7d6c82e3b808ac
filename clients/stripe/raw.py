"""Reading of Stripe's JSON, where any field may be null, absent, an id or an expanded object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from clients.errors import Refused
from domain.cards import mask_cards
from domain.money import Money
from domain.payments import Address

Raw = Mapping[str, Any]


def part(raw: Raw, *path: str) -> Raw:
    """The object at `path`; an empty one where any step is null, absent or only an id."""
    for key in path:
        inner = raw.get(key)
        raw = inner if isinstance(inner, Mapping) else {}
    return raw


def parts(raw: Raw, key: str) -> list[Raw]:
    """The objects of the array at `key`; none where it is null or absent."""
    rows = raw.get(key)
    return [one for one in rows if isinstance(one, Mapping)] if isinstance(rows, list) else []


def text(raw: Raw, key: str) -> str:
    """The text at `key`, stripped; "" where there is none. A card number that somebody typed ends here."""
    value = raw.get(key)
    return mask_cards(value.strip()) if isinstance(value, str) else ""


def reference(raw: Raw, key: str) -> str:
    """The id at `key`, whether Stripe expanded it or not; "" where there is none."""
    value = raw.get(key)
    return text(value, "id") if isinstance(value, Mapping) else text(raw, key)


def money(raw: Raw, key: str, currency: str) -> Money:
    """The minor units at `key`, zero where it is null."""
    value = raw.get(key)
    return Money.of(0 if value is None else value, currency)


def number(value: object) -> Decimal | None:
    """Stripe's decimal strings and JSON numbers; None where it is null. A float is read as it was written."""
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Refused("stripe", "a number in the answer cannot be read", code="shape") from None


def moment(raw: Raw, key: str) -> datetime:
    """The Unix time at `key`, UTC."""
    seconds = raw.get(key)
    if not isinstance(seconds, int):
        raise Refused("stripe", f"{text(raw, 'id')} has no time in {key}", code="shape")
    return datetime.fromtimestamp(seconds, UTC)


def words(raw: Raw, key: str = "metadata") -> dict[str, str]:
    """The metadata at `key`, without card numbers."""
    found = part(raw, key).items()
    return {mask_cards(str(name)): mask_cards(str(value)) for name, value in found if value is not None}


def address(raw: Raw, **named: str) -> Address:
    """The address object `raw` with the name and phone that stand beside it."""
    fields = ("line1", "line2", "city", "state", "postal_code", "country")
    return Address(**{field: text(raw, field) for field in fields}, **named)

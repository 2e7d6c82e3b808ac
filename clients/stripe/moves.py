"""Balance transactions as facts, and answers whose values are of an unknown kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from clients.errors import OutcomeUnknown, Refused
from clients.stripe.raw import Raw, money, number, part, text
from domain.currencies import exponent
from domain.payments import Moved


def moved(row: Raw) -> Moved:
    """What a balance transaction moved, with its fee. Raises UnknownCurrency."""
    currency = text(row, "currency").upper()
    exponent(currency)
    return Moved(
        transaction_id=text(row, "id"),
        money=money(row, "amount", currency),
        fee=money(row, "fee", currency),
        net=money(row, "net", currency),
        exchange_rate=number(row.get("exchange_rate")),
    )


def moved_at(raw: Raw, key: str) -> Moved | None:
    """The same of the expanded balance transaction at `key`; None until Stripe has made it."""
    row = part(raw, key)
    return moved(row) if row else None


@contextmanager
def shaped(object_id: str) -> Iterator[None]:
    """Refused, naming the fields and never their values, where an answer cannot be understood."""
    try:
        yield
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise Refused("stripe", f"{object_id} has values of unknown kind in {fields}", code="shape") from None


@contextmanager
def written(what: str) -> Iterator[None]:
    """After a write an answer that cannot be understood leaves open what was written: OutcomeUnknown."""
    try:
        yield
    except (Refused, ValueError):
        raise OutcomeUnknown("stripe", f"{what}: the answer cannot be understood", code="shape") from None

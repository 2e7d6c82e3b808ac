"""The last pieces of an item and who may have them: the rule of reservations, and what its steps are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum

from domain.payments import Fact
from domain.runs import PaymentRef


class Verdict(StrEnum):
    """Whether an order may take what it wants: yes, no, or only once other payments are settled."""

    ENOUGH = "enough"
    TOO_LITTLE = "too_little"
    LATER = "later"


def judge(wanted: Mapping[str, Decimal], left: Mapping[str, Decimal], uncertain: Mapping[str, Decimal]) -> Verdict:
    """All of `wanted` or nothing, by item id.

    `left` is Zoho's number: what is left for sale of the items whose stock it tracks. `uncertain` is what other
    payments reserved and Zoho's number may not hold yet. TOO_LITTLE only where Zoho's own number is too small, for an
    uncertain payment may still let go of what it reserved.
    """
    tracked = {item: quantity for item, quantity in wanted.items() if item in left}
    if any(left[item] < quantity for item, quantity in tracked.items()):
        return Verdict.TOO_LITTLE
    if any(left[item] - uncertain.get(item, Decimal(0)) < quantity for item, quantity in tracked.items()):
        return Verdict.LATER
    return Verdict.ENOUGH


def served(waiting: Mapping[str, Mapping[str, Decimal]], left: Mapping[str, Decimal]) -> Iterator[str]:
    """The names of those who get all they want of what is `left`; whoever has waited longer comes first."""
    rest = dict(left)
    for name, wanted in waiting.items():
        if judge(wanted, rest, {}) is Verdict.ENOUGH:
            yield name
            rest = {item: pieces - wanted.get(item, Decimal(0)) for item, pieces in rest.items()}


class StockInput(PaymentRef):
    """The goods of the order `order_ref` to be reserved; `item_ids` are by position of its lines.

    `short` is what a look said there is too little of.
    """

    order_ref: str
    item_ids: tuple[str, ...]
    short: tuple[str, ...] = ()


class StockAnswer(Fact):
    """Whether the goods are reserved. `short` names what there is too little of, and `before` which payments hold it.

    `beyond` says that they were reserved although there was too little.
    """

    verdict: Verdict = Verdict.ENOUGH
    short: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    beyond: bool = False

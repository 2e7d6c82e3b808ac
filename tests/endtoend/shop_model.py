"""A small model of a shop whose goods and money come back: what it sold and gave back, and where that must show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

PRICES = {"MUG": (1500, 19), "TEA": (999, 7)}  # minor units without tax, and the tax rate
_STANDS = ("succeeded", "pending", "requires_action")


@dataclass
class Back:
    """A return in Zoho of `pieces` that can be received and `damaged` ones that are credited only."""

    return_id: str
    sale: Sale
    pieces: Mapping[str, int]
    damaged: Mapping[str, int]
    received: bool = False
    aborted: str = ""  # the class of trouble for which a person gave it up

    @property
    def due(self) -> bool:
        """Whether its money has to go back."""
        return not self.aborted and (self.received or not any(self.pieces.values()))

    @property
    def worth(self) -> Decimal:
        """What its pieces were paid with, in minor units with fractions: prices and taxes have no other discounts."""
        units = Counter(self.pieces) + Counter(self.damaged)
        return sum((Decimal(n * PRICES[sku][0] * (100 + PRICES[sku][1])) / 100 for sku, n in units.items()), Decimal(0))


@dataclass
class Sale:
    """A payment: authorised (`held`), captured over `paid` minor units, or let go of."""

    payment_id: str
    pieces: Mapping[str, int]
    held: bool = False
    gone: bool = False
    paid: int = 0
    shipped: bool = False
    whole: str = ""  # the refund that gave all of it back at once
    restocks: bool = False  # whether that one put its goods back, for they had never left
    dispute: str = ""
    decided: bool = False
    backs: list[Back] = field(default_factory=list)

    @property
    def carried(self) -> bool:
        """Whether Zoho has an order of it."""
        return not self.held and not self.gone

    def left(self) -> Counter[str]:
        """Pieces that have not come back yet."""
        back: Counter[str] = Counter()
        for one in self.backs:
            back += Counter(one.pieces) + Counter(one.damaged)
        return Counter(self.pieces) - back


@dataclass
class Model:
    """All sales."""

    sales: list[Sale] = field(default_factory=list)

    def wrong(self, stripe: Mapping[str, Any], zoho: Mapping[str, Any]) -> Iterator[str]:
        """What the ledgers say otherwise, once everything has settled."""
        standing = [row for row in stripe["refunds"] if row["status"] in _STANDS]
        for sale in self.sales:
            own = [row for row in standing if row["payment_intent"] == sale.payment_id]
            yield from _money(sale, own)
        yield from self._documents(standing, zoho)
        yield from self._stock(standing, zoho)

    def _documents(self, standing: Sequence[Mapping[str, Any]], zoho: Mapping[str, Any]) -> Iterator[str]:
        carried = [sale for sale in self.sales if sale.carried]
        counts = {"salesorders": len(carried), "invoices": len(carried), "payments": len(carried)}
        counts |= {"salesreturns": sum(len(sale.backs) for sale in self.sales)}
        for name, wanted in counts.items():
            if len(zoho[name]) != wanted:
                yield f"I1, I6: {len(zoho[name])} {name}, not {wanted}"
        notes = [row for row in zoho["creditnotes"] if row["status"] != "void"]
        if len(notes) != len(standing):
            yield f"I6: {len(notes)} credit notes, {len(standing)} refunds stand"
        cleared = zoho["accounts"].get("Stripe clearing", {}).get("EUR", Decimal(0))
        expected = Decimal(sum(sale.paid for sale in carried) - sum(row["amount"] for row in standing)) / 100
        if cleared != expected:
            yield f"I3: the clearing account says {cleared}, captured less refunded is {expected}"

    def _stock(self, standing: Sequence[Mapping[str, Any]], zoho: Mapping[str, Any]) -> Iterator[str]:
        stands = {row["id"] for row in standing}
        returned = {row["metadata"].get("zoho_salesreturn_id") for row in standing}
        for sku in PRICES:
            item = next(row for row in zoho["items"] if row["sku"] == sku)
            sold = _sum(sale.pieces[sku] for sale in self.sales if sale.carried)
            sold -= _sum(sale.pieces[sku] for sale in self.sales if sale.restocks and sale.whole in stands)
            out = _sum(sale.pieces[sku] for sale in self.sales if sale.shipped)
            for back in (back for sale in self.sales for back in sale.backs):
                sold -= back.pieces.get(sku, 0) if back.return_id in returned else 0
                out -= back.pieces.get(sku, 0) if back.received else 0
            for name, gone in (("accounting", sold), ("physical", out)):
                if item["opening"] - item[name] != gone:
                    yield f"I2: {sku} is {item['opening'] - item[name]} below its opening {name} stock, not {gone}"


def _money(sale: Sale, own: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """I4 of one payment."""
    given = sum(row["amount"] for row in own)
    if given > sale.paid:
        yield f"I4: {given} went back of {sale.paid} of {sale.payment_id}"
    priced: list[tuple[int, Decimal]] = []
    for back in sale.backs:
        mine = [row for row in own if row["metadata"].get("zoho_salesreturn_id") == back.return_id]
        if len(mine) != back.due:
            yield f"I4: {len(mine)} refunds of return {back.return_id}, not {int(back.due)}"
        priced += [(row["amount"], back.worth) for row in mine]
    for amount, worth in priced:
        if abs(amount - worth) > 2:  # its lines are rounded one by one
            yield f"I3: {amount} went back for pieces of {worth} of {sale.payment_id}"
    everything = not sale.left() and len(priced) == len(sale.backs)
    if sale.backs and everything and sum(amount for amount, _ in priced) != sale.paid:
        yield f"I3: all pieces of {sale.payment_id} came back for {priced}, not for {sale.paid}"


def _sum(numbers: Iterable[int]) -> int:
    return sum(numbers)

"""What Stripe was told of an order's shipments: which of that is over, and whether people should hear of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import Field

from domain.payments import Fact
from domain.policy import VALUE_LIMIT, ShipmentKeys
from domain.shipping import Shipped, shipped_as


class ShipmentWords(Fact):
    """What Stripe's metadata was last told of an order's shipments, by key, "" for a key that was emptied.

    `round` is that of the order's documents. `begun` are words that Stripe may have been told since, `over` keys to be
    emptied, each with every word of ours that may stand there; `news` is what people are to hear, "" for nothing.
    Holds what people typed: never crosses Temporal.
    """

    round: int = 0
    said: dict[str, str] = Field(default_factory=dict)
    begun: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    over: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    news: str = ""

    def in_round(self, number: int, ours: Mapping[str, str]) -> ShipmentWords:
        """The same in the `number`th round: there the payment's own run has said `ours` anew."""
        anew = {"round": number, "said": {**self.said, **ours}}
        return self if number == self.round else self.model_copy(update=anew)

    def looked(self, told: Mapping[str, str], keys: Collection[str]) -> ShipmentWords:
        """What is to be said after a look that has this to tell; of `keys` those are over that it tells nothing of."""
        may = {key: (self.said.get(key, ""), *self.begun.get(key, ()), told.get(key, "")) for key in keys}
        begun = {key: tuple(filter(None, dict.fromkeys(words))) for key, words in may.items()}
        over = {key: words for key, words in begun.items() if words and key not in told}
        return self.model_copy(update={"begun": self.begun | begun, "over": over, "news": ""})

    def tells_more(self, told: Mapping[str, str], keys: ShipmentKeys) -> bool:
        """Whether another shipment, carrier or tracking number is told, or one of them is over."""
        names = {keys.shipment_id, keys.tracking_number, keys.carrier}
        fresh = {told[key] for key in names & told.keys()} - set(self.said.values())
        return bool(fresh or names & self.over.keys())

    def carried(self, told: Mapping[str, str], keys: Collection[str]) -> ShipmentWords:
        """What holds once Stripe has been told, and what is over was emptied or found to be somebody else's."""
        said = self.said | {key: told[key] for key in keys if key in told} | dict.fromkeys(self.over, "")
        return self.model_copy(update={"said": said, "begun": {}, "over": {}})


def shipments_told(payment_id: str, order: str, shipments: Collection[Shipped]) -> str:
    """What people are told of the shipments that an order has now."""
    ways = "; ".join(map(shipped_as, shipments))
    return f"{payment_id} · order {order} · {f'shipped as {ways}' if ways else 'not shipped any more'}"[:VALUE_LIMIT]

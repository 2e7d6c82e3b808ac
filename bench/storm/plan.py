"""What will happen in a storm, drawn from a seed: the same seed and size give the same plan on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

PARTS = ("worker", "ingress", "temporal")
# Who speaks to whom through a proxy.
LINKS = ("worker-stripe", "worker-zoho", "stripe-ingress", "worker-temporal", "ingress-temporal")
# toxiproxy's kinds (github.com/Shopify/toxiproxy, section Toxics), and `down`: nobody listens.
KINDS = ("latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data", "down")
SHELF = (("LAMP-01", 4900), ("BULB-E27", 450), ("CORD-3M", 1200), ("SHADE-L", 3500), ("THROW-W", 6000))
UNKNOWN = "GHOST-01"  # an item that Zoho does not have: whoever buys it waits for a person
WAYS = ("checkout", "checkout", "invoice", "metadata")
_LOUD = 0.6  # a toxic hits this share of connections at least
_LONGEST = 5.0  # seconds of one toxic, and of a part's absence 3
_AWAY = 3.0


@dataclass(frozen=True)
class Size:
    """How much happens within `seconds`: payments of all `shops`, kills of parts, toxics on links."""

    payments: int = 150
    seconds: float = 90
    shops: int = 4
    workers: int = 2
    kills: int = 12
    toxics: int = 24
    revokes: int = 1  # how often all of Zoho's tokens become void at once; twice in three minutes, and shops wait those

    def __post_init__(self) -> None:
        if self.payments < 1 or self.shops < 1 or self.workers < 1 or self.seconds <= 0:
            raise ValueError("a storm has payments, shops, workers and seconds, one of each at least")
        if min(self.kills, self.toxics, self.revokes) < 0:
            raise ValueError("no count is negative")


@dataclass(frozen=True)
class Sale:
    """A payment at a moment (seconds from the start); lines are SKU, minor units a piece, pieces."""

    at: float
    shop: int
    buyer: int
    currency: str
    via: str
    lines: tuple[tuple[str, int, int], ...]

    @property
    def unknown(self) -> bool:
        """Whether it can only wait for a person."""
        return any(sku == UNKNOWN for sku, _, _ in self.lines)

    def pieces(self) -> dict[str, int]:
        """What was bought: SKU -> pieces."""
        return {sku: pieces for sku, _, pieces in self.lines}

    def wish(self, account: str) -> dict[str, Any]:
        """As the Stripe sandbox takes it."""
        return {
            "account": account,
            "currency": self.currency,
            "via": self.via,
            "guest": {
                "name": f"Grace Hopper {self.buyer}",
                "email": f"grace{self.buyer}@shop{self.shop}.example",
                "address": {"line1": "Hafen 3", "city": "Kiel", "postal_code": "24103", "country": "DE"},
            },
            "lines": [{"sku": sku, "unit_amount": minor, "quantity": pieces} for sku, minor, pieces in self.lines],
        }


@dataclass(frozen=True)
class Kill:
    """SIGKILL to a part (the `which`th worker), which is started again after `away` seconds."""

    at: float
    part: str
    which: int
    away: float


@dataclass(frozen=True)
class Toxic:
    """A fault of the network between two parts for some seconds; `share` of its connections suffer."""

    at: float
    seconds: float
    link: str
    kind: str
    stream: str
    share: float
    attributes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """One storm."""

    seed: int
    size: Size
    sales: tuple[Sale, ...]
    kills: tuple[Kill, ...]
    toxics: tuple[Toxic, ...]
    revokes: tuple[float, ...]


def draw(seed: int, size: Size) -> Plan:
    """The plan of this seed. Every part is killed and every kind of toxic comes up before one comes up again."""
    # One source each, so that more kills leave the sales as they are.
    sales, kills, toxics, revokes = (Random(f"{seed} {what}") for what in ("sales", "kills", "toxics", "revokes"))
    return Plan(
        seed,
        size,
        tuple(_sale(sales, size, at) for at in _moments(sales, size.payments, size.seconds)),
        tuple(
            Kill(at, part, kills.randrange(size.workers), round(kills.uniform(0, _AWAY), 2))
            for at, part in zip(_moments(kills, size.kills, size.seconds), _in_turn(kills, PARTS), strict=False)
        ),
        tuple(
            _toxic(toxics, at, link, kind)
            for at, link, kind in zip(
                _moments(toxics, size.toxics, size.seconds),
                _in_turn(toxics, LINKS),
                _in_turn(toxics, KINDS),
                strict=False,
            )
        ),
        tuple(_moments(revokes, size.revokes, size.seconds)),
    )


def _moments(random: Random, count: int, seconds: float) -> list[float]:
    return sorted(round(random.uniform(0, seconds), 2) for _ in range(count))


def _in_turn(random: Random, names: Sequence[T]) -> Iterator[T]:
    """Without end: all names in some order, then all in another."""
    while True:
        yield from random.sample(names, len(names))


def _sale(random: Random, size: Size, at: float) -> Sale:
    buyer = random.choice((random.randint(1, 3), random.randint(10, 10_000)))  # a regular, or somebody new
    lines = [(sku, minor, random.randint(1, 3)) for sku, minor in random.sample(SHELF, random.randint(1, 2))]
    if random.random() < 0.05:
        lines.append((UNKNOWN, 700, 1))
    # A buyer has one currency: what a second one does is another test's matter.
    currency = ("eur", "eur", "eur", "usd", "jpy")[buyer % 5]
    return Sale(at, random.randint(1, size.shops), buyer, currency, random.choice(WAYS), tuple(lines))


def _toxic(random: Random, at: float, link: str, kind: str) -> Toxic:
    ranges = {
        # Milliseconds, kilobytes a second, bytes, microseconds: toxiproxy's own units. What is held up must arrive
        # within the shops' `settle_wait`, as it does at Zoho within theirs.
        "latency": {"latency": (100, 1000), "jitter": (0, 500)},
        "bandwidth": {"rate": (4, 40)},
        "slow_close": {"delay": (200, 1000)},
        "timeout": {"timeout": (0, 1000)},
        "reset_peer": {"timeout": (0, 500)},
        "slicer": {"average_size": (32, 256), "size_variation": (1, 31), "delay": (100, 2000)},
        "limit_data": {"bytes": (100, 4000)},
        "down": {},
    }
    attributes = tuple((name, random.randint(*span)) for name, span in ranges[kind].items())
    stream = random.choice(("upstream", "downstream"))
    seconds = round(random.uniform(1, _LONGEST), 2)
    return Toxic(at, seconds, link, kind, stream, round(random.uniform(_LOUD, 1), 2), attributes)

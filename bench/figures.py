"""What was found, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.histories import Costs
from bench.load import Answers
from bench.plan import Plan
from bench.stats import Spread, median


@dataclass(frozen=True)
class Round:
    """Runs carried in `seconds`, with the CPU seconds that each process spent on them."""

    runs: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.runs / self.seconds

    def cpu_each(self, *names: str) -> float:
        """CPU milliseconds a run, of these processes."""
        return 1000 * sum(self.cpu.get(name, 0.0) for name in names) / self.runs


@dataclass(frozen=True)
class Waits:
    """From the moment a webhook was due until the stock had moved, and until the order was paid."""

    stock: Spread
    paid: Spread


@dataclass(frozen=True)
class OpenLoop:
    """Webhooks at a steady rate, what they were answered, and what became of their payments."""

    answers: Answers
    payments: int
    waits: Waits
    drained: float  # seconds from the first webhook until the last payment was carried


@dataclass(frozen=True)
class Honest:
    """One organisation at the pace that Zoho allows."""

    round: Round
    refused: int  # calls that Zoho refused


@dataclass(frozen=True)
class Gale:
    """One organisation's part of a storm: its orders, the calls that reached Zoho, and those that it refused."""

    orders: int
    calls: int
    refused: int
    seconds: float

    @property
    def wasted(self) -> float:
        """Refused calls among all."""
        return self.refused / self.calls


@dataclass(frozen=True)
class Storm:
    """All parts by what holds them back, and what one turn of the budget takes."""

    gales: dict[str, Gale]
    turn: Spread


@dataclass
class Figures:
    """All of one run; filled step by step."""

    plan: Plan
    where: dict[str, str]
    starts: list[float] = field(default_factory=list)
    costs: dict[str, Costs] = field(default_factory=dict)
    single: Waits | None = None
    house: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)
    busy: Waits | None = None
    calm: OpenLoop | None = None
    burst: OpenLoop | None = None
    alone: Answers | None = None
    honest: Honest | None = None
    storm: Storm | None = None

    @property
    def shares(self) -> list[float]:
        """Each round's payments a second beside the bare workflows of the same round."""
        return [house.rate / bare.rate for house, bare in zip(self.house, self.bare, strict=True)]


def rate(rounds: Sequence[Round]) -> float:
    """The median of some rounds' rates."""
    return median([each.rate for each in rounds])


def cpu_each(rounds: Sequence[Round], *names: str) -> float:
    """The median of some rounds' CPU milliseconds a run."""
    return median([each.cpu_each(*names) for each in rounds])

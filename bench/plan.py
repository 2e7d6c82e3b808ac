"""How much is measured: the same steps at three sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of one run of the benchmarks. `payments` and `at_once` are for each of `rounds` closed loops."""

    shops: int  # organisations that share the work
    starts: int  # of a worker
    single: int  # payments one at a time
    rounds: int
    payments: int
    at_once: int
    honest: int  # payments of one organisation at the pace that Zoho allows
    storm: int  # orders of each organisation that come ten times as fast as Zoho takes them
    calm_seconds: float
    burst_seconds: float
    alone_seconds: float
    calm_rate: float = 20  # webhooks a second
    burst_rate: float = 200

    def sold(self) -> int:
        """Payments that have to be there before anything is measured, without the honest shop's."""
        open_loops = self.calm_rate * self.calm_seconds + self.burst_rate * self.burst_seconds
        return self.single + self.rounds * self.payments + int(open_loops / 3) + 2


FULL = Plan(
    shops=20,
    starts=5,
    single=10,
    rounds=3,
    payments=120,
    at_once=40,
    honest=20,
    storm=24,
    calm_seconds=30,
    burst_seconds=5,
    alone_seconds=10,
)
QUICK = Plan(
    shops=8,
    starts=2,
    single=4,
    rounds=1,
    payments=60,
    at_once=30,
    honest=0,
    storm=0,
    calm_seconds=6,
    burst_seconds=1,
    alone_seconds=3,
)
TINY = Plan(
    shops=2,
    starts=1,
    single=1,
    rounds=1,
    payments=4,
    at_once=4,
    honest=1,
    storm=1,
    calm_seconds=0.3,
    burst_seconds=0.03,
    alone_seconds=0.05,
)

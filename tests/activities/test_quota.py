"""People are warned before a day's quota ends: once a day, and not of a day that lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.memory import Memory
from activities.quota import QuotaActivities
from activities.shops import Shops
from clients.errors import TryLater
from clients.zoho.budget import Budget
from domain.policy import PaymentPolicy
from domain.sweeps import SweepRef

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 26, 23, tzinfo=UTC)
# 600 calls in the last hour, 1,800 left of 5,000: three hours.
RUSH = Budget(
    "10",
    day_limit=5000,
    day_left=1800,
    day_resets_at=MIDNIGHT,
    told_at=NOON,
    first_left=2400,
    first_at=NOON - timedelta(hours=1),
    time_zone="Europe/Berlin",
)


@dataclass
class Shop:
    """A shop that keeps what its people are told."""

    policy: PaymentPolicy = field(default_factory=PaymentPolicy)
    told: list[tuple[str, str]] = field(default_factory=list)
    deaf: bool = False

    slug = "shop"
    organization_id = "10"

    @property
    def zoho(self) -> Shop:
        return self

    @property
    def notifier(self) -> Shop:
        return self

    async def send(self, title: str, body: str) -> None:
        if self.deaf:
            raise TryLater("notify", "nobody took it")
        self.told.append((title, body))


@dataclass
class Rows:
    """A store of one budget and of what is remembered."""

    budget: Budget | None
    kept: dict[tuple[str, str, str], str] = field(default_factory=dict)

    async def read(self, organization: str) -> Budget | None:
        assert organization == "10"
        return self.budget

    async def get(self, connection: str, kind: str, key: str) -> str | None:
        return self.kept.get((connection, kind, key))

    async def put(self, connection: str, kind: str, key: str, value: str, *, at: datetime) -> None:
        self.kept[connection, kind, key] = value


async def watch(shop: Shop, rows: Rows, now: datetime = NOON) -> None:
    """One look, as a sweep has it."""
    hands: Any = (Shops([cast(Any, shop)]), rows, Memory(cast(Any, rows), lambda: now), lambda: now)
    await ActivityEnvironment().run(QuotaActivities(*hands).watch_quota, SweepRef(connection="shop"))


async def test_people_are_warned_once_a_day() -> None:
    """Ten minutes later nothing new is said; the next day, which is as busy, they are told again."""
    shop, rows = Shop(), Rows(RUSH)
    await watch(shop, rows)
    rows.budget = Budget(**{**vars_of(RUSH), "day_left": 1700, "day_resets_at": MIDNIGHT + timedelta(seconds=1)})
    await watch(shop, rows, NOON + timedelta(minutes=10))
    assert shop.told == [
        (
            "Zoho's quota",
            "shop: at the pace of the last hour the last 1800 of Zoho's 5000 calls of today are gone at "
            "2026-11-26 16:00 Europe/Berlin (15:00 UTC), and what needs Zoho then waits until 2026-11-27 00:00 "
            "Europe/Berlin (23:00 UTC). See: throughline quota",
        )
    ]
    day = timedelta(days=1)
    times = {name: RUSH.__getattribute__(name) + day for name in ("day_resets_at", "told_at", "first_at")}
    rows.budget = Budget(**{**vars_of(RUSH), **times})
    await watch(shop, rows, NOON + day)
    assert len(shop.told) == 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"first_left": 1850}, id="lasts"),
        pytest.param({"day_left": 2600, "first_left": 3200}, id="not half used"),
        pytest.param({"day_resets_at": NOON}, id="a day that is over"),
        pytest.param({"day_left": None}, id="nobody knows"),
    ],
)
async def test_nobody_is_warned_of_a_day_that_may_last(change: dict[str, Any]) -> None:
    """A slow pace, the first half of a day's quota, yesterday's numbers, and an organisation that told nothing yet."""
    shop = Shop()
    await watch(shop, Rows(Budget(**{**vars_of(RUSH), **change})))
    await watch(shop, Rows(None))
    assert shop.told == []


async def test_a_day_that_is_used_up_is_told_as_such() -> None:
    """Also where nobody could be warned before."""
    shop = Shop()
    await watch(shop, Rows(Budget(**{**vars_of(RUSH), "day_left": 0, "first_left": 0})))
    [(_, said)] = shop.told
    assert "Zoho's 5000 calls of today are used up: what needs Zoho waits until 2026-11-27 00:00 Europe" in said


async def test_who_wants_to_hear_nothing_is_told_nothing() -> None:
    """`quiet` names the quota as it names everything else."""
    shop = Shop(policy=PaymentPolicy(quiet=("quota",)))
    await watch(shop, Rows(RUSH))
    assert shop.told == []


async def test_a_warning_that_nobody_took_is_not_remembered_as_said() -> None:
    """The next try says it."""
    shop, rows = Shop(deaf=True), Rows(RUSH)
    with pytest.raises(TryLater):
        await watch(shop, rows)
    shop.deaf = False
    await watch(shop, rows)
    assert len(shop.told) == 1


def vars_of(budget: Budget) -> dict[str, Any]:
    """The fields of a row."""
    return {name: getattr(budget, name) for name in Budget.__slots__}

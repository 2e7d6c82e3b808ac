"""`python -m bench.returns_race [--rounds 200]`: returns beside a refund in the dashboard; nothing goes back twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.service import RPCError

from bench.command import DOCUMENT, measured, options
from bench.house import House, a_house
from bench.races import LIMIT, Arena, Kind, Race, trail_differs
from bench.report import Sheet, put_down, show
from bench.shops import Shop
from bench.stats import Spread
from bench.where import where
from cli.demo_house import HOST
from cli.ending import run_to_end
from cli.ledger_check import Violation
from cli.output import say
from cli.temporal_binary import find_or_get
from clients.keys import KeyRing
from clients.settings import ensure_keys
from clients.store import Store
from workflows import contract

BEGIN, END = "<!-- returns: begin -->", "<!-- returns: end -->"
SHOPS = 10
_SECRET = "Abcdefgh12345678"
_POLICY = f"""\
fee_patience = 0
by_hand = {{poll_every = 0}}
ship = "when_paid"
first_retry = 0.1
longest_retry = 1
settle_wait = 1
returns = {{trigger = "approved", poll_every = 60, approve_above = {{EUR = {LIMIT}}}}}
"""


@dataclass(frozen=True)
class ReturnShop(Shop):
    """A shop that gives money back, and hears of returns by Zoho's webhooks and by its list."""

    policy: str = _POLICY

    def connection(self, stripe_url: str, zoho_url: str) -> str:
        """Its part of the connections file, with the secret of Zoho's webhooks."""
        part = f"[connections.{self.slug}.zoho]\n"
        return super().connection(stripe_url, zoho_url).replace(part, f'{part}webhook_secrets = ["{_SECRET}"]\n')


@dataclass
class Told:
    """What the rounds came to, and how long each took."""

    where: dict[str, str] = field(default_factory=dict)
    races: list[Race] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    @property
    def wrong(self) -> list[Violation]:
        """All violations, those of the rounds and those of the trail."""
        return [*self.violations, *(one for race in self.races for one in race.violations)]


async def _open(house: House, shop: ReturnShop) -> Arena:
    """The shop with its webhooks, each of which comes twice."""

    async def look_now(return_id: str) -> None:
        with suppress(RPCError):
            await house.client.get_workflow_handle(contract.return_poll_workflow_id(shop.slug)).signal(
                contract.LOOK_NOW
            )

    seed = shop.seed()
    ingress = f"http://{HOST}:{house.ports.ingress}/webhooks"
    rule = {
        "organization_id": shop.organization,
        "url": f"{ingress}/zoho/{shop.slug}",
        "modules": ["salesreturns", "creditnotes"],
        "headers": {"X-Throughline-Secret": _SECRET},
    }
    endpoint = {"account": shop.account, "url": f"{ingress}/stripe/{shop.slug}", "secret": shop.secret}
    for url, body in ((f"{house.zoho_url}/_webhooks", rule), (f"{house.stripe_url}/_endpoints", endpoint)):
        async with house.http.post(url, json=body) as answer:
            answer.raise_for_status()
    return Arena(
        client=house.client,
        http=house.http,
        stripe_url=house.stripe_url,
        zoho_url=house.zoho_url,
        slug=shop.slug,
        account=shop.account,
        organization=shop.organization,
        zoho_login={name: seed[name] for name in ("client_id", "client_secret", "refresh_token")},
        tell=look_now,
    )


async def run_races(house: House, shops: Sequence[ReturnShop], rounds: int, told: Told) -> None:
    """All rounds, those of a shop one after the other, the shops side by side."""
    twice: dict[str, dict[str, Any]] = {
        f"{house.stripe_url}/_switches": {"webhook_duplicate": 1.0},
        f"{house.zoho_url}/_webhook_faults": {"fault": "duplicated", "share": 1},
    }
    for url, body in twice.items():
        async with house.http.post(url, json=body) as answer:
            answer.raise_for_status()
    await house.start_worker()
    numbers = iter(range(rounds))
    arenas = [await _open(house, shop) for shop in shops]
    await asyncio.gather(*(_rounds(arena, numbers, told) for arena in arenas))
    keys = KeyRing.from_text((await asyncio.to_thread(ensure_keys, house.home)).read_text(encoding="utf-8"))
    store = await Store.open(f"sqlite+aiosqlite:///{house.home}/store.db", keys)
    for shop in shops:
        report = await store.audit.verify(shop.slug)
        if not report.ok:
            told.violations.append(Violation("I10", shop.slug, report.reason))
    entries = [(e.stripe_id, e.step) for shop in shops for e in await store.audit.entries(shop.slug)]
    told.violations += trail_differs(told.races, entries)
    await store.close()


async def _rounds(arena: Arena, numbers: Iterator[int], told: Told) -> None:
    for number in numbers:
        begun = time.monotonic()
        race = await arena.race(tuple(Kind)[number % len(Kind)], random.Random(number))
        told.races.append(race)
        told.seconds.append(time.monotonic() - begun)
        wrong = "; ".join(map(str, race.violations)) or "right"
        first = "the dashboard first" if race.dashboard else "the dashboard refused"
        say(f"Round {len(told.races)}: {race.kind}, {first}, {told.seconds[-1]:.1f} s, {wrong}.")


def sheets(told: Told) -> Iterator[Sheet]:
    """What was found, as tables."""
    if told.where:
        yield Sheet("Taken for returns", ("", ""), list(told.where.items()))
    rows = []
    for kind in Kind:
        races = [race for race in told.races if race.kind is kind]
        dashboard = sum(race.dashboard for race in races)
        wrong = sum(bool(race.violations) for race in races)
        rows.append((kind.value, str(len(races)), str(dashboard), str(len(races) - dashboard), str(wrong)))
    spread = Spread.of(told.seconds)
    note = (
        f"{len(told.wrong)} violations of I1 to I6, I9 and I10. A round asks for one cent more than was paid, so that"
    )
    note += f" one refund is left out. {spread.p50:.1f} s a round (p50), the slowest {spread.most:.1f} s."
    columns = ("beside a refund in the dashboard", "rounds", "it was made", "it was refused", "wrong")
    yield Sheet("Who gives the money back, by rounds", columns, rows, note)


async def measure(rounds: int, home: Path, shops: int = SHOPS) -> Told:
    """The rounds in a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    counters = [ReturnShop(900 + number) for number in range(min(shops, rounds))]
    told = Told(where=where(binary))
    async with a_house(binary, home, 0, counters) as house:
        await run_races(house, counters, rounds, told)
    return told


def main() -> int:
    """0, or 1 where something does not hold or did not come up."""
    parser = options("returns_race", __doc__, home="returns")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    given = parser.parse_args()
    told = measured(measure(given.rounds, given.home.absolute()))
    show(sheets(told))
    for violation in told.wrong:
        say(str(violation))
    if given.write:
        put_down(sheets(told), DOCUMENT, BEGIN, END)
    return 1 if told.wrong else 0


if __name__ == "__main__":
    run_to_end(main)

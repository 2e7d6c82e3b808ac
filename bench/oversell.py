"""`python -m bench.oversell [--rounds 200]`: fifty buyers of ten pieces, again and again; ten get one, or it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from bench.command import measured, options
from bench.house import House, a_house
from bench.report import Sheet, show
from bench.shops import Shop
from bench.stats import Spread
from bench.till import TOLD, Sale, Till, webhooks
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from workflows import contract

BUYERS, PIECES = 50, 10
_WITHIN = 120.0
_LOOK = 0.2


@dataclass(frozen=True)
class Scarce(Shop):
    """A shop with an item of ten pieces for each round, which holds what it cannot deliver."""

    rounds: int = 1

    def seed(self) -> dict[str, Any]:
        """Its organisation, with the scarce items besides."""
        items = [
            {"sku": sku(number), "name": sku(number), "rate": 49, "stock": PIECES} for number in range(self.rounds)
        ]
        seed = super().seed()
        return {**seed, "items": [*seed["items"], *items]}

    def connection(self, stripe_url: str, zoho_url: str) -> str:
        """Its part of the connections file, with the policy."""
        begin = f"[connections.{self.slug}.policy]\n"
        policy = f'{begin}oversell = "hold"\nfirst_retry = 0.1\n'
        return super().connection(stripe_url, zoho_url).replace(begin, policy)


@dataclass
class Told:
    """What the rounds came to: by round, how many were confirmed and how many held; and how long each took."""

    confirmed: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    calls: int = 0

    @property
    def right(self) -> int:
        """Rounds in which every piece was sold, and none twice."""
        wanted = (PIECES, BUYERS - PIECES)
        return sum(pair == wanted for pair in zip(self.confirmed, self.held, strict=True))


def sku(number: int) -> str:
    """The item of one round."""
    return f"LAST-{number:04d}"


async def oversell(house: House, shop: Scarce, rounds: int) -> Told:
    """All rounds, one after the other, in one shop."""
    told, till = Told(), Till(house.http, house.stripe_url)
    await house.start_worker()
    before, _ = await house.zoho_calls(shop)
    for number in range(rounds):
        sales = [await till.sell(shop, f"{number}-{buyer}", sku(number)) for buyer in range(BUYERS)]
        await till.announce(sales)
        begun = time.monotonic()
        await asyncio.gather(*(_deliver(house, sale) for sale in sales))
        held = sum(await asyncio.gather(*(_is_held(house, sale) for sale in sales)))
        told.seconds.append(time.monotonic() - begun)
        told.held.append(held)
        told.confirmed.append(await _sold(house, shop, sku(number)))
        say(f"Round {number + 1}: {told.confirmed[-1]} confirmed, {held} held, {told.seconds[-1]:.1f} s.")
    after, _ = await house.zoho_calls(shop)
    told.calls = after - before
    return told


async def _deliver(house: House, sale: Sale) -> None:
    (webhook,) = webhooks([sale], TOLD[1:2])
    answer = await house.sender.send(webhook)
    if answer.status != 200:
        raise RuntimeError(f"the webhook about {sale.payment_id} was answered {answer.status}")


async def _is_held(house: House, sale: Sale) -> bool:
    """Whether the payment waits for a person, once it does or is paid; a held one is ended there."""
    handle = house.client.get_workflow_handle(sale.workflow_id)
    async with asyncio.timeout(_WITHIN):
        while True:
            with suppress(RPCError):
                seen = await handle.describe()
                if seen.status is WorkflowExecutionStatus.COMPLETED:
                    return False
                if seen.typed_search_attributes.get(contract.NEEDS_ATTENTION):
                    await handle.terminate("counted")
                    return True
            await asyncio.sleep(_LOOK)


async def _sold(house: House, shop: Shop, wanted: str) -> int:
    """Pieces that orders have taken of the item, by Zoho's ledger."""
    query = {"organization_id": shop.organization, "only": "items"}
    async with house.http.get(f"{house.zoho_url}/_ledger", params=query) as answer:
        items = (await answer.json())["organizations"][shop.organization]["items"]
    item = next(item for item in items if item["sku"] == wanted)
    return int(item["opening"] - item["accounting"] + item["committed"])


def sheets(told: Told) -> Iterator[Sheet]:
    """What was found, as a table."""
    rounds = len(told.seconds)
    spread = Spread.of(told.seconds)
    rows = [
        ("rounds", str(rounds)),
        (f"with {PIECES} confirmed and {BUYERS - PIECES} held", str(told.right)),
        ("pieces sold twice", str(sum(max(0, count - PIECES) for count in told.confirmed))),
        ("pieces left though somebody was held", str(sum(max(0, PIECES - count) for count in told.confirmed))),
        ("seconds a round, p50 and slowest", f"{spread.p50:.1f} and {spread.most:.1f}"),
        ("Zoho calls a payment", f"{told.calls / (rounds * BUYERS):.1f}"),
    ]
    yield Sheet(f"{BUYERS} buyers, {PIECES} pieces, policy hold", ("", ""), rows)


async def measure(rounds: int, home: Path) -> Told:
    """The rounds in a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    shop = Scarce(801, rounds=rounds)
    async with a_house(binary, home, 1, [shop]) as house:
        return await oversell(house, shop, rounds)


def main() -> int:
    """0, or 1 where a piece was sold twice or held back, or something did not come up."""
    parser = options("oversell", "Fifty buyers of ten pieces.", home="oversell")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    told = measured(measure(given.rounds, given.home.absolute()))
    show(sheets(told))
    return 0 if told.right == given.rounds else 1


if __name__ == "__main__":
    run_to_end(main)

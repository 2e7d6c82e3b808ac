"""SIGKILL to the ingress and Temporal, at each call of a payment: the books come out as if nothing was.

What a killed worker leaves is part of the table of all faults: tests/faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from clients.zoho.client import CALL_TIMEOUT
from tests.endtoend.outcomes import differences, outcome, tell, undisturbed, until
from tests.endtoend.processes import Processes, a_house_of_processes
from tests.endtoend.shops import Hold, Shop
from tests.house import QUICK

# Callers that live give a call up before its activity is repeated.
LIVING = QUICK.model_copy(
    update={"call_timeout": timedelta(seconds=CALL_TIMEOUT + 5), "contact_lease": timedelta(seconds=10)}
)
REACHED_WITHIN = 60.0  # seconds
STRIPE_PAYMENT = r"/v1/payment_intents/pi_\w+$"


@dataclass(frozen=True)
class Stage:
    """One of the calls that a payment makes."""

    name: str
    at: str
    method: str
    path: str
    story: int = 1


STAGES = (
    Stage("payment read", "stripe", "GET", STRIPE_PAYMENT),
    Stage("lines read", "stripe", "GET", r"/line_items$"),
    Stage("token", "zoho", "POST", r"/oauth/v2/token$"),
    Stage("organisation", "zoho", "GET", r"/organizations$"),
    Stage("currencies", "zoho", "GET", r"/settings/currencies$"),
    Stage("item", "zoho", "GET", r"/items$"),
    Stage("taxes", "zoho", "GET", r"/settings/taxes$"),
    Stage("contact looked for", "zoho", "GET", r"/contacts$"),
    Stage("contact", "zoho", "POST", r"/contacts$"),
    Stage("address", "zoho", "POST", r"/contacts/\d+/address$", story=2),
    Stage("order", "zoho", "POST", r"/salesorders$"),
    Stage("confirmation", "zoho", "POST", r"/status/confirmed$"),
    Stage("invoice", "zoho", "POST", r"/invoices$"),
    Stage("sent mark", "zoho", "POST", r"/status/sent$"),
    Stage("payment", "zoho", "POST", r"/customerpayments$"),
    Stage("write-back", "stripe", "POST", STRIPE_PAYMENT),
)


@dataclass(frozen=True)
class Cell:
    """A stage, and whether its call was applied when the part died."""

    stage: Stage
    after: bool

    def __str__(self) -> str:
        return f"{self.stage.name}, {'applied' if self.after else 'on its way'}"


CELLS = {str(cell): cell for cell in (Cell(stage, after) for stage in STAGES for after in (False, True))}


async def test_every_stage_survives_a_killed_ingress(temporal_cli: Path, tmp_path: Path) -> None:
    """Events that find no ingress come again, and tell the runs nothing new."""
    await compare(temporal_cli, tmp_path, "ingress")


async def test_every_stage_survives_a_killed_temporal(temporal_cli: Path, tmp_path: Path) -> None:
    """Answers come while nobody can be told of them; the server goes on from its file."""
    await compare(temporal_cli, tmp_path, "temporal")


async def test_delivery_at_hand_in_a_killed_ingress_comes_again(temporal_cli: Path, tmp_path: Path) -> None:
    """What the ingress has in hand but could not hand on was never acknowledged, so Stripe tells it again."""
    async with a_house_of_processes(temporal_cli, tmp_path, ["only"], LIVING) as house:
        shop = house.shops["only"]
        await house.kill("temporal")
        payment = await tell(shop, 1)
        async with asyncio.timeout(REACHED_WITHIN):
            while True:
                if await house.deliveries_at_hand():
                    break
                await asyncio.sleep(0.01)
        await house.kill("ingress")
        await asyncio.gather(house.start("temporal"), house.start("ingress"))
        await shop.done(payment)
        found = await outcome(shop)
    assert len(found.audit) == len(set(found.audit)) == 7


async def compare(binary: Path, home: Path, part: str) -> None:
    """One payment is held at each stage, `part` is killed once, and each shop's books are those of an unkilled one."""
    async with a_house_of_processes(binary, home, ["unkilled", *CELLS], LIVING) as house:
        expected = await undisturbed(house.shops["unkilled"])
        await settle_known(house)
        holds = [hold(house.shops[name], cell) for name, cell in CELLS.items()]
        paid = await asyncio.gather(*(tell(house.shops[name], cell.stage.story) for name, cell in CELLS.items()))
        await all_reached(dict(zip(CELLS, holds, strict=True)))
        await KILLS[part](house, holds)
        await asyncio.gather(*(house.shops[name].done(one) for name, one in zip(CELLS, paid, strict=True)))
        found = {name: await outcome(house.shops[name]) for name in CELLS}
    different = {name: differences(expected[cell.stage.story], found[name]) for name, cell in CELLS.items()}
    assert {name: lines for name, lines in different.items() if lines} == {}


async def settle_known(house: Processes) -> None:
    """The first payments of those shops whose second one is to be held."""
    known = [house.shops[name] for name, cell in CELLS.items() if cell.stage.story == 2]
    await asyncio.gather(*[shop.done(await tell(shop, 1)) for shop in known])


def hold(shop: Shop, cell: Cell) -> Hold:
    """The cell's call of the next payment waits at the door."""
    program = shop.stripe_program if cell.stage.at == "stripe" else shop.zoho_program
    return program.door.hold(cell.stage.method, cell.stage.path, after=cell.after)


async def kill_ingress(house: Processes, holds: Sequence[Hold]) -> None:
    """While it is away Stripe tells everything once more, in vain."""
    await house.kill("ingress")
    await asyncio.gather(*(resend_all(shop) for shop in house.shops.values()))
    await house.start("ingress")
    let_go(holds)


async def kill_temporal(house: Processes, holds: Sequence[Hold]) -> None:
    """The worker gets its answers while there is nobody to tell."""
    await house.kill("temporal")
    let_go(holds)
    await house.start("temporal")


KILLS = {"ingress": kill_ingress, "temporal": kill_temporal}


async def all_reached(holds: Mapping[str, Hold]) -> None:
    """Every call waits at its door."""
    waits = {asyncio.create_task(one.reached.wait()): name for name, one in holds.items()}
    _, missing = await asyncio.wait(waits, timeout=REACHED_WITHIN)
    for task in missing:
        task.cancel()
    assert [waits[task] for task in missing] == []


def let_go(holds: Iterable[Hold]) -> None:
    """Opens every door."""
    for one in holds:
        one.let_go.set()


async def resend_all(shop: Shop) -> None:
    """Every event of the shop is sent again, and has failed to arrive at least once."""
    await shop.resend()
    await until(shop, lambda rows: any(one["error"] for row in rows for one in row["attempts"]))

"""`python -m bench.parked [--runs 1000]`: how fast payments that wait for people are listed, answered and paid."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.command import measured, on_linux, options, told
from bench.house import House, a_house
from bench.load import closed_loop
from bench.report import Sheet
from bench.stats import Spread
from bench.till import TOLD, Sale, Till, webhooks
from bench.where import where
from cli.demo_house import environment
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from workflows import contract

BEGIN, END = "<!-- parked: begin -->", "<!-- parked: end -->"
_WAITING = f"{contract.NEEDS_ATTENTION.name} = true AND ExecutionStatus = 'Running'"
_OPEN = f"WorkflowType = '{contract.PAYMENT_WORKFLOW}' AND ExecutionStatus = 'Running'"
_WRONG, _RIGHT = "LAMP-1", "LAMP-01"
_AMENDED = {"action": "amend", "by": "bench", "amendments": [{"line": "1", "field": "sku", "value": _RIGHT}]}
_AT_ONCE = 40
_LOOK = 0.2


@dataclass
class Parked:
    """What was found; seconds."""

    runs: int
    singles: int
    where: dict[str, str]
    shops: int = 10
    parking: float = 0.0  # from the first webhook until all wait
    taken: list[float] = field(default_factory=list)  # from an answer until it was taken
    carried: list[float] = field(default_factory=list)  # from an answer until the order was paid
    listing: float = 0.0
    listed: int = 0
    resolving: float = 0.0  # the command that answers all
    resolved: int = 0
    closing: float = 0.0  # from that command's start until the last order was paid


class Waiting:
    """Parks payments in one house and has people answer."""

    def __init__(self, house: House, found: Parked) -> None:
        self._house = house
        self._found = found
        self._till = Till(house.http, house.stripe_url)

    async def run(self) -> None:
        """Singles first, on a quiet house; then all the others by one command."""
        await self._house.start_worker()
        say(f"Parking {self._found.runs} payments.")
        sales = await self._sell()
        begun = time.monotonic()
        await closed_loop(sales, _AT_ONCE, self._announce)
        await self._until(_WAITING, len(sales))
        self._found.parking = time.monotonic() - begun
        say("Answering some, one at a time.")
        for sale in sales[: self._found.singles]:
            await self._answer(sale)
        say("Listing, then answering the others with one command.")
        await self._list()
        await self._resolve()

    async def _sell(self) -> list[Sale]:
        shops = self._house.shops
        sales = [await self._till.sell(shops[place % len(shops)], sku=_WRONG) for place in range(self._found.runs)]
        await self._till.announce(sales)
        return sales

    async def _announce(self, sale: Sale) -> None:
        (webhook,) = webhooks([sale], TOLD[1:2])
        answered = await self._house.sender.send(webhook)
        if answered.status != 200:
            raise RuntimeError(f"the webhook about {webhook.about} was answered {answered.status}")

    async def _answer(self, sale: Sale) -> None:
        handle = self._house.client.get_workflow_handle(sale.workflow_id)
        begun = time.monotonic()
        await handle.execute_update(contract.RESOLVE, _AMENDED)
        self._found.taken.append(time.monotonic() - begun)
        await handle.result()
        self._found.carried.append(time.monotonic() - begun)

    async def _list(self) -> None:
        begun = time.monotonic()
        told = await self._throughline("exceptions", "list", "--limit", str(self._found.runs), "-o", "json")
        self._found.listing = time.monotonic() - begun
        self._found.listed = len(json.loads(told))

    async def _resolve(self) -> None:
        begun = time.monotonic()
        said = ("amend", "--class", "unknown_sku", "--set", f"1:sku={_RIGHT}", "--yes", "-o", "json")
        told = await self._throughline("exceptions", "resolve", *said)
        self._found.resolving = time.monotonic() - begun
        self._found.resolved = sum(row["outcome"] == "taken" for row in json.loads(told))
        # Of a thousand at once some may find no worker free in time: they are told so, and asked again.
        while (await self._house.client.count_workflows(_WAITING)).count:
            await self._throughline("exceptions", "resolve", *said)
        await self._until(_OPEN, 0)
        self._found.closing = time.monotonic() - begun

    async def _throughline(self, *words: str) -> bytes:
        """Our command, as a person runs it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", *words),
            env=environment(self._house.home, self._house.ports),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode not in (0, 1):  # 1: not every one took the answer
            raise RuntimeError(f"throughline {' '.join(words)} ended with {process.returncode}: {err.decode()}")
        return out

    async def _until(self, query: str, wanted: int) -> None:
        """Until so many runs match; the server's list lags a little behind its runs."""
        while True:
            if (await self._house.client.count_workflows(query)).count == wanted:
                return
            await asyncio.sleep(_LOOK)


def sheets(found: Parked) -> list[Sheet]:
    """As tables."""
    taken, carried = Spread.of(found.taken), Spread.of(found.carried)
    singles = [
        ("until the answer was taken", f"{taken.p50 * 1e3:.0f}", f"{taken.p99 * 1e3:.0f}"),
        ("until the order was paid", f"{carried.p50 * 1e3:.0f}", f"{carried.p99 * 1e3:.0f}"),
    ]
    many = [
        (f"{found.runs} webhooks until all wait", f"{found.parking:.1f}"),
        (f"`exceptions list` of {found.listed}", f"{found.listing:.1f}"),
        (f"`exceptions resolve amend --class unknown_sku`: {found.resolved} taken", f"{found.resolving:.1f}"),
        ("from that command until the last order was paid", f"{found.closing:.1f}"),
    ]
    note = f"{found.singles} payments with an unknown SKU, one at a time, while {found.runs} wait."
    words = f"{found.shops} organisations, Zoho's limits lifted. The command's own start is in its seconds."
    return [
        Sheet("Taken for parked payments", ("", ""), list(found.where.items())),
        Sheet("From an answer, milliseconds", ("", "p50", "p99"), singles, note),
        Sheet("Many waiting, seconds", ("", "seconds"), many, words),
    ]


async def measure(runs: int, singles: int, home: Path) -> Parked:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    found = Parked(runs, singles, where(binary))
    async with a_house(binary, home, found.shops) as house:
        await Waiting(house, found).run()
    return found


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    on_linux()
    parser = options("parked", "Payments that wait for people.")
    parser.add_argument("--runs", type=int, default=1000, help="payments that wait; fewer than 1000 are not written")
    parser.add_argument("--singles", type=int, default=20, help="of them answered one at a time")
    given = parser.parse_args()
    found = measured(measure(given.runs, given.singles, given.home.absolute()))
    return told(sheets(found), BEGIN, END, kept=given.runs >= 1000)


if __name__ == "__main__":
    run_to_end(main)

"""`python -m bench.payouts [--lines 100 1000 10000]`: how fast payouts are certified, and what a line of them costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from temporalio.common import WorkflowIDReusePolicy

from bench.command import measured, on_linux, options, told
from bench.house import House, a_house
from bench.load import closed_loop
from bench.report import Sheet
from bench.shops import Shop
from bench.stats import median
from bench.till import Till
from bench.where import where
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from clients.connections import load_connections
from clients.keys import KeyRing
from clients.settings import ensure_keys
from clients.store import Store
from domain.money import Money
from domain.reconciling import PayoutInput
from domain.runs import PaymentEvent, StepDone
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from workflows import contract

BEGIN, END = "<!-- payouts: begin -->", "<!-- payouts: end -->"
LINES = (100, 1000, 10_000)
_AT_ONCE = 16
_TIMES = 3
_KB = 1024


@dataclass
class Certified:
    """What payouts of so many lines took."""

    lines: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # seconds of the worker
    peak: int = 0  # bytes that the worker had at most
    zoho: int = 0  # calls, of all of them
    actions: int = 0  # events of the last history

    @property
    def per_second(self) -> float:
        """Lines a second, in the middle of the runs."""
        return self.lines / median(self.seconds)


@dataclass
class Found:
    """All of it."""

    where: dict[str, str]
    payouts: list[Certified] = field(default_factory=list)
    idle: int = 0  # bytes that the worker has before the first payout


class Cashier:
    """Fills a shop's Stripe with payments that count as carried, has them paid out, and the payout certified."""

    def __init__(self, house: House, store: Store) -> None:
        self._house = house
        self._store = store
        self._till = Till(house.http, house.stripe_url)

    async def certify(self, shop: Shop, lines: int, times: int) -> Certified:
        """A payout of `lines` payments, certified so often."""
        say(f"Selling {lines} times.")
        await self._house.act("_switches", webhook_loss=1.0, payout_after=None, reconciled_after=None)
        total, fee = await self._price(shop)

        async def sell(_: int) -> None:
            await self._remember(shop, (await self._till.sell(shop)).payment_id, total, fee)

        await closed_loop(range(lines - 1), _AT_ONCE, sell)
        payout_id = await self._pay_out(shop)
        found = Certified(lines)
        before = sum(await self._house.zoho_calls(shop))
        say(f"Certifying {payout_id}, {times} times.")
        for number in range(times):
            await self._run(shop, payout_id, number, found)
        found.zoho = sum(await self._house.zoho_calls(shop)) - before
        return found

    async def _price(self, shop: Shop) -> tuple[Money, Money]:
        """What the first payment brings, and what Stripe keeps of it: all are alike."""
        sale = await self._till.sell(shop)
        async with self._house.http.get(f"{self._house.stripe_url}/_ledger") as answer:
            rows = (await answer.json())["balance_transactions"]
        row = next(row for row in reversed(rows) if row["type"] == "charge")
        total, fee = Money.of(row["amount"], "EUR"), Money.of(row["fee"], "EUR")
        await self._remember(shop, sale.payment_id, total, fee)
        return total, fee

    async def _remember(self, shop: Shop, payment_id: str, total: Money, fee: Money) -> None:
        """What our store holds of a payment that was carried."""
        number = payment_id.removeprefix("pi_")
        done: tuple[tuple[str, BaseModel, Money], ...] = (
            ("sales_order", OrderWritten(salesorder_id=f"so{number}"), total),
            ("invoice", InvoiceWritten(invoice_id=f"in{number}"), total),
            ("customer_payment", ReceiptWritten(zoho_payment_id=f"zp{number}"), total),
            ("fee", StepDone(), fee),
        )
        for step, answer, amount in done:
            kept = {"answer": answer.model_dump_json()}
            await self._store.effects.complete(
                shop.slug, step, payment_id, result=kept, at=datetime.now(UTC), actor="bench", amount=amount
            )

    async def _pay_out(self, shop: Shop) -> str:
        made = await self._house.act("_payouts", account=shop.account, pending_too=True)
        for what in ("pay", "reconcile"):
            await self._house.act(f"_payouts/{made['id']}/{what}")
        return str(made["id"])

    async def _run(self, shop: Shop, payout_id: str, number: int, found: Certified) -> None:
        connection = load_connections(self._house.home / "connections.toml")[shop.slug]
        now, worker = datetime.now(UTC), self._house.children["worker"].pid
        start = PayoutInput(
            connection=shop.slug,
            payment_id=payout_id,
            organization_id=shop.organization,
            policy=connection.policy,
            event=PaymentEvent(event_id=f"evt_{number}", type="payout.paid", object_id=payout_id, created=now),
        )
        meter, begun = self._house.meter(), time.monotonic()
        _forget_peak(worker)
        handle = await self._house.client.start_workflow(
            contract.PAYOUT_WORKFLOW,
            start,
            id=contract.payout_workflow_id(shop.slug, payout_id),
            task_queue=contract.MAIN_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        result: dict[str, Any] = await handle.result()
        found.seconds.append(time.monotonic() - begun)
        found.cpu.append(meter.read()["worker"])
        found.peak = max(found.peak, memory(worker, "VmHWM"))
        found.actions = len((await handle.fetch_history()).events)
        if (result["lines"], result["to_book"]) != (found.lines, 0):
            raise RuntimeError(f"{payout_id} was not certified as it should be: {result}")


def memory(pid: int, what: str) -> int:
    """Bytes of a process, by Linux's name for them."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in text.splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) * _KB


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def sheets(found: Found) -> list[Sheet]:
    """As tables."""
    rows = list(_rows(found))
    columns = ("lines", "seconds", "lines a second", "worker's CPU, µs a line", "worker at most, MB", "events", "Zoho")
    note = (
        f"Each certified {_TIMES} times; medians, and the most memory of all. The worker had {found.idle / _KB**2:.0f} "
        "MB before the first one. Events: of the run's history. Zoho: calls for all of them."
    )
    return [Sheet("Taken for payouts", ("", ""), list(found.where.items())), Sheet("Payouts", columns, rows, note)]


def _rows(found: Found) -> Iterator[tuple[str, ...]]:
    for one in found.payouts:
        yield (
            f"{one.lines:,}",
            f"{median(one.seconds):.2f}",
            f"{one.per_second:,.0f}",
            f"{1e6 * median(one.cpu) / one.lines:,.0f}",
            f"{one.peak / _KB**2:.0f}",
            f"{one.actions:,}",
            str(one.zoho),
        )


async def measure(lines: Sequence[int], times: int, home: Path) -> Found:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    found = Found(where(binary))
    async with a_house(binary, home, len(lines)) as house:
        await house.start_worker()
        found.idle = memory(house.children["worker"].pid, "VmRSS")
        keys = KeyRing.from_text(ensure_keys(home).read_text(encoding="ascii"))
        store = await Store.open(f"sqlite+aiosqlite:///{home}/store.db", keys)
        try:
            for shop, count in zip(house.shops, lines, strict=True):
                found.payouts.append(await Cashier(house, store).certify(shop, count, times))
        finally:
            await store.close()
    return found


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    on_linux()
    parser = options("payouts", "Payouts of many lines.")
    parser.add_argument("--lines", type=int, nargs="+", default=LINES, help="others than these are not written down")
    given = parser.parse_args()
    found = measured(measure(given.lines, _TIMES, given.home.absolute()))
    return told(sheets(found), BEGIN, END, kept=tuple(given.lines) == LINES)


if __name__ == "__main__":
    run_to_end(main)

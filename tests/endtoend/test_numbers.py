"""What a real worker shows on its `/metrics`: the business next to the SDK, without a single id."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from cli.ports import quiet_port
from tests.endtoend.processes import a_house_of_processes
from tests.endtoend.shops import HOST, Shop
from tests.house import BUYER, QUICK
from workflows import contract

MUG = [{"sku": "MUG", "unit_amount": 1500, "quantity": 1}]
NOPE = [{"sku": "NOPE", "unit_amount": 700, "quantity": 1}]
Numbers = dict[tuple[str, str], float]


def read(text: str) -> Numbers:
    """Our numbers: (name, the last label's value) -> value; the SDK's own label is left out."""
    found: Numbers = {}
    for name, labels, value in re.findall(r"^(throughline_\w+)\{([^}]*)\} (\S+)$", text, re.MULTILINE):
        own = [pair for pair in re.findall(r"(\w+)=\"([^\"]*)\"", labels) if pair[0] != "service_name"]
        found[name, "/".join(value for _, value in sorted(own))] = float(value)
    return found


async def until(port: int, holds: Callable[[Numbers], bool]) -> str:
    """The page, once it shows what is wanted."""
    text = ""
    try:
        async with httpx.AsyncClient(trust_env=False) as scraper, asyncio.timeout(40):
            while True:
                text = (await scraper.get(f"http://{HOST}:{port}/metrics")).text
                if holds(read(text)):
                    return text
                await asyncio.sleep(0.1)
    except TimeoutError:
        ours = "\n".join(line for line in text.splitlines() if line.startswith("throughline_"))
        raise AssertionError(f"the page still says\n{ours}") from None


async def lose_some(shop: Shop) -> None:
    """A payment, a refund, a dispute and a payout, ten minutes ago: no run knows them, and nothing sweeps them away."""
    await shop.client.get_schedule_handle(contract.sweep_schedule_id(shop.slug)).pause()
    ago = datetime.now(UTC) - timedelta(minutes=10)
    for event_id, kind, about, outcome in (
        ("evt_lost", "charge.succeeded", "pi_lost", "accepted"),
        ("evt_late", "charge.succeeded", "pi_lost", "healed-never-delivered"),
        ("evt_refund", "refund.created", "re_lost", "accepted"),
        ("evt_dispute", "charge.dispute.created", "dp_lost", "accepted"),
        ("evt_payout", "payout.paid", "po_lost", "accepted"),
    ):
        await shop.store.events.saw(shop.slug, event_id, type=kind, business_id=about, outcome=outcome, at=ago)


async def test_a_worker_shows_the_business_in_numbers(temporal_cli: Path, tmp_path: Path) -> None:
    """One paid, one parked, one that waits for money: counted, aged, and gone from the numbers when it is over."""
    port = quiet_port()
    settings = {"THROUGHLINE_WORKER_METRICS_PORT": str(port), "THROUGHLINE_WORKER_METRICS_SECONDS": "0.2"}
    patient = QUICK.model_copy(update={"unpaid_patience": timedelta(minutes=10)})
    async with a_house_of_processes(temporal_cli, tmp_path, ["one"], patient, settings=settings) as house:
        shop: Shop = house.shops["one"]
        paid = await shop.pays(guest=BUYER, lines=MUG)
        await shop.done(paid)
        parked = await shop.pays(guest=BUYER, lines=NOPE)
        await shop.parked(parked)
        unpaid = await shop.pays(guest=BUYER, lines=MUG, capture="manual")
        await shop.reached(unpaid, "waiting-for-money")

        await lose_some(shop)
        entries = await shop.store.audit.length(shop.slug)
        calls = sum((await shop.books())["calls"]["counts"].values())

        def all_there(seen: Numbers) -> bool:
            limit = seen.get(("throughline_zoho_quota_limit", shop.slug), 0)
            return (
                seen.get(("throughline_audit_entries", shop.slug), 0) >= entries  # people are told a moment later
                and 0 < limit - seen.get(("throughline_zoho_quota_remaining", shop.slug), 0) <= calls
                and seen.get(("throughline_zoho_quota_short_seconds", shop.slug)) == 0
                and seen.get(("throughline_open_payments", "waiting-for-money")) == 1
                and seen.get(("throughline_parked_payments", "unknown_sku")) == 1
                and seen.get(("throughline_closed_payments", "completed")) == 1
                and seen.get(("throughline_unaccounted_payments", shop.slug)) == 4
                and seen.get(("throughline_missed_events", shop.slug)) == 1
                and seen.get(("throughline_dead_letters", "ignored-type"), 0) >= 1
                and seen.get(("throughline_oldest_open_payment_seconds", ""), 0) >= 1
                and seen.get(("throughline_longest_parked_seconds", ""), 0) >= 1
            )

        text = await until(port, all_there)
        seen = read(text)
        await shop.answer(parked, "abort", reason="no such thing")
        await shop.failed(parked)
        await until(port, lambda now: now["throughline_parked_payments", "unknown_sku"] == 0)
    answered = {key[1]: value for key, value in seen.items() if key[0] == "throughline_calls_total"}
    assert answered[f"{shop.slug}/200/zoho"] + answered[f"{shop.slug}/201/zoho"] >= calls
    assert answered[f"{shop.slug}/200/stripe"] >= 3
    assert "temporal_workflow_completed" in text
    for word in (paid, parked, unpaid, "pi_", "SO-", BUYER["name"], BUYER["email"]):
        assert word not in text, word

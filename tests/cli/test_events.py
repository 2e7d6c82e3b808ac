"""Events that became nothing, replayed, swept and counted, with the command as a person types it."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.checkups import sweeps
from cli.checkups.finding import Mark
from cli.temporal_server import TemporalServer
from clients.keys import KeyRing
from clients.store import Store
from tests.cli.conftest import Command, execute, on_a_terminal
from tests.cli.test_main import CONNECTION
from tests.endtoend.processes import Processes, a_house_of_processes
from tests.endtoend.shops import Shop
from tests.house import BUYER, QUICK, connection_of
from workflows import contract
from workflows.schedules import keep_schedules

MUG = [{"sku": "MUG", "unit_amount": 1500, "quantity": 1}]
NOON = datetime.now(UTC) - timedelta(hours=1)


@asynccontextmanager
async def remembered(folder: Path) -> AsyncIterator[Store]:
    """The store of an install of one connection."""
    (folder / "connections.toml").write_text(CONNECTION)
    (folder / ".throughline").mkdir(exist_ok=True)
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/.throughline/store.db", KeyRing.generate())
    try:
        yield store
    finally:
        await store.close()


async def note(store: Store, event_id: str, outcome: str, kind: str = "charge.succeeded", about: str = "pi_1") -> None:
    """An event that came."""
    await store.events.saw("demo", event_id, type=kind, business_id=about, outcome=outcome, at=NOON)


async def test_what_became_nothing_is_listed_with_its_reason(throughline: Command, tmp_path: Path) -> None:
    """`--dead` and `--healed` choose; without them, or by a payment, all are there."""
    async with remembered(tmp_path) as store:
        await note(store, "evt_1", "accepted")
        await note(store, "evt_2", "ignored-type", "customer.created", "cus_1")
        await note(store, "evt_3", "refused-not-accepted", about="pi_2")
        await note(store, "evt_4", "healed-never-delivered", about="pi_3")
    for arguments, ids in (
        ([], ["evt_1", "evt_2", "evt_3", "evt_4"]),
        (["--dead"], ["evt_2", "evt_3"]),
        (["--healed"], ["evt_4"]),
        (["--about", "pi_2"], ["evt_3"]),
    ):
        ended = await throughline("events", "list", "--output", "json", *arguments)
        assert ended.code == 0, ended.err
        assert sorted(row["event"] for row in json.loads(ended.out)) == ids
    ended = await throughline("events", "list", "--dead", "--healed")
    assert (ended.code, "Choose one" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2026-02-31"], "is no time"),
        (["--from", "2099-01-01"], "has not come yet"),
        (["--from", "2026-01-01", "--to", "2099-01-01"], "Leave --to out"),
        (["--from", "2026-01-02", "--to", "2026-01-02T01:00:00+02:00"], "turn them round"),
        (["--from", "2026-01-02", "--to", "2026-01-02"], "turn them round"),
    ],
)
async def test_a_wrong_time_is_named_before_anything_is_asked(
    throughline: Command, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """No such day, in the future, reversed (in another zone, too), empty: code 2, though Temporal is not there."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    for command in (["sweep"], ["payouts", "reconcile"]):
        ended = await throughline(*command, *arguments, THROUGHLINE_TEMPORAL_ADDRESS="127.0.0.1:1")
        assert (ended.code, words in ended.err) == (2, True), ended.err


async def test_what_is_no_id_is_not_replayed(
    throughline: Command, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """The kinds that can be are named."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    ended = await throughline("replay", "cus_1", THROUGHLINE_TEMPORAL_ADDRESS=temporal_server.address)
    assert (ended.code, "none of evt_…, pi_…" in ended.err) == (2, True), ended.err


async def test_a_payout_is_replayed_by_its_id(
    throughline: Command, temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """It names its run, so nobody is asked."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    payout_id = f"po_{uuid.uuid4().hex}"
    ended = await throughline("replay", payout_id, THROUGHLINE_TEMPORAL_ADDRESS=temporal_server.address)
    assert (ended.code, f"The run of {payout_id} was told" in ended.err) == (0, True), ended.err
    await temporal_client.get_workflow_handle(contract.payout_workflow_id("demo", payout_id)).terminate()


async def test_without_a_webhook_trigger_says_what_to_type(throughline: Command, tmp_path: Path) -> None:
    """In pull mode nothing can be delivered, and what can be done is said."""
    pulled = CONNECTION.replace('webhook_secrets = ["whsec_1"]', "pull = true")
    (tmp_path / "connections.toml").write_text(pulled)
    ended = await throughline("trigger", "evt_1")
    assert (ended.code, "throughline replay evt_1" in ended.err) == (1, True), ended.err


async def test_the_doctor_tells_the_mode_and_whether_sweeps_run(temporal_client: Client) -> None:
    """Not scheduled, scheduled, paused; webhooks or not."""
    for pull, words in (
        (False, "webhooks, and a sweep every 10 minutes"),
        (True, "a sweep every 30 seconds brings all"),
    ):
        slug = f"doctor-{'pull' if pull else 'push'}"
        secrets: dict[str, Any] = {"secrets": (), "pull": True} if pull else {}
        connection = connection_of(slug, "http://unused", "http://unused", **secrets)
        assert (await sweeps.schedule_of(temporal_client, connection)).mark is Mark.WARN
        assert (await sweeps.payouts_of(temporal_client, connection)).mark is Mark.WARN
        await keep_schedules(temporal_client, connection.regular(), datetime.now(UTC), queue="nobody")
        schedule = temporal_client.get_schedule_handle(contract.sweep_schedule_id(slug))
        nights = await sweeps.payouts_of(temporal_client, connection)
        assert (nights.mark, nights.seen) == (Mark.OK, "checked each night after 3:00, UTC")
        await temporal_client.get_schedule_handle(contract.payout_check_schedule_id(slug)).delete()
        try:
            seen = await sweeps.schedule_of(temporal_client, connection)
            assert (seen.mark, words in seen.seen) == (Mark.OK, True), seen
            await schedule.pause(note="stocktaking")
            seen = await sweeps.schedule_of(temporal_client, connection)
            assert (seen.mark, seen.seen) == (Mark.WARN, "paused: stocktaking")
        finally:
            await schedule.delete()


@dataclass
class Install:
    """A running install, and the command in its settings."""

    shop: Shop
    throughline: Command
    settings: dict[str, str]

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """How the command ended."""
        ended = await self.throughline(*arguments, **self.settings)
        return ended.code, ended.out, ended.err

    async def counted(self) -> dict[str, str]:
        """What `audit count` says."""
        _, out, _ = await self("audit", "count", "--output", "json")
        (row,) = json.loads(out)
        return {key: value for key, value in row.items() if value != "0"}


async def payouts_are_waited_for(shop: Shop, house: Processes) -> None:
    """A terminal shows how far the check and the runs that it told are; what is piped has the results alone."""
    about = {"account": shop.connection.stripe.account_id}
    for run in (on_a_terminal, execute):
        income = {**about, "amount": 100, "kind": "adjustment", "category": "other_adjustment"}
        await shop.post(f"{shop.stripe_url}/_movements", income)
        made = await shop.post(f"{shop.stripe_url}/_payouts", {**about, "pending_too": True})
        for step in ("pay", "reconcile"):
            await shop.post(f"{shop.stripe_url}/_payouts/{made['id']}/{step}", {})
        await asyncio.sleep(1.1)  # Stripe's times are whole seconds
        wanted = ["payouts", "reconcile", "--from", NOON.isoformat(), "--wait", "--output", "json"]
        ended = await run([sys.executable, "-m", "cli.main", *wanted], house.environment(), house.home)
        assert (ended.code, "1 certified, 0 wait for a person." in ended.err) == (0, True), ended.err
        assert [one["payout_id"] for one in json.loads(ended.out)["told"]] == [made["id"]]
        bars = [words in ended.err for words in ("Payouts looked at", "Payouts certified", "1/1")]
        assert bars == [run is on_a_terminal] * 3, ended.err


async def test_a_lost_payment_is_swept_counted_and_replayed(
    throughline: Command, temporal_binary: Path, tmp_path: Path
) -> None:
    """With real processes: a lost webhook is found, what is carried is counted, a loss is named and cured by hand."""
    async with a_house_of_processes(temporal_binary, tmp_path, ["one"], QUICK) as house:
        shop = house.shops["one"]
        install = Install(shop, throughline, house.environment())
        await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 1.0})
        lost = await shop.pays(guest=BUYER, lines=MUG)
        await asyncio.sleep(1.1)  # Stripe's times are whole seconds
        code, out, err = await install("sweep", "--from", NOON.isoformat(), "--to", datetime.now(UTC).isoformat())
        assert (code, lost in out, "1 delivery-failed" in err) == (0, True, False), err
        await shop.done(lost)
        assert (await install.counted())["completed"] == "1"
        await shop.store.events.saw(
            shop.slug, "evt_gone", type="charge.succeeded", business_id="pi_gone", outcome="accepted", at=NOON
        )
        code, _, err = await install("audit", "count")
        assert (code, "pi_gone was acknowledged and has no run" in err) == (1, True)
        await shop.store.events.saw(
            shop.slug, "evt_out", type="payout.paid", business_id="po_gone", outcome="accepted", at=NOON
        )
        code, _, err = await install("audit", "count")
        assert (code, "po_gone was acknowledged and has no run" in err) == (1, True)
        code, out, err = await install("payouts", "reconcile", "--from", NOON.isoformat())
        assert (code, "Looked at 0 payouts" in err) == (0, True), err
        await payouts_are_waited_for(shop, house)
        code, _, err = await install("replay", lost)
        assert (code, "has completed before" in err) == (0, True), err
        other = await shop.pays(guest=BUYER, lines=MUG)
        code, _, err = await install("replay", other)
        assert (code, f"The run of {other} was told" in err) == (0, True), err
        await shop.done(other)
        paid = next(
            event for event in (await shop.stripe(only="events"))["events"] if event["type"] == "payment_intent.created"
        )
        code, _, err = await install("replay", paid["id"])
        assert (code, "means nothing to us: type" in err) == (1, True), err
        code, _, err = await install("replay", "evt_1Unknown")
        assert (code, "keeps events for 30 days" in err) == (1, True), err

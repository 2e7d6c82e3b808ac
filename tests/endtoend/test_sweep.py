"""Sweeps through everything: what was lost on its way is found, named and carried, and nothing is carried twice."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from difflib import ndiff
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowHandle
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.sweeps import Source, SweepPolicy, Swept, Why
from ingress.app import make_app
from ingress.run import serving
from ingress.starter import Starter
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop, a_street
from tests.endtoend.sweeping import all_closed, counted, documents, forget, found, sweep, until
from tests.house import BUYER, QUICK, House, a_house
from workflows import contract
from workflows.schedules import keep_schedules

PAYMENTS = 6
# A refund may come before its payment, whose webhooks are lost.
PATIENT = QUICK.model_copy(update={"sale_patience": timedelta(minutes=2)})


def wish(number: int) -> dict[str, Any]:
    """A payment that differs from every other in its buyer and its sum."""
    buyer = {**BUYER, "name": f"Buyer {number:03d}", "email": f"buyer-{number:03d}@example.com"}
    return {"guest": buyer, "lines": [{"sku": "MUG", "unit_amount": 1500 + number, "quantity": 1 + number % 3}]}


async def tell(shop: Shop) -> None:
    """A shop's hour: payments, two of them given back, one in part, and two disputed, one of which is lost."""
    payments = [await shop.pay(**wish(number)) for number in range(PAYMENTS)]
    for one in payments:
        await shop.post(f"{shop.stripe_url}/_charges/{one['charge']}/balance", {})
    for place, amount in ((1, 700), (4, None)):
        given = {"account": shop.connection.stripe.account_id, "payment_intent": payments[place]["payment_intent"]}
        await shop.post(f"{shop.stripe_url}/_refunds", given | ({"amount": amount} if amount else {}))
    for place, end in ((2, "lost"), (5, "won")):
        row = await shop.post(f"{shop.stripe_url}/_charges/{payments[place]['charge']}/dispute", {})
        await shop.post(f"{shop.stripe_url}/_disputes/{row['id']}/close", {"outcome": end})


async def pay_out(shop: Shop) -> None:
    """Days later: what came of it goes to the bank."""
    given = {"account": shop.connection.stripe.account_id, "pending_too": True}
    payout = (await shop.post(f"{shop.stripe_url}/_payouts", given))["id"]
    for step in ("pay", "reconcile"):
        await shop.post(f"{shop.stripe_url}/_payouts/{payout}/{step}", {})


async def ledgers(shop: Shop) -> dict[str, list[str]]:
    """What both sides have in the end, row by row, without what differs by its nature: ids, times, order, calls."""
    stripe, zoho = await shop.stripe(), await shop.books()
    del stripe["deliveries"], stripe["accounts"]
    rows = {f"stripe {name}": found for name, found in documents(stripe, *_lists(stripe)).items()}
    rows |= {f"zoho {name}": found for name, found in documents(zoho, *_lists(zoho)).items()}
    # Zoho numbers invoices, notes and payments in the order in which they come; a bank draws the trace of a payout.
    numbers = re.compile(r"\b[A-Z]{2,3}-\d{4,6}\b|(?<='payment_number': ')\d+|(?<='supported', 'value': ')\w+")
    return {name: sorted(numbers.sub("number", row) for row in found) for name, found in rows.items()}


def _lists(ledger: dict[str, Any]) -> list[str]:
    """The sections that are rows."""
    return [name for name, rows in ledger.items() if isinstance(rows, list)]


def differences(first: dict[str, list[str]], second: dict[str, list[str]]) -> list[str]:
    """The lines in which two shops' documents differ."""
    if first == second:
        return []
    old, new = (
        [line for rows in books.values() for row in rows for line in row.splitlines()] for books in (first, second)
    )
    return [line for line in ndiff(old, new) if line[0] in "-+"]


STORM = {"webhook_loss": 0.5, "webhook_duplicate": 0.3, "webhook_spread": 0.5}
SEEDS = {"calm": 0, "stormy": 7, "stormier": 42}


async def test_lost_doubled_and_reordered_webhooks_change_nothing_in_the_end(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Half of the webhooks lost, a third doubled, all reordered: after sweeps both ledgers are those of a calm time.

    Payments, refunds and disputes, by two seeds; then the payout of it all, of which every webhook is lost.
    """
    async with a_street(temporal_client, tmp_path, SEEDS, policy=PATIENT) as shops:
        for name, shop in shops.items():
            storm = STORM | {"webhook_seed": SEEDS[name]} if SEEDS[name] else {}
            await shop.post(f"{shop.stripe_url}/_switches", {"payout_after": None, "reconciled_after": None, **storm})
        for happens in (tell, pay_out):
            for name, shop in shops.items():
                await happens(shop)
                await everything_told(shop)
                if SEEDS[name]:
                    assert set((await sweep(shop)).missed) == {Why.DELIVERY_FAILED}
                    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 1.0})
            for shop in shops.values():
                await all_closed(shop)
        calm = await ledgers(shops["calm"])
        for shop in shops.values():
            assert check(await shop.stripe(), await shop.books()) == []
            assert (await shop.store.audit.verify(shop.slug)).ok
            diff = differences(calm, await ledgers(shop))
            assert diff == [], "\n".join(diff)
            [row] = (await shop.stripe(only="payouts"))["payouts"]
            assert len(await shop.store.payouts.versions(shop.slug, row["id"])) == 1
            assert (await sweep(shop)).missed == {}


async def test_a_webhook_that_stripe_never_sent_is_found_in_its_list(temporal_client: Client, tmp_path: Path) -> None:
    """An endpoint that was never told of payments: Stripe calls them delivered, and the sweep finds them."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",)) as house:
        paid = (await house.pay(**wish(1)))["payment_intent"]
        swept = await sweep(house)
        assert found(swept) == {(paid, Source.EVENTS, Why.NEVER_DELIVERED)}
        await house.done(paid)
        assert check(await house.stripe(), await house.zoho()) == []
        [healed, *_] = await house.store.events.healed(house.slug)
        assert (healed.business_id, healed.outcome) == (paid, "healed-never-delivered")


async def test_a_refund_or_dispute_that_came_before_its_payment_waits_for_the_sweep(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Only they were delivered: their runs ask nobody, and book them once the sweep has brought the payments."""
    events = ("refund.created", "charge.dispute.closed")
    async with a_house(temporal_client, tmp_path, events=events, policy=PATIENT) as house:
        paid, disputed = [await house.pay(**wish(number)) for number in (1, 2)]
        given = {"account": house.connection.stripe.account_id, "payment_intent": paid["payment_intent"]}
        refund = (await house.post(f"{house.stripe_url}/_refunds", given))["id"]
        dispute = (await house.post(f"{house.stripe_url}/_charges/{disputed['charge']}/dispute", {}))["id"]
        await house.post(f"{house.stripe_url}/_disputes/{dispute}/close", {"outcome": "lost"})
        ids = contract.refund_workflow_id(house.slug, refund), contract.dispute_workflow_id(house.slug, dispute)
        runs = [temporal_client.get_workflow_handle(name) for name in ids]
        for run in runs:
            await until(partial(waits_for, run, "PaymentNotBegun"))
        swept = await sweep(house)
        for one in (paid, disputed):
            assert (one["payment_intent"], Source.EVENTS, Why.NEVER_DELIVERED) in found(swept)
            await house.done(one["payment_intent"])
        for run in runs:
            assert (await run.result())["creditnote_id"]
        assert check(await house.stripe(), await house.zoho()) == []


async def waits_for(handle: WorkflowHandle[Any, Any], kind: str) -> bool:
    """Whether an activity of the run is tried again for this reason."""
    try:
        pending = (await handle.describe()).raw_description.pending_activities
    except RPCError:
        return False
    return any(one.last_failure.application_failure_info.type == kind for one in pending)


async def test_an_acknowledged_event_without_a_run_is_found_in_our_store(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Temporal forgot a run half-way: the sweep starts it again, and it adopts what was written."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.fault("zoho", fault="server_error", method="POST", path="/invoices", times=None)
        paid = (await house.pay(**wish(1)))["payment_intent"]
        await house.reached(paid, "confirmed")
        await everything_told(house)
        await forget(house, house.run_of(paid))
        await house.http.delete(f"{house.zoho_url}/_faults")
        swept = await sweep(house)
        assert found(swept) == {(paid, Source.RECEIVED, Why.NO_RUN)}
        await house.done(paid)
        assert check(await house.stripe(), await house.zoho()) == []


async def test_an_event_that_our_door_refused_is_found(temporal_client: Client, tmp_path: Path) -> None:
    """An ingress whose Temporal is too slow answered 503, and Stripe has given up: the sweep knows that it came."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",)) as house:
        await house.post(f"{house.stripe_url}/_switches", {"webhook_retries": 0})
        connections = {house.slug: house.connection}
        hasty = Starter(temporal_client, connections, task_queue=house.queue, patience=timedelta(microseconds=1))
        app = make_app(connections, temporal_client, house.store, starter=hasty)
        async with serving(app, "127.0.0.1", 0) as url:
            [secret] = house.connection.stripe.webhook_secrets
            endpoint = {"url": f"{url}/webhooks/stripe/{house.slug}", "enabled_events": ["payment_intent.succeeded"]}
            given = {"account": house.connection.stripe.account_id, "secret": secret.get_secret_value()}
            await house.post(f"{house.stripe_url}/_endpoints", endpoint | given)
            paid = (await house.pay(**wish(1)))["payment_intent"]
            await until(lambda: house.store.events.dead(house.slug))
        [dead] = await house.store.events.dead(house.slug)
        assert (dead.business_id, dead.outcome) == (paid, "refused-not-accepted")
        assert (paid, Source.EVENTS, Why.REFUSED) in found(await sweep(house))
        await house.done(paid)
        assert check(await house.stripe(), await house.zoho()) == []
        assert await house.store.events.dead(house.slug) == []


async def test_thin_events_are_known_by_their_object(temporal_client: Client, tmp_path: Path) -> None:
    """A thin event has another id than its twin in Stripe's list: a sweep does not take it for missed."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",)) as house:
        [secret] = house.connection.stripe.webhook_secrets
        endpoint = {"url": f"{house.ingress_url}/webhooks/stripe/{house.slug}", "payload": "thin"}
        given = {"account": house.connection.stripe.account_id, "secret": secret.get_secret_value()}
        await house.post(f"{house.stripe_url}/_endpoints", endpoint | given)
        paid = (await house.pay(**wish(1)))["payment_intent"]
        await house.done(paid)
        await all_closed(house)
        assert {row.type.partition(".")[0] for row in await house.store.events.list(house.slug)} == {"v1"}
        swept = await sweep(house)
        assert (swept.missed, swept.looked["events"]) == ({}, 3)


async def test_refunds_and_disputes_older_than_events_are_found_by_their_money(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Each money that went back is the run of its own refund or dispute, told after its payment."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",), policy=PATIENT) as house:
        paid, disputed = [await house.pay(**wish(number)) for number in (1, 2)]
        for one in (paid, disputed):
            await house.post(f"{house.stripe_url}/_charges/{one['charge']}/balance", {})
        given = {"account": house.connection.stripe.account_id, "payment_intent": paid["payment_intent"], "amount": 500}
        refund = (await house.post(f"{house.stripe_url}/_refunds", given))["id"]
        dispute = (await house.post(f"{house.stripe_url}/_charges/{disputed['charge']}/dispute", {}))["id"]
        await house.post(f"{house.stripe_url}/_clock", {"advance": 40 * 86400})
        ids = {paid["payment_intent"], disputed["payment_intent"], refund, dispute}
        assert found(await sweep(house)) == {(one, Source.BALANCE, Why.NEVER_DELIVERED) for one in ids}
        await house.post(f"{house.stripe_url}/_disputes/{dispute}/close", {"outcome": "won"})
        await house.client.get_workflow_handle(contract.refund_workflow_id(house.slug, refund)).result()
        for one in (paid, disputed):
            await house.done(one["payment_intent"])
        assert check(await house.stripe(), await house.zoho()) == []
        assert (await sweep(house)).missed == {}


async def test_a_healthy_hour_starts_nothing_and_costs_fifty_calls_of_stripe_for_a_thousand_payments(
    temporal_client: Client, tmp_path: Path
) -> None:
    """A page of a hundred events and one of a hundred rows of money is one call each; Zoho is not asked."""
    policy = QUICK.model_copy(update={"fee_patience": timedelta(seconds=30)})
    async with a_street(temporal_client, tmp_path, ["shop"], policy=policy) as shops:
        shop = shops["shop"]
        await shop.post(f"{shop.stripe_url}/_switches", {"balance_after": 0})
        for number in range(26):
            await shop.pays(**wish(number))
        await everything_told(shop)
        await all_closed(shop)
        ledger = await shop.stripe(only="events,balance_transactions")
        ours = [event for event in ledger["events"] if event["type"] in Starter.listens_to]
        doors = [shop.stripe_program.door, shop.zoho_program.door]
        before = [len(door.log) for door in doors]
        runs = await counted(shop, f"Connection = '{shop.slug}'")
        swept = await sweep(shop)
        asked, of_zoho = [door.log[place:] for door, place in zip(doors, before, strict=True)]
        assert swept.missed == {}
        assert of_zoho == []
        assert await counted(shop, f"Connection = '{shop.slug}'") == runs
        assert Counter(one.path for one in asked) == {
            "/v1/events": ceil(len(ours) / 100),
            "/v1/balance_transactions": ceil(len(ledger["balance_transactions"]) / 100),
        }
        assert swept.looked == {"received": len(ours), "events": len(ours), "balance": 26}
        # Four events and one charge a payment: 40 + 10 calls for a thousand.
        assert len(ours) == 4 * 26


async def test_pull_mode_carries_everything_within_the_schedules_step(temporal_client: Client, tmp_path: Path) -> None:
    """No endpoint, no secret: payments, refunds and what changes later come by sweeps alone, each once."""
    policy = SweepPolicy(every=timedelta(seconds=1))
    async with a_house(temporal_client, tmp_path, pull=True, sweep=policy, policy=PATIENT) as house:
        sweeps = temporal_client.get_schedule_handle(contract.sweep_schedule_id(house.slug))
        await keep_schedules(temporal_client, [house.connection.sweeps()], datetime.now(UTC), queue=house.queue)
        try:
            begin = time.monotonic()
            payments = [(await house.pay(**wish(number)))["payment_intent"] for number in range(5)]
            for one in payments:
                await house.done(one)
            assert time.monotonic() - begin < 60  # on a machine that is busy with other things, too
            given = {"account": house.connection.stripe.account_id, "payment_intent": payments[0]}
            refund = (await house.post(f"{house.stripe_url}/_refunds", given))["id"]
            handle = temporal_client.get_workflow_handle(contract.refund_workflow_id(house.slug, refund))
            await until(lambda: counted(house, f"WorkflowId = '{handle.id}'"))
            await handle.result()
            rows = await house.store.events.list(house.slug, limit=100)
            assert {row.outcome for row in rows} <= {"pulled", "already-done"}
            assert await house.store.events.healed(house.slug) == []
        finally:
            await sweeps.delete()
        await all_closed(house)
        assert (await house.stripe(only="deliveries"))["deliveries"] == []
        assert check(await house.stripe(), await house.zoho()) == []


async def test_schedules_are_made_once_and_each_sweep_goes_on_where_the_last_one_ended(
    temporal_client: Client, tmp_path: Path
) -> None:
    """A second worker changes the same schedule, a paused one stays paused; the cursor is the last sweep's result."""
    policy = SweepPolicy(every=timedelta(hours=1), overlap=timedelta(minutes=7), settle=timedelta(0))
    async with a_house(temporal_client, tmp_path, sweep=policy) as house:
        wanted = house.connection.sweeps()
        schedule = temporal_client.get_schedule_handle(contract.sweep_schedule_id(house.slug))
        made = datetime.now(UTC)
        await keep_schedules(temporal_client, [wanted], made, queue=house.queue)
        try:
            results = []
            for ran in (1, 2):
                await schedule.trigger()
                done = f"Connection = '{house.slug}' AND WorkflowType = '{contract.SWEEP_WORKFLOW}'"
                closed = f"{done} AND ExecutionStatus = 'Completed'"
                await until(partial(reached, house, closed, ran))
                runs = [run async for run in temporal_client.list_workflows(closed)]
                newest = max(runs, key=lambda run: run.start_time)
                handle = temporal_client.get_workflow_handle(newest.id, result_type=Swept)
                results.append(Swept.model_validate(await handle.result()))
            first, second = results
            # Nothing from before the shop was connected, by look-back or by overlap.
            assert made <= first.since <= first.until
            assert (first.begun, second.since) == (made, max(made, first.until - policy.overlap))
            await schedule.pause(note="by a person")
            sooner = wanted.model_copy(update={"sweep": policy.model_copy(update={"every": timedelta(minutes=5)})})
            await keep_schedules(temporal_client, [sooner], datetime.now(UTC), queue=house.queue)
            about = (await schedule.describe()).schedule
            assert (about.spec.intervals[0].every, about.state.paused) == (timedelta(minutes=5), True)
            assert about.policy.overlap is ScheduleOverlapPolicy.SKIP
        finally:
            await schedule.delete()


async def reached(house: House, query: str, count: int) -> bool:
    """Whether so many runs match."""
    return await counted(house, query) >= count


async def test_a_payment_older_than_events_is_found_by_its_money(temporal_client: Client, tmp_path: Path) -> None:
    """Forty days later Stripe has no events of it left: balance transactions carry it, and the result says so."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",)) as house:
        paid = await house.pay(**wish(1))
        await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
        await house.post(f"{house.stripe_url}/_clock", {"advance": 40 * 86400})
        swept = await sweep(house, back=timedelta(days=45), sweep=SweepPolicy(window=timedelta(days=60)))
        assert swept.events_from is not None
        assert timedelta(days=29) < swept.until - swept.events_from < timedelta(days=31)
        assert found(swept) == {(paid["payment_intent"], Source.BALANCE, Why.NEVER_DELIVERED)}
        await house.done(paid["payment_intent"])
        assert check(await house.stripe(), await house.zoho()) == []

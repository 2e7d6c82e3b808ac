"""Zoho, its token server and Temporal down, slow, full or refusing: runs wait, say so, and go on by themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from cli.ports import quiet_port
from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from clients.temporal import connect
from tests.endtoend.outcomes import LINES, differences, outcome, tell, undisturbed, until
from tests.endtoend.shops import Shop, a_street
from tests.house import BUYER, QUICK

# As in a shop, only sooner: a call to Zoho is given up before its activity is.
PATIENCE = 1.5  # seconds
LATE = 3.0
POLICY = QUICK.model_copy(update={"call_timeout": timedelta(seconds=8), "settle_wait": timedelta(seconds=3)})
LIKE_A_SHOP: dict[str, Any] = {"policy": POLICY, "zoho_seconds": PATIENCE}
WRITES = {
    "contact": ("POST", r"/contacts$"),
    "order": ("POST", r"/salesorders$"),
    "confirmation": ("POST", r"/status/confirmed$"),
    "invoice": ("POST", r"/invoices$"),
    "sent mark": ("POST", r"/status/sent$"),
    "payment": ("POST", r"/customerpayments$"),
}
PRIVATE = re.compile(r"ada|lovelace|example\.com|linden|berlin|secret|1000\.[0-9a-f]{8}", re.IGNORECASE)


async def test_refused_write_parks_the_run_and_says_why(temporal_client: Client, tmp_path: Path) -> None:
    """What Zoho will not have is not asked again; the trouble has Zoho's code and words, and nothing follows it."""
    async with a_street(temporal_client, tmp_path, WRITES, **LIKE_A_SHOP) as street:
        for name in WRITES:
            method, path = WRITES[name]
            await street[name].fault("zoho", method=method, path=path, fault="refuse", code=4711)
        asked = await asyncio.gather(*[street[name].parked(await tell(street[name], 1)) for name in WRITES])
        books = {name: await street[name].books() for name in WRITES}
    for trouble in asked:
        assert (trouble.attention_class, "4711" in trouble.message) == ("zoho_refused", True)
    counted = {
        name: [len(one[kind]) for kind in ("salesorders", "invoices", "payments")] for name, one in books.items()
    }
    assert counted == {
        "contact": [0, 0, 0],
        "order": [0, 0, 0],
        "confirmation": [1, 0, 0],
        "invoice": [1, 0, 0],
        "sent mark": [1, 1, 0],
        "payment": [1, 1, 0],
    }


Act = Callable[[Shop], Awaitable[object]]


@dataclass(frozen=True)
class Outage:
    """How it begins and ends, and what a run that waits for its end says."""

    begin: Act
    end: Act
    says: str


def breaking(fault: str, path: str = "/inventory/v1/", **more: Any) -> Act:
    """Every request suffers from now on."""
    return lambda shop: shop.fault("zoho", fault=fault, path=path, times=None, **more)


def mend(shop: Shop) -> Awaitable[object]:
    """No request suffers any more."""
    return shop.http.delete(f"{shop.zoho_url}/_faults")


def refresh_token(token: str) -> Act:
    """The refresh token that Zoho knows from now on; what it issued before is revoked."""

    async def change(shop: Shop) -> None:
        known = {"organization_id": shop.connection.zoho.organization_id, "refresh_token": token}
        await shop.post(f"{shop.zoho_url}/_seed", {"organizations": [known]})
        await shop.post(f"{shop.zoho_url}/_revoke", {})

    return change


def answering_after(seconds: float) -> Act:
    """How long each answer takes from now on."""
    return lambda shop: shop.post(f"{shop.zoho_url}/_switches", {"answer_seconds": seconds})


OUTAGES = {
    "down": Outage(lambda shop: shop.zoho_program.stop(), lambda shop: shop.zoho_program.start(), "no connection"),
    "slow": Outage(answering_after(LATE), answering_after(0), "no answer within"),
    "hanging up": Outage(breaking("drop"), mend, "the connection broke"),
    "minute limit": Outage(breaking("rate_limit", code=44, retry_after=0.2), mend, "minute limit.*quota is used up"),
    "too many at once": Outage(breaking("rate_limit", code=1070, retry_after=0.2), mend, "at once.*quota is used up"),
    "broken": Outage(breaking("server_error"), mend, "zoho 500"),
    "garbled": Outage(breaking("malformed"), mend, "no JSON"),
    "token refused": Outage(refresh_token("another"), refresh_token("refresh"), "refresh token.*credentials"),
    "token server down": Outage(breaking("server_error", r"/oauth/"), mend, "token refresh"),
}


async def test_run_waits_says_so_and_goes_on(temporal_client: Client, tmp_path: Path) -> None:
    """The pending activity tells what is wrong, without a word of people; once it is over the run ends by itself."""
    async with a_street(
        temporal_client, tmp_path, ["undisturbed", *OUTAGES], policy=POLICY, zoho_seconds=PATIENCE, keep=True
    ) as street:
        expected = (await undisturbed(street["undisturbed"]))[1]

        async def wrong(name: str) -> list[str]:
            shop, outage = street[name], OUTAGES[name]
            await outage.begin(shop)
            payment = await tell(shop, 1)
            said = await complaint(shop, payment, outage.says)
            await outage.end(shop)
            await shop.done(payment)
            told = [f"{word!r} in {said!r}" for word in PRIVATE.findall(said)]
            return told + differences(expected.books(), (await outcome(shop)).books())

        found = await asyncio.gather(*map(wrong, OUTAGES))
    assert {name: lines for name, lines in zip(OUTAGES, found, strict=True) if lines} == {}


async def complaint(shop: Shop, payment: str, wanted: str) -> str:
    """What a call of the payment's run that is tried again and again last failed with, once it says `wanted`."""
    said = ""
    try:
        async with asyncio.timeout(40):
            while True:
                said = await last_failure(shop, payment)
                if re.search(wanted, said):
                    return said
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{shop.slug} says {said!r}, not {wanted!r}") from None


async def last_failure(shop: Shop, payment: str) -> str:
    """The text beside the pending activity in Temporal's UI, "" where there is none yet."""
    try:
        described = (await shop.run_of(payment).describe()).raw_description
    except RPCError:
        return ""
    return " ".join(one.last_failure.message for one in described.pending_activities)


async def test_revoked_token_is_replaced_in_passing(temporal_client: Client, tmp_path: Path) -> None:
    """A password change ends every token at once; the next call gets a new one, and no run waits."""
    async with a_street(temporal_client, tmp_path, ["only"], **LIKE_A_SHOP) as street:
        shop = street["only"]
        await shop.done(await tell(shop, 1))
        await shop.post(f"{shop.zoho_url}/_revoke", {})
        await shop.done(await tell(shop, 1))
        await outcome(shop)
        issued = (await shop.http.get(f"{shop.zoho_url}/_ledger")).json()["token_calls"]
    assert issued == {"issued": 2}


async def test_twenty_runs_that_meet_a_revoked_token_refresh_it_once(temporal_client: Client, tmp_path: Path) -> None:
    """Twenty payments are under way when every token ends: one refresh, and no run waits for anything else."""
    async with a_street(temporal_client, tmp_path, ["only"], **LIKE_A_SHOP) as street:
        shop = street["only"]
        await shop.done(await tell(shop, 1))
        await answering_after(0.3)(shop)
        payments = [await tell(shop, 1) for _ in range(20)]
        await asyncio.gather(*(shop.reached(payment, "ordered") for payment in payments[:3]))
        await shop.post(f"{shop.zoho_url}/_revoke", {})
        await asyncio.gather(*(shop.done(payment) for payment in payments))
        issued = (await shop.http.get(f"{shop.zoho_url}/_ledger")).json()["token_calls"]
    assert issued == {"issued": 2}


async def test_run_waits_for_the_day_says_until_when_and_goes_on(temporal_client: Client, tmp_path: Path) -> None:
    """The day's quota is gone: no activity fails for hours, the run tells the moment in its details and its timer."""
    async with a_street(temporal_client, tmp_path, ["undisturbed", "only"], **LIKE_A_SHOP) as street:
        shop = street["only"]
        expected = (await undisturbed(street["undisturbed"]))[1]
        await shop.fault("zoho", fault="rate_limit", method="POST", path="/invoices$", code=45, retry_after=4)
        payment = await tell(shop, 1)
        told = await waiting(shop, payment)
        calls = (await shop.books())["calls"]["refused"]
        await shop.done(payment)
        found = await outcome(shop)
        history = await shop.run_of(payment).fetch_history()
    assert re.fullmatch(
        r"waits until .* Europe/Berlin \(\d\d:\d\d UTC\): Zoho's daily quota of \d+ calls is used up", told
    )
    assert PRIVATE.findall(told.replace("Europe/Berlin", "")) == []
    assert sum(calls.values()) <= 1
    assert differences(expected.books(), found.books()) == []
    summaries = [
        event.user_metadata.summary.data.decode() for event in history.events if event.HasField("user_metadata")
    ]
    assert any(told.removeprefix("waits until") in summary for summary in summaries)


async def waiting(shop: Shop, payment: str) -> str:
    """What the payment's run waits for by itself, once it does."""
    async with asyncio.timeout(40):
        while True:
            try:
                progress = await shop.run_of(payment).query("progress")
            except RPCError:
                progress = {}
            if "waits" in progress:
                return str(progress["waits"])
            await asyncio.sleep(0.05)


async def test_webhooks_are_refused_while_temporal_is_down_and_come_again(tmp_path: Path) -> None:
    """503 until Temporal is back; then Stripe's own retry starts the run."""
    binary = await asyncio.to_thread(find_or_get, lambda _: None)
    async with TemporalServer(
        binary, tmp_path, port=quiet_port(), database=tmp_path / "temporal.db", limits=NO_LIMITS
    ) as server:
        client = await connect(server.address)
        async with a_street(client, tmp_path, ["only"], **LIKE_A_SHOP) as street:
            shop = street["only"]
            server.kill()
            payment = str((await shop.pay(guest=BUYER, lines=LINES))["payment_intent"])
            await until(shop, lambda rows: any(503 in answers(row) for row in rows))
            await server.restart()
            await shop.done(payment)
            await outcome(shop)


def answers(delivery: dict[str, Any]) -> list[int | None]:
    """The status of each attempt of a delivery."""
    return [attempt["status"] for attempt in delivery["attempts"]]

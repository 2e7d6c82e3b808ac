"""The demo as a newcomer runs it: once through, looked at from the side, stopped, and gone on with."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.ports import PortBusy, ensure_free, quiet_port
from cli.story import STORY
from tests.cli.conftest import ROOT, Command, Ended, execute, until

PORTS = ("temporal", "ui", "ingress", "stripe", "zoho")
STAYS = "Everything stays up"


@dataclass(frozen=True)
class Demo:
    """A demo that stays up, and where it is."""

    process: asyncio.subprocess.Process
    home: Path
    ports: dict[str, int]
    log: Path

    def settings(self) -> dict[str, str]:
        """The environment in which other commands see the demo's shop."""
        return {
            "THROUGHLINE_HOME": str(self.home),
            "THROUGHLINE_CONNECTIONS_FILE": str(self.home / "connections.toml"),
            "THROUGHLINE_TEMPORAL_ADDRESS": f"127.0.0.1:{self.ports['temporal']}",
            "THROUGHLINE_INGRESS_PORT": str(self.ports["ingress"]),
        }

    async def has_orders(self) -> bool:
        """Whether the first orders have been written."""
        assert self.process.returncode is None, self.log.read_text()
        try:
            found = (await self.ledger("zoho"))["organizations"]
        except httpx.TransportError:
            return False
        return any(organization["salesorders"] for organization in found.values())

    async def is_gone(self) -> bool:
        """Whether every one of its ports can be had again."""
        try:
            for port in self.ports.values():
                ensure_free("127.0.0.1", port, what="a test", option="none")
        except PortBusy:
            return False
        return True

    async def organization(self) -> Any:
        """The shop's books."""
        return next(iter((await self.ledger("zoho"))["organizations"].values()))

    async def ledger(self, side: str) -> Any:
        """What a sandbox holds."""
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{self.ports[side]}/_ledger")).json()


def command(home: Path, ports: dict[str, int], *more: str) -> list[str]:
    """The demo's command line on ports of its own."""
    options = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    return [sys.executable, "-m", "cli.main", "demo", "--unpaced", "--home", str(home), *options, *more]


async def spawn(home: Path, ports: dict[str, int], log: Path, *more: str) -> asyncio.subprocess.Process:
    """Starts a demo with its talk in `log`."""
    with log.open("wb") as talk:
        return await asyncio.create_subprocess_exec(
            *command(home, ports, *more),
            cwd=home.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=talk,
            stderr=talk,
        )


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Demo]:
    """One demo for this file; told to its end, then staying up."""
    folder = tmp_path_factory.mktemp("demo")
    ports = {name: quiet_port() for name in PORTS}
    running = Demo(
        await spawn(folder / "home", ports, folder / "demo.log"), folder / "home", ports, folder / "demo.log"
    )

    async def stays() -> bool:
        talk = running.log.read_text()
        assert running.process.returncode is None, talk
        return STAYS in talk

    await until(stays, within=300)
    yield running
    if running.process.returncode is None:
        running.process.terminate()
    await running.process.wait()


async def test_the_whole_story_is_carried(demo: Demo) -> None:
    """Every purchase of the story is one order, one invoice and one payment, and the demo has checked it.

    The cancelled one has void documents and no payment.
    """
    talk = demo.log.read_text()
    assert f"Checked {len(STORY)} payments" in talk
    assert "VIOLATED" not in talk
    organization = await demo.organization()
    standing = [
        len([row for row in organization[kind] if row["status"] != "void"]) for kind in ("salesorders", "invoices")
    ]
    kept = len(STORY) - len([purchase for purchase in STORY if purchase.canceled])
    assert [*standing, len(organization["payments"])] == [kept] * 3
    assert [len(organization[kind]) for kind in ("salesorders", "invoices")] == [len(STORY)] * 2


async def test_people_act_by_temporal_s_own_command(demo: Demo) -> None:
    """An unknown SKU is amended by a signal, an order is cancelled, and a fee comes when its run has closed."""
    talk = demo.log.read_text()
    assert "(unknown_sku)" in talk
    assert "$ temporal workflow signal --workflow-id payment:demo:pi_" in talk
    assert "$ temporal workflow cancel --workflow-id payment:demo:pi_" in talk
    assert "only now Stripe tells its fee" in talk
    ledger = await demo.ledger("stripe")
    late = next(str(number) for number, purchase in enumerate(STORY) if purchase.late_fee)
    payment = next(row["id"] for row in ledger["payment_intents"] if row["metadata"]["story"] == late)
    (booked,) = [row for row in (await demo.organization())["payments"] if row["reference_number"] == payment]
    kept = next(row["fee"] for row in ledger["balance_transactions"] if row["source"] == ledger_charge(ledger, payment))
    assert round(booked["bank_charges"] * 100) == kept > 0


async def test_lost_webhooks_are_healed_by_a_sweep(demo: Demo) -> None:
    """Not one delivery of that payment was sent; the sweep said that it was missed, and it is booked as any other."""
    stripe, talk = await demo.ledger("stripe"), demo.log.read_text()
    [unheard] = [payment for payment, one in by_payment(stripe).items() if one.unheard]
    about = {row["id"] for row in stripe["events"] if row["data"]["object"]["id"] == unheard}
    assert {row["state"] for row in stripe["deliveries"] if row["event"] in about} == {"lost"}
    assert "$ throughline sweep --to" in talk
    assert talk.count(f"{unheard} was missed (delivery-failed), seen in Stripe's events") == 1
    [order] = [row for row in (await demo.organization())["salesorders"] if row["reference_number"] == unheard]
    assert order["paid_status"] == "paid"


async def test_refunds_of_the_dashboard_are_credited(demo: Demo) -> None:
    """Each has one credit note, closed by its own refund, and so has what a bank took; goods of an order that was given
    back are on the shelf.
    """
    stripe, books = await demo.ledger("stripe"), await demo.organization()
    made = {row["id"]: row["amount"] for row in stripe["refunds"]}
    assert len(made) == sum(len(one.refunds) + bool(one.returns) for one in STORY) > 1
    lost = {row["id"]: row["amount"] for row in stripe["disputes"] if row["status"] == "lost"}
    assert len(lost) == len([purchase for purchase in STORY if purchase.lost]) == 1
    made |= lost
    credited = {row["reference_number"]: round(row["total_refunded_amount"] * 100) for row in books["creditnotes"]}
    assert credited == made
    assert {row["status"] for row in books["creditnotes"]} == {"closed"}
    whole = {payment for payment, one in by_payment(stripe).items() if one.refunds == (0,)}
    noted = {row["payment_intent"]: row["id"] for row in stripe["refunds"]}
    lines = [
        line
        for note in books["creditnotes"]
        if note["reference_number"] in {noted[payment] for payment in whole}
        for line in note["line_items"]
    ]
    assert [line["is_returned_to_stock"] for line in lines] == [True]


async def test_what_comes_back_is_paid_back(demo: Demo) -> None:
    """The return is received and refunded, names its refund, and the refund names it."""
    stripe, books = await demo.ledger("stripe"), await demo.organization()
    returns = {row["salesreturn_id"]: row for row in books["salesreturns"]}
    assert len(returns) == len([purchase for purchase in STORY if purchase.returns]) > 0
    for row in stripe["refunds"]:
        if back := returns.pop(row["metadata"].get("zoho_salesreturn_id"), None):
            assert (back["receive_status"], back["refund_status"]) == ("received", "refunded")
            assert back["custom_field_hash"]["cf_stripe_refund_id"] == row["id"]
    assert returns == {}


def by_payment(stripe: Any) -> dict[str, Any]:
    """What the story tells of each payment."""
    return {row["id"]: STORY[int(row["metadata"]["story"])] for row in stripe["payment_intents"]}


def ledger_charge(ledger: Any, payment: str) -> str:
    """The payment's charge."""
    return str(next(row["id"] for row in ledger["charges"] if row["payment_intent"] == payment))


async def test_it_ends_with_a_payout_whose_certificate_verifies(
    demo: Demo, throughline: Command, tmp_path: Path
) -> None:
    """The file that it names, by the command that it says, where nothing of ours is; every line has its document, and
    the month adds up.
    """
    talk = demo.log.read_text()
    said = re.search(r"\$ throughline (payouts verify \S+ --key \S+)", talk)
    assert said is not None, talk
    ended = await throughline(*shlex.split(said[1]), THROUGHLINE_HOME=str(tmp_path / "nowhere"))
    assert (ended.code, ended.err) == (0, "")
    (payout,) = (await demo.ledger("stripe"))["payouts"]
    document = json.loads((demo.home / f"{payout['id']}.json").read_text())
    assert document["certificate"]["payout"]["minor"] == payout["amount"]
    assert document["certificate"]["findings"] == []
    kinds = {line["kind"]: bool(line["counterpart"]["document"]) for line in document["lines"]}
    assert kinds == dict.fromkeys(("charge", "refund", "dispute"), True)
    month = await throughline("payouts", "month", f"{datetime.now(UTC):%Y-%m}", "-o", "json", **demo.settings())
    assert month.code == 0, month.err
    assert "Adds up to the cent and its certificate verifies" in json.loads(month.out)["verdict"]


async def test_three_announcements_and_their_repeats_meet_in_one_run(demo: Demo, throughline: Command) -> None:
    """The payment that each of its events announced twice has one run, and every delivery was taken."""

    async def all_delivered() -> bool:
        deliveries = (await demo.ledger("stripe"))["deliveries"]
        assert any(row["duplicate"] for row in deliveries)
        return {row["state"] for row in deliveries} == {"delivered", "lost"}

    await until(all_delivered)
    listed = json.loads((await throughline("payments", "list", "-o", "json", **demo.settings())).out)
    last = [row for row in listed if row["run"] != "continued_as_new"]
    assert len({row["payment"] for row in listed}) == len(last) == len(STORY)
    assert {(row["stage"], row["run"]) for row in last} == {("paid", "completed"), ("taken-back", "canceled")}


async def test_a_payment_is_found_by_any_of_its_ids(demo: Demo, throughline: Command) -> None:
    """`payments show` finds the same payment by payment id, charge id and order number, with all its writes."""
    listed = json.loads((await throughline("payments", "list", "-o", "json", **demo.settings())).out)
    ids = listed[0]["ids"].split()
    assert {known[:3] for known in ids} >= {"pi_", "ch_", "SO-"}
    for known in ids:
        shown = json.loads((await throughline("payments", "show", known, "-o", "json", **demo.settings())).out)
        assert shown["payment"] == listed[0]["payment"]
        assert all(effect["completed"] != "unknown" for effect in shown["effects"])


async def test_an_unknown_payment_is_code_1(demo: Demo, throughline: Command) -> None:
    """An id that no run carries is said to be unknown."""
    ended = await throughline("payments", "show", "pi_nobody", **demo.settings())
    assert ended.code == 1
    assert "pi_nobody" in ended.err


async def test_the_doctor_finds_a_running_shop_well(demo: Demo, throughline: Command) -> None:
    """Nothing fails in a shop that has just carried ten payments; the lifted pace is warned of."""
    ended = await throughline("doctor", "-o", "json", **demo.settings())
    findings = json.loads(ended.out)
    assert ended.code == 0, [finding for finding in findings if finding["mark"] == "fail"]
    assert any("pace" in row["what"] and row["mark"] == "warn" and row["cure"] for row in findings)
    assert any(row["what"] == "demo: audit trail" and row["mark"] == "ok" for row in findings)


async def test_the_doctor_names_what_is_wrong_with_its_cure(demo: Demo, throughline: Command, tmp_path: Path) -> None:
    """A wrong account and a dead Zoho are told side by side, each with a cure, and end with code 1."""
    text = (demo.home / "connections.toml").read_text()
    broken = tmp_path / "broken.toml"
    zoho = f"http://127.0.0.1:{demo.ports['zoho']}"
    broken.write_text(text.replace("acct_1DemoShop", "acct_other").replace(zoho, "http://127.0.0.1:1"))
    settings = {
        **demo.settings(),
        "THROUGHLINE_CONNECTIONS_FILE": str(broken),
        "THROUGHLINE_STORE_URL": f"sqlite+aiosqlite:///{tmp_path}/store.db",
    }
    ended = await throughline("doctor", "-o", "json", **settings)
    failed = {row["what"]: row for row in json.loads(ended.out) if row["mark"] == "fail"}
    assert ended.code == 1
    assert set(failed) == {"demo: Stripe account", "demo: Zoho"}
    assert all(row["cure"] for row in failed.values())
    assert "acct_1DemoShop" in failed["demo: Stripe account"]["seen"]


async def test_an_event_can_be_delivered_by_hand(demo: Demo, throughline: Command, tmp_path: Path) -> None:
    """`trigger` takes an event from Stripe by id, or from a file, and the ingress accepts its signature."""
    events = (await demo.ledger("stripe"))["events"]
    # Told again, the payment whose order was cancelled would begin anew.
    event = next(row for row in events if row["type"] == "payment_intent.succeeded" and not was_canceled(row))
    (tmp_path / "event.json").write_text(json.dumps(event))
    for named in (event["id"], "event.json"):
        ended = await throughline("trigger", named, **demo.settings())
        assert (ended.code, " 200: " in ended.err) == (0, True), ended.err
    ended = await throughline("trigger", "evt_unknown", **demo.settings())
    assert (ended.code, "does not know evt_unknown" in ended.err) == (1, True)


def was_canceled(event: Any) -> bool:
    """Whether the event is about the purchase that the story cancels."""
    return STORY[int(event["data"]["object"]["metadata"]["story"])].canceled


async def test_a_busy_port_is_a_sentence_and_nothing_is_started(demo: Demo, tmp_path: Path) -> None:
    """A second demo on a port of the first ends with code 4, names port and option, and leaves no process."""
    ports = {name: quiet_port() for name in PORTS} | {"zoho": demo.ports["zoho"]}
    ended = await execute(command(tmp_path / "second", ports, "--once"), {}, tmp_path)
    assert ended.code == 4
    assert f"Port {demo.ports['zoho']}" in ended.err
    assert "--zoho-port" in ended.err
    assert "Traceback" not in ended.err


async def test_a_stopped_demo_goes_on_and_a_broken_invariant_is_code_1(demo: Demo) -> None:
    """Ctrl-C ends it with 0; the next one has the same payments; with stock tampered with it names I2, code 1.

    The last test of this file, for it stops the demo.
    """
    demo.process.send_signal(signal.SIGINT)
    assert await demo.process.wait() == 0
    assert "Stopped." in demo.log.read_text()
    again = await run_once(demo, "--output", "json")
    assert again.code == 0, again.err
    told = json.loads(again.out)
    assert (len(told["payments"]), told["violations"]) == (len(STORY), [])
    await tamper(demo)
    broken = await run_once(demo)
    assert broken.code == 1
    assert "VIOLATED I2 LAMP-01" in broken.err


async def run_once(demo: Demo, *more: str) -> Ended:
    """Goes on with the demo's state and ends after the checks."""
    return await execute(command(demo.home, demo.ports, "--once", *more), {}, demo.home.parent)


async def tamper(demo: Demo) -> None:
    """Changes a stock level in the Zoho sandbox's file, as no document did."""
    with sqlite3.connect(demo.home / "sandbox" / "zoho.db") as file:
        found = file.execute("SELECT collection, key, body FROM documents WHERE collection LIKE '%/items'")
        for collection, key, body in found.fetchall():
            row = json.loads(body)
            if row["sku"] == "LAMP-01":
                row["_stock"]["accounting"] = 1
                place = (json.dumps(row), collection, key)
                file.execute("UPDATE documents SET body = ? WHERE collection = ? AND key = ?", place)


@pytest.mark.timeout(420)  # two demos, each at the pace that Zoho allows
async def test_a_demo_killed_in_the_middle_is_carried_on(tmp_path: Path, temporal_binary: Path) -> None:
    """SIGKILL of the whole demo while orders are being written loses nothing and doubles nothing."""
    ports = {name: quiet_port() for name in PORTS}
    log = tmp_path / "demo.log"
    process = await spawn(tmp_path / "home", ports, log)
    demo = Demo(process, tmp_path / "home", ports, log)
    await until(demo.has_orders, within=60)
    process.kill()
    await process.wait()
    await until(demo.is_gone)
    ended = await run_once(demo)
    assert (ended.code, f"Checked {len(STORY)} payments" in ended.err) == (0, True), ended.err

"""A shadow run says what a backfill would do, and how Zoho differs, to the cent; and nothing at all is written."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.backfilling import Range
from cli.output import Format
from cli.shadow_guards import OnlyLooks
from cli.shadowing import look, page, show
from clients.errors import Refused
from domain.shadows import ShadowReport, Verdict
from tests.endtoend.backfilling import backfill, enter, in_the_past, mug
from tests.endtoend.shops import Shop, a_street
from tests.endtoend.test_backfill import day_of_past, standing
from tests.house import BUYER

DAY = timedelta(days=1)
MEMORY = ("effects", "audit", "links", "dossiers", "events", "notices", "reservations")


def remembered(shop: Shop) -> dict[str, list[Any]]:
    """Every row of our own memory, but for the token and the count of the day's calls."""
    with sqlite3.connect(shop.memory, timeout=10) as database:
        return {name: sorted(map(repr, database.execute(f"SELECT * FROM {name}"))) for name in MEMORY}


async def looked(shop: Shop) -> ShadowReport:
    """The report of the last sixty days, this second included: a range leaves out the second it ends with."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return await look(shop.connection, shop.store, Range(now - 60 * DAY, now))


async def test_it_tells_what_would_be_done_and_does_nothing(
    temporal_client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every kind of payment, its verdict and its differences; both sandboxes saw questions only, and our memory is as
    it was. Then the backfill does what was said.
    """
    async with a_street(temporal_client, tmp_path, ["shop"]) as shops:
        shop = shops["shop"]
        live = await shop.pays(**mug(1))
        await shop.done(live)
        lamp = {"guest": BUYER, "lines": [{"sku": "LAMP", "unit_amount": 900, "quantity": 1}]}
        amended = await shop.pays(**lamp)
        await shop.parked(amended)
        await shop.answer(amended, "amend", amendments=[{"line": "1", "field": "sku", "value": "MUG"}])
        await shop.done(amended)
        past = await in_the_past(shop, mug(2), mug(3), mug(4), mug(5), mug(6), lamp)
        new, named, alike, dearer, unpaid, unknown = past
        day = day_of_past()
        await enter(shop, 3, day, reference=named)
        await enter(shop, 4, day + 2 * DAY)
        await enter(shop, 7, day, reference=dearer)
        await enter(shop, 6, day, reference=unpaid, paid=False)
        before = [remembered(shop), await shop.stripe(only="payment_intents,charges"), await standing(shop)]
        doors = [shop.stripe_program.door, shop.zoho_program.door]
        places = [len(door.log) for door in doors]

        report = await looked(shop)

        asked = [one for door, place in zip(doors, places, strict=True) for one in door.log[place:]]
        assert {one.path for one in asked if one.method != "GET"} <= {"/oauth/v2/token"}
        assert [remembered(shop), await shop.stripe(only="payment_intents,charges"), await standing(shop)] == before
        rows = {row.payment_id: row for row in report.rows}
        assert {name: row.verdict for name, row in rows.items()} == {
            live: Verdict.CARRIED,
            amended: Verdict.CARRIED,
            new: Verdict.CREATE,
            named: Verdict.ADOPT,
            alike: Verdict.ASK,
            dearer: Verdict.WAIT,
            unpaid: Verdict.ADOPT,
            unknown: Verdict.WAIT,
        }
        assert {name: [str(one.field) for one in row.differences] for name, row in rows.items() if row.differences} == {
            alike: ["date"],
            dearer: ["total", "line MUG", "invoiced"],
            unpaid: ["to be paid"],
        }
        total = rows[dearer].differences[0]
        assert (total.ours, total.zoho) == ("15.05 EUR", "15.07 EUR")
        assert (rows[unknown].why, rows[dearer].why) == ("unknown_sku", "order_by_hand")
        assert [rows[name].contact for name in (new, named)] == ["new", "known"]
        assert (report.counts()["wait"], report.money(Verdict.WAIT), report.differing()) == (2, "24.05 EUR", 3)
        # A page of orders, seven payers and one item that Zoho does not know, and five orders in full.
        zoho = sum(one.path.startswith("/inventory") for one in asked)
        assert zoho == report.calls["zoho"] <= 1 + 7 + 1 + 5
        assert len(asked) - sum(one.method != "GET" for one in asked) == sum(report.calls.values())

        shown(report, capsys)
        done = await backfill(shop)
        assert (done.known, done.started, done.completed, done.waiting) == (2, 6, 3, 3)
        assert (await shop.parked(alike)).orders[0].number == rows[alike].number


def shown(report: ShadowReport, capsys: pytest.CaptureFixture[str]) -> None:
    """The page and the JSON say the same, and nobody's name."""
    html = page(report)
    for words in ("15.07 EUR", "would wait for a person", "To be written", *(row.payment_id for row in report.rows)):
        assert words in html
    show(report, Format.JSON)
    out = capsys.readouterr().out
    facts = json.loads(out)
    assert facts["counts"] == report.counts()
    assert len(facts["rows"]) == 8
    show(report, Format.TABLE)
    for text in (html, out, capsys.readouterr().out):
        assert "Buyer" not in text
        assert "example.com" not in text


def test_what_could_write_is_refused_before_it_is_sent() -> None:
    """Whatever a client might try: only questions and a new access token get through."""
    eyes = OnlyLooks("shop")
    with eyes.call("zoho", "GET", "https://zoho/inventory/v1/items"):
        pass
    with eyes.call("zoho", "POST", "https://accounts/oauth/v2/token?x=1"):
        pass
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        with (
            pytest.raises(Refused, match="writes nothing"),
            eyes.call("zoho", method, "https://zoho/inventory/v1/items"),
        ):
            pass
    assert eyes.counts == {"zoho": 1}

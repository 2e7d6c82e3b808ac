"""The storm: its plan is the seed's, its counting is right on ledgers that are known, and a small one finds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.storm.__main__ import storm
from bench.storm.count import Count, all_heard, contacts_doubled, count, fees_missing, only, trail_differs, unheard
from bench.storm.plan import KINDS, LINKS, PARTS, Plan, Size, draw
from bench.storm.report import rows
from bench.storm.toxiproxy import VERSION, find_or_get

Ledger = dict[str, Any]
# What seed 7 has drawn since the first storm.
FIRST_SALE = (0.63, 1, 2, "checkout")
FIRST_KILL = (1.53, "worker", 2.51)
FIRST_TOXIC = (3.84, "worker-stripe", "bandwidth", 1.21)
SMALL = Size(payments=8, seconds=6, shops=2, workers=1, kills=3, toxics=0, revokes=1)


def test_a_seed_has_one_plan() -> None:
    """The same seed and size give the same storm, another seed another one."""
    assert draw(7, Size()) == draw(7, Size())
    assert draw(7, Size()) != draw(8, Size())


def test_the_plan_of_a_seed_stays_what_it_was() -> None:
    """A seed that is written down somewhere means the same storm tomorrow, on every Python."""
    plan = draw(7, Size())
    assert (plan.sales[0].at, plan.sales[0].shop, plan.sales[0].buyer, plan.sales[0].via) == FIRST_SALE
    assert (plan.kills[0].at, plan.kills[0].part, plan.kills[0].away) == FIRST_KILL
    assert (plan.toxics[0].at, plan.toxics[0].link, plan.toxics[0].kind, plan.toxics[0].seconds) == FIRST_TOXIC


def test_more_kills_leave_the_sales_as_they_are() -> None:
    """So that a violation can be looked for with fewer faults."""
    assert draw(7, Size(kills=0)).sales == draw(7, Size(kills=50)).sales


def test_all_moments_and_numbers_are_within_the_size() -> None:
    """Nothing happens after the end, to a shop or worker that is not there."""
    size = Size(payments=300, seconds=20, shops=3, workers=2, kills=30, toxics=60)
    plan = draw(1, size)
    assert [len(plan.sales), len(plan.kills), len(plan.toxics), len(plan.revokes)] == [300, 30, 60, 1]
    faults = [*(kill.at for kill in plan.kills), *(toxic.at for toxic in plan.toxics), *plan.revokes]
    moments = [*(sale.at for sale in plan.sales), *faults]
    assert 0 <= min(moments) <= max(moments) <= 20
    assert {sale.shop for sale in plan.sales} == {1, 2, 3}
    assert {kill.which for kill in plan.kills} == {0, 1}


def test_every_part_and_every_kind_has_its_turn() -> None:
    """Three kills hit three parts; eight toxics are of eight kinds and five of them on five links."""
    plan = draw(3, Size(kills=3, toxics=8))
    assert {kill.part for kill in plan.kills} == set(PARTS)
    assert {toxic.kind for toxic in plan.toxics} == set(KINDS)
    assert {toxic.link for toxic in plan.toxics} == set(LINKS)


@pytest.mark.parametrize("wrong", [{"payments": 0}, {"shops": 0}, {"workers": 0}, {"seconds": 0}, {"kills": -1}])
def test_a_size_that_is_none_is_refused(wrong: dict[str, int]) -> None:
    """A storm without payments would find nothing wrong."""
    with pytest.raises(ValueError):
        Size(**wrong)


def intent(payment: str) -> Ledger:
    """A payment that succeeded."""
    return {"id": payment, "status": "succeeded", "amount_received": 4900, "currency": "eur", "created": 1}


def event(name: str, payment: str) -> Ledger:
    """What tells of it."""
    return {"id": name, "data": {"object": {"object": "payment_intent", "id": payment}}}


def delivery(name: str, *statuses: int | None, state: str = "delivered") -> Ledger:
    """One way of an event to us, with the status of each attempt."""
    return {"event": name, "state": state, "attempts": [{"status": status} for status in statuses]}


def stripe() -> Ledger:
    """Three payments; the third's event was refused, then met nobody, and was resent."""
    return {
        "payment_intents": [intent("pi_1"), intent("pi_2"), intent("pi_3")],
        "charges": [],
        "balance_transactions": [],
        "events": [event("evt_1", "pi_1"), event("evt_2", "pi_2"), event("evt_3", "pi_3")],
        "deliveries": [
            delivery("evt_1", 200),
            delivery("evt_2", 503, 200),
            delivery("evt_3", 503, None, state="failed"),
            delivery("evt_3", 200),
        ],
    }


def books(*payments: str) -> Ledger:
    """The documents of these payments, all paid."""
    money = {"currency_code": "EUR", "total": Decimal(49), "line_items": []}
    return {
        "contacts": [{"email": "a@example.com"}, {"email": "b@example.com"}, {"email": ""}, {"email": ""}],
        "salesorders": [{"reference_number": one, "status": "confirmed", **money} for one in payments],
        "invoices": [{"reference_number": one, "status": "paid", "invoice_id": one, **money} for one in payments],
        "payments": [{"reference_number": one, "amount": Decimal(49), "currency_code": "EUR"} for one in payments],
    }


def test_what_is_done_and_what_waits_is_neither_lost_nor_doubled() -> None:
    """Two shops' books, one payment that waits, and every attempt that was not answered 2xx."""
    found = count(stripe(), [books("pi_1"), books("pi_2")], {"pi_3"})
    assert found == Count(payments=3, events=3, acknowledged=3, refused=3, completed=2, parked=1, lost=(), doubled=())


def lose(ledger: Ledger) -> None:
    """Takes the second payment's documents away."""
    for kind in ("salesorders", "invoices", "payments"):
        ledger[kind] = [row for row in ledger[kind] if row["reference_number"] != "pi_2"]


INCOMPLETE: dict[str, Callable[[Ledger], None]] = {
    "nothing": lose,
    "no payment": lambda ledger: ledger["payments"].pop(1),
    "an unpaid invoice": lambda ledger: ledger["invoices"][1].update(status="sent"),
    "a void order": lambda ledger: ledger["salesorders"][1].update(status="void"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_acknowledged_and_not_complete_is_lost(name: str) -> None:
    """Half of a payment's documents is as lost as none."""
    found = books("pi_1", "pi_2", "pi_3")
    INCOMPLETE[name](found)
    assert count(stripe(), [found], set()).lost == ("pi_2",)


def test_what_nobody_acknowledged_is_not_lost_but_unheard() -> None:
    """Stripe still has it: it is to be sent again, unless an attempt is under way."""
    ledger = stripe()
    ledger["deliveries"] = [delivery("evt_1", 200), delivery("evt_2", 503, state="failed")]
    assert count(ledger, [books("pi_1")], set()).lost == ()
    assert unheard(ledger) == ["evt_2"]
    assert not all_heard(ledger)
    ledger["deliveries"].append(delivery("evt_2", state="pending"))
    assert unheard(ledger) == []
    assert not all_heard(ledger)
    ledger["deliveries"][-1] = delivery("evt_2", 200)
    assert all_heard(ledger)


@pytest.mark.parametrize("kind", ["salesorders", "invoices", "payments"])
def test_two_of_anything_are_doubled(kind: str) -> None:
    """In one organisation, and in two."""
    once = books("pi_1", "pi_2", "pi_3")
    twice = deepcopy(once)
    twice[kind].append(deepcopy(twice[kind][0]))
    assert count(stripe(), [twice], set()).doubled == ("pi_1",)
    assert count(stripe(), [once, books("pi_1")], set()).doubled == ("pi_1",)


def test_a_fee_that_is_not_booked_is_found() -> None:
    """What Stripe kept in another currency is the payout's matter."""
    ledger, found = stripe(), books("pi_1")
    ledger["charges"] = [{"id": "ch_1", "payment_intent": "pi_1", "balance_transaction": "txn_1"}]
    ledger["balance_transactions"] = [{"id": "txn_1", "source": "ch_1", "fee": 172, "currency": "eur"}]
    found["payments"][0]["bank_charges"] = Decimal(0)
    assert [one.subject for one in fees_missing(ledger, found)] == ["pi_1"]
    found["payments"][0]["bank_charges"] = Decimal("1.72")
    assert fees_missing(ledger, found) == []
    found["payments"][0].update(bank_charges=Decimal(0), currency_code="USD")
    assert fees_missing(ledger, found) == []


def test_two_contacts_of_one_person_are_found() -> None:
    """People without an address for mail cannot be told apart, and are not."""
    ledger = books("pi_1")
    assert contacts_doubled(ledger) == []
    ledger["contacts"].append({"email": "a@example.com"})
    assert [str(one) for one in contacts_doubled(ledger)] == ["I1 a@example.com: has 2 contacts in Zoho, not one"]


def test_the_trail_is_held_against_the_documents() -> None:
    """An entry too few, one too many and one of nothing are told."""
    steps = [("pi_1", "sales_order"), ("pi_1", "invoice"), ("pi_1", "customer_payment")]
    assert trail_differs(books("pi_1"), steps) == []
    assert [one.subject for one in trail_differs(books("pi_1"), steps[1:])] == ["pi_1"]
    assert "has 2 entries of invoice" in trail_differs(books("pi_1"), [*steps, steps[1]])[0].message
    assert [one.subject for one in trail_differs(books("pi_1"), [*steps, ("pi_9", "sales_order")])] == ["pi_9"]


def test_only_the_shops_own_payments_are_looked_at() -> None:
    """One Stripe ledger holds all accounts."""
    assert [row["id"] for row in only(stripe(), {"pi_2"})["payment_intents"]] == ["pi_2"]


def test_a_toxiproxy_of_ones_own_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOXIPROXY_SERVER is taken where it is one of version 2; else the search goes on to the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    cached = tmp_path / "throughline" / f"toxiproxy-{VERSION}"
    cached.parent.mkdir()
    cached.touch()
    mine, said = tmp_path / "mine", list[str]()
    for version, found in (("2.12.0", mine), ("1.2.1", cached)):
        mine.write_text(f"#!/bin/sh\necho toxiproxy-server version {version}\n")
        mine.chmod(0o755)
        monkeypatch.setenv("TOXIPROXY_SERVER", str(mine))
        assert find_or_get(said.append) == found
    assert said == [f"TOXIPROXY_SERVER names {mine}, which is no toxiproxy server of version 2."]


async def test_a_small_storm_finds_nothing(tmp_path: Path) -> None:
    """Without toxiproxy: worker, ingress and Temporal killed once each under load, and everything closes."""
    plan = small_plan()
    outcome = await storm(plan, tmp_path / "home")
    assert [str(one) for one in outcome.violations] == []
    assert outcome.kills == Counter(PARTS)
    found = outcome.answered or outcome.count
    assert found is not None
    assert (found.payments, found.completed, found.lost, found.doubled) == (8, 8, (), ())
    assert outcome.count is not None
    assert outcome.count.parked == sum(sale.unknown for sale in plan.sales) > 0
    assert dict(rows(outcome))["violations"] == "0"


def small_plan() -> Plan:
    """The first seed whose few payments have one among them that has to wait for a person."""
    plans = (draw(seed, SMALL) for seed in range(100))
    return next(plan for plan in plans if any(sale.unknown for sale in plan.sales))

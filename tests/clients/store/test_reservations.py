"""Reservations: counted against Zoho's number until Zoho's number surely holds them."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from clients.keys import KeyRing
from clients.store import Store
from domain.stock import Verdict
from tests.clients.store.buyer import PIECES
from tests.clients.store.conftest import AT

ONE = {"i": Decimal(1)}


async def reserve(store: Store, shop: str, payment_id: str, left: str, since: int = 0) -> Verdict:
    """One piece, where Zoho told that so many are left."""
    told = {"i": Decimal(left)}
    return (await store.reservations.reserve(shop, payment_id, ONE, left=told, since=since, at=AT)).verdict


async def test_pending_is_counted_until_it_is_let_go(store: Store, shop: str) -> None:
    """Another's pending piece puts off; let go, it is free."""
    assert await reserve(store, shop, "pi_1", "1") is Verdict.ENOUGH
    assert await reserve(store, shop, "pi_2", "1") is Verdict.LATER
    assert await reserve(store, shop, "pi_1", "1") is Verdict.ENOUGH
    await store.reservations.let_go(shop, "pi_1")
    assert await reserve(store, shop, "pi_2", "1") is Verdict.ENOUGH


async def test_confirmed_is_counted_only_by_looks_that_began_before(store: Store, shop: str) -> None:
    """A number that Zoho told after the confirmation holds it already."""
    before = await store.reservations.tick(shop)
    await reserve(store, shop, "pi_1", "2")
    await store.reservations.confirm(shop, "pi_1", at=AT)
    after = await store.reservations.tick(shop)
    assert await reserve(store, shop, "pi_2", "1", before) is Verdict.LATER
    assert await reserve(store, shop, "pi_2", "1", after) is Verdict.ENOUGH
    await store.reservations.confirm(shop, "pi_1", at=AT)
    assert await store.reservations.tick(shop) == after


async def test_confirmed_is_not_let_go_but_forgotten_when_taken_back(store: Store, shop: str) -> None:
    """A payment that parks after its order was confirmed keeps its piece; a voided order gives it back."""
    await reserve(store, shop, "pi_1", "1")
    await store.reservations.confirm(shop, "pi_1", at=AT)
    await store.reservations.let_go(shop, "pi_1")
    assert await reserve(store, shop, "pi_2", "1") is Verdict.LATER
    await store.reservations.forget(shop, "pi_1")
    assert await reserve(store, shop, "pi_2", "1") is Verdict.ENOUGH


async def test_forced_is_counted_by_others(store: Store, shop: str) -> None:
    """Who sells beyond stock takes from whoever comes after; and the payments in the way are named."""
    await store.reservations.force(shop, "pi_1", ONE, at=AT)
    told = {"i": Decimal(1)}
    found = await store.reservations.reserve(shop, "pi_2", ONE, left=told, since=0, at=AT)
    assert (found.verdict, found.before) == (Verdict.LATER, ("pi_1",))


async def test_only_tracked_items_are_reserved_and_shops_do_not_share(store: Store, shop: str) -> None:
    """What Zoho tells no number of is nobody's; neither is another connection's piece."""
    wanted = {"i": Decimal(1), "service": Decimal(1)}
    told = {"i": Decimal(1)}
    await store.reservations.reserve(shop, "pi_1", wanted, left=told, since=0, at=AT)
    both = {"service": Decimal(1)}
    found = await store.reservations.reserve(shop, "pi_2", both, left=both, since=0, at=AT)
    assert found.verdict is Verdict.ENOUGH
    assert await reserve(store, f"{shop}-b", "pi_3", "1") is Verdict.ENOUGH


async def test_old_confirmations_are_forgotten(store: Store, shop: str) -> None:
    """After a day no look can be under way that began before."""
    await reserve(store, shop, "pi_1", "9")
    await store.reservations.confirm(shop, "pi_1", at=AT)
    await store.reservations.reserve(shop, "pi_2", ONE, left={"i": Decimal(9)}, since=0, at=AT)
    await store.reservations.confirm(shop, "pi_2", at=AT + timedelta(days=2))
    found = await store.reservations.reserve(shop, "pi_3", ONE, left={"i": Decimal(9)}, since=0, at=AT)
    assert found.before == ("pi_2",)


async def test_four_processes_sell_each_piece_once(empty_url: str, keys: KeyRing, tmp_path: Path) -> None:
    """Fifty buyers in four processes and ten pieces: ten get one, however they meet."""
    ledger = tmp_path / "ledger"
    ledger.touch()
    await (await Store.open(empty_url, keys)).close()
    command = [sys.executable, "-m", "tests.clients.store.buyer", empty_url, keys.to_text(), "shop"]
    programs = [
        await asyncio.create_subprocess_exec(
            *command, str(number), "13" if number < 2 else "12", str(ledger), stdout=asyncio.subprocess.PIPE
        )
        for number in range(4)
    ]
    got = [int((await program.communicate())[0]) for program in programs]
    assert (sum(got), ledger.stat().st_size) == (PIECES, PIECES)

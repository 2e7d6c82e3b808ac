"""Anything that can happen to a shop's money and goods, in any order: I1 to I7 by both ledgers and a small model.

`MACHINE_SECONDS=1200` plays other stories for so long, instead of the few that the suite always plays.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from temporalio.client import Client

from tests.endtoend.shop_model import Back, Sale
from tests.endtoend.shop_story import SKUS, Story, open_shop

SECONDS = float(os.environ.get("MACHINE_SECONDS", "0"))
EXAMPLES, STEPS = 4, 12
MOST, CALM = 5, 4  # payments of a story; what happens at least before it settles
places, pieces = st.integers(0, 7), st.integers(1, 3)
SETTINGS = settings(
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Shop(RuleBasedStateMachine):
    """One shop; its rules run in Hypothesis' thread and act in the tests' event loop."""

    loop: asyncio.AbstractEventLoop
    client: Client
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.story: Story | None = None
        self._since = 0
        self._closing = asyncio.Event()
        opened: Future[Story] = Future()
        self._house = asyncio.run_coroutine_threadsafe(self._keep(opened), self.loop)

        def tell(done: Future[None]) -> None:
            if not opened.done():
                opened.set_exception(done.exception() or OSError())

        self._house.add_done_callback(tell)
        self.story = opened.result(60)

    async def _keep(self, opened: Future[Story]) -> None:
        async with open_shop(self.client, self.folder) as house:
            opened.set_result(Story(house))
            await self._closing.wait()

    def _do(self, what: str, action: Coroutine[Any, Any, None]) -> None:
        note(what)
        self._since += 1
        asyncio.run_coroutine_threadsafe(action, self.loop).result(240)

    def _sale(self, place: int, fits: Callable[[Sale], bool]) -> Sale | None:
        found = [sale for sale in self.told.model.sales if fits(sale)]
        return found[place % len(found)] if found else None

    @property
    def told(self) -> Story:
        """The story so far."""
        assert self.story is not None
        return self.story

    @initialize(
        spread=st.sampled_from([1.0, 0.3, 0.0]), twice=st.sampled_from([0.5, 0.0]), bought=st.tuples(*[pieces] * 4)
    )
    def opens(self, spread: float, twice: float, bought: tuple[int, ...]) -> None:
        """How Stripe's events come: overtaking each other, and doubled. One order has left, one has not."""
        switches = {"webhook_spread": spread, "webhook_duplicate": twice}
        url = f"{self.told.house.stripe_url}/_switches"
        self._do(f"opens {switches}, sells {bought}", self._post(url, switches))
        for pair in (bought[:2], bought[2:]):
            self._do("", self.told.pay(pair, held=False))
        self._do("ships", self.told.ship(self.told.model.sales[0]))

    async def _post(self, url: str, body: dict[str, Any]) -> None:
        await self.told.house.post(url, body)

    @precondition(lambda self: len(self.told.model.sales) < MOST)
    @rule(mugs=st.integers(0, 3), tea=pieces, held=st.booleans())
    def pays(self, mugs: int, tea: int, held: bool) -> None:
        """The money is taken at once, or later, or never."""
        self._do(f"pays {mugs} mugs, {tea} tea, held {held}", self.told.pay((mugs, tea), held=held))

    @precondition(lambda self: self._sale(0, _held))
    @rule(place=places, taken=st.booleans())
    def decides_of_held_money(self, place: int, taken: bool) -> None:
        """It is captured, or cancelled."""
        if sale := self._sale(place, _held):
            self._do(f"takes {taken} {sale.payment_id}", (self.told.capture if taken else self.told.let_go)(sale))

    @precondition(lambda self: self._sale(0, _to_ship))
    @rule(place=places)
    def ships(self, place: int) -> None:
        """A person ships an order."""
        if sale := self._sale(place, _to_ship):
            self._do(f"ships {sale.payment_id}", self.told.ship(sale))

    @precondition(lambda self: self._sale(0, _to_return))
    @rule(place=places, share=st.tuples(*[st.integers(0, 3)] * 4), here=st.booleans())
    def returns(self, place: int, share: tuple[int, ...], here: bool) -> None:
        """Some pieces come back, damaged ones among them; `here`: they have arrived."""
        sale = self._sale(place, _to_return)
        if sale is None:
            return
        left = sale.left()
        pieces = {sku: min(n, left[sku]) for sku, n in zip(SKUS, share[:2], strict=True)}
        damaged = {sku: min(n // 2, left[sku] - pieces[sku]) for sku, n in zip(SKUS, share[2:], strict=True)}
        if not any(pieces.values()) and not any(damaged.values()):
            pieces = {sku: left[sku] for sku in SKUS}
        self._do(f"returns {pieces} {damaged} of {sale.payment_id}", self.told.give_back(sale, pieces, damaged))
        if here and any(pieces.values()):
            self._do("which are here", self.told.receive(sale.backs[-1]))

    @precondition(lambda self: self._awaited())
    @rule(place=places)
    def arrives(self, place: int) -> None:
        """Goods of a return."""
        waiting = self._awaited()
        back = waiting[place % len(waiting)]
        self._do(f"receives {back.return_id}", self.told.receive(back))

    def _awaited(self) -> list[Back]:
        backs = [back for sale in self.told.model.sales for back in sale.backs]
        return [back for back in backs if any(back.pieces.values()) and not back.received]

    @precondition(lambda self: self._sale(0, _paid))
    @rule(place=places, share=st.sampled_from([0.1, 0.5, 0.77, 1.0, 1.0]))
    def refunds(self, place: int, share: float) -> None:
        """A part of a payment, or all of it, in the dashboard."""
        if sale := self._sale(place, _paid):
            amount = int(sale.paid * share)
            self._do(f"refunds {amount} of {sale.payment_id}", self.told.refund(sale, amount))

    @precondition(lambda self: self.told.refunded)
    @rule(place=places)
    def fails(self, place: int) -> None:
        """A refund of the dashboard."""
        self._do("a refund fails", self.told.fail(place))

    @precondition(lambda self: self._sale(0, _undisputed))
    @rule(place=places)
    def is_disputed(self, place: int) -> None:
        """By the buyer's bank."""
        if sale := self._sale(place, _undisputed):
            self._do(f"disputes {sale.payment_id}", self.told.dispute(sale))

    @precondition(lambda self: self._sale(0, _disputed))
    @rule(place=places, outcome=st.sampled_from(["won", "lost"]))
    def is_decided(self, place: int, outcome: str) -> None:
        """By the bank."""
        if sale := self._sale(place, _disputed):
            self._do(f"{outcome} {sale.payment_id}", self.told.decide(sale, outcome))

    @precondition(lambda self: self.told.model.sales)
    @rule(events=st.lists(st.integers(0, 200), min_size=1, max_size=6))
    def repeats(self, events: list[int]) -> None:
        """Events come again, old ones after new ones."""
        self._do(f"repeats {events}", self.told.repeat(events))

    @precondition(lambda self: self._since >= CALM)
    @rule()
    def settles(self) -> None:
        """Now and then nothing happens for a while."""
        self._do("settles", self.told.settle())
        self._since = 0

    def teardown(self) -> None:
        """In the end everything has settled."""
        try:
            self._do("settles in the end", self.told.settle())
        finally:
            self.loop.call_soon_threadsafe(self._closing.set)
            self._house.result(60)


def _held(sale: Sale) -> bool:
    return sale.held


def _paid(sale: Sale) -> bool:
    return sale.carried


def _to_ship(sale: Sale) -> bool:
    return sale.carried and not sale.shipped and not sale.whole


def _to_return(sale: Sale) -> bool:
    return sale.shipped and bool(+sale.left())


def _undisputed(sale: Sale) -> bool:
    return sale.carried and not sale.dispute


def _disputed(sale: Sale) -> bool:
    return bool(sale.dispute) and not sale.decided


@pytest.mark.timeout(SECONDS + 600)
async def test_whatever_happens_the_books_agree(temporal_client: Client, tmp_path: Path) -> None:
    """A few stories, the same ones each time; other ones, for as long as MACHINE_SECONDS says."""
    Shop.loop, Shop.client, Shop.folder = asyncio.get_running_loop(), temporal_client, tmp_path
    few = settings(SETTINGS, max_examples=EXAMPLES, derandomize=not SECONDS)
    until = time.monotonic() + SECONDS
    while True:
        await asyncio.to_thread(run_state_machine_as_test, Shop, settings=few)
        if time.monotonic() >= until:
            return

"""The rule of reservations: over any order of what happens, nothing is sold twice and nothing free is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stock import Verdict, judge, served

ONE, TWO = Decimal(1), Decimal(2)


@pytest.mark.parametrize(
    ("left", "uncertain", "verdict"),
    [
        ({"mug": TWO}, {}, Verdict.ENOUGH),
        ({"mug": TWO}, {"mug": ONE}, Verdict.LATER),
        ({"mug": ONE}, {}, Verdict.TOO_LITTLE),
        ({"mug": ONE}, {"mug": ONE}, Verdict.TOO_LITTLE),
        ({"mug": TWO, "tea": Decimal(0)}, {"mug": ONE}, Verdict.TOO_LITTLE),
        ({"mug": Decimal(3), "tea": ONE}, {"mug": ONE}, Verdict.ENOUGH),
        ({}, {"mug": ONE}, Verdict.ENOUGH),
    ],
)
def test_all_or_nothing_against_zohos_number(
    left: dict[str, Decimal], uncertain: dict[str, Decimal], verdict: Verdict
) -> None:
    """Two mugs and one tea: refused by Zoho's number alone, put off by what others may have; untracked is no matter."""
    assert judge({"mug": TWO, "tea": ONE}, left, uncertain) is verdict


@dataclass
class Buyer:
    """One payment: what it wants, and how far it is."""

    wants: int
    at: str = "new"  # new, looking, told, reserved, confirmed-in-zoho, done, waiting, refused, parked
    since: int = 0
    told: int = 0
    tick: int | None = None


@dataclass
class World:
    """A Zoho that only counts, and our store: each step of a buyer is one atomic thing that happens."""

    pieces: int
    buyers: list[Buyer]
    ticks: int = 0
    sold: int = field(default=0)

    def step(self, number: int, *, fails: bool) -> None:
        """The next thing that happens to this buyer; `fails` parks one that has only reserved."""
        buyer = self.buyers[number]
        if buyer.at in ("new", "waiting", "parked"):
            buyer.at, buyer.since = "looking", self.ticks
        elif buyer.at == "looking":
            buyer.at, buyer.told = "told", self.pieces - self.sold
        elif buyer.at == "told":
            self._reserve(buyer)
        elif buyer.at == "reserved" and fails:
            buyer.at = "parked"
        elif buyer.at == "reserved":
            buyer.at = "confirmed-in-zoho"
            self.sold += buyer.wants
        elif buyer.at == "confirmed-in-zoho":
            self.ticks += 1
            buyer.at, buyer.tick = "done", self.ticks

    def _reserve(self, buyer: Buyer) -> None:
        others = [one for one in self.buyers if one is not buyer]
        pending = [one for one in others if one.at in ("reserved", "confirmed-in-zoho")]
        late = [one for one in others if one.tick is not None and one.tick > buyer.since]
        uncertain = Decimal(sum(one.wants for one in (*pending, *late)))
        verdict = judge({"i": Decimal(buyer.wants)}, {"i": Decimal(buyer.told)}, {"i": uncertain})
        if verdict is Verdict.TOO_LITTLE:
            # At rest or not, Zoho's own number was too small at that look, and never grows here.
            assert self.pieces - self.sold < buyer.wants
        buyer.at = {Verdict.ENOUGH: "reserved", Verdict.LATER: "waiting", Verdict.TOO_LITTLE: "refused"}[verdict]


@given(
    pieces=st.integers(0, 6),
    wants=st.lists(st.integers(1, 3), min_size=1, max_size=6),
    happens=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=120),
)
def test_any_interleaving_never_oversells_and_refuses_nothing_that_is_free(
    pieces: int, wants: list[int], happens: list[tuple[int, bool]]
) -> None:
    """After everything came to rest nobody was refused for whom there is enough left."""
    world = World(pieces, [Buyer(one) for one in wants])
    for number, fails in happens:
        world.step(number % len(wants), fails=fails)
        assert world.sold <= pieces
    for _ in range(100):
        for number in range(len(wants)):
            world.step(number, fails=False)
    assert {buyer.at for buyer in world.buyers} <= {"done", "refused"}
    assert world.sold <= pieces
    assert all(pieces - world.sold < buyer.wants for buyer in world.buyers if buyer.at == "refused")


def test_what_is_there_again_goes_to_whoever_waited_longest() -> None:
    """All that one wants, or nothing; an item whose stock nobody counts holds nobody up."""
    waiting = {"first": {"mug": TWO}, "second": {"mug": ONE, "tea": ONE}, "third": {"mug": TWO}, "fourth": {"set": ONE}}
    assert list(served(waiting, {"mug": Decimal(3), "tea": Decimal(0)})) == ["first", "fourth"]
    assert list(served(waiting, {"mug": Decimal(3), "tea": ONE})) == ["first", "second", "fourth"]
    assert list(served({}, {"mug": ONE})) == []

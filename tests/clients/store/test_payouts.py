"""Lines and certificates of payouts are kept in order, once, and each connection has its own."""

from __future__ import annotations

from datetime import timedelta

from clients.store import Issued, Store
from domain.money import Money
from tests.clients.store.conftest import AT


async def test_lines_come_back_in_their_order(store: Store, shop: str) -> None:
    """Page by page; a page that is kept again replaces itself and all after it."""
    await store.payouts.put_lines(shop, "po_1", 0, ["a", "b"])
    await store.payouts.put_lines(shop, "po_1", 2, ["c"])
    await store.payouts.put_lines(shop, "po_2", 0, ["z"])
    assert await store.payouts.lines(shop, "po_1") == ["a", "b", "c"]
    await store.payouts.put_lines(shop, "po_1", 0, ["A"])
    assert await store.payouts.lines(shop, "po_1") == ["A"]
    await store.payouts.put_lines(shop, "po_1", 0, [])
    assert await store.payouts.lines(shop, "po_1") == []
    assert await store.payouts.lines(shop, "po_2") == ["z"]
    assert await store.payouts.lines(f"{shop}-b", "po_2") == []


async def test_a_certificate_is_issued_once(store: Store, shop: str) -> None:
    """The same again is fine, another one of that version is refused and changes nothing."""
    first, later = Issued("po_1", 1, "{}", AT), Issued("po_1", 2, "{3}", AT + timedelta(hours=1))
    issue = store.payouts.issue
    assert await issue(shop, "po_1", 1, "a" * 64, document="{}", at=AT)
    assert await issue(shop, "po_1", 1, "a" * 64, document="{}", at=AT)
    assert not await issue(shop, "po_1", 1, "b" * 64, document="{2}", at=AT)
    assert await issue(shop, "po_1", 2, "c" * 64, document="{3}", at=later.at)
    assert await store.payouts.versions(shop, "po_1") == ["{}", "{3}"]
    assert await store.payouts.issued(shop, 10) == [later, first]
    assert await store.payouts.issued(shop, 1) == [later]
    assert await store.payouts.versions(f"{shop}-b", "po_1") == []


async def test_the_state_of_the_newest_certificate_is_read(store: Store, shop: str) -> None:
    """Of many payouts at once, whatever stands in their certificates; nothing of one that has none."""
    for version, state in ((1, "paid"), (2, "failed")):
        text = f'{{"certificate":{{"findings":["status"],"payout":{{"id":"po_1","status":"{state}"}}}},"hash":"x"}}'
        assert await store.payouts.issue(shop, "po_1", version, str(version) * 64, document=text, at=AT)
    text = '{"certificate":{"payout":{"status":"paid"}}}'
    assert await store.payouts.issue(shop, "po_2", 1, "d" * 64, document=text, at=AT)
    found = await store.payouts.states(shop, ["po_1", "po_2", "po_3"])
    assert {name: (one.state, one.findings) for name, one in found.items()} == {
        "po_1": ("failed", 1),
        "po_2": ("paid", 0),
    }
    assert await store.payouts.states(f"{shop}-b", ["po_1"]) == {}
    assert await store.payouts.states(shop, []) == {}
    assert await store.payouts.newest(shop, "po_2") == text
    assert await store.payouts.newest(shop, "po_3") is None


async def test_certificates_that_name_what_is_open_are_listed(store: Store, shop: str) -> None:
    """The newest of each payout only, some at a time, and none that was issued too long ago."""
    texts = {state: f'{{"certificate":{{"findings":[{state}]}}}}' for state in ("", '"a"', '"a","b"')}
    told = [("po_1", 1, '"a"'), ("po_1", 2, ""), ("po_2", 1, ""), ("po_2", 2, '"a","b"'), ("po_3", 1, '"a"')]
    for payout_id, version, state in told:
        at = AT + timedelta(days=version)
        await store.payouts.issue(shop, payout_id, version, f"{version}" * 64, document=texts[state], at=at)
    await store.payouts.issue(f"{shop}-b", "po_9", 1, "9" * 64, document=texts['"a"'], at=AT)

    async def listed(since: timedelta, after: str = "", limit: int = 9) -> list[tuple[str, int]]:
        found = await store.payouts.open_ones(shop, AT + since, after, limit)
        return [(one.payout_id, one.version) for one in found]

    assert await listed(timedelta()) == [("po_2", 2), ("po_3", 1)]
    assert await listed(timedelta(), limit=1) == [("po_2", 2)]
    assert await listed(timedelta(), "po_2") == [("po_3", 1)]
    assert await listed(timedelta(days=2)) == [("po_2", 2)]


async def test_effects_of_many_payments_are_read_at_once(store: Store, shop: str) -> None:
    """More than one statement may name, and none of another connection."""
    for number in range(3):
        money = Money.of(number + 1, "EUR")
        await store.effects.complete(
            shop, "customer_payment", f"pi_{number}", result={"answer": "{}"}, at=AT, actor="run", amount=money
        )
    names = [f"pi_{number}" for number in range(1200)]
    rows = await store.effects.of_many(shop, names)
    assert [(row.stripe_id, row.amount) for row in rows] == [(f"pi_{n}", Money.of(n + 1, "EUR")) for n in range(3)]
    assert await store.effects.of_many(f"{shop}-b", names) == []
    assert await store.effects.of_many(shop, []) == []

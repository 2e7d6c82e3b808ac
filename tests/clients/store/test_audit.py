"""The chain holds, and whoever changes it behind its back is named."""

from __future__ import annotations

import hashlib

import pytest

from clients.store import Store
from clients.store.audit import GENESIS
from domain.money import Money
from tests.clients.store.conftest import AT, run_sql


async def fill(store: Store, shop: str, count: int = 5) -> None:
    """`count` completed effects, so as many entries."""
    for number in range(1, count + 1):
        await store.effects.complete(
            shop,
            "create_invoice",
            f"pi_{number}",
            result={"invoice_id": str(number)},
            at=AT,
            actor="run",
            amount=Money.of(100 + number, "JPY"),
        )


async def test_a_chain_verifies_and_is_numbered_from_one(store: Store, shop: str) -> None:
    """Five effects are five entries, and the head names the last."""
    await fill(store, shop)
    report = await store.audit.verify(shop)
    entries = await store.audit.entries(shop)
    assert (report.ok, report.entries, report.first_bad) == (True, 5, None)
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert report.head == f"5:{entries[-1].hash}"
    assert [entry.seq for entry in await store.audit.entries(shop, "pi_3")] == [3]


async def test_the_seal_is_computed_as_documented(store: Store, shop: str) -> None:
    """SHA-256 over the hash before and the entry's canonical JSON: an outsider can check it without us."""
    await fill(store, shop, 1)
    text = (
        '{"actor":"run","at":"2026-11-23T10:30:00.123456+00:00","connection":"' + shop + '","currency":"JPY",'
        '"minor":101,"note":"","result":{"invoice_id":"1"},"seq":1,"step":"create_invoice","stripe_id":"pi_1"}'
    )
    expected = hashlib.sha256((GENESIS + text).encode()).hexdigest()
    assert (await store.audit.entries(shop))[0].hash == expected


async def test_an_empty_chain_is_whole(store: Store, shop: str) -> None:
    """Nothing done, nothing wrong."""
    report = await store.audit.verify(shop)
    assert (report.ok, report.entries, report.head) == (True, 0, f"0:{GENESIS}")


COPY = (
    "INSERT INTO audit (connection, seq, stripe_id, step, at, actor, minor, currency, result, note, hash) "
    "SELECT connection, {seq}, 'pi_new', step, at, actor, minor, currency, result, note, hash FROM audit "
    "WHERE connection = :shop AND seq = 2"
)


@pytest.mark.parametrize(
    ("changes", "first_bad"),
    [
        (["UPDATE audit SET minor = 1 WHERE connection = :shop AND seq = 3"], 3),
        (["UPDATE audit SET actor = 'nobody' WHERE connection = :shop AND seq = 1"], 1),
        (["UPDATE audit SET at = '2026-11-24 10:30:00' WHERE connection = :shop AND seq = 4"], 4),
        (["DELETE FROM audit WHERE connection = :shop AND seq = 2"], 2),
        (["DELETE FROM audit WHERE connection = :shop AND seq = 1"], 1),
        ([COPY.format(seq=6)], 6),
        ([COPY.format(seq=0)], 0),
        (
            [
                "UPDATE audit SET seq = 99 WHERE connection = :shop AND seq = 2",
                "UPDATE audit SET seq = 2 WHERE connection = :shop AND seq = 4",
                "UPDATE audit SET seq = 4 WHERE connection = :shop AND seq = 99",
            ],
            2,
        ),
        (
            [
                "DELETE FROM audit WHERE connection = :shop AND seq = 2",
                "UPDATE audit SET seq = seq - 1 WHERE connection = :shop AND seq > 2",
            ],
            2,
        ),
        (["DELETE FROM audit WHERE connection = :shop AND seq > 3"], 4),
        (["UPDATE effects SET result = '{}' WHERE connection = :shop AND stripe_id = 'pi_4'"], 4),
    ],
    ids=["edit", "edit-first", "edit-time", "delete", "delete-first", "append", "insert-before", "reorder",
         "delete-renumber", "truncate", "edit-effect"],
)  # fmt: skip
async def test_the_first_bad_entry_is_named(
    store: Store, url: str, shop: str, changes: list[str], first_bad: int
) -> None:
    """Edited, deleted, inserted, moved or cut: the check says where it begins."""
    await fill(store, shop)
    for change in changes:
        await run_sql(url, change, shop=shop)
    report = await store.audit.verify(shop)
    assert (report.ok, report.first_bad) == (False, first_bad), report.reason


async def test_an_exported_head_betrays_a_chain_cut_with_its_effects(store: Store, url: str, shop: str) -> None:
    """A tail removed with its effects leaves a chain that verifies, but not against a head kept elsewhere."""
    await fill(store, shop)
    head = (await store.audit.verify(shop)).head
    await run_sql(url, "DELETE FROM audit WHERE connection = :shop AND seq > 3", shop=shop)
    await run_sql(url, "DELETE FROM effects WHERE connection = :shop AND stripe_id > 'pi_3'", shop=shop)
    assert (await store.audit.verify(shop)).ok
    cut = await store.audit.verify(shop, head=head)
    assert (cut.ok, cut.first_bad) == (False, 4)
    for other in ("pi_8", "pi_9", "pi_91"):
        await store.effects.complete(shop, "s", other, result={}, at=AT, actor="thief")
    rewritten = await store.audit.verify(shop, head=head)
    assert (rewritten.ok, rewritten.first_bad) == (False, 5)


async def test_an_older_head_still_fits_a_chain_that_grew(store: Store, shop: str) -> None:
    """A head of yesterday is met on the way."""
    await fill(store, shop, 2)
    head = (await store.audit.verify(shop)).head
    await fill(store, shop, 4)
    assert (await store.audit.verify(shop, head=head)).ok


async def test_one_shops_chain_is_not_another_ones(store: Store, shop: str) -> None:
    """Chains are per connection and do not mix."""
    await fill(store, shop, 2)
    await fill(store, f"{shop}-b", 3)
    assert (await store.audit.verify(shop)).entries == 2
    assert (await store.audit.verify(f"{shop}-b")).entries == 3


async def test_a_chain_longer_than_a_page_is_read_whole(store: Store, shop: str, url: str) -> None:
    """Entry 203 of 205 is checked like the first."""
    await fill(store, shop, 205)
    assert (await store.audit.verify(shop)).entries == 205
    await run_sql(url, "UPDATE audit SET note = 'x' WHERE connection = :shop AND seq = 203", shop=shop)
    assert (await store.audit.verify(shop)).first_bad == 203

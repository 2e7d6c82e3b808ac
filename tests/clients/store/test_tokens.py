"""One token for all workers: who may refresh it, how often it was, and who can read it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from clients.keys import KeyRing, Tampered, UnknownKey
from clients.store import Store
from clients.zoho.tokens import Token, TokenStore
from tests.clients.store.conftest import AT, run_sql

SOON = AT + timedelta(seconds=30)
HOUR = AT + timedelta(hours=1)


async def save(tokens: TokenStore, shop: str, version: int, owner: str, text: str = "secret") -> None:
    """A token that lives an hour."""
    await tokens.save(
        shop, version=version, owner=owner, access_token=text, expires_at=HOUR, api_domain="https://zoho.test"
    )


async def test_a_token_is_read_as_it_was_saved(store: Store, shop: str) -> None:
    """Nothing before the first; then each save is a version more."""
    assert await store.tokens.read(shop) is None
    assert await store.tokens.lease(shop, version=0, owner="a", until=SOON, now=AT)
    assert await store.tokens.read(shop) is None
    await save(store.tokens, shop, 0, "a")
    assert await store.tokens.read(shop) == Token(
        version=1, access_token="secret", expires_at=HOUR, api_domain="https://zoho.test"
    )


@pytest.mark.parametrize("version", [0, 1])
async def test_of_twenty_leasers_in_two_stores_one_gets_it(
    store: Store, url: str, keys: KeyRing, shop: str, version: int
) -> None:
    """Compare and set: the first token and a later one alike are refreshed by exactly one caller."""
    other = await Store.open(url, keys)
    if version == 1:
        await store.tokens.lease(shop, version=0, owner="first", until=SOON, now=AT - timedelta(hours=1))
        await save(store.tokens, shop, 0, "first")
    stores = [store, other] * 10
    granted = await asyncio.gather(
        *(
            each.tokens.lease(shop, version=version, owner=f"w{number}", until=SOON, now=AT)
            for number, each in enumerate(stores)
        )
    )
    await other.close()
    assert sum(granted) == 1


async def test_a_lease_ends_by_time_release_or_save(store: Store, shop: str) -> None:
    """While it lives nobody else gets it; after each of the three somebody does."""
    tokens = store.tokens
    assert await tokens.lease(shop, version=0, owner="a", until=SOON, now=AT)
    assert not await tokens.lease(shop, version=0, owner="b", until=HOUR, now=SOON - timedelta(seconds=1))
    assert await tokens.lease(shop, version=0, owner="b", until=HOUR, now=SOON)
    await tokens.release(shop, owner="a")
    assert not await tokens.lease(shop, version=0, owner="c", until=HOUR, now=SOON)
    await tokens.release(shop, owner="b")
    assert await tokens.lease(shop, version=0, owner="c", until=HOUR, now=SOON)
    await save(tokens, shop, 0, "c")
    assert not await tokens.lease(shop, version=0, owner="d", until=HOUR, now=SOON)
    assert await tokens.lease(shop, version=1, owner="d", until=HOUR, now=SOON)


async def test_a_save_that_comes_late_overwrites_nothing(store: Store, shop: str) -> None:
    """An owner whose lease ran out cannot replace the token of its successor, nor end a newer lease."""
    tokens = store.tokens
    await tokens.lease(shop, version=0, owner="slow", until=SOON, now=AT)
    await tokens.lease(shop, version=0, owner="quick", until=HOUR, now=SOON)
    await save(tokens, shop, 0, "quick", "new")
    await tokens.lease(shop, version=1, owner="next", until=HOUR, now=SOON)
    await save(tokens, shop, 0, "slow", "old")
    token = await tokens.read(shop)
    assert token is not None
    assert (token.version, token.access_token) == (1, "new")
    assert not await tokens.lease(shop, version=1, owner="more", until=HOUR, now=SOON)


async def test_refreshes_are_counted_unless_released(store: Store, shop: str) -> None:
    """Leases since a moment count, for each connection alone; a released one was no refresh."""
    tokens = store.tokens
    for version in range(3):
        now = AT + timedelta(minutes=version)
        await tokens.lease(shop, version=version, owner="a", until=now + timedelta(seconds=9), now=now)
        await save(tokens, shop, version, "a")
    later = AT + timedelta(minutes=5)
    await tokens.lease(shop, version=3, owner="a", until=HOUR, now=later)
    assert await tokens.refreshes_since(shop, AT - timedelta(seconds=1)) == 4
    assert await tokens.refreshes_since(shop, AT) == 3
    await tokens.release(shop, owner="a")
    assert await tokens.refreshes_since(shop, AT) == 2
    assert await tokens.refreshes_since(f"{shop}-b", AT) == 0


async def test_a_token_copied_to_another_shops_row_is_not_readable(store: Store, url: str, shop: str) -> None:
    """The ciphertext is bound to its connection."""
    for each in (shop, f"{shop}-b"):
        await store.tokens.lease(each, version=0, owner="a", until=SOON, now=AT)
        await save(store.tokens, each, 0, "a")
    await run_sql(
        url,
        "UPDATE tokens SET access_token = (SELECT access_token FROM tokens WHERE connection = :shop) "
        "WHERE connection = :other",
        shop=shop,
        other=f"{shop}-b",
    )
    with pytest.raises(Tampered):
        await store.tokens.read(f"{shop}-b")


async def test_a_rotated_key_reads_old_tokens_and_writes_new_ones(
    store: Store, url: str, keys: KeyRing, shop: str
) -> None:
    """A new ring reads what the old one wrote; a worker without the new key is told which it lacks."""
    await store.tokens.lease(shop, version=0, owner="a", until=SOON, now=AT)
    await save(store.tokens, shop, 0, "a", "before")
    rotated = await Store.open(url, keys.rotated("k2"))
    old = await rotated.tokens.read(shop)
    assert old is not None
    assert old.access_token == "before"
    await save(rotated.tokens, shop, 1, "a", "after")
    await rotated.close()
    with pytest.raises(UnknownKey, match="k2"):
        await store.tokens.read(shop)

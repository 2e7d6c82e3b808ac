"""The token row: one lease, one version, refreshes counted."""

from __future__ import annotations

from datetime import timedelta

from clients.zoho.tokens import MemoryTokens, Token
from tests.clients.zoho.conftest import Clock

LEASE = timedelta(seconds=15)


async def leased(tokens: MemoryTokens, clock: Clock, owner: str, version: int = 0) -> bool:
    now = clock.now()
    return await tokens.lease("shop", version=version, owner=owner, until=now + LEASE, now=now)


async def saved(tokens: MemoryTokens, clock: Clock, owner: str, version: int = 0) -> None:
    await tokens.save(
        "shop",
        version=version,
        owner=owner,
        access_token=f"by-{owner}",
        expires_at=clock.now() + timedelta(hours=1),
        api_domain="",
    )


async def test_one_caller_gets_the_lease(clock: Clock) -> None:
    """While a lease is live nobody else gets it; another connection's is its own."""
    tokens = MemoryTokens()
    assert await leased(tokens, clock, "a")
    assert not await leased(tokens, clock, "b")
    now = clock.now()
    assert await tokens.lease("other", version=0, owner="b", until=now + LEASE, now=now)


async def test_a_dead_owners_lease_ends(clock: Clock) -> None:
    """After `until` the next caller gets it."""
    tokens = MemoryTokens()
    assert await leased(tokens, clock, "a")
    clock.time += LEASE
    assert await leased(tokens, clock, "b")


async def test_a_saved_token_is_the_next_version(clock: Clock) -> None:
    """Saving ends the lease; a lease for the old version is refused, one for the new is granted."""
    tokens = MemoryTokens()
    assert await tokens.read("shop") is None
    await leased(tokens, clock, "a")
    await saved(tokens, clock, "a")
    token = await tokens.read("shop")
    assert token is not None
    assert (token.version, token.access_token) == (1, "by-a")
    assert not await leased(tokens, clock, "b", version=0)
    assert await leased(tokens, clock, "b", version=1)


async def test_a_late_save_does_not_undo_a_newer_token(clock: Clock) -> None:
    """Whoever lost its lease and saves after the next owner changes nothing."""
    tokens = MemoryTokens()
    await leased(tokens, clock, "slow")
    clock.time += LEASE
    await leased(tokens, clock, "quick")
    await saved(tokens, clock, "quick")
    await saved(tokens, clock, "slow")
    token = await tokens.read("shop")
    assert token is not None
    assert (token.version, token.access_token) == (1, "by-quick")


async def test_refreshes_are_counted_unless_released(clock: Clock) -> None:
    """A lease counts from its moment on, whatever others release; one that was given back does not."""
    tokens = MemoryTokens()
    start = clock.now() - timedelta(seconds=1)
    await leased(tokens, clock, "a")
    assert await tokens.refreshes_since("shop", start) == 1
    assert await tokens.refreshes_since("shop", clock.now()) == 0
    await tokens.release("shop", owner="b")
    assert await tokens.refreshes_since("shop", start) == 1
    await tokens.release("shop", owner="a")
    assert await tokens.refreshes_since("shop", start) == 0
    assert await leased(tokens, clock, "b")


def test_a_token_does_not_show_itself(clock: Clock) -> None:
    """Its text is in no repr."""
    assert "secret" not in repr(Token(version=1, access_token="secret", expires_at=clock.now()))

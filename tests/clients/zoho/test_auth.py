"""One refresh for all: in the process, across processes, after a 401, and never too many."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from clients.errors import TokenRefused, TryLater, Unreachable
from clients.zoho.client import ZohoClient
from clients.zoho.codec import encode
from clients.zoho.tokens import MemoryTokens
from tests.clients.zoho.conftest import Clock, Reply, Zoho, answer, failure, grant, refusal

OK = answer({"taxes": []})
UNAUTHORIZED = refusal(401, 57, "You are not authorized to perform this operation")
THROTTLED = httpx.Response(
    400,
    content=encode(
        {
            "error": "Access Denied",
            "error_description": "You have made too many requests continuously.",
            "status": "failure",
        }
    ),
)


def only(token: str) -> Reply:
    """Answers calls with `token`; any other is unauthorized."""

    def reply(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == f"Zoho-oauthtoken {token}"
        return answer({"taxes": []}) if good else refusal(401, 57, "no")

    return reply


async def test_a_refresh_says_who_asks(zoho: Zoho, client: ZohoClient) -> None:
    """The form holds grant type, client and refresh token; the call holds the token in Zoho's own scheme."""
    zoho.says(OK)
    await client.list_taxes()
    assert parse_qs(zoho.refreshes[0].content.decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["1000.CLIENT"],
        "client_secret": ["the-client-secret"],
        "refresh_token": ["the-refresh-token"],
    }
    assert zoho.calls[0].headers["authorization"] == "Zoho-oauthtoken token-1"


async def test_a_token_serves_55_minutes_and_is_renewed_before_its_end(
    zoho: Zoho, client: ZohoClient, clock: Clock
) -> None:
    """At 54 minutes the same token, at 56 the next."""
    zoho.says(OK)
    await client.list_taxes()
    clock.time += timedelta(minutes=54)
    await client.list_taxes()
    clock.time += timedelta(minutes=2)
    await client.list_taxes()
    used = [call.headers["authorization"].split()[1] for call in zoho.calls]
    assert used == ["token-1", "token-1", "token-2"]


async def test_twenty_calls_at_once_with_an_expired_token_refresh_once(
    zoho: Zoho, client: ZohoClient, clock: Clock
) -> None:
    """All twenty wait for the one refresh and use its token."""
    zoho.says(OK)
    await client.list_taxes()
    clock.time += timedelta(hours=2)
    begun = clock.now()
    await asyncio.gather(*(client.list_taxes() for _ in range(20)))
    assert clock.now() == begun, "nobody slept to look at somebody else's refresh"
    assert len(zoho.refreshes) == 2
    assert {call.headers["authorization"] for call in zoho.calls[1:]} == {"Zoho-oauthtoken token-2"}


async def test_twenty_calls_that_meet_a_401_at_once_refresh_once(zoho: Zoho, client: ZohoClient, clock: Clock) -> None:
    """A token that Zoho dropped early is replaced once for all who had it."""
    zoho.says(OK)
    await client.list_taxes()
    zoho.says(only("token-2"))
    await asyncio.gather(*(client.list_taxes() for _ in range(20)))
    assert len(zoho.refreshes) == 2


async def test_two_workers_share_one_refresh(zoho: Zoho, clock: Clock) -> None:
    """Two clients on one store, ten calls each at the same moment: one refresh, one token."""
    zoho.says(OK)
    tokens = MemoryTokens()
    async with zoho.client(clock, tokens) as one, zoho.client(clock, tokens) as other:
        await asyncio.gather(*(client.list_taxes() for client in [one, other] * 10))
        clock.time += timedelta(hours=2)
        await asyncio.gather(*(client.list_taxes() for client in [one, other] * 10))
    assert len(zoho.refreshes) == 2


async def test_a_401_waits_for_the_refresh_that_another_worker_has_under_way(zoho: Zoho, clock: Clock) -> None:
    """A refresh that has begun and not ended is no sign that new tokens are refused as well."""
    zoho.says(OK)
    tokens = MemoryTokens()
    async with zoho.client(clock, tokens) as client:
        await client.list_taxes()
        zoho.says(only("theirs"))
        now = clock.now()
        assert await tokens.lease("shop", version=1, owner="other", until=now + timedelta(seconds=15), now=now)
        asking = asyncio.gather(*(client.list_taxes() for _ in range(20)))
        while clock.now() == now and not asking.done():  # until the callers sleep to look again
            await asyncio.sleep(0)
        hour = clock.now() + timedelta(hours=1)
        await tokens.save("shop", version=1, owner="other", access_token="theirs", expires_at=hour, api_domain="")
        await asking
    assert len(zoho.refreshes) == 1


async def test_a_401_is_cured_by_the_token_another_worker_got(zoho: Zoho, clock: Clock) -> None:
    """The store has a newer version than the one refused: it is used, and nothing is refreshed."""
    zoho.says(OK)
    tokens = MemoryTokens()
    async with zoho.client(clock, tokens) as one, zoho.client(clock, tokens) as other:
        await one.list_taxes()
        await other.list_taxes()
        zoho.says(only("token-2"))
        await one.list_taxes()
        await other.list_taxes()
    assert len(zoho.refreshes) == 2
    assert zoho.calls[-1].headers["authorization"] == "Zoho-oauthtoken token-2"


async def test_a_401_on_a_token_got_for_this_call_is_not_refreshed_again(zoho: Zoho, client: ZohoClient) -> None:
    """Not the token is wrong then: the call waits with a sentence."""
    zoho.says(UNAUTHORIZED)
    assert type(await failure(client)) is TokenRefused
    assert (len(zoho.refreshes), len(zoho.calls)) == (1, 1)


async def test_two_401s_end_a_call(zoho: Zoho, client: ZohoClient) -> None:
    """One refresh, one more try, and no third."""
    zoho.says(OK)
    await client.list_taxes()
    zoho.says(UNAUTHORIZED)
    assert type(await failure(client)) is TokenRefused
    assert (len(zoho.refreshes), len(zoho.calls)) == (2, 3)


async def test_a_token_that_is_always_refused_costs_few_refreshes(zoho: Zoho, client: ZohoClient, clock: Clock) -> None:
    """Half an hour of refusals, a call every five seconds: two refreshes in three minutes at most."""
    zoho.says(OK)
    await client.list_taxes()
    zoho.says(UNAUTHORIZED)
    times = []
    for _ in range(360):
        before = len(zoho.refreshes)
        assert type(await failure(client)) is TokenRefused
        times += [clock.now()] * (len(zoho.refreshes) - before)
        clock.time += timedelta(seconds=5)
    busiest = max(sum(t <= u < t + timedelta(minutes=3) for u in times) for t in times)
    assert 1 <= busiest <= 2


async def test_nine_refreshes_in_ten_minutes_are_the_most(zoho: Zoho, clock: Clock) -> None:
    """Whoever would make the tenth waits, whichever process made the nine; later it goes on."""
    zoho.says(OK)
    tokens = MemoryTokens()
    for number in range(9):
        now = clock.now()
        assert await tokens.lease("shop", version=0, owner=str(number), until=now + timedelta(seconds=1), now=now)
        clock.time += timedelta(seconds=2)
    async with zoho.client(clock, tokens) as client:
        error = await failure(client)
        assert (type(error), error.code, error.retry_after) == (TokenRefused, "refresh_limit", 60.0)
        assert zoho.refreshes == []
        clock.time += timedelta(minutes=10)
        await client.list_taxes()
    assert len(zoho.refreshes) == 1


async def test_a_refresher_that_died_is_outlived(zoho: Zoho, clock: Clock) -> None:
    """A lease that nobody ends is waited for, then taken."""
    zoho.says(OK)
    tokens = MemoryTokens()
    begun = clock.now()
    await tokens.lease("shop", version=0, owner="dead", until=begun + timedelta(seconds=15), now=begun)
    async with zoho.client(clock, tokens) as client:
        await client.list_taxes()
    assert timedelta(seconds=15) <= clock.now() - begun <= timedelta(seconds=16)
    assert len(zoho.refreshes) == 1


async def test_waiting_for_another_refresher_is_bounded(zoho: Zoho, clock: Clock) -> None:
    """A lease without end makes the call give up after twenty seconds, to be asked again."""
    tokens = MemoryTokens()
    begun = clock.now()
    await tokens.lease("shop", version=0, owner="stuck", until=begun + timedelta(days=1), now=begun)
    async with zoho.client(clock, tokens) as client:
        error = await failure(client)
    assert (type(error), error.retry_after) == (TokenRefused, 10.0)
    assert clock.now() - begun == timedelta(seconds=20)


async def test_a_caller_who_gives_up_does_not_take_the_refresh_along(zoho: Zoho, client: ZohoClient) -> None:
    """The first of two waiting calls is cancelled in mid-refresh; the second gets the token."""
    zoho.says(OK)
    first = asyncio.create_task(client.list_taxes())
    second = asyncio.create_task(client.list_taxes())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == []
    assert first.cancelled()
    assert len(zoho.refreshes) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": "invalid_code"}, "refresh token is wrong"),
        (200, {"error": "invalid_code"}, "refresh token is wrong"),
        (400, {"error": "invalid_client"}, "client id or secret is wrong"),
        (400, {"error": "odd", "error_description": "as it says"}, "as it says"),
    ],
)
async def test_a_refused_refresh_says_why_and_pauses(
    zoho: Zoho, client: ZohoClient, clock: Clock, status: int, body: dict[str, object], words: str
) -> None:
    """Zoho's word becomes a sentence without a secret; nobody asks again for ten seconds, then one does."""
    zoho.grants = [httpx.Response(status, content=encode(body)), grant("good")]
    zoho.says(OK)
    for _ in range(3):
        error = await failure(client)
        assert type(error) is TokenRefused
        assert words in str(error)
        assert "the-" not in str(error)
    assert len(zoho.refreshes) == 1
    clock.time += timedelta(seconds=10)
    await client.list_taxes()


async def test_a_throttled_refresh_waits_out_the_window(zoho: Zoho, client: ZohoClient, clock: Clock) -> None:
    """Access Denied: ten minutes without asking again."""
    zoho.grants = [THROTTLED, grant("good")]
    zoho.says(OK)
    error = await failure(client)
    assert (type(error), error.code, error.retry_after) == (TokenRefused, "Access Denied", 600.0)
    clock.time += timedelta(minutes=9)
    assert (await failure(client)).retry_after == 60.0
    assert len(zoho.refreshes) == 1
    clock.time += timedelta(minutes=1)
    await client.list_taxes()


async def test_an_accounts_server_out_of_reach_is_asked_again_at_once(
    zoho: Zoho, client: ZohoClient, clock: Clock
) -> None:
    """No connection, no token granted: the lease is given back and the next call tries again."""
    zoho.grants = [httpx.ConnectError, grant("good")]
    zoho.says(OK)
    begun = clock.now()
    assert type(await failure(client)) is Unreachable
    await client.list_taxes()
    assert clock.now() == begun


@pytest.mark.parametrize(
    "reply", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.Response(503), httpx.Response(200)]
)
async def test_a_lost_token_answer_counts_as_a_refresh(
    zoho: Zoho, client: ZohoClient, clock: Clock, reply: Reply
) -> None:
    """It may have been granted: the call fails as one to repeat, and the lease runs out before the next."""
    zoho.grants = [reply, grant("good")]
    zoho.says(OK)
    assert type(await failure(client)) is TryLater
    begun = clock.now()
    await client.list_taxes()
    assert clock.now() - begun >= timedelta(seconds=15)


async def test_a_good_token_outlasts_a_failed_renewal(zoho: Zoho, client: ZohoClient, clock: Clock) -> None:
    """In its last five minutes a token is still used when a renewal fails; in its last seconds no more."""
    zoho.says(OK)
    await client.list_taxes()
    zoho.grants = [httpx.ConnectError]
    clock.time += timedelta(minutes=57)
    await client.list_taxes()
    clock.time += timedelta(minutes=2, seconds=45)
    assert type(await failure(client)) is Unreachable


async def test_a_token_outlives_its_worker(zoho: Zoho, clock: Clock) -> None:
    """A worker that starts finds the token in the store and refreshes nothing."""
    zoho.says(OK)
    tokens = MemoryTokens()
    for _ in range(2):
        async with zoho.client(clock, tokens) as client:
            await client.list_taxes()
    assert len(zoho.refreshes) == 1


async def test_a_lost_store_heals(zoho: Zoho, clock: Clock) -> None:
    """A client whose store forgot everything starts again at version one."""
    zoho.says(OK)
    tokens = MemoryTokens()
    async with zoho.client(clock, tokens) as one:
        await one.list_taxes()
        clock.time += timedelta(hours=1)
        await one.list_taxes()
        vars(tokens).update(vars(MemoryTokens()))
        clock.time += timedelta(hours=1)
        await one.list_taxes()
        await one.list_taxes()
    assert len(zoho.refreshes) == 3

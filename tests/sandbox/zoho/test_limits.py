"""Calls a minute, calls in process, calls a day, and the faults that can be armed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.sandbox.zoho.shop import SHOP, Shop


async def ask(shop: Shop) -> int:
    """The code of one call's answer."""
    code: int = (await shop.send("GET", "/items")).json()["code"]
    return code


async def test_minute_limit(shop: Shop) -> None:
    """The call over the minute's limit is refused with 44, as is every call of the block that follows."""
    await shop.open({**SHOP, "minute_limit": 3})
    assert [await ask(shop) for _ in range(5)] == [0, 0, 0, 44, 44]
    assert shop.last.status_code == 429
    await shop.advance(61)
    assert await ask(shop) == 0


async def test_minute_limit_slides(shop: Shop) -> None:
    """The minute is the last sixty seconds, not the clock's minute."""
    await shop.open({**SHOP, "minute_limit": 2})
    assert await ask(shop) == 0
    await shop.advance(40)
    assert await ask(shop) == 0
    await shop.advance(25)
    assert await ask(shop) == 0
    assert await ask(shop) == 44


async def test_minute_limit_default(shop: Shop) -> None:
    """Unless told otherwise an organisation has 100 calls a minute."""
    assert [await ask(shop) for _ in range(100)] == [0] * 100
    assert await ask(shop) == 44


@pytest.mark.parametrize(("seconds", "code"), [(60.0, 44), (10.0, 0)])
async def test_block_length(shop: Shop, seconds: float, code: int) -> None:
    """How long the block lasts is a switch."""
    await shop.open({**SHOP, "minute_limit": 1})
    await shop.switch(minute_block_seconds=seconds)
    await shop.advance(-50)
    await ask(shop)
    await shop.advance(50)
    assert await ask(shop) == 44
    await shop.advance(12)
    assert await ask(shop) == code


@pytest.mark.parametrize(("extends", "code"), [(False, 0), (True, 44)])
async def test_block_extended(shop: Shop, extends: bool, code: int) -> None:
    """Whether a call made while blocked starts the block anew is a switch."""
    await shop.open({**SHOP, "minute_limit": 1})
    await shop.switch(calls_extend_block=extends)
    await ask(shop)
    assert await ask(shop) == 44
    await shop.advance(40)
    assert await ask(shop) == 44
    await shop.advance(25)
    assert await ask(shop) == code


@pytest.mark.parametrize("told", [False, True])
async def test_retry_after(shop: Shop, told: bool) -> None:
    """Whether a refusal carries `Retry-After` is a switch."""
    await shop.open({**SHOP, "minute_limit": 1})
    await shop.switch(retry_after_header=told)
    await ask(shop)
    await ask(shop)
    assert ("Retry-After" in shop.last.headers) is told
    if told:
        assert 55 <= int(shop.last.headers["Retry-After"]) <= 60


async def test_concurrency_limit(shop: Shop) -> None:
    """Calls in process beyond the plan's number are refused with 1070 and can be asked again."""
    await shop.open({**SHOP, "plan": "free"})
    await shop.switch(answer_seconds=0.2)
    codes = await asyncio.gather(*(ask(same(shop)) for _ in range(8)))
    assert sorted(codes) == [0] * 5 + [1070] * 3
    assert await ask(shop) == 0


def same(shop: Shop) -> Shop:
    """The same shop, with a last answer of its own."""
    other = Shop(shop.http, shop.organization_id)
    other.headers = shop.headers
    return other


async def test_day_limit(shop: Shop) -> None:
    """The call over the day's limit is refused with 45 until midnight of the organisation's zone."""
    await shop.open({**SHOP, "daily_limit": 2, "minute_limit": 0})
    assert [await ask(shop) for _ in range(3)] == [0, 0, 45]
    assert "maximum call rate limit of 2" in shop.last.json()["message"]
    reset = int(shop.last.headers["x-rate-limit-reset"])
    await shop.advance(reset - 5)
    await shop.sign_in()
    assert await ask(shop) == 45
    await shop.advance(10)
    assert await ask(shop) == 0


async def test_quota_headers(shop: Shop) -> None:
    """Every answer for an organisation tells the day's quota and the seconds until its midnight."""
    await ask(shop)
    headers = shop.last.headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("7500", "7499")
    local = datetime.now(UTC).astimezone(ZoneInfo("America/New_York"))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert abs(int(headers["x-rate-limit-reset"]) - (midnight.timestamp() - local.timestamp())) <= 2
    await ask(shop)
    assert shop.last.headers["x-rate-limit-remaining"] == "7498"


async def test_limits_apart(shop: Shop) -> None:
    """One organisation's block leaves the other alone."""
    await shop.open({**SHOP, "minute_limit": 1}, {**SHOP, "organization_id": "200", "minute_limit": 1})
    other = same(shop)
    other.organization_id = "200"
    assert [await ask(shop), await ask(shop), await ask(other)] == [0, 44, 0]


async def test_no_limits(shop: Shop) -> None:
    """A limit of 0 is none."""
    await shop.open({**SHOP, "minute_limit": 0, "daily_limit": 0, "concurrency_limit": 0})
    assert {await ask(shop) for _ in range(150)} == {0}
    assert "x-rate-limit-limit" not in shop.last.headers


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"fault": "refuse"}, 400, 99000),
        ({"fault": "refuse", "code": 36004}, 400, 36004),
        ({"fault": "rate_limit"}, 429, 44),
        ({"fault": "rate_limit", "code": 45}, 429, 45),
        ({"fault": "rate_limit", "code": 1070}, 429, 1070),
        ({"fault": "server_error"}, 500, 1000),
        ({"fault": "unauthorized"}, 401, 57),
    ],
)
async def test_fault_answered(shop: Shop, fault: dict[str, object], status: int, code: int) -> None:
    """A fault that is answered has Zoho's envelope and applies nothing, once."""
    await shop.fault(method="POST", path="/contacts$", **fault)
    answer = await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await shop.ledger())["contacts"] == []
    await shop.contact()


async def test_fault_retry_after(shop: Shop) -> None:
    """A fault's `retry_after` becomes the header."""
    await shop.fault(fault="rate_limit", retry_after=7)
    assert (await shop.send("GET", "/items")).headers["Retry-After"] == "7"


@pytest.mark.parametrize(("fault", "made"), [("lost", 1), ("drop", 0)])
async def test_fault_without_answer(shop: Shop, fault: str, made: int) -> None:
    """A lost answer leaves the record behind, a dropped request does not."""
    await shop.fault(method="POST", path="/contacts$", fault=fault)
    with pytest.raises(httpx.TransportError):
        await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert len((await shop.ledger())["contacts"]) == made


async def test_fault_malformed(shop: Shop) -> None:
    """A malformed answer is a 200 that cannot be read, after the record was made."""
    await shop.fault(method="POST", path="/contacts$", fault="malformed")
    answer = await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert len((await shop.ledger())["contacts"]) == 1


async def test_fault_timeout(shop: Shop) -> None:
    """A timeout applies at once and answers late."""
    await shop.fault(method="POST", path="/contacts$", fault="timeout", seconds=0.5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert len((await shop.ledger())["contacts"]) == 1


async def test_fault_slow(shop: Shop) -> None:
    """A slow create commits after its caller has given up."""
    await shop.fault(method="POST", path="/contacts$", fault="slow", seconds=0.4)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await shop.send("POST", "/contacts", {"contact_name": "Ada"})
    assert (await shop.ledger())["contacts"] == []
    for _ in range(200):
        if (await shop.ledger())["contacts"]:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the slow create never committed")


async def test_faulted_calls_counted(shop: Shop) -> None:
    """A request that a fault spoiled is counted as a call and against the quota."""
    await shop.fault(fault="server_error")
    await shop.send("GET", "/items")
    calls = (await shop.ledger())["calls"]
    assert calls["counts"] == {"GET /items": 1}
    assert calls["used_today"] == 1
    assert calls["last"][0]["status"] == 500


async def test_fault_on_token(shop: Shop) -> None:
    """Faults happen to the accounts server as well."""
    await shop.fault(fault="server_error", path="/oauth")
    assert (await shop.token()).status_code == 500
    assert (await shop.token()).status_code == 200

"""What goes wrong at a call: one row a fault, with the words that docs/proof.md has for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.service import RPCError

from clients.store.schema import metadata
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.faults.calls import Call
from tests.faults.kinds import Kind
from tests.faults.tales import forget
from tests.house import QUICK

# As in a shop, only sooner: a call is given up before its activity is, and what is applied late shows up while it
# is still waited for.
PATIENCE = 1.0  # seconds a call to Zoho may take
POLICY = QUICK.model_copy(update={"call_timeout": timedelta(seconds=4), "settle_wait": timedelta(seconds=1)})
_TOO_LONG = {"zoho": PATIENCE + 0.4, "stripe": POLICY.call_timeout.total_seconds() + 0.4}
_LAG = 0.4  # seconds that lists lag; shorter than settle_wait
STORE = tuple(table.name for table in metadata.sorted_tables if "connection" in table.columns)


@dataclass
class Scene:
    """A shop in which one payment is about to suffer; the payment's id as soon as it has one."""

    shop: Shop
    kind: Kind
    payment: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass
class Armed:
    """A fault that waits for its call."""

    happened: bool = False


Arm = Callable[[Scene, Call], AbstractAsyncContextManager[Armed]]
WhyNot = Callable[[Kind, Call], str]


def _anywhere(kind: Kind, call: Call) -> str:
    return ""


def _changes(kind: Kind, call: Call) -> str:
    return "" if call.writes else "a question changes nothing, so it is the same as *lost* or *time-out*"


def _aborts(kind: Kind, call: Call) -> str:
    return "all of it is being taken back already" if kind.tale.back or kind.tale.again else ""


def _lapses(kind: Kind, call: Call) -> str:
    if call.at == "stripe":
        return "a key of Stripe's does not expire"
    return "it is the renewal itself" if call.is_token else ""


def _ends(kind: Kind, call: Call) -> str:
    if call.at == "stripe":
        return "Stripe counts no calls of a day"
    return "it is no call of the day's" if call.is_token else ""


def _lags(kind: Kind, call: Call) -> str:
    if call.at == "stripe":
        return "what is listed there was complete before the payment was"
    if call.is_token:
        return "it lists nothing"
    return "" if call.writes or call.is_list else "one record asked for by its id is no list"


def knob(fault: str, **more: Any) -> Arm:
    """A fault that the sandbox itself knows."""

    @asynccontextmanager
    async def arm(scene: Scene, call: Call) -> AsyncIterator[Armed]:
        shop, armed = scene.shop, Armed()
        seconds = {"seconds": _TOO_LONG[call.at]} if fault in ("timeout", "slow") else {}
        where = {"method": call.method, "path": call.pattern, "skip": call.nth - 1}
        await shop.fault(call.at, fault=fault, **where, **seconds, **_codes(call, more))
        yield armed
        url = f"{shop.stripe_url if call.at == 'stripe' else shop.zoho_url}/_faults"
        listed = (await shop.http.get(url)).json()["faults"]
        armed.happened = any(one["hits"] for one in listed if one["path"] == call.pattern and one["fault"] == fault)

    return arm


def _codes(call: Call, more: dict[str, Any]) -> dict[str, Any]:
    """Codes are Zoho's own."""
    return more if call.at == "zoho" else {name: value for name, value in more.items() if name != "code"}


@asynccontextmanager
async def lagging(scene: Scene, call: Call) -> AsyncIterator[Armed]:
    """Lists lag all the time, and the answer of a write is lost, so that it is looked for in one."""
    shop = scene.shop
    await shop.post(f"{shop.zoho_url}/_switches", {"list_lag_seconds": _LAG})
    if call.writes:
        async with knob("lost")(scene, call) as armed:
            yield armed
    else:
        yield Armed(happened=True)
    await shop.post(f"{shop.zoho_url}/_switches", {"list_lag_seconds": 0})


def at_the_door(do: Callable[[Scene], Awaitable[object]]) -> Arm:
    """While the call is on its way something else happens; then it goes on."""

    @asynccontextmanager
    async def arm(scene: Scene, call: Call) -> AsyncIterator[Armed]:
        door, armed = scene.shop.program(call.at).door, Armed()
        held = door.hold(call.method, call.pattern, after=False, skip=call.nth - 1)

        async def act() -> None:
            await held.reached.wait()
            await do(scene)
            armed.happened = True
            held.let_go.set()

        acting = asyncio.create_task(act())
        try:
            yield armed
        finally:
            door.release(held)
            acting.cancel()
            with suppress(asyncio.CancelledError):
                await acting

    return arm


async def revoke(scene: Scene) -> None:
    """The token is worth nothing any more; the last renewals were long ago."""
    forget(scene.shop, "token_refreshes")
    await scene.shop.post(f"{scene.shop.zoho_url}/_revoke", {})


async def lose_the_store(scene: Scene) -> None:
    """Every row that our store has of the shop is gone, and what Stripe told of the payment is told again."""
    forget(scene.shop, *STORE)
    await scene.shop.resend(await scene.payment)


async def cancel(scene: Scene) -> None:
    """What `temporal workflow cancel` does."""
    run = await scene.kind.run(scene.shop, await scene.payment)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE / 2):
            await everything_told(scene.shop)
    with suppress(RPCError):  # the run has ended already
        await run.cancel()


@dataclass(frozen=True)
class Fault:
    """`words` say what happens; `why_not` why it cannot happen to a call ("" where it can).

    `arm` None: the worker is killed, with many at once. `answer`: what a person says to a run that parks over it.
    `back`: the run may end with everything taken back. `keeps_store`: our store is still there afterwards.
    `again`: how often a write may be asked of Zoho once more; never where it was applied.
    """

    name: str
    words: str
    arm: Arm | None
    why_not: WhyNot = _anywhere
    answer: str = "retry"
    back: bool = False
    keeps_store: bool = True
    again: int = 0

    @property
    def kills_after(self) -> bool:
        """Whether the call has been applied when the worker dies."""
        return self.name == "killed after"


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "refused",
            "answered 400 before anything is applied; a person answers `retry` to a run that parks over it",
            knob("refuse", code=4711),
            again=1,
        ),
        Fault("hung up", "the connection is closed before anything is applied", knob("drop"), _changes, again=1),
        Fault("lost", "applied, but the connection is closed instead of an answer", knob("lost")),
        Fault(
            "429 + time",
            "answered 429 with `Retry-After`, nothing applied",
            knob("rate_limit", code=44, retry_after=1),
            again=1,
        ),
        Fault("429", "answered 429 without `Retry-After`, nothing applied", knob("rate_limit", code=1070), again=1),
        Fault(
            "day over",
            "answered 429: the quota of the day is used up; the next day begins a second later",
            knob("rate_limit", code=45, retry_after=1),
            _ends,
            again=1,
        ),
        Fault("500", "answered 500, nothing applied", knob("server_error"), again=1),
        Fault("time-out", "applied, but the answer comes after the caller has given up", knob("timeout")),
        Fault("late", "applied only after the caller has given up", knob("slow"), _changes),
        Fault("malformed", "applied, and answered 200 with half a JSON text", knob("malformed")),
        Fault("reset", "applied, and the connection reset in the middle of the answer's body", knob("reset")),
        Fault(
            "expired", "the access token is revoked while the call is on its way", at_the_door(revoke), _lapses, again=1
        ),
        Fault(
            "list lags",
            f"Zoho's lists show a record only {_LAG} s after it was written, and the answer of a write is lost",
            lagging,
            _lags,
        ),
        Fault(
            "store lost",
            "every row of our store is gone while the call is on its way, and the payment's events are told again",
            at_the_door(lose_the_store),
            keeps_store=False,
            again=1,
        ),
        Fault("killed before", "SIGKILL to the worker while the call is on its way; it never arrives", None, again=1),
        Fault("killed after", "SIGKILL to the worker when the call is applied and the answer on its way", None),
        Fault(
            "aborted",
            "answered 400 before anything is applied; a person answers `abort`, and all of it is taken back",
            knob("refuse", code=4711),
            _aborts,
            answer="abort",
            back=True,
        ),
        Fault(
            "cancelled",
            "the run is cancelled while the call is on its way, which is then applied; all of it is taken back",
            at_the_door(cancel),
            back=True,
        ),
    )
}

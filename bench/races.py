"""Money of one payment that may go back twice: returns and a refund in the dashboard at the same moment, until nothing
is left to do, and what must hold then.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from aiohttp import ClientSession
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError

from cli.ledger_check import Violation, check
from domain.attention import Action, AttentionClass
from workflows import contract

LAMP, BULB = "LAMP-01", "BULB-E27"
LINES = [
    {"sku": LAMP, "unit_amount": 4900, "quantity": 2, "tax_percent": 19},
    {"sku": BULB, "unit_amount": 450, "quantity": 4, "tax_percent": 19},
]
PAID, A_LAMP, ALL_BULBS = 13804, 5831, 2142  # in minor units, tax included
LIMIT = Decimal(60)  # above it a second person is asked: two lamps are
PEOPLE = ("Ada", "Grace")
_WITHIN = 240.0
_LOOK = 0.2
_OFTEN = 0.02
_SPREAD = 1.0  # seconds
# When the refund in the dashboard is made: at any moment, or while a return's run has this activity under way.
_DOING = ("", "fetch_return_money", "give_back", "give_back", "fetch_refund")
_STANDS = ("succeeded", "pending", "requires_action")


class Kind(StrEnum):
    """What happens at the same moment as the refund in the dashboard. In each, all of it is one cent too much."""

    TOLD_TWICE = "a return, told again and again"
    APPROVED_TWICE = "a return above the limit, approved by two"
    TWO_RETURNS = "two returns of the order"


RETURNS = {
    Kind.TOLD_TWICE: ({LAMP: 1},),
    Kind.APPROVED_TWICE: ({LAMP: 2},),
    Kind.TWO_RETURNS: ({LAMP: 1}, {BULB: 4}),
}
WORTH = {Kind.TOLD_TWICE: A_LAMP, Kind.APPROVED_TWICE: 2 * A_LAMP, Kind.TWO_RETURNS: A_LAMP + ALL_BULBS}


@dataclass
class Race:
    """One round: `stood` are the refunds that stand, `answers` what became of each answer that was given at once."""

    kind: Kind
    payment_id: str = ""
    returns: tuple[str, ...] = ()
    stood: tuple[int, ...] = ()
    dashboard: bool = False  # whether the refund in the dashboard is one of them
    answers: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)


@dataclass
class Arena:
    """A shop that gives money back as soon as a return is approved, above LIMIT when a second person agrees.

    `tell` has the run of a return told of it once more; `zoho_login` are the secrets that Zoho's token is asked with.
    """

    client: Client
    http: ClientSession
    stripe_url: str
    zoho_url: str
    slug: str
    account: str
    organization: str
    zoho_login: Mapping[str, str]
    tell: Callable[[str], Awaitable[None]]
    payments: list[str] = field(default_factory=list)
    _token: str = ""

    async def race(self, kind: Kind, chance: random.Random) -> Race:
        """One round from the sale to the last closed run, judged."""
        race = Race(kind)
        await self._sell(race)
        order = await self._order(race.payment_id)
        if kind is Kind.APPROVED_TWICE:
            race.returns = (await self._return(order, RETURNS[kind][0]),)
            await self._until_asked(race.returns[0])
            answers = asyncio.gather(*(self._approve(race, who) for who in PEOPLE))
        else:
            race.returns = tuple(await asyncio.gather(*(self._return(order, pieces) for pieces in RETURNS[kind])))
            answers = asyncio.gather(*())
        await self._moment(chance, race.returns, answers)
        await self._refund(race, PAID - WORTH[kind] + 1)
        await answers
        await self._settle(race)
        await self._judge(race)
        return race

    async def _sell(self, race: Race) -> None:
        guest = {"name": "Ada Lovelace", "email": "ada@example.com"}
        wish = {"account": self.account, "currency": "eur", "capture": "automatic", "lines": LINES, "guest": guest}
        race.payment_id = str((await self._post(f"{self.stripe_url}/_pay", wish))["payment_intent"])
        self.payments.append(race.payment_id)
        await self._closed(contract.payment_workflow_id(self.slug, race.payment_id))

    async def _order(self, payment_id: str) -> dict[str, Any]:
        rows = (await self.zoho("salesorders"))["salesorders"]
        return dict(next(row for row in rows if row["reference_number"] == payment_id))

    async def _enter(self, order: Mapping[str, Any], pieces: Mapping[str, int]) -> str:
        """Somebody enters a return in Zoho; its id."""
        lines = [
            {"item_id": line["item_id"], "salesorder_item_id": line["line_item_id"], "quantity": pieces[line["sku"]]}
            for line in order["line_items"]
            if line["sku"] in pieces
        ]
        query = {"organization_id": self.organization, "salesorder_id": order["salesorder_id"]}
        url, headers = f"{self.zoho_url}/inventory/v1/salesreturns", await self._zoho_token()
        async with self.http.post(url, params=query, headers=headers, json={"line_items": lines}) as answer:
            answer.raise_for_status()
            return str((await answer.json())["salesreturn"]["salesreturn_id"])

    async def _return(self, order: Mapping[str, Any], pieces: Mapping[str, int]) -> str:
        """The same, told by every way that there is and more than once."""
        made = await self._enter(order, pieces)
        await asyncio.gather(*(self.tell(made) for _ in range(3)))
        return made

    async def _refund(self, race: Race, amount: int) -> str:
        """The refund in the dashboard, which Stripe may refuse; its id, or ""."""
        wanted = {"account": self.account, "payment_intent": race.payment_id, "amount": amount}
        async with self.http.post(f"{self.stripe_url}/_refunds", json=wanted) as answer:
            told = await answer.json()
        race.dashboard = "error" not in told
        return str(told.get("id", ""))

    async def _moment(self, chance: random.Random, return_ids: Sequence[str], answers: asyncio.Future[Any]) -> None:
        """Waits: not at all, a while, or until one of the runs does what it does around its own refund."""
        doing = chance.choice(_DOING)
        if not doing:
            return await asyncio.sleep(chance.uniform(0, _SPREAD))
        handle = self._run_of(chance.choice(return_ids))
        async with asyncio.timeout(_WITHIN):
            while True:
                with suppress(RPCError):
                    about = await handle.describe()
                    now = [one.activity_type.name for one in about.raw_description.pending_activities]
                    parked = answers.done() and not now and await handle.query(contract.TROUBLE)
                    if doing in now or about.status is not WorkflowExecutionStatus.RUNNING or parked:
                        break
                await asyncio.sleep(_OFTEN)
        await asyncio.sleep(chance.choice((0, chance.uniform(0, _SPREAD / 4))))

    def _run_of(self, return_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(contract.return_workflow_id(self.slug, return_id))

    async def _approve(self, race: Race, who: str) -> None:
        race.answers.append(await self._answer(race.returns[0], {"action": Action.APPROVE.value, "by": who}))

    async def _answer(self, return_id: str, said: Mapping[str, str]) -> str:
        """ "taken", or what the person is told instead."""
        handle = self._run_of(return_id)
        try:
            await handle.execute_update(contract.RESOLVE, said)
        except WorkflowUpdateFailedError as refused:
            return str(refused.cause)
        except RPCError as refused:
            return refused.message
        return "taken"

    async def _until_asked(self, return_id: str) -> str:
        """The class of what the return's run asks, once it asks or has closed: then ""."""
        handle = self._run_of(return_id)
        async with asyncio.timeout(_WITHIN):
            while True:
                with suppress(RPCError):
                    if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
                        return ""
                    if trouble := await handle.query(contract.TROUBLE):
                        return str(trouble["attention_class"])
                await asyncio.sleep(_LOOK)

    async def _settle(self, race: Race) -> None:
        """Every run closed: what waits for a person is answered, and nothing more than the limit and the rest asks."""
        for return_id in race.returns:
            while asked := await self._until_asked(return_id):
                if asked == AttentionClass.APPROVAL_NEEDED:
                    said = {"action": Action.APPROVE.value, "by": PEOPLE[0]}
                else:
                    said = {"action": Action.ABORT.value, "by": PEOPLE[0], "reason": "it went back already"}
                    if asked != AttentionClass.REFUND_TOO_LARGE:
                        race.violations.append(Violation("I9", return_id, f"asked about {asked}"))
                await self._answer(return_id, said)
        for row in await self._refunds(race.payment_id):
            await self._closed(contract.refund_workflow_id(self.slug, row["id"]))

    async def _closed(self, run: str) -> None:
        """Returns once the run, which an event is yet to start, has closed, however it did."""
        async with asyncio.timeout(_WITHIN):
            while True:
                try:
                    await self.client.get_workflow_handle(run).result()
                except RPCError:
                    await asyncio.sleep(_LOOK)
                except WorkflowFailureError:
                    return
                else:
                    return

    async def _judge(self, race: Race) -> None:
        """I3 and I4 of the round, and all that the ledgers tell of the shop."""
        made = await self._refunds(race.payment_id)
        race.stood = tuple(row["amount"] for row in made if row["status"] in _STANDS)
        if sum(race.stood) > PAID:
            race.violations.append(Violation("I4", race.payment_id, f"{sum(race.stood)} went back of {PAID}"))
        # All of it is a cent too much: exactly one is left out, and money that can go back does.
        if len(race.stood) != len(race.returns):
            race.violations.append(Violation("I9", race.payment_id, f"{len(race.stood)} of the refunds stand"))
        if race.answers and race.answers.count("taken") != 1:
            race.violations.append(Violation("I9", race.payment_id, f"the answers were {race.answers}"))
        race.violations += check(await self.stripe(), await self.zoho())

    async def _refunds(self, payment_id: str) -> list[dict[str, Any]]:
        rows = (await self._get(f"{self.stripe_url}/_ledger", {"only": "refunds"}))["refunds"]
        return [row for row in rows if row["payment_intent"] == payment_id]

    async def stripe(self) -> dict[str, Any]:
        """Of Stripe's ledger what is of this shop."""
        wanted = "payment_intents,charges,refunds,balance_transactions"
        told = await self._get(f"{self.stripe_url}/_ledger", {"only": wanted})
        ours = set(self.payments)
        return {
            "payment_intents": [row for row in told["payment_intents"] if row["id"] in ours],
            "charges": [row for row in told["charges"] if row["payment_intent"] in ours],
            "refunds": [row for row in told["refunds"] if row["payment_intent"] in ours],
            "balance_transactions": told["balance_transactions"],
        }

    async def zoho(self, only: str = "") -> dict[str, Any]:
        """The shop's ledger at Zoho."""
        query = {"organization_id": self.organization, "only": only}
        return dict((await self._get(f"{self.zoho_url}/_ledger", query))["organizations"][self.organization])

    async def _zoho_token(self) -> dict[str, str]:
        if not self._token:
            asked = {"grant_type": "refresh_token", **self.zoho_login}
            async with self.http.post(f"{self.zoho_url}/oauth/v2/token", data=asked) as answer:
                self._token = (await answer.json())["access_token"]
        return {"Authorization": f"Zoho-oauthtoken {self._token}"}

    async def _get(self, url: str, query: Mapping[str, str]) -> dict[str, Any]:
        async with self.http.get(url, params=query) as answer:
            return dict(json.loads(await answer.read(), parse_float=Decimal))

    async def _post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self.http.post(url, json=body) as answer:
            answer.raise_for_status()
            return dict(await answer.json())


def trail_differs(races: Iterable[Race], entries: Iterable[tuple[str, str]]) -> Iterator[Violation]:
    """I10: one entry for each side effect. `entries` are pairs of a payment's id and a step."""
    written = Counter(entries)
    for (payment_id, step), times in written.items():
        if times > 1:
            yield Violation("I10", payment_id, f"has {times} entries of {step} in the audit trail, not one")
    for race in races:
        steps = [step for (payment_id, step), _ in written.items() if payment_id == race.payment_id]
        wanted = {"give_back#": len(race.stood) - race.dashboard, "credit_note@": len(race.stood)}
        for name, times in (wanted | {"credit_note_refund@": len(race.stood)}).items():
            found = sum(step.startswith(name) for step in steps)
            if found != times:
                yield Violation(
                    "I10", race.payment_id, f"has {found} entries of {name} in the audit trail, not {times}"
                )

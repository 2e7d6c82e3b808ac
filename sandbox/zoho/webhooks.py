"""Webhooks on their way out: none until a rule is made, then once and in order; lost, doubled or late on demand."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.outbox import Outbox
from sandbox.zoho import rules
from sandbox.zoho.errors import Refusal
from sandbox.zoho.routing import Answer, Call, Route
from sandbox.zoho.wire import Row, decode, respond
from sandbox.zoho.world import World

FAULTS = ("lost", "duplicated", "reordered")
NONE: Row = {"share": 0.0, "times": 0}


class Webhooks(Outbox):
    """The rules, their deliveries and their faults; what was on its way when the program ended goes on."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database.collection("webhook_deliveries"))
        self._world = world
        self._rules = world.database.collection("webhook_rules")
        self._faults = world.database.collection("webhook_faults")
        self._random = random.Random(5)
        self._turns: dict[str, asyncio.Lock] = {}
        self._overtaken: dict[str, list[asyncio.Event]] = {}

    async def forget(self) -> None:
        """Ends every delivery under way."""
        await super().forget()
        self._turns.clear()
        self._overtaken.clear()

    def run(self, route: Route, call: Call) -> Answer:
        """Runs an operation and has what it changed told, where there is anybody to tell."""
        return rules.run(route, call, self.tell) if self._rules else route.handler(call)

    def tell(self, change: rules.Change) -> None:
        """Has a change delivered by every rule that is for it."""
        for name, row in self._rules.items():
            rule = rules.read_rule(row)
            if not rule.wants(change.org.id, change.module, change.event):
                continue
            lost, late, twice = (self._happens(fault) for fault in ("lost", "reordered", "duplicated"))
            body = rules.write(rule, change)
            self._add(name, change, body, "lost" if lost else "pending", late=late)
            if twice and not lost:
                self._add(name, change, body, "pending", duplicate=True)

    def _happens(self, fault: str) -> bool:
        row = self._faults.get(fault, NONE)
        if row["times"] > 0:
            self._faults[fault] = {**row, "times": row["times"] - 1}
            return True
        return bool(self._random.random() < row["share"])

    def _add(
        self, rule: str, change: rules.Change, body: str, state: str, *, late: bool = False, duplicate: bool = False
    ) -> None:
        name = f"wd_{len(self._rows)}"
        self._rows[name] = {
            "id": name, "rule": rule, "module": change.module, "event": change.event, "record_id": change.record_id,
            "body": body, "late": late, "duplicate": duplicate, "state": state, "attempts": [],
        }  # fmt: skip
        if state == "pending":
            self._spawn(name)

    async def _deliver(self, name: str) -> None:
        row, switches = self._rows[name], self._world.switches
        if row["late"]:
            await self._be_overtaken(row["rule"])
        while True:
            async with self._turns.setdefault(row["rule"], asyncio.Lock()):
                row["attempts"].append(await self._attempt(row))
            taken = 200 <= (row["attempts"][-1]["status"] or 0) < 300
            if taken or len(row["attempts"]) > switches.webhook_retries:
                break
            await asyncio.sleep(switches.webhook_retry_seconds)
        row["state"] = "delivered" if taken else "failed"
        self._rows.save(name)
        self._world.database.commit()
        for waiting in self._overtaken.pop(row["rule"], []):
            waiting.set()

    async def _be_overtaken(self, rule: str) -> None:
        overtaken = asyncio.Event()
        self._overtaken.setdefault(rule, []).append(overtaken)
        with suppress(TimeoutError):
            await asyncio.wait_for(overtaken.wait(), self._world.switches.webhook_late_seconds)

    async def _attempt(self, row: Row) -> Row:
        found = self._rules.get(row["rule"])
        if found is None or self._session is None:
            return {"status": None, "error": "the rule is gone"}
        rule = rules.read_rule(found)
        url, pairs = rules.target(rule)
        limit = aiohttp.ClientTimeout(total=self._world.switches.webhook_timeout_seconds)
        headers = rules.headers(rule, pairs, row["body"])
        try:
            async with self._session.post(url, data=row["body"].encode(), headers=headers, timeout=limit) as answer:
                await answer.read()
                return {"status": answer.status, "error": None}
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            return {"status": None, "error": f"{type(failure).__name__}: {failure}"}

    def routes(self) -> list[web.RouteDef]:
        """`/_webhooks`: GET rules and faults, POST a rule, DELETE all; `/_webhook_faults` POST; `/_deliveries` GET."""
        return [
            web.get("/_webhooks", self._show),
            web.post("/_webhooks", self._make),
            web.delete("/_webhooks", self._clear),
            web.post("/_webhook_faults", self._spoil),
            web.get("/_deliveries", self._list),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        rows = [{"id": name, **row} for name, row in self._rules.items()]
        return respond({"webhooks": rows, "faults": {fault: self._faults.get(fault, NONE) for fault in FAULTS}})

    async def _make(self, request: web.Request) -> web.Response:
        try:
            rule = rules.read_rule(decode(await request.read()))
            if rule.organization_id not in self._world.organizations:
                raise ValueError(f"there is no organisation {rule.organization_id!r}")
        except (ValueError, TypeError, Refusal) as error:
            return respond({"error": str(error)}, 400)
        self._rules[self._world.new_id()] = rules.as_row(rule)
        return await self._show(request)

    async def _clear(self, request: web.Request) -> web.Response:
        await self.forget()
        for rows in (self._rules, self._faults, self._rows):
            rows.clear()
        return await self._show(request)

    async def _spoil(self, request: web.Request) -> web.Response:
        try:
            given = decode(await request.read())
            self._faults[_fault(given)] = {"share": float(given.get("share", 0)), "times": int(given.get("times", 0))}
        except (ValueError, TypeError, Refusal) as error:
            return respond({"error": str(error)}, 400)
        return await self._show(request)

    async def _list(self, request: web.Request) -> web.Response:
        return respond({"deliveries": list(self._rows.values())})


def _fault(given: dict[str, Any]) -> str:
    if given.get("fault") not in FAULTS or not set(given) <= {"fault", "share", "times"}:
        raise ValueError(f"a webhook's fault has fault ({', '.join(FAULTS)}), and share or times (the next so many)")
    return str(given["fault"])

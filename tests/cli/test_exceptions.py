"""`throughline exceptions`: what waits is listed and shown, and answered by name, by class or by query."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import pty
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from cli.exceptions import age, summary
from cli.reach import open_store
from cli.temporal_server import TemporalServer
from clients.settings import Settings
from domain.payments import PaymentStatus
from domain.plans import OrderPlan
from domain.problems import Problem, ProblemCode
from domain.runs import FetchedPayment
from tests.cli.conftest import ROOT, Ended, execute, until
from tests.workflows.fakes import Script, Stage, on_stage
from tests.workflows.samples import QUICK, TOTAL, known_plan
from tests.workflows.test_payments import until_parked
from workflows import contract

CLASS = "unknown_sku"
FETCHED = FetchedPayment(
    status=PaymentStatus.PAID, money=TOTAL, charge_id="ch_1", facts_ref="f", lines=("li_a", "li_b")
)
PATIENT = QUICK.model_copy(update={"unpaid_patience": timedelta(seconds=60)})


@dataclass
class Shop:
    """A connection of its own whose payments park once, and the command beside it."""

    client: Client
    stage: Stage
    slug: str
    environment: dict[str, str]
    cwd: Path
    asked: Counter[str] = field(default_factory=Counter)
    stubborn: set[str] = field(default_factory=set)

    async def command(self, *arguments: str) -> Ended:
        """`throughline exceptions …` as a child process."""
        command = [sys.executable, "-m", "cli.main", "exceptions", *arguments]
        return await execute(command, self.environment, self.cwd)

    async def rows(self, *arguments: str) -> list[dict[str, str]]:
        """What the command wrote as JSON."""
        ended = await self.command(*arguments, "--output", "json")
        assert ended.out, ended.err
        return list(json.loads(ended.out))

    async def park(self) -> str:
        """A payment that waits for a person, and that Temporal's list shows so."""
        start = self.stage.payment().model_copy(update={"connection": self.slug})
        await until_parked(await self.stage.start(start))
        await self._listed(start.payment_id, f"{contract.NEEDS_ATTENTION.name} = true")
        return start.payment_id

    async def unpaid(self) -> str:
        """A payment that waits for money, not for a person."""
        start = self.stage.payment(f"pi_unpaid{uuid.uuid4().hex}", PATIENT)
        await self.stage.start(start.model_copy(update={"connection": self.slug}))
        await self._listed(start.payment_id, f"{contract.STAGE.name} = 'waiting-for-money'")
        return start.payment_id

    async def result(self, payment_id: str) -> Any:
        """What became of the payment."""
        return await self.client.get_workflow_handle(contract.payment_workflow_id(self.slug, payment_id)).result()

    async def _listed(self, payment_id: str, clause: str) -> None:
        name = contract.payment_workflow_id(self.slug, payment_id)

        async def listed() -> bool:
            return (await self.client.count_workflows(f"WorkflowId = '{name}' AND {clause}")).count > 0

        await until(listed)

    def prepare(self, wanted: Any) -> OrderPlan:
        """Every payment has an unknown SKU at first, and none once it was answered; a stubborn one has it twice."""
        self.asked[wanted.payment_id] += 1
        if self.asked[wanted.payment_id] > 1 + (wanted.payment_id in self.stubborn):
            return known_plan(wanted.payment_id)
        return OrderPlan(problems=(Problem(code=ProblemCode.UNKNOWN_SKU, message="Zoho has no item with SKU 'X'"),))


def fetched(wanted: Any) -> FetchedPayment:
    """Paid, unless the payment's id says otherwise."""
    unpaid = wanted.payment_id.startswith("pi_unpaid")
    return FETCHED.model_copy(update={"status": PaymentStatus.UNPAID}) if unpaid else FETCHED


def reach(server: TemporalServer) -> dict[str, str]:
    """The settings that lead the command to the tests' server."""
    return {
        "THROUGHLINE_TEMPORAL_ADDRESS": server.address,
        "THROUGHLINE_TEMPORAL_NAMESPACE": server.namespace,
    }


@pytest.fixture
async def shop(temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose worker runs in this process."""
    script = Script({"fetch_payment": fetched})
    async with on_stage(temporal_client, script) as stage:
        shop = Shop(temporal_client, stage, f"shop-{uuid.uuid4().hex[:12]}", reach(temporal_server), tmp_path)
        script.answers["prepare_order"] = shop.prepare
        yield shop


async def test_list_shows_what_waits_and_the_money_at_risk(shop: Shop) -> None:
    """Class, money, message and possible answers of each waiting payment; the longest wait first; none of others."""
    first, second, _ = await shop.park(), await shop.park(), await shop.unpaid()
    rows = await shop.rows("list", "--connection", shop.slug)
    assert [row["payment"] for row in rows] == [first, second]
    assert rows[0] | {"age": "", "since": ""} == {
        "payment": first,
        "connection": shop.slug,
        "workflow": contract.payment_workflow_id(shop.slug, first),
        "class": CLASS,
        "at_risk": "49.90 EUR",
        "age": "",
        "answers": "retry amend abort",
        "message": "Zoho has no item with SKU 'X'",
        "step": "plan",
        "since": "",
        "lines": "li_a li_b",
    }
    assert await shop.rows("list", "--connection", shop.slug, "--class", "tax") == []
    told = await shop.command("list", "--connection", shop.slug)
    assert "2 payments wait: 99.80 EUR at risk" in told.err


async def test_list_says_how_many_it_leaves_out(shop: Shop) -> None:
    """A limit hides nothing in silence."""
    await shop.park()
    await shop.park()
    told = await shop.command("list", "--connection", shop.slug, "--limit", "1")
    assert "1 that began earlier are not shown" in told.err


async def test_one_is_answered_by_any_of_its_ids_and_the_operator_is_named(shop: Shop) -> None:
    """The run goes on; the system's user and the reason reach the audit trail."""
    payment = await shop.park()
    number = contract.business_ids(payment)[1]
    ended = await shop.command("resolve", "retry", number, "--reason", "item made")
    assert (ended.code, "1 of 1 took the answer" in ended.err) == (0, True), ended.err
    assert (await shop.result(payment))["stage"] == "paid"
    (record,) = shop.stage.script.inputs("record_answer")
    assert (record.by, record.reason, record.attention_class) == (getpass.getuser(), "item made", CLASS)


async def test_amend_carries_the_correction(shop: Shop) -> None:
    """`--set` names a line by position, a field and its value, also one with punctuation."""
    payment = await shop.park()
    ended = await shop.command("resolve", "amend", payment, "--set", "2:sku=MUG=L:2", "--by", "ada")
    assert ended.code == 0, ended.err
    await shop.result(payment)
    (amendment,) = shop.stage.script.inputs("prepare_order")[-1].amendments
    assert (amendment.line, amendment.field, amendment.value) == ("li_b", "sku", "MUG=L:2")


async def test_a_refused_answer_is_told_with_the_reason_and_the_run_waits_on(shop: Shop) -> None:
    """Code 1, the run's own words, and the payment still in the list."""
    payment = await shop.park()
    ended = await shop.command("resolve", "amend", payment, "--set", "9:sku=MUG", "--output", "json")
    (row,) = json.loads(ended.out)
    assert (ended.code, row["outcome"]) == (1, "refused")
    assert row["detail"] == "there is no line '9': the payment has li_a, li_b"
    assert [row["payment"] for row in await shop.rows("list", "-c", shop.slug)] == [payment]


async def test_many_are_answered_by_one_query_once_it_is_confirmed(shop: Shop) -> None:
    """Without --yes and nobody to ask, the plan is told and nothing happens; with it, all that match go on."""
    payments = [await shop.park() for _ in range(5)]
    wanted = ("resolve", "retry", "--query", f"Connection = '{shop.slug}'", "--class", CLASS)
    refused = await shop.command(*wanted)
    assert refused.code == 2
    assert "to 5 waiting, 249.50 EUR at risk" in refused.err
    assert shop.stage.script.inputs("record_answer") == []
    ended = await shop.command(*wanted, "--yes")
    assert (ended.code, "5 of 5 took the answer" in ended.err) == (0, True), ended.err
    assert {(await shop.result(payment))["stage"] for payment in payments} == {"paid"}


async def test_abort_needs_a_reason_and_a_yes(shop: Shop) -> None:
    """What takes documents back never happens by a slip."""
    payment = await shop.park()
    unsure = await shop.command("resolve", "abort", payment, "--reason", "sold twice")
    assert (unsure.code, "add --yes" in unsure.err) == (2, True)
    silent = await shop.command("resolve", "abort", payment, "--yes", "--output", "json")
    assert (silent.code, json.loads(silent.out)[0]["detail"]) == (1, "abort needs a reason")
    assert (await shop.command("resolve", "abort", payment, "--reason", "sold twice", "--yes")).code == 0
    with pytest.raises(WorkflowFailureError) as failed:
        await shop.result(payment)
    assert "sold twice" in str(failed.value.cause)


async def test_of_two_people_one_answers(shop: Shop) -> None:
    """Two commands at once: exactly one is taken, the other is told so, and one answer is recorded."""
    payment = await shop.park()
    ended = await asyncio.gather(
        *(shop.command("resolve", "retry", payment, "--by", name, "-o", "json") for name in ("ada", "bob"))
    )
    assert sorted(one.code for one in ended) == [0, 1], [one.err for one in ended]
    await shop.result(payment)
    assert len(shop.stage.script.inputs("record_answer")) == 1


async def test_a_payment_that_does_not_wait_is_not_answered(shop: Shop) -> None:
    """Open and waiting for money, or unknown: code 1 and a sentence."""
    unpaid = await shop.unpaid()
    (row,) = await shop.rows("resolve", "retry", unpaid)
    assert (row["outcome"], row["detail"]) == ("not asked", "it does not wait for a person")
    unknown = await shop.command("resolve", "retry", "pi_nobody")
    assert (unknown.code, "knows no payment with the id pi_nobody" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resolve", "retry"), "Name payments, or choose them"),
        (("resolve", "retry", "pi_1", "--class", CLASS), "not both"),
        (("resolve", "dance", "pi_1"), "This is no answer: action"),
        (("resolve", "amend", "pi_1", "--set", "sku=MUG"), "LINE:FIELD=VALUE"),
        (("resolve", "amend", "pi_1", "--set", "1:price=2"), "'sku', 'item_id' or 'quantity'"),
        (("resolve", "retry", "pi' OR 1"), "is no id or name"),
        (("list", "--class", "weather"), "There is no class 'weather'"),
        (("list", "--query", "Colour = 'red'"), "does not understand the query"),
    ],
)
async def test_wrong_usage_is_code_2_with_the_cure(shop: Shop, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be meant is refused before anything is asked of a run."""
    ended = await shop.command(*arguments)
    assert (ended.code, words in ended.err) == (2, True), ended.err
    assert "Traceback" not in ended.err


async def test_show_tells_the_commands_and_who_answered_before(shop: Shop) -> None:
    """One payment with the exact command for each answer, and its answers so far from the audit trail."""
    payment = await shop.park()
    home = shop.cwd / "home"
    shop.environment["THROUGHLINE_HOME"] = str(home)
    store = await open_store(Settings(home=home))
    try:
        now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
        for step, note in (("answer#1", "retry by ada: item made"), ("create_sales_order", "")):
            await store.effects.begin(shop.slug, step, payment, owner="run", at=now)
            await store.effects.complete(shop.slug, step, payment, result={}, at=now, actor="worker", note=note)
    finally:
        await store.close()
    ended = await shop.command("show", payment, "--output", "json")
    shown = json.loads(ended.out)
    assert (shown["class"], shown["step"], shown["lines"]) == (CLASS, "plan", "li_a li_b")
    assert shown["answered"] == [{"at": "2026-11-23 09:30:00 UTC", "said": "retry by ada: item made"}]
    assert shown["commands"] == [
        f"throughline exceptions resolve retry {payment}",
        f"throughline exceptions resolve amend {payment} --set 1:sku=…",
        f"throughline exceptions resolve abort {payment} --reason '…'",
    ]
    assert shown["commands"][1] in (await shop.command("show", payment)).err


async def test_what_changed_while_the_person_thought_is_not_answered(shop: Shop) -> None:
    """A yes is for what was shown: a payment that was answered meanwhile, and asks anew, is left alone."""
    kept, anew = await shop.park(), await shop.park()
    shop.stubborn.add(anew)
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "exceptions", "resolve", "retry", "-c", shop.slug, "-o", "json"),
        cwd=shop.cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **shop.environment},
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    await process.stderr.readuntil(b"Go on?")
    assert (await shop.command("resolve", "retry", anew)).code == 0
    await until_parked(shop.client.get_workflow_handle(contract.payment_workflow_id(shop.slug, anew)))
    os.write(ours, b"y\n")
    out = await process.stdout.read()
    assert await process.wait() == 1
    os.close(ours)
    os.close(theirs)
    assert {row["payment"]: row["outcome"] for row in json.loads(out)} == {kept: "taken", anew: "not asked"}
    await shop.result(kept)
    assert [row["payment"] for row in await shop.rows("list", "-c", shop.slug)] == [anew]
    assert len(shop.stage.script.inputs("record_answer")) == 2


async def test_without_a_worker_the_list_still_names_what_waits(
    temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """A run that cannot be asked is listed as such and is not answered."""
    script = Script({"fetch_payment": fetched})
    async with on_stage(temporal_client, script) as stage:
        shop = Shop(temporal_client, stage, f"shop-{uuid.uuid4().hex[:12]}", reach(temporal_server), tmp_path)
        script.answers["prepare_order"] = shop.prepare
        payment = await shop.park()
    (row,) = await shop.rows("list", "-c", shop.slug)
    assert row["payment"] == payment
    assert "no worker answered" in row["message"]
    (row,) = await shop.rows("resolve", "retry", payment)
    assert row["outcome"] == "not asked"


def test_ages_and_sums_are_told_in_words() -> None:
    """The largest whole unit; nothing waiting is said, not left out."""
    spans = [timedelta(seconds=59), timedelta(minutes=61), timedelta(days=3, hours=5), timedelta(seconds=-1)]
    assert [age(span) for span in spans] == ["59 s", "1 h", "3 d", "0 s"]
    assert summary([], datetime(2026, 11, 23, tzinfo=UTC)) == "Nothing waits for a person."

"""A payout posted in Zoho Books, told on the real server: posted once whatever answer gets lost, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.attention import AttentionClass, Trouble
from domain.book_accounts import AccountsFound, NamedAccount
from domain.books import PostInput, Transfer
from domain.payouts import PayoutStatus
from domain.policy import BooksPolicy
from domain.reconciling import Certified
from domain.runs import Stage
from tests.workflows import fakes
from tests.workflows.books import Books
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import PAYOUT, QUICK, TOTAL, posting_plan
from tests.workflows.test_payments import until_parked
from tests.workflows.test_payouts import HASH, a_payout
from workflows import contract

POSTS = QUICK.model_copy(update={"books": BooksPolicy(post=True)})
BOTH = ["post transfer", "post journal"]
WRITES = [("post", "transfer"), ("post", "journal")]
DELETES = [("delete", "transfer"), ("delete", "journal")]


async def begun(stage: fakes.Stage, payout_id: str) -> WorkflowHandle[Any, Any]:
    """A payout's run of a shop that posts."""
    handle = await stage.payout(stage.payment(payout_id, POSTS), event(payout_id, "payout.paid"))
    return stage.client.get_workflow_handle(handle.id)


async def parked(handle: WorkflowHandle[Any, Any]) -> Trouble:
    """What it asks, at the step that posts."""
    trouble = await until_parked(handle)
    assert (trouble.step, trouble.skippable) == ("post", True)
    return trouble


async def posted(client: Client, books: Books, **answers: Any) -> dict[str, Any]:
    """What a run of a new payout became."""
    async with on_stage(client, Script(answers | books.answers())) as stage:
        return dict(await (await begun(stage, a_payout())).result())


async def test_a_payout_is_posted_and_read_back(temporal_client: Client) -> None:
    """After the certificate: one transfer, one journal, by the accounts' ids; the result names both."""
    books = Books()
    script = Script(books.answers())
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await begun(stage, payout_id)
        result = await handle.result()
        described = await handle.describe()
    assert books.writes == BOTH
    (transfer,), ((reference, sides),) = books.transfers.values(), books.journals.values()
    assert (transfer.source, transfer.target, transfer.money) == ("1", "2", TOTAL)
    assert (reference, [side.account for side in sides]) == (f"{payout_id}/1", ["1", "3"])
    assert result["posted"] == [
        f"transfer transfer-1 ({payout_id}) of 49.90 EUR", f"journal journal-2 ({payout_id}/1) of 1.75 EUR"
    ]  # fmt: skip
    assert described.typed_search_attributes[contract.STAGE] == Stage.CERTIFIED
    assert script.names().index("certify_payout") < script.names().index("plan_postings")
    says = script.inputs("post_journal")[0].says
    assert says.startswith(f"Stripe payout {payout_id}, version 1 of its certificate")


async def test_nothing_is_posted_unless_the_shop_says_so(temporal_client: Client) -> None:
    """The policy's default, and an earlier release's runs, ask nothing of Books."""
    script = Script(Books().answers())
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        assert (await handle.result())["posted"] == []
    assert not {name for name in script.names() if "post" in name or "book" in name}


@pytest.mark.parametrize("happened", [True, False])
async def test_a_lost_answer_posts_nothing_twice(temporal_client: Client, happened: bool) -> None:
    """Whether the writes had happened or not, each stands once in the end."""
    books = Books(lost=dict.fromkeys(WRITES, happened))
    result = await posted(temporal_client, books)
    assert books.writes == BOTH
    assert len(result["posted"]) == 2


async def test_what_stands_is_not_posted_again(temporal_client: Client) -> None:
    """By our memory or, where that was lost, by its reference in Books; a person's transfer counts as well."""
    payout_id = a_payout()
    books = Books(memory=False)
    for _ in range(2):
        async with on_stage(temporal_client, Script(books.answers())) as stage:
            await (await begun(stage, payout_id)).result()
    books.memory = True
    async with on_stage(temporal_client, Script(books.answers())) as stage:
        await (await begun(stage, payout_id)).result()
    assert books.writes == BOTH
    other = a_payout()
    by_hand = Books()
    ids = {"source": "1", "target": "2"}
    by_hand.transfers["mine"] = posting_plan(other).transfers[0].model_copy(update=ids)
    async with on_stage(temporal_client, Script(by_hand.answers())) as stage:
        await (await begun(stage, other)).result()
    assert by_hand.writes == ["post journal"]


async def test_a_version_that_begins_anew_reckons_with_what_stands(temporal_client: Client) -> None:
    """Our store was lost, and the books say more now: the difference gets the next number, once."""
    payout_id = a_payout()
    books = Books(memory=False)
    first = posting_plan(payout_id)
    async with on_stage(temporal_client, Script(books.answers())) as stage:
        await (await begun(stage, payout_id)).result()
        twice = tuple(side.model_copy(update={"money": side.money + side.money}) for side in first.sides)
        books.plans[1] = first.model_copy(update={"sides": twice})
        books.lost = {("post", "journal"): True}
        await (await begun(stage, payout_id)).result()
    assert books.writes == [*BOTH, "post journal"]
    assert [reference for reference, _ in books.journals.values()] == [f"{payout_id}/1", f"{payout_id}/2"]


async def test_a_failed_payout_posts_the_difference(temporal_client: Client) -> None:
    """The next version brings the money back and corrects the fee by a journal that names the one before."""
    payout_id = a_payout()
    books = Books()
    first = posting_plan(payout_id)
    back = first.transfers[0].model_copy(
        update={"reference": f"{payout_id}/back", "source": "Bank", "target": "Stripe Clearing"}
    )
    twice = tuple(side.model_copy(update={"money": side.money + side.money}) for side in first.sides)
    second = posting_plan(payout_id, 2)
    books.plans[2] = second.model_copy(update={"transfers": (*first.transfers, back), "sides": twice})
    certified = [Certified(version=1, hash=HASH), Certified(version=2, hash="1" * 64)]
    failed = PAYOUT.model_copy(update={"status": PayoutStatus.FAILED})
    script = Script({"certify_payout": certified, "fetch_payout": [PAYOUT, failed], **books.answers()})
    async with on_stage(temporal_client, script) as stage:
        await (await begun(stage, payout_id)).result()
        result = await (await begun(stage, payout_id)).result()
    assert books.writes == [*BOTH, *BOTH]
    assert [one.reference for one in books.transfers.values()] == [payout_id, f"{payout_id}/back"]
    (one, sides), (other, more) = books.journals.values()
    assert (one, other, sides) == (f"{payout_id}/1", f"{payout_id}/2", more)
    assert script.inputs("post_journal")[1].says.endswith(f"; adds to {payout_id}/1")
    assert len(result["posted"]) == 4


@pytest.mark.parametrize("happened", [True, False])
async def test_an_abort_deletes_what_was_posted(temporal_client: Client, happened: bool) -> None:
    """The last first, each seen to be gone, whatever answer was lost; a later run posts it anew."""
    books = Books(lost=dict.fromkeys(DELETES, happened))
    payout_id, drafts = a_payout(), [True]

    def read(wanted: Any) -> Any:
        """The journal is a draft when it is read for the first time."""
        seen = books.journal(wanted)
        return seen.model_copy(update={"status": "draft"}) if drafts and drafts.pop() and seen else seen

    async with on_stage(temporal_client, Script(books.answers() | {"read_journal": read})) as stage:
        handle = await begun(stage, payout_id)
        trouble = await parked(handle)
        assert trouble.attention_class is AttentionClass.CHANGED_BY_HAND
        assert "it is a draft" in trouble.message
        await handle.execute_update(contract.RESOLVE, {"action": "abort", "by": "ada", "reason": "not yet"})
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        assert "taken back in Zoho Books: journal journal-2, transfer transfer-1" in str(raised.value.cause)
        assert (books.transfers, books.journals, books.rounds) == ({}, {}, 1)
        assert books.writes == [*BOTH, "delete journal", "delete transfer"]
        await (await begun(stage, payout_id)).result()
    assert (len(books.transfers), len(books.journals)) == (1, 1)


async def test_a_write_that_was_never_answered_is_taken_back(temporal_client: Client) -> None:
    """Nobody ever heard its id; it is found by its reference."""
    books = Books(lost={("post", "journal"): True})
    lists = [books.answers()["find_journals"]]
    script = Script(books.answers())

    def listed(wanted: Any) -> Any:
        """Books refuses its list once the journal is posted, until somebody aborts."""
        if books.journals and lists:
            raise ApplicationError("no right", {"service": "zoho"}, type="NotAllowed", non_retryable=True)
        return books.answers()["find_journals"](wanted)

    script.answers["find_journals"] = listed
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, a_payout())
        assert (await parked(handle)).attention_class is AttentionClass.NOT_ALLOWED
        lists.clear()
        await handle.execute_update(contract.RESOLVE, {"action": "abort", "by": "ada", "reason": "not yet"})
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (books.transfers, books.journals) == ({}, {})


async def test_what_is_gone_is_posted_anew_once_somebody_says_so(temporal_client: Client) -> None:
    """A person deleted a transfer: the next version asks; a retry posts it, and nothing else."""
    payout_id = a_payout()
    books = Books()
    async with on_stage(temporal_client, Script(books.answers())) as stage:
        await (await begun(stage, payout_id)).result()
        books.transfers.clear()
        handle = await begun(stage, payout_id)
        trouble = await parked(handle)
        assert "is not as it was posted: it is gone" in trouble.message
        await handle.execute_update(contract.RESOLVE, {"action": "retry", "by": "ada"})
        await handle.result()
    assert books.writes == [*BOTH, "post transfer"]
    assert (len(books.transfers), len(books.journals)) == (1, 1)


async def test_another_transaction_of_that_name_asks(temporal_client: Client) -> None:
    """It is not adopted and nothing is posted beside it; skipping is remembered for later versions."""
    payout_id = a_payout()
    books = Books()
    other = Transfer(reference=payout_id, source="2", target="1", money=TOTAL, day=posting_plan(payout_id).day)
    books.transfers["theirs"] = other
    script = Script(books.answers())
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, payout_id)
        assert "it is between other accounts" in (await parked(handle)).message
        await handle.execute_update(contract.RESOLVE, {"action": "skip", "by": "ada", "reason": "booked by hand"})
        result = await handle.result()
    assert (books.writes, result["posted"]) == ([], ["left to people, who book it by hand"])
    assert [one.version for one in script.inputs("leave_postings")] == [1]


async def test_what_is_left_to_people_is_not_posted(temporal_client: Client) -> None:
    """Too early, or skipped once: said in the note."""
    left = posting_plan("po_1").model_copy(update={"exported": True, "currency": "USD"})
    books = Books(plans={1: left})
    result = await posted(temporal_client, books)
    assert books.writes == []
    assert "left to people" in result["posted"][0]


async def test_an_account_that_is_not_clear_asks(temporal_client: Client) -> None:
    """Named, with the cure, before anything is posted; it is looked for on every page."""
    books = Books()
    first = NamedAccount(name="Stripe Clearing", account_id="1"), NamedAccount(name="Bank", account_id="2")
    pages = [AccountsFound(accounts=first, more=True), AccountsFound(accounts=first[:1])]
    script = Script(books.answers() | {"find_book_accounts": pages})
    async with on_stage(temporal_client, script) as stage:
        trouble = await parked(await begun(stage, a_payout()))
    assert (trouble.attention_class, books.writes) == (AttentionClass.SETTINGS, [])
    assert "'Stripe Fees' is no active account" in trouble.message
    assert "the connection's accounts" in trouble.message
    assert [one.page for one in script.inputs("find_book_accounts")] == [1, 2]


async def test_another_account_of_payments_asks(temporal_client: Client) -> None:
    """A payout is not taken out of an account that its payments never came to."""
    plan = posting_plan("po_1").model_copy(update={"clearing": "Stripe Clearing", "deposit": "7"})
    books = Books(plans={1: plan})
    async with on_stage(temporal_client, Script(books.answers())) as stage:
        trouble = await parked(await begun(stage, a_payout()))
    assert (trouble.attention_class, books.writes) == (AttentionClass.SETTINGS, [])
    assert "payments come to the account 7" in trouble.message


async def test_another_currency_asks(temporal_client: Client) -> None:
    """Nobody knows the rate that Books would take; the own currency is asked for where it is not known."""
    books = Books()
    base = [
        posting_plan("po_1").model_copy(update={"base": ""}),
        posting_plan("po_1").model_copy(update={"base": "USD"}),
    ]

    def plan(wanted: PostInput) -> Any:
        return base.pop(0) if len(base) > 1 else base[0]

    script = Script(books.answers() | {"plan_postings": plan})
    async with on_stage(temporal_client, script) as stage:
        trouble = await parked(await begun(stage, a_payout()))
    assert trouble.attention_class is AttentionClass.SETTINGS
    assert "po_1 is in EUR and the organisation's books are in USD" in trouble.message
    assert script.names().count("describe_organization") == 1

"""Which failures wait for which kind of help, and which answers are taken."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attention import (
    APPROVAL,
    Action,
    AmendableField,
    Amendment,
    Answer,
    AttentionClass,
    StandingOrder,
    Trouble,
    adopted,
    classify,
    line_of,
    read_answer,
    refusal,
)
from domain.money import Money
from domain.problems import ProblemCode

ROOMS = Path(__file__).parent.parent.parent
CLOSING = {"NotPaid", "PaymentCanceled", "Aborted", "AnswerRefused", "BadRange"}


def trouble(step: str = "plan", *, lines: tuple[str, ...] = ("li_a", "li_b"), skippable: bool = False) -> Trouble:
    """A run that waits."""
    return Trouble(
        attention_class=AttentionClass.UNKNOWN_SKU,
        message="no such item",
        step=step,
        since=datetime(2026, 11, 23, tzinfo=UTC),
        at_risk=Money.of(4990, "EUR"),
        lines=lines,
        skippable=skippable,
    )


@pytest.mark.parametrize("code", list(ProblemCode))
def test_every_problem_has_a_class(code: ProblemCode) -> None:
    """A problem that nobody classified would leave an operator without a page in the guide."""
    assert classify(code.value) is not AttentionClass.UNCLASSIFIED


def raised() -> set[str]:
    """The types of the ApplicationErrors that the workflows write, themselves or by their `stop`."""
    types: set[str] = set()
    for path in (ROOMS / "workflows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                types |= set(_types(node))
    return types - CLOSING


def _types(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    found = [k.value for k in call.keywords if k.arg == "type"] if name.endswith("ApplicationError") else []
    found += call.args[:1] if name == "stop" else []
    for value in found:
        if isinstance(value, ast.Constant):
            yield str(value.value)
        elif ast.unparse(value) == "APPROVAL":
            yield APPROVAL


def test_every_failure_that_a_workflow_raises_has_a_class() -> None:
    """Each ApplicationError type written in the workflows parks under a name of its own, or closes the run."""
    assert {"TotalsDiffer", "RefundFailed", "RefundTooLarge", "PaymentDisputed", APPROVAL} <= raised()
    assert not [kind for kind in raised() if classify(kind) is AttentionClass.UNCLASSIFIED]


@pytest.mark.parametrize("kind", sorted(raised()))
def test_every_failure_that_a_workflow_raises_is_met_in_a_test(kind: str) -> None:
    """A run that stops for a reason of its own does so before a sandbox, or with answers from a script."""
    found = classify(kind)
    said = (f'"{found.value}"', f"AttentionClass.{found.name}")
    tests = [path for room in ("endtoend", "workflows") for path in (ROOMS / "tests" / room).glob("test_*.py")]
    assert any(word in path.read_text(encoding="utf-8") for path in tests for word in said), found


@pytest.mark.parametrize(
    ("service", "found"), [("zoho", "zoho_refused"), ("stripe", "stripe_refused"), ("x", "unclassified")]
)
def test_a_refusal_is_classified_by_who_refused(service: str, found: str) -> None:
    """Zoho's and Stripe's refusals are looked into in different places."""
    assert classify("Refused", service) == found


def test_what_can_be_answered_depends_on_the_step() -> None:
    """Lines are amended while planning only, and only what the order can do without is skipped."""
    assert trouble().actions() == (Action.RETRY, Action.AMEND, Action.ABORT)
    assert trouble("invoice").actions() == (Action.RETRY, Action.ABORT)
    assert trouble("write_back", skippable=True).actions() == (Action.RETRY, Action.SKIP, Action.ABORT)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(action=Action.RETRY), ""),
        (Answer(action=Action.ABORT), "abort needs a reason"),
        (Answer(action=Action.ABORT, reason=" "), "abort needs a reason"),
        (Answer(action=Action.ABORT, reason="test"), ""),
        (Answer(action=Action.SKIP, reason="x"), "skip is no answer to unknown_sku: choose one of retry, amend, abort"),
        (Answer(action=Action.AMEND), "amend needs at least one amendment"),
        (Answer(action=Action.AMEND, amendments=(Amendment(line="1", field=AmendableField.QUANTITY, value="0"),)), ""),
        (
            Answer(action=Action.AMEND, amendments=(Amendment(line="1", field=AmendableField.QUANTITY, value="1.5"),)),
            "line '1': a quantity is a whole number",
        ),
        (
            Answer(action=Action.RETRY, amendments=(Amendment(line="1", field=AmendableField.SKU, value="X"),)),
            "amendments go with amend, not with retry",
        ),
        (
            Answer(action=Action.AMEND, amendments=(Amendment(line="3", field=AmendableField.SKU, value="X"),)),
            "there is no line '3': the payment has li_a, li_b",
        ),
        (
            Answer(action=Action.AMEND, amendments=(Amendment(line="li_a", field=AmendableField.SKU, value=" "),)),
            "line 'li_a': sku is empty",
        ),
        (Answer(action=Action.AMEND, amendments=(Amendment(line="2", field=AmendableField.ITEM_ID, value="9"),)), ""),
    ],
)
def test_answers_are_taken_or_refused_with_the_reason(answer: Answer, why: str) -> None:
    """The sentence says what would be right."""
    said = refusal(trouble(), answer)
    assert said.startswith(why) if why else said == ""


def test_a_refund_needs_a_name_and_is_offered_where_it_is_a_choice() -> None:
    """A bare signal gives no money back; elsewhere nobody is offered it."""
    choices = trouble("cancelled").model_copy(update={"choices": (Action.REFUND, Action.RESTORE)})
    assert choices.actions() == (Action.REFUND, Action.RESTORE, Action.RETRY, Action.ABORT)
    assert "has to say who wants it" in refusal(choices, Answer(action=Action.REFUND))
    assert refusal(choices, Answer(action=Action.REFUND, by="ada")) == ""
    assert refusal(choices, Answer(action=Action.RESTORE)) == ""
    assert refusal(trouble(), Answer(action=Action.REFUND, by="ada")).startswith("refund is no answer")


HAND = tuple(StandingOrder(number=f"HAND-{one}", salesorder_id=str(one)) for one in (1, 2))


@pytest.mark.parametrize(
    ("orders", "answer", "taken", "why"),
    [
        (HAND[:1], Answer(action=Action.ADOPT), "1", ""),
        (HAND, Answer(action=Action.ADOPT, order="HAND-2"), "2", ""),
        (HAND, Answer(action=Action.ADOPT, order="2"), "2", ""),
        (HAND, Answer(action=Action.ADOPT), "", "adopt needs one of the orders HAND-1, HAND-2"),
        (HAND, Answer(action=Action.ADOPT, order="HAND-3"), "", "adopt needs one of the orders HAND-1, HAND-2"),
        ((), Answer(action=Action.ADOPT), "", "adopt is no answer to unknown_sku"),
        (HAND, Answer(action=Action.RETRY, order="HAND-1"), "", "an order goes with adopt, not with retry"),
    ],
)
def test_an_order_is_adopted_by_its_number(
    orders: tuple[StandingOrder, ...], answer: Answer, taken: str, why: str
) -> None:
    """The only one needs no name; of several one is named, by number or by Zoho's id."""
    asked = trouble("recognise").model_copy(update={"orders": orders})
    said = refusal(asked, answer)
    assert said.startswith(why) if why else said == ""
    if taken:
        meant = adopted(asked, answer)
        assert meant is not None
        assert meant.salesorder_id == taken


def test_nothing_waits_nothing_is_answered() -> None:
    """A run that goes on by itself takes no answer."""
    assert refusal(None, Answer(action=Action.RETRY)) == "this run is not waiting for an answer"


def test_lines_are_named_by_id_or_position() -> None:
    """People count from 1."""
    assert [line_of(("a", "b"), name) for name in ("a", "2", "0", "3", "c")] == ["a", "b", None, None, None]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_whatever_is_typed_is_an_answer_or_a_reason(said: object) -> None:
    """Nothing that JSON can say breaks a run."""
    read = read_answer(said)
    assert isinstance(read, Answer) or (isinstance(read, str) and read)

"""Which failures wait for which kind of help, and which answers are taken."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attention import (
    Action,
    AmendableField,
    Amendment,
    Answer,
    AttentionClass,
    Trouble,
    classify,
    line_of,
    read_answer,
    refusal,
)
from domain.money import Money
from domain.problems import ProblemCode

ROOMS = Path(__file__).parent.parent.parent
CLOSING = {"NotPaid", "PaymentCanceled", "Aborted", "AnswerRefused"}


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


def test_every_failure_that_a_workflow_raises_has_a_class() -> None:
    """Each ApplicationError type written in the workflows parks under a name of its own, or closes the run."""
    types = set()
    for path in (ROOMS / "workflows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ApplicationError"):
                types |= {k.value.value for k in node.keywords if k.arg == "type" and isinstance(k.value, ast.Constant)}
    assert len(types) > 5
    unknown = [kind for kind in types - CLOSING if classify(str(kind)) is AttentionClass.UNCLASSIFIED]
    assert not unknown


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

"""How a run asks a person, and how it takes the answer."""

from __future__ import annotations

import json
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.attention import (
        APPROVAL,
        Action,
        Answer,
        StandingOrder,
        Trouble,
        classify,
        line_of,
        read_answer,
        refusal,
    )
    from domain.money import Money
    from workflows import contract

# These close the run: there is nothing that a person could answer.
_CLOSING = ("NotPaid", "PaymentCanceled", "Aborted")


def closes(error: ApplicationError | ActivityError) -> bool:
    """Whether the failure ends the run rather than parking it."""
    return isinstance(error, ApplicationError) and error.type in _CLOSING


def trouble_of(
    error: ApplicationError | ActivityError,
    step: str,
    *,
    at_risk: Money | None,
    lines: tuple[str, ...],
    skippable: bool,
) -> Trouble:
    """What a person is asked about: the failure's class, its sentence, and what is at stake."""
    cause = error.cause if isinstance(error, ActivityError) else error
    kind, message, service, requester, choices = type(cause).__name__, str(cause), "", "", ""
    orders: tuple[StandingOrder, ...] = ()
    if isinstance(cause, ApplicationError):
        kind, message = cause.type or "", cause.message
        details = cause.details[0] if cause.details else {}
        if isinstance(details, dict):
            service, requester = details.get("service", ""), details.get("requester", "")
            choices = details.get("choices", "")
            orders = tuple(StandingOrder.model_validate(one) for one in details.get("orders", ()))
    return Trouble(
        attention_class=classify(kind, service),
        message=message,
        step=step,
        since=workflow.now(),
        at_risk=at_risk,
        lines=lines,
        skippable=skippable,
        approvable=kind == APPROVAL,
        requester=requester,
        choices=tuple(Action(one) for one in choices.split()),
        orders=orders,
    )


class Desk:
    """Where answers arrive: at most one counts, and a wrong one is refused with the reason."""

    def __init__(self, trouble: Trouble | None, answer: Answer | None, show: Callable[[], None]) -> None:
        self.trouble = trouble
        self.answer = answer
        self.refused = ""
        self._show = show

    def why_not(self, said: object) -> str:
        """Why what was said cannot be taken; "" where it can."""
        if self.answer is not None:
            return f"{self.answer.by} has answered already: {self.answer.action.value}"
        answer = read_answer(said)
        return answer if isinstance(answer, str) else refusal(self.trouble, answer)

    def take(self, said: object) -> str:
        """Take the answer, or keep why it was refused, for everybody to see; "" where it was taken."""
        why = self.why_not(said)
        answer = read_answer(said)
        if why or isinstance(answer, str):
            self.refused = why
            self._show()
            return why
        self.answer = _by_line_id(self.trouble, answer)
        return ""


def _by_line_id(trouble: Trouble | None, answer: Answer) -> Answer:
    lines = trouble.lines if trouble else ()
    named = tuple(one.model_copy(update={"line": line_of(lines, one.line) or one.line}) for one in answer.amendments)
    return answer.model_copy(update={"amendments": named})


def details(trouble: Trouble, refused: str) -> list[str]:
    """The parked run in plain words: what happened, what is at stake, what can be answered and how."""
    risk = f" · {trouble.at_risk} at risk" if trouble.at_risk else ""
    lines = [
        f"**Waits for a person: {trouble.attention_class.value}**{risk} · since {trouble.since:%Y-%m-%d %H:%M} UTC",
        "",
        trouble.message,
        "",
    ]
    if refused:
        lines += [f"The last answer was refused: {refused}.", ""]
    lines += ["You can answer:", "", *(f"- {_offer(action, trouble)}" for action in trouble.actions())]
    return lines


def _offer(action: Action, trouble: Trouble) -> str:
    meaning = {
        Action.RETRY: "go on, after the cause was put right",
        Action.AMEND: f"correct a line ({', '.join(trouble.lines)}) and go on",
        Action.SKIP: "go on without this step, with a reason",
        Action.APPROVE: "agree, by name: `throughline exceptions resolve` says yours",
        Action.REFUND: "give back what is left of the money; it needs a name, as approve does",
        Action.RESTORE: "carry the payment anew",
        Action.ADOPT: f"that order ({', '.join(one.number for one in trouble.orders)}) is this payment's",
        Action.ABORT: "take everything back and close, with a reason; the money stays in Stripe",
    }[action]
    example: dict[str, object] = {"action": action.value}
    if action is Action.AMEND:
        example["amendments"] = [{"line": "1", "field": "sku", "value": "…"}]
    if action is Action.ADOPT and len(trouble.orders) > 1:
        example["order"] = "…"
    if action in (Action.SKIP, Action.ABORT):
        example["reason"] = "…"
    command = f"temporal workflow signal --workflow-id {workflow.info().workflow_id} --name {contract.RESUME}"
    return f"**{action.value}**: {meaning}. `{command} --input '{json.dumps(example, ensure_ascii=False)}'`"

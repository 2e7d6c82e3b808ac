"""A run that cannot go on asks a person: what happened, what can be answered, and which answers are refused."""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import AwareDatetime, ValidationError

from domain.money import Money
from domain.payments import Fact
from domain.problems import ProblemCode


class AttentionClass(StrEnum):
    """Why a run waits for a person. A closed list: each has a section in the operating guide."""

    NO_LINES = "no_lines"
    NEGATIVE_LINE = "negative_line"
    LINE_WITHOUT_SKU = "line_without_sku"
    UNKNOWN_SKU = "unknown_sku"
    LINES_DO_NOT_ADD_UP = "lines_do_not_add_up"
    CAPTURED_IN_PART = "captured_in_part"
    TAX = "tax"
    SHIPPING = "shipping"
    CURRENCY = "currency"
    FOREIGN = "foreign"
    TOTALS_DIFFER = "totals_differ"
    ORDER_NUMBER_TAKEN = "order_number_taken"
    ORDER_BY_HAND = "order_by_hand"
    CREDIT_BY_HAND = "credit_by_hand"
    CONTACT_NAME_TAKEN = "contact_name_taken"
    BALANCE_LEFT = "balance_left"
    OVERSOLD = "oversold"
    SET_IN_STOCK = "set_in_stock"
    RECEIPT_MISSING = "receipt_missing"
    MONEY_CHANGED = "money_changed"
    NOT_CARRIED = "not_carried"
    REFUND_PENDING = "refund_pending"
    DISPUTE_LOST = "dispute_lost"
    APPROVAL_NEEDED = "approval_needed"
    REFUND_TOO_LARGE = "refund_too_large"
    REFUND_FAILED = "refund_failed"
    PAYMENT_DISPUTED = "payment_disputed"
    PAYOUT_UNCLEAR = "payout_unclear"
    PAYOUT_UNCERTAIN = "payout_uncertain"
    CHANGED_BY_HAND = "changed_by_hand"
    ORDER_CANCELLED = "order_cancelled"
    DRIFT = "drift"
    ADJUSTMENT_UNMATCHED = "adjustment_unmatched"
    PERSON_MISSING = "person_missing"
    UNDO_FAILED = "undo_failed"
    NOT_ALLOWED = "not_allowed"
    ZOHO_REFUSED = "zoho_refused"
    STRIPE_REFUSED = "stripe_refused"
    SETTINGS = "settings"
    DOSSIER = "dossier"
    UNCLASSIFIED = "unclassified"


# The failure that is none: somebody has to agree.
APPROVAL = "ApprovalNeeded"
_BY_TYPE: dict[str, AttentionClass] = {
    ProblemCode.NO_LINES: AttentionClass.NO_LINES,
    ProblemCode.NEGATIVE_LINE: AttentionClass.NEGATIVE_LINE,
    ProblemCode.LINE_WITHOUT_SKU: AttentionClass.LINE_WITHOUT_SKU,
    ProblemCode.UNKNOWN_SKU: AttentionClass.UNKNOWN_SKU,
    ProblemCode.LINES_DO_NOT_ADD_UP: AttentionClass.LINES_DO_NOT_ADD_UP,
    ProblemCode.CAPTURED_IN_PART: AttentionClass.CAPTURED_IN_PART,
    ProblemCode.NOT_PAID: AttentionClass.LINES_DO_NOT_ADD_UP,
    ProblemCode.UNKNOWN_TAX: AttentionClass.TAX,
    ProblemCode.TAX_WITHOUT_RATE: AttentionClass.TAX,
    ProblemCode.TAX_DIFFERS: AttentionClass.TAX,
    ProblemCode.TAXED_SHIPPING: AttentionClass.SHIPPING,
    ProblemCode.UNKNOWN_CURRENCY: AttentionClass.CURRENCY,
    ProblemCode.MIXED_CURRENCIES: AttentionClass.CURRENCY,
    ProblemCode.CURRENCY_NOT_WHOLE: AttentionClass.CURRENCY,
    ProblemCode.CURRENCY_DECIMALS: AttentionClass.CURRENCY,
    ProblemCode.CURRENCY_NOT_IN_ZOHO: AttentionClass.CURRENCY,
    ProblemCode.UNKNOWN_TIME_ZONE: AttentionClass.SETTINGS,
    ProblemCode.FOREIGN_ACCOUNT: AttentionClass.FOREIGN,
    ProblemCode.FOREIGN_MODE: AttentionClass.FOREIGN,
    ProblemCode.TOTALS_DIFFER: AttentionClass.TOTALS_DIFFER,
    "TotalsDiffer": AttentionClass.TOTALS_DIFFER,
    "OrderNumberTaken": AttentionClass.ORDER_NUMBER_TAKEN,
    "OrderByHand": AttentionClass.ORDER_BY_HAND,
    "CreditByHand": AttentionClass.CREDIT_BY_HAND,
    "ContactNameTaken": AttentionClass.CONTACT_NAME_TAKEN,
    "BalanceLeft": AttentionClass.BALANCE_LEFT,
    "Oversold": AttentionClass.OVERSOLD,
    "SetInStock": AttentionClass.SET_IN_STOCK,
    "ReceiptMissing": AttentionClass.RECEIPT_MISSING,
    "MoneyChanged": AttentionClass.MONEY_CHANGED,
    "NotCarried": AttentionClass.NOT_CARRIED,
    "RefundPending": AttentionClass.REFUND_PENDING,
    "DisputeLost": AttentionClass.DISPUTE_LOST,
    APPROVAL: AttentionClass.APPROVAL_NEEDED,
    "ForeignPayment": AttentionClass.FOREIGN,
    "RefundTooLarge": AttentionClass.REFUND_TOO_LARGE,
    "RefundFailed": AttentionClass.REFUND_FAILED,
    "PaymentDisputed": AttentionClass.PAYMENT_DISPUTED,
    "PayoutUnclear": AttentionClass.PAYOUT_UNCLEAR,
    "PayoutUncertain": AttentionClass.PAYOUT_UNCERTAIN,
    "ChangedByHand": AttentionClass.CHANGED_BY_HAND,
    "OrderCancelled": AttentionClass.ORDER_CANCELLED,
    "DriftFound": AttentionClass.DRIFT,
    "AdjustmentUnmatched": AttentionClass.ADJUSTMENT_UNMATCHED,
    "PersonMissing": AttentionClass.PERSON_MISSING,
    "UndoFailed": AttentionClass.UNDO_FAILED,
    "NotAllowed": AttentionClass.NOT_ALLOWED,
    "SettingsFault": AttentionClass.SETTINGS,
    "DossierChanged": AttentionClass.DOSSIER,
}
_BY_SERVICE = {
    "zoho": AttentionClass.ZOHO_REFUSED,
    "stripe": AttentionClass.STRIPE_REFUSED,
    "settings": AttentionClass.SETTINGS,
}


def classify(kind: str, service: str = "") -> AttentionClass:
    """The class of a failure by its type, else by the service that refused."""
    return _BY_TYPE.get(kind) or _BY_SERVICE.get(service, AttentionClass.UNCLASSIFIED)


class Action(StrEnum):
    """What a person may answer."""

    RETRY = "retry"
    SKIP = "skip"
    AMEND = "amend"
    ABORT = "abort"
    APPROVE = "approve"
    REFUND = "refund"
    RESTORE = "restore"
    ADOPT = "adopt"


class AmendableField(StrEnum):
    """What of a line may be corrected. People's data is corrected in Stripe or Zoho, and then retried."""

    SKU = "sku"
    ITEM_ID = "item_id"
    QUANTITY = "quantity"


class Amendment(Fact):
    """One line's field set to another value; `line` is the line's id, or its position from 1."""

    line: str
    field: AmendableField
    value: str


UNKNOWN = "unknown"


class Answer(Fact):
    """What a person decided. `by` is who; a bare signal does not say, and is recorded as unknown.

    `order` is the number of the order to adopt; "" where there is one only.
    """

    action: Action
    reason: str = ""
    by: str = UNKNOWN
    amendments: tuple[Amendment, ...] = ()
    order: str = ""


class StandingOrder(Fact):
    """An order of Zoho's that somebody entered by hand."""

    number: str
    salesorder_id: str


class Trouble(Fact):
    """Why a run waits. `step` is the step that could not go on, `since` when it parked (UTC), `at_risk` the money.

    `lines` counts the payment's lines, `skippable` says that the order is complete without the step. `approvable`: the
    step waits for somebody to agree, other than the `requester` ("" where nobody knows who that is). `choices` are
    what can be done about it besides, `orders` those that may be the payment's, entered by hand.
    """

    attention_class: AttentionClass
    message: str
    step: str
    since: AwareDatetime
    at_risk: Money | None = None
    lines: tuple[str, ...] = ()
    skippable: bool = False
    approvable: bool = False
    requester: str = ""
    choices: tuple[Action, ...] = ()
    orders: tuple[StandingOrder, ...] = ()

    def actions(self) -> tuple[Action, ...]:
        """What can be answered here."""
        amend = (Action.AMEND,) if self.lines and self.step == "plan" else ()
        skip = (Action.SKIP,) if self.skippable else ()
        approve = (Action.APPROVE,) if self.approvable else ()
        adopt = (Action.ADOPT,) if self.orders else ()
        return (*approve, *self.choices, *adopt, Action.RETRY, *amend, *skip, Action.ABORT)


def refusal(trouble: Trouble | None, answer: Answer) -> str:
    """Why the answer cannot be taken, as a sentence; "" where it can."""
    if trouble is None:
        return "this run is not waiting for an answer"
    if answer.action not in trouble.actions():
        offered = ", ".join(action.value for action in trouble.actions())
        return f"{answer.action.value} is no answer to {trouble.attention_class.value}: choose one of {offered}"
    if answer.action in (Action.SKIP, Action.ABORT) and not answer.reason.strip():
        return f"{answer.action.value} needs a reason"
    if answer.action is Action.APPROVE and (why := _not_the_second(trouble.requester, answer.by)):
        return why
    if answer.action is Action.REFUND and _nameless(answer.by):
        return "a refund has to say who wants it: answer with throughline exceptions resolve, which says it"
    if answer.action is Action.ADOPT and adopted(trouble, answer) is None:
        return f"adopt needs one of the orders {', '.join(one.number for one in trouble.orders)}: name it as `order`"
    if answer.order and answer.action is not Action.ADOPT:
        return f"an order goes with adopt, not with {answer.action.value}"
    if answer.action is Action.AMEND:
        return _amendments_refused(trouble, answer)
    if answer.amendments:
        return f"amendments go with amend, not with {answer.action.value}"
    return ""


def adopted(trouble: Trouble, answer: Answer) -> StandingOrder | None:
    """The order that the answer means; None where that is not clear."""
    meant = [one for one in trouble.orders if answer.order.strip() in ("", one.number, one.salesorder_id)]
    return meant[0] if len(meant) == 1 else None


def _not_the_second(requester: str, by: str) -> str:
    """Why this person's approval does not count; "" where it does."""
    if _nameless(by):
        return "an approval has to say who gives it: answer with throughline exceptions resolve, which says it"
    if by.strip().casefold() == requester.strip().casefold():
        return f"{by} asked for it: somebody else has to approve"
    return ""


def _nameless(by: str) -> bool:
    return by.strip().casefold() in ("", UNKNOWN)


def read_answer(said: object) -> Answer | str:
    """What a person typed, as an answer, or why it is none. A bare word is an action: `"retry"`."""
    if isinstance(said, str):
        said = {"action": said}
    if not isinstance(said, dict):
        return 'an answer is a JSON object such as {"action": "retry"}'
    unknown = set(said) - set(Answer.model_fields)
    if unknown:
        return f"an answer has no {', '.join(sorted(map(str, unknown)))}: it has {', '.join(Answer.model_fields)}"
    try:
        return Answer.model_validate(said)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False))
        return "; ".join(faults)


def _amendments_refused(trouble: Trouble, answer: Answer) -> str:
    if not answer.amendments:
        return "amend needs at least one amendment: a line, a field (sku, item_id or quantity) and its value"
    for amendment in answer.amendments:
        if line_of(trouble.lines, amendment.line) is None:
            return f"there is no line {amendment.line!r}: the payment has {', '.join(trouble.lines)}"
        if not amendment.value.strip():
            return f"line {amendment.line!r}: {amendment.field.value} is empty"
        if amendment.field is AmendableField.QUANTITY and not re.fullmatch(r"\d{1,9}", amendment.value.strip()):
            return f"line {amendment.line!r}: a quantity is a whole number, 0 leaves the line out"
    return ""


def line_of(lines: tuple[str, ...], named: str) -> str | None:
    """The id of the line that is named by its id or its position from 1."""
    if named in lines:
        return named
    if named.isdecimal() and 1 <= int(named) <= len(lines):
        return lines[int(named) - 1]
    return None

"""The adjustment of a payment's sets: what its steps are asked, and what they answer."""

from __future__ import annotations

from domain.documents import Part
from domain.payments import Fact
from domain.runs import PaymentRef


class AdjustInput(PaymentRef):
    """`parts` to be taken out of stock for the items `sets`; `order_ref` is the draft that tells the date."""

    order_ref: str
    sets: tuple[str, ...]
    parts: tuple[Part, ...]
    after: int = 0


class SetsFound(Fact):
    """Which sets documents move after all, by SKU, and which parts have no stock that could be adjusted."""

    moved: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


class AdjustmentWritten(Fact):
    """An adjustment as Zoho has it."""

    adjustment_id: str = ""
    status: str = ""
    unknown: bool = False
    asked: int = 0


class AdjustmentsLook(PaymentRef):
    """Which adjustments has the payment? `deleted` are those that should be gone."""

    deleted: tuple[str, ...] = ()


class AdjustmentsFound(Fact):
    """The adjustments that stand, by Zoho's id."""

    adjustment_ids: tuple[str, ...] = ()

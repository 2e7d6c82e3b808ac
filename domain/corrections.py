"""What crosses Temporal when a payment changes after its run has closed: ids, money and decisions."""

from __future__ import annotations

from pydantic import Field

from domain.money import Money
from domain.payments import Fact, Fee
from domain.runs import PaymentEvent, PaymentInput, PaymentRef
from domain.sales import OrderInput


class CustomerPayments(Fact):
    """What a customer has paid: his newest carried payment of each currency."""

    payment_ids: tuple[str, ...] = ()


class ChangeInput(PaymentInput):
    """What a change's run starts with: the event that told of it."""

    event: PaymentEvent


class ChangePlan(Fact):
    """How Stripe's truth differs from what was written.

    `order` is what was written, with the draft of now under its `order_ref`; None where nothing stands in Zoho, or
    (`forgotten`) where our memory of it is gone. `money` is what Stripe holds.
    """

    money: Money
    paid: bool
    round: int = 0
    salesorder_id: str = ""
    invoice_id: str = ""
    zoho_payment_id: str = ""
    fee: Fee | None = None
    forgotten: bool = False
    order: OrderInput | None = None
    addressed: bool = False
    fields: bool = False
    person: bool = False


class PersonInput(PaymentRef):
    """A contact's person, to be brought to the draft under `order_ref`."""

    order_ref: str
    contact_id: str
    person_id: str = ""
    after: int = 0


class PersonSeen(Fact):
    """A contact's person by Zoho's id; `same` says that name, e-mail and phone are those of the draft."""

    person_id: str = ""
    same: bool = False


class OrderCorrection(OrderInput):
    """The sales order to be said anew, line by line, with the addresses and custom fields of now.

    `marks` are custom fields (api_name) that no payment fills.
    """

    salesorder_id: str
    line_item_ids: tuple[str, ...]
    marks: dict[str, str] = Field(default_factory=dict)


class OrderRecalled(Fact):
    """An order as it was written last; `order` is None where our memory of it is gone."""

    salesorder_id: str = ""
    order: OrderInput | None = None


class ChangeResult(Fact):
    """What an event changed in Zoho; `corrected` is empty where everything was as Stripe says."""

    payment_id: str
    event_id: str
    corrected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

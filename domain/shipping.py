"""Package and shipment of a paid order: what the steps are asked, and what Stripe is told of them."""

from __future__ import annotations

from typing import Protocol

from domain.cards import mask_cards
from domain.documents import OrderDocumentLine, PackageDocument, ShipmentDocument
from domain.payments import Fact
from domain.policy import ShipmentKeys
from domain.runs import PaymentRef


class PackageInput(PaymentRef):
    """The `goods` of the order `salesorder_id` to be packed; `order_ref` is the draft that tells the date."""

    order_ref: str
    salesorder_id: str
    goods: tuple[OrderDocumentLine, ...] = ()
    after: int = 0


class PackagesLook(PaymentRef):
    """Which packages has the order `salesorder_id`? `deleted` are packages and shipments that should be gone."""

    salesorder_id: str
    deleted: tuple[str, ...] = ()


class PackagesFound(Fact):
    """The packages that an order has, each with its shipment."""

    packages: tuple[PackageDocument, ...] = ()


class PackageWritten(Fact):
    """A package as Zoho has it."""

    package_id: str = ""
    number: str = ""
    unknown: bool = False
    asked: int = 0


class ShipmentInput(PackageInput):
    """The packages to be sent on their way under `number`."""

    package_ids: tuple[str, ...]
    number: str


class ShipmentWritten(Fact):
    """A shipment as Zoho has it; `package_ids` went with it."""

    shipment_id: str = ""
    number: str = ""
    carrier: str = ""
    tracking_number: str = ""
    status: str = ""
    package_ids: tuple[str, ...] = ()
    unknown: bool = False
    asked: int = 0

    @classmethod
    def of(cls, shipment: ShipmentDocument, *package_ids: str) -> ShipmentWritten:
        """The shipment that these packages went with."""
        return cls(**dict(shipment), package_ids=package_ids)


class Shipped(Protocol):
    """Goods on their way."""

    @property
    def number(self) -> str: ...
    @property
    def carrier(self) -> str: ...
    @property
    def tracking_number(self) -> str: ...


def shipped_as(shipment: Shipped) -> str:
    """How goods left, in a few words: "SH-1 by DHL 00340". Who typed an e-mail address there is not repeated."""
    number, carrier, tracking = map(_word, (shipment.number, shipment.carrier, shipment.tracking_number))
    by = " ".join(filter(None, (carrier, tracking)))
    return " ".join(filter(None, (number, f"by {by}" if by else "", "" if tracking else "without a tracking number")))


def _word(text: str) -> str:
    return " ".join(word for word in mask_cards(text).split() if "@" not in word)


def shipment_metadata(shipment: ShipmentWritten | None, keys: ShipmentKeys) -> dict[str, str]:
    """What Stripe's metadata says of the shipment; what nobody knows yet is left out."""
    if shipment is None:
        return {}
    told = {
        keys.shipment_id: shipment.shipment_id,
        keys.tracking_number: shipment.tracking_number,
        keys.carrier: shipment.carrier,
        keys.status: shipment.status,
    }
    return {key: value for key, value in told.items() if key and value}

"""The connections a worker serves, each with its two gateways and its policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clients.errors import Refused
from domain.policy import MappingPolicy, PaymentPolicy

if TYPE_CHECKING:
    from clients.notify import Notifier
    from clients.stripe.gateway import StripeGateway
    from clients.zoho.gateway import ZohoGateway


@dataclass(frozen=True)
class Shop:
    """One Stripe account paired with one Zoho organisation."""

    slug: str
    account_id: str
    livemode: bool
    stripe: StripeGateway
    zoho: ZohoGateway
    notifier: Notifier
    mapping: MappingPolicy
    policy: PaymentPolicy


class Shops:
    """The shops by slug."""

    def __init__(self, shops: Iterable[Shop]) -> None:
        self._shops = {shop.slug: shop for shop in shops}

    def __getitem__(self, slug: str) -> Shop:
        """The shop; Refused where this worker's connections file does not name it."""
        try:
            return self._shops[slug]
        except KeyError:
            raise Refused(
                "settings",
                f"no connection {slug!r} in this worker's connections file; add it and restart the worker",
                code="unknown_connection",
            ) from None

"""The connections a worker serves, each with its two gateways and its policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clients.errors import Refused
from domain.mapping_policy import MappingPolicy
from domain.policy import PaymentPolicy
from domain.postings import AccountNames

if TYPE_CHECKING:
    from clients.notify import Notifier
    from clients.stripe.gateway import StripeGateway
    from clients.zoho.gateway import ZohoGateway
    from domain.certificates import Signer


@dataclass(frozen=True)
class Shop:
    """One Stripe account paired with one Zoho organisation. `signer` signs what is certified for it.

    `bulk` asks the same organisation and leaves the day's reserve to `zoho`; None where there is no bulk work.
    """

    slug: str
    account_id: str
    livemode: bool
    stripe: StripeGateway
    zoho: ZohoGateway
    notifier: Notifier
    mapping: MappingPolicy
    policy: PaymentPolicy
    accounts: AccountNames = field(default_factory=AccountNames)
    signer: Signer | None = None
    bulk: ZohoGateway | None = None


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

    def in_bulk(self) -> Shops:
        """The same shops, for work that can wait: their Zoho leaves the day's reserve alone."""
        return Shops(replace(shop, zoho=shop.bulk or shop.zoho) for shop in self._shops.values())

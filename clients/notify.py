"""A sentence to the shop's people, by whatever apprise can reach; callers keep personal data out of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import apprise
from pydantic import SecretStr

from clients.errors import SettingsError, TryLater


class Notifier:
    """Sends to every apprise URL of one connection, and to nobody where there is none."""

    def __init__(self, urls: Sequence[SecretStr]) -> None:
        # Process-global: apprise writes whole addresses, secrets included, into its log.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._apprise = apprise.Apprise()
        for place, url in enumerate(urls, start=1):
            if not self._apprise.add(url.get_secret_value()):
                raise SettingsError(f"notify: address {place} is none that apprise knows; see its list of services")

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return len(self._apprise) > 0

    async def send(self, title: str, body: str) -> None:
        """One message to all addresses; TryLater where one of them did not take it (others may have)."""
        if len(self._apprise) and not await self._apprise.async_notify(title=title, body=body):
            raise TryLater("notify", f"not every one of {len(self._apprise)} addresses took the message")

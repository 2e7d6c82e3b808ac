"""What every run is started with: its connection's ids and policy, and where its calls to Zoho go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.connections import Connection
from ingress.temporal import Runs
from workflows import contract


class Beginnings:
    """Starts runs of `connections`, which are by slug."""

    def __init__(self, connections: Mapping[str, Connection], runs: Runs, zoho_queue: str) -> None:
        self._connections = connections
        self._runs = runs
        self._zoho_queue = zoho_queue

    def _start_of(self, connection: str, payment_id: str) -> dict[str, Any]:
        """What every run of a payment starts with."""
        about = self._connections[connection]
        return {
            "connection": connection,
            "payment_id": payment_id,
            "organization_id": about.zoho.organization_id,
            "policy": about.policy,
            "zoho_queue": self._zoho_queue,
        }

    def _that_can_wait(self, connection: str, payment_id: str) -> dict[str, Any]:
        """The same of a run whose calls to Zoho can wait."""
        return {**self._start_of(connection, payment_id), "zoho_queue": contract.bulk_queue(self._zoho_queue)}

    def _from_before(self, connection: str, payment_id: str) -> dict[str, Any]:
        """The same of what a backfill found: people may have entered it by hand, and nobody waits to be told."""
        return {**self._that_can_wait(connection, payment_id), "backfilled": True}

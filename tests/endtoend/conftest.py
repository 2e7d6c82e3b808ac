"""A house for a whole module, where its tests do not disturb each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.temporal_binary import find_or_get
from tests.house import House, a_house


@pytest.fixture
async def house(temporal_client: Client, tmp_path: Path) -> AsyncIterator[House]:
    """A house of its own for each test."""
    async with a_house(temporal_client, tmp_path) as built:
        yield built


@pytest.fixture(scope="session")
def temporal_cli() -> Path:
    """The Temporal CLI, which the session's server has brought here."""
    return find_or_get(lambda _: None)

"""Notifications: sent to every address, silent without one, loud when not delivered, never with a secret."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from clients.errors import SettingsError, TryLater
from clients.notify import Notifier


async def test_a_message_reaches_every_address() -> None:
    """Title and body arrive once at each address."""
    received: list[tuple[str, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        received.append((request.path, body["title"], body["message"]))
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/{name}", take)
    async with TestServer(app) as server:
        urls = [SecretStr(f"json://127.0.0.1:{server.port}/{name}") for name in ("one", "two")]
        await Notifier(urls).send("Paid", "SO-1 is paid")
    assert sorted(received) == [("/one", "Paid", "SO-1 is paid"), ("/two", "Paid", "SO-1 is paid")]


async def test_without_addresses_nothing_happens() -> None:
    """A shop that wants no messages gets none and no error."""
    await Notifier([]).send("Paid", "SO-1 is paid")


async def test_an_address_that_refuses_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    """A message that was not taken is TryLater, and the address with its secret stays out of the log."""
    caplog.set_level(logging.DEBUG)
    app = web.Application()
    async with TestServer(app) as server:
        notifier = Notifier([SecretStr(f"json://user:hunter2@127.0.0.1:{server.port}/s3cret")])
        with pytest.raises(TryLater) as caught:
            await notifier.send("Paid", "SO-1 is paid")
    said = str(caught.value) + " ".join(record.getMessage() for record in caplog.records if record.name == "apprise")
    assert "hunter2" not in said
    assert "s3cret" not in said


def test_an_unknown_kind_of_address_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """An address apprise cannot read stops the start by its place in the list, without its text."""
    with pytest.raises(SettingsError, match="address 2") as caught:
        Notifier([SecretStr("json://127.0.0.1/"), SecretStr("slack://hunter2")])
    assert "hunter2" not in str(caught.value) + caplog.text

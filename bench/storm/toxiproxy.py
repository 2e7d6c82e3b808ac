"""Proxies between the parts whose network can be spoiled: Shopify's toxiproxy, found or built, and its HTTP API."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from bench.storm.plan import Toxic
from cli import binaries
from cli.binaries import Say
from cli.children import Child
from cli.exits import CannotStart
from cli.go_build import DEPLOY, BuildFailed, GoProgram, build
from cli.ports import quiet_port

HOST = "127.0.0.1"
VERSION = "2.5.0"
_WITHIN = 20.0  # seconds to come up
_TRIES = 20  # to take a toxic away; each may take some seconds
_PROGRAM = GoProgram(
    module=DEPLOY / "toxiproxy",
    command="github.com/Shopify/toxiproxy/v2/cmd/server",
    stamp="github.com/Shopify/toxiproxy/v2.Version",
    packages=190,
)


class NoToxiproxy(CannotStart):
    """There is no toxiproxy and none could be built; the message says what to type."""


def find_or_get(say: Say) -> Path:
    """The path of a toxiproxy server: yours, our cache, or a build. NoToxiproxy with the reason."""
    return binaries.find_or_get(_WANTED, _get, say)


def _objection(binary: Path) -> str:
    try:
        answer = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "which does not run."
    said = answer.stdout + answer.stderr
    return "" if re.search(r"version (2\.\d+\.\d+|git)", said) else "which is no toxiproxy server of version 2."


_WANTED = binaries.Wanted(
    title="toxiproxy",
    name="toxiproxy",
    version=VERSION,
    variable="TOXIPROXY_SERVER",
    command="toxiproxy-server",
    objection=_objection,
)


def _get(target: Path, say: Say) -> None:
    """Builds into a folder beside the target, tries the result, then renames it."""
    say("Toxiproxy is built from source: a minute or two, once.")
    with tempfile.TemporaryDirectory(prefix="toxiproxy-", dir=target.parent) as folder:
        binary = Path(folder) / "toxiproxy"
        try:
            build(_PROGRAM, binary, VERSION, Path(folder), say)
        except BuildFailed as failure:
            raise NoToxiproxy(f"{failure}\n{_CURE}") from failure
        if objection := _objection(binary):
            raise NoToxiproxy(f"What was built is a program {objection}\n{_CURE}")
        binary.rename(target)
        say(f"Toxiproxy {VERSION} is ready: {target}")


_CURE = (
    "What to do: install toxiproxy (github.com/Shopify/toxiproxy) and set TOXIPROXY_SERVER=/path/to/toxiproxy-server, "
    "or storm without it: --toxics 0."
)


class Toxiproxy:
    """A running server with one proxy for each link."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self._down: Counter[str] = Counter()
        self._names = 0

    async def open(self, links: Mapping[str, str]) -> dict[str, str]:
        """A proxy before each link's `host:port`; the address of each, `host:port` too."""
        found = {}
        for link, upstream in links.items():
            found[link] = f"{HOST}:{quiet_port()}"
            await self._post("/proxies", {"name": link, "listen": found[link], "upstream": upstream, "enabled": True})
        return found

    async def spoil(self, toxic: Toxic) -> None:
        """Lets the toxic work for its time."""
        if toxic.kind == "down":
            await self._absent(toxic)
            return
        self._names += 1
        name = f"{toxic.kind}-{self._names}"
        body = {"name": name, "type": toxic.kind, "stream": toxic.stream, "toxicity": toxic.share}
        await self._post(f"/proxies/{toxic.link}/toxics", {**body, "attributes": dict(toxic.attributes)})
        await asyncio.sleep(toxic.seconds)
        await self._surely("DELETE", f"/proxies/{toxic.link}/toxics/{name}")

    async def calm(self) -> None:
        """No toxic any more, every proxy up."""
        await self._surely("POST", "/reset")

    async def _absent(self, toxic: Toxic) -> None:
        self._down[toxic.link] += 1
        await self._post(f"/proxies/{toxic.link}", {"enabled": False})
        await asyncio.sleep(toxic.seconds)
        self._down[toxic.link] -= 1
        if not self._down[toxic.link]:
            await self._post(f"/proxies/{toxic.link}", {"enabled": True})

    async def _surely(self, method: str, path: str) -> None:
        """Asks until it is done, or was done already: it answers 503 while a connection is held up in a toxic."""
        for _ in range(_TRIES):
            answer = await self._http.request(method, f"{self._url}{path}")
            if answer.is_success or answer.status_code == HTTPStatus.NOT_FOUND:
                return
            await asyncio.sleep(0.2)
        raise CannotStart(f"Toxiproxy did not do {method} {path}: {answer.status_code} {answer.text}")

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        answer = await self._http.post(f"{self._url}{path}", json=body)
        if not answer.is_success:
            raise CannotStart(f"Toxiproxy refused {path} {dict(body)}: {answer.text}")


@asynccontextmanager
async def a_toxiproxy(binary: Path, home: Path, http: httpx.AsyncClient) -> AsyncIterator[Toxiproxy]:
    """A server of its own, ended after."""
    port = quiet_port()
    child = Child.spawn("toxiproxy", [str(binary), "-host", HOST, "-port", str(port)], log=home / "toxiproxy.log")
    try:
        url = f"http://{HOST}:{port}"
        await _answers(http, f"{url}/version", child)
        yield Toxiproxy(http, url)
    finally:
        await child.stop()


async def _answers(http: httpx.AsyncClient, url: str, child: Child) -> None:
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline and child.exit_code is None:
        try:
            if (await http.get(url)).is_success:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise NoToxiproxy(f"Toxiproxy did not come up: {child.tail()}\n{_CURE}")

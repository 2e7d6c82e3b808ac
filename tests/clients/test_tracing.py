"""Spans as they leave: to a collector or a file, with the names of a query and without its values."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from clients.tracing import NO_TRACING, current_trace_id, open_tracing, without_values
from clients.watch import Watch
from clients.zoho.transport import open_http

EMAIL = "canary-7f3a@example.com"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://zoho.eu/inventory/v1/items/12", "https://zoho.eu/inventory/v1/items/12"),
        ("https://zoho.eu/contacts?email=a%40b.c&per_page=200#x", "https://zoho.eu/contacts?email=***&per_page=***"),
        ("http://user:secret@127.0.0.1:80/x", "http://127.0.0.1:80/x"),
    ],
)
def test_an_address_is_kept_without_its_values(url: str, kept: str) -> None:
    """Host, path and the names of the query."""
    assert without_values(url) == kept


async def test_a_collector_gets_spans_without_people(tmp_path: Path) -> None:
    """By OTLP over HTTP: a call with its status, a broken one with its error's type, nobody's e-mail in either."""
    received: list[bytes] = []

    async def collect(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1/traces"))
        tracing = open_tracing("otlp", "test", file=tmp_path / "unused", endpoint=url)
        outcomes: list[tuple[str, str, str]] = []
        watch = Watch("shop", tracing, lambda *seen: outcomes.append(seen))
        async with open_http(watch=watch) as http:
            with tracing.webhook("/webhooks", connection="shop"):
                trace = current_trace_id()
                await http.get(str(server.make_url("/contacts")), params={"email": EMAIL})
                with pytest.raises(httpx.ConnectError):
                    await http.get("http://127.0.0.1:1/contacts", params={"email": EMAIL})
        await asyncio.to_thread(tracing.close)
    assert outcomes == [("shop", "zoho", "404"), ("shop", "zoho", "no-answer")]
    sent = [ExportTraceServiceRequest.FromString(body) for body in received]
    spans = [
        span for one in sent for found in one.resource_spans for scope in found.scope_spans for span in scope.spans
    ]
    assert {span.trace_id.hex() for span in spans} == {trace}
    assert sorted(span.name for span in spans) == ["GET zoho", "GET zoho", "POST /webhooks"]
    facts = [{fact.key: fact.value for fact in span.attributes} for span in spans]
    assert [f["error.type"].string_value for f in facts if "error.type" in f] == ["ConnectError"]
    assert [f["http.response.status_code"].int_value for f in facts if "http.response.status_code" in f] == [404]
    assert not [body for body in received if b"canary-7f3a" in body]


def test_what_an_exception_says_is_redacted(tmp_path: Path) -> None:
    """Temporal's spans keep an error's words: mail, card and key are masked, and the stack is left out."""
    tracing = open_tracing("file", "test", file=tmp_path / "t.jsonl", endpoint="")
    assert tracing.provider is not None
    tracer = tracing.provider.get_tracer("somebody")
    with pytest.raises(ValueError), tracer.start_as_current_span("work"):
        raise ValueError(f"{EMAIL} paid with 4242424242424242 by sk_live_0123456789")
    tracing.close()
    text = (tmp_path / "t.jsonl").read_text()
    (event,) = json.loads(text)["events"]
    assert event["attributes"]["exception.message"] == "***@*** paid with ****4242 by sk_***"
    assert "exception.stacktrace" not in event["attributes"]
    for word in (EMAIL, "4242424242424242", "0123456789"):
        assert word not in text


def test_a_trace_file_is_its_owners(tmp_path: Path) -> None:
    """It names payments and amounts of nobody else's business."""
    tracing = open_tracing("file", "test", file=tmp_path / "t.jsonl", endpoint="")
    with tracing.call("zoho", "get", "http://z/"):
        pass
    tracing.close()
    assert (tmp_path / "t.jsonl").stat().st_mode & 0o777 == 0o600


def test_tracing_that_is_off_makes_no_trace() -> None:
    """The same code runs, and nothing is made."""
    with NO_TRACING.call("zoho", "GET", "http://z/") as exchange:
        exchange.status = 200
        assert current_trace_id() == ""

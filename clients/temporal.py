"""How Temporal is spoken to: one plugin for client, worker and replayer, one way to connect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import Interceptor as WorkerInterceptor

if TYPE_CHECKING:
    from clients.keys import KeyRing
    from clients.settings import Settings

_ENCODING = b"binary/encrypted"
_AAD = b"throughline/temporal-payload"


class EncryptionCodec(PayloadCodec):
    """Encrypts every payload with AES-256-GCM and names the key in the payload's metadata.

    Payloads in clear are read as they are: a run may be older than the switch, and a signal sent with
    Temporal's own command line is always in clear.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each payload sealed under the current key."""
        metadata = {"encoding": _ENCODING, "encryption-key-id": self._keys.current.encode()}
        return [
            Payload(metadata=metadata, data=self._keys.encrypt(payload.SerializeToString(), _AAD))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each sealed payload opened with the key it was sealed under; the others unchanged."""
        return [self._open(payload) for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        return Payload.FromString(self._keys.decrypt(payload.data, _AAD))


def data_converter(keys: KeyRing | None = None) -> DataConverter:
    """Pydantic models as JSON; with `keys`, encrypted, messages and stack traces of failures too."""
    if keys is None:
        return pydantic_data_converter
    return replace(
        pydantic_data_converter,
        payload_codec=EncryptionCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


class ThroughlinePlugin(SimplePlugin):
    """Everything that client, worker and replayer have to agree on. A worker takes it from its client."""

    def __init__(
        self,
        keys: KeyRing | None = None,
        *,
        interceptors: Sequence[ClientInterceptor | WorkerInterceptor] = (),
    ) -> None:
        super().__init__("throughline", data_converter=data_converter(keys), interceptors=interceptors)


async def connect(
    address: str,
    namespace: str = "default",
    *,
    keys: KeyRing | None = None,
    profile: str = "",
    lazy: bool = False,
    runtime: Runtime | None = None,
    interceptors: Sequence[ClientInterceptor | WorkerInterceptor] = (),
) -> Client:
    """A client of this event loop, carrying the plugin; `lazy` connects at the first call.

    `profile` names a profile of Temporal's own configuration file (TLS, API key, address): what it says goes
    before `address` and `namespace`. RuntimeError where the server cannot be reached and `lazy` is False.
    """
    found = ClientConfig.load_client_connect_config(profile) if profile else ClientConnectConfig()
    target: dict[str, Any] = {"target_host": address, "namespace": namespace, **found}
    return await Client.connect(
        **target, plugins=[ThroughlinePlugin(keys, interceptors=interceptors)], lazy=lazy, runtime=runtime
    )


async def connect_as_told(
    settings: Settings,
    keys: KeyRing,
    *,
    lazy: bool = False,
    runtime: Runtime | None = None,
    interceptors: Sequence[ClientInterceptor | WorkerInterceptor] = (),
) -> Client:
    """A client of the server that `settings` name; RuntimeError as for `connect`."""
    return await connect(
        settings.temporal_address,
        settings.temporal_namespace,
        keys=keys if settings.encrypt_payloads else None,
        profile=settings.temporal_profile,
        lazy=lazy,
        runtime=runtime,
        interceptors=interceptors,
    )


async def is_ready(client: Client, within: timedelta = timedelta(seconds=2)) -> bool:
    """Whether the server answers, `within` this time, that the client's namespace exists."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        async with asyncio.timeout(within.total_seconds()):
            await client.workflow_service.describe_namespace(request, timeout=within)
    except (
        RPCError,
        RuntimeError,
        TimeoutError,
    ):  # RuntimeError: never connected
        return False
    return True


async def missing_search_attributes(
    client: Client, wanted: Iterable[SearchAttributeKey[Any]]
) -> list[SearchAttributeKey[Any]]:
    """Those of `wanted` that the namespace lacks or has with another type. Raises RPCError."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = dict((await client.operator_service.list_search_attributes(request)).custom_attributes)
    return [key for key in wanted if known.get(key.name) != int(key.indexed_value_type)]


async def add_search_attributes(client: Client, wanted: Iterable[SearchAttributeKey[Any]]) -> list[str]:
    """Registers those of `wanted` that are missing and tells their names.

    Raises RPCError: the caller may lack the right, or the name is taken with another type.
    """
    missing = await missing_search_attributes(client, wanted)
    if missing:
        types: dict[str, Any] = {key.name: key.indexed_value_type for key in missing}
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=types)
        await client.operator_service.add_search_attributes(request)
    return [key.name for key in missing]

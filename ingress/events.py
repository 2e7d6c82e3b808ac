"""What a signed delivery says: strict JSON, then one event, snapshot or thin. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictInt, TypeAdapter
from pydantic import ValidationError as Invalid

from domain.changes import changed_keys
from ingress.signatures import BadDelivery

MAX_DEPTH = 64
MAX_KEYS = 2_000  # of one object; Stripe's widest has some 150
_EPOCH, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PAIRS = re.compile(rb"(?:\{\}|\[\])+")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

EventId = Annotated[str, Field(pattern=r"^evt_[A-Za-z0-9_]{1,250}$")]
EventType = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,120}$")]


class _Seen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: EventId
    type: EventType
    livemode: StrictBool


class _Data(BaseModel):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None


class _Snapshot(_Seen):
    object: Literal["event"]
    created: Annotated[StrictInt, Field(ge=0, le=int(_LATEST.timestamp()))]
    account: str | None = None
    data: _Data


class _Related(BaseModel):
    id: str
    type: str


class _Thin(_Seen):
    object: Literal["v2.core.event"]
    created: Annotated[AwareDatetime, Field(ge=_EPOCH, le=_LATEST)]
    context: str | None = None
    related_object: _Related | None = None


_ANY_EVENT: TypeAdapter[_Snapshot | _Thin] = TypeAdapter(Annotated[_Snapshot | _Thin, Field(discriminator="object")])


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """An event: `subject` is the object it is about as it was then (thin: `id` and `object` alone).

    `account` is "" where the event is about the account that owns the endpoint. `changed` names the fields that an
    update changed; () where it does not say.
    """

    event_id: str
    type: str
    created: datetime
    livemode: bool
    account: str
    thin: bool
    subject: Mapping[str, Any]
    changed: tuple[str, ...] = ()


def parse(raw: bytes) -> StripeEvent:
    """The event in `raw`; BadDelivery where it is no JSON, or no event."""
    return read(loads(raw))


def read(document: Any) -> StripeEvent:
    """The event that `document` is; BadDelivery where it is none."""
    try:
        event = _ANY_EVENT.validate_python(document)
    except Invalid:
        raise BadDelivery("no-event") from None
    changed: tuple[str, ...] = ()
    if isinstance(event, _Thin):
        related = event.related_object
        subject = {"id": related.id, "object": related.type} if related else {}
        account = (event.context or "").rpartition("/")[2]
        created = event.created.astimezone(UTC)
    else:
        subject, account = event.data.object, event.account or ""
        changed = changed_keys(event.data.previous_attributes)
        created = datetime.fromtimestamp(event.created, UTC)
    thin = isinstance(event, _Thin)
    return StripeEvent(event.id, event.type, created, event.livemode, account, thin, subject, changed)


def loads(raw: bytes) -> Any:
    """UTF-8 JSON with bounded depth and width, no doubled keys, no NaN, numbers exact; else BadDelivery."""
    _refuse_deep(raw)
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_constant=_no_constant,
        )
    except BadDelivery:
        raise
    except ValueError:  # not UTF-8, not JSON, or a number of thousands of digits
        raise BadDelivery("malformed") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadDelivery("doubled-key")
    if len(found) > MAX_KEYS:
        raise BadDelivery("too-wide")
    return found


def _no_constant(_: str) -> NoReturn:
    raise BadDelivery("malformed")


def _refuse_deep(raw: bytes) -> None:
    """Takes strings away, then innermost pairs of brackets, level by level: nothing has to recurse."""
    brackets = _STRING.sub(b"", raw).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        fewer = _PAIRS.sub(b"", brackets)
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    if brackets:
        raise BadDelivery("malformed" if not _PAIRS.search(brackets) else "too-deep")

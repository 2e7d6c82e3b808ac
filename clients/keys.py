"""The keys that people's data, tokens and Temporal's payloads are encrypted with."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clients.errors import SettingsError, ThroughlineError

KEY_BYTES = 32
_VERSION = 1
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class UnknownKey(SettingsError):
    """The ciphertext names a key that the ring does not hold."""


class Tampered(ThroughlineError):
    """The ciphertext, or what it was bound to, is not what was encrypted."""


@dataclass(frozen=True)
class KeyRing:
    """AES-256-GCM keys by id, newest first, the last one the oldest: `current` encrypts, every key decrypts.

    Ciphertext: version byte, length of the key id, key id, 96-bit random nonce, AES-GCM output with its tag.
    All before the nonce is authenticated together with the caller's `aad`.
    """

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        for key_id, key in self.keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise SettingsError("keys: an id has 1 to 64 letters, digits, dots, dashes or underscores")
            if len(key) != KEY_BYTES:
                raise SettingsError(f"keys: key {key_id!r} has {len(key)} bytes; make one of {KEY_BYTES}")
        if self.current not in self.keys:
            raise SettingsError(f"keys: the current key {self.current!r} is not among the keys")

    @classmethod
    def generate(cls, key_id: str = "k1") -> Self:
        """A ring of one new random key."""
        return cls(current=key_id, keys={key_id: os.urandom(KEY_BYTES)})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The ring written as `id:base64[,id:base64…]`, newest first. SettingsError never shows the key."""
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = entry.partition(":")
            if not encoded or key_id in keys:
                raise SettingsError("keys: write id:base64[,id:base64], each id once, the newest key first")
            keys[key_id] = _decoded(key_id, encoded)
        if not keys:
            raise SettingsError("keys: no key is set; write id:base64 with 32 random bytes")
        return cls(current=next(iter(keys)), keys=keys)

    def to_text(self) -> str:
        """What `from_text` reads: a secret, for a file that only its owner can read."""
        older = [key_id for key_id in self.keys if key_id != self.current]
        return ",".join(f"{key_id}:{b64encode(self.keys[key_id]).decode()}" for key_id in (self.current, *older))

    def rotated(self, key_id: str) -> Self:
        """The same ring with a new random current key `key_id`; the old keys still decrypt."""
        if key_id in self.keys:
            raise SettingsError(f"keys: {key_id!r} is taken; a new key needs a new id")
        return type(self)(current=key_id, keys={key_id: os.urandom(KEY_BYTES), **self.keys})

    def encrypt(self, plain: bytes, aad: bytes) -> bytes:
        """`plain` under the current key, readable again only with the same `aad`."""
        key_id = self.current.encode()
        header = bytes((_VERSION, len(key_id))) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, plain, header + aad)

    def decrypt(self, sealed: bytes, aad: bytes) -> bytes:
        """What was encrypted. UnknownKey where its key is gone, Tampered where anything was changed."""
        header, key_id = _opened(sealed)
        key = self.keys.get(key_id)
        if key is None:
            held = ", ".join(self.keys)
            raise UnknownKey(f"keys: this needs key {key_id!r} and the ring holds {held}; add the old key again")
        nonce, body = sealed[len(header) :][:_NONCE_BYTES], sealed[len(header) + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, body, header + aad)
        except (InvalidTag, ValueError) as error:
            raise Tampered("the ciphertext was changed, cut, or belongs to another record") from error

    def pseudonym(self, data: bytes) -> str:
        """64 hex digits that stand for `data`: equal for equal data, not to be guessed without the key.

        Made with the oldest key, so that a rotation changes no reference; dropping that key does.
        """
        oldest = self.keys[list(self.keys)[-1]]
        own = hmac.digest(oldest, b"throughline pseudonym", hashlib.sha256)
        return hmac.digest(own, data, hashlib.sha256).hex()


def _decoded(key_id: str, encoded: str) -> bytes:
    """The key's bytes; a key of few different bytes was typed, not drawn, and is refused."""
    try:
        key = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"keys: key {key_id!r} is not base64") from None
    if len(key) == KEY_BYTES and len(set(key)) < KEY_BYTES // 2:
        raise SettingsError(f"keys: key {key_id!r} is not random; draw one with `openssl rand -base64 32`")
    return key


def _opened(sealed: bytes) -> tuple[bytes, str]:
    """The header and the key id in it. Tampered where there is none."""
    if len(sealed) < 2 or sealed[0] != _VERSION or len(sealed) < 2 + sealed[1] + _NONCE_BYTES:
        raise Tampered("this is not a ciphertext of ours, or it was cut")
    header = sealed[: 2 + sealed[1]]
    return header, header[2:].decode("utf-8", errors="replace")

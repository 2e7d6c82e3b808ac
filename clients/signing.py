"""The keys that certificates are signed with, and the check of a signature, which needs only the public half."""

from __future__ import annotations

import binascii
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from clients.errors import SettingsError

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class SigningRing:
    """Ed25519 seeds by id, newest first: `current` signs, the public halves of all of them are ours.

    A rotation adds a key and keeps the old ones, so that what they signed is still known as ours.
    """

    current: str
    seeds: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        for key_id, seed in self.seeds.items():
            if not _KEY_ID.fullmatch(key_id):
                raise SettingsError("signing_keys: an id has 1 to 64 letters, digits, dots, dashes or underscores")
            if len(seed) != KEY_BYTES:
                raise SettingsError(f"signing_keys: key {key_id!r} has {len(seed)} bytes; make one of {KEY_BYTES}")
        if self.current not in self.seeds:
            raise SettingsError(f"signing_keys: the current key {self.current!r} is not among the keys")

    @classmethod
    def generate(cls, key_id: str = "s1") -> Self:
        """A ring of one new random key."""
        return cls(current=key_id, seeds={key_id: os.urandom(KEY_BYTES)})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The ring written as `id:base64[,id:base64…]`, newest first. SettingsError never shows a key."""
        seeds: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = entry.partition(":")
            if not encoded or key_id in seeds:
                raise SettingsError("signing_keys: write id:base64[,id:base64], each id once, the newest key first")
            seeds[key_id] = _seed(key_id, encoded)
        if not seeds:
            raise SettingsError("signing_keys: no key is set; write id:base64 with 32 random bytes")
        return cls(current=next(iter(seeds)), seeds=seeds)

    def to_text(self) -> str:
        """What `from_text` reads: a secret, for a file that only its owner can read."""
        older = [key_id for key_id in self.seeds if key_id != self.current]
        return ",".join(f"{key_id}:{b64encode(self.seeds[key_id]).decode()}" for key_id in (self.current, *older))

    def rotated(self, key_id: str) -> Self:
        """The same ring with a new random current key `key_id`; what the old ones signed stays ours."""
        if key_id in self.seeds:
            raise SettingsError(f"signing_keys: {key_id!r} is taken; a new key needs a new id")
        return type(self)(current=key_id, seeds={key_id: os.urandom(KEY_BYTES), **self.seeds})

    @property
    def key_id(self) -> str:
        """The id of the key that signs."""
        return self.current

    @property
    def public_key(self) -> bytes:
        """The public half of the key that signs, 32 bytes."""
        return self.public_keys()[self.current]

    def public_keys(self) -> dict[str, bytes]:
        """The public half of every key, to be kept where certificates are checked."""
        private = {key_id: Ed25519PrivateKey.from_private_bytes(seed) for key_id, seed in self.seeds.items()}
        return {key_id: key.public_key().public_bytes_raw() for key_id, key in private.items()}

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of `message` by the current key, 64 bytes (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.seeds[self.current]).sign(message)


def signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key's owner signed `message`; False for anything that is no key or no signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_public_key(text: str) -> bytes:
    """The 32 bytes of a public key: base64, or a file that holds it. SettingsError says what is wrong."""
    path = Path(text)
    try:
        word = path.read_text(encoding="ascii").strip() if len(text) < 200 and path.is_file() else text.strip()
        key = b64decode(word.rpartition(":")[2], validate=True)
    except (OSError, ValueError, binascii.Error):
        raise SettingsError("key: write the public key in base64, or name a file that holds it") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"key: a public key has {KEY_BYTES} bytes, this has {len(key)}")
    return key


def _seed(key_id: str, encoded: str) -> bytes:
    try:
        seed = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"signing_keys: key {key_id!r} is not base64") from None
    if len(seed) == KEY_BYTES and len(set(seed)) < KEY_BYTES // 2:
        raise SettingsError(f"signing_keys: key {key_id!r} is not random; draw one with `openssl rand -base64 32`")
    return seed

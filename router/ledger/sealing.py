"""
Personal data at rest: sealed with AES-256-GCM or SM4-GCM, found again by keyed hashes.

A sealed value is one byte for the cipher + nonce + ciphertext + tag. The record's id is bound in
as associated data, so that a value cannot be moved to another row. The key's id stands in the
row; old keys stay in the ring until `suqiu keys rotate` has sealed everything anew.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from router.errors import ConfigError, Problem

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class Sealer:
    """Seals and opens; makes the keyed hashes. Thread-safe."""

    def __init__(self, ring: Mapping[str, bytes], current: str, hashing: bytes, cipher: str = "aes-256-gcm"):
        wrong = [name for name, key in ring.items() if len(key) != KEY_BYTES]
        if wrong or len(hashing) < KEY_BYTES or current not in ring:
            what = f"keys must be {KEY_BYTES} bytes and the current one in the ring"
            raise ConfigError([Problem("hub.yaml: keys", what, "suqiu keys generate prints a good one")])
        self._mark = _MARKS[cipher]
        self._ring = {name: {mark: _CIPHERS[mark](key) for mark in _CIPHERS} for name, key in ring.items()}
        self._hashing = hashing
        self.current = current

    def seal(self, record_id: str, plain: bytes) -> bytes:
        """Seal under the current key; store `current` beside it."""
        nonce = os.urandom(NONCE_BYTES)
        sealed: bytes = self._ring[self.current][self._mark].encrypt(nonce, plain, record_id.encode())
        return self._mark + nonce + sealed

    def open(self, key_id: str, record_id: str, sealed: bytes) -> bytes:
        """Open what was sealed for this record. Raises ConfigError when the key is not in the ring."""
        key = self._ring.get(key_id)
        if key is None:
            what = f"the ledger holds data under key {key_id!r}, which is not in the ring"
            raise ConfigError(
                [Problem("hub.yaml: keys.ring", what, "add the old key; rotate before removing it")]
            )
        try:
            nonce, rest = sealed[1 : NONCE_BYTES + 1], sealed[NONCE_BYTES + 1 :]
            plain: bytes = key[sealed[:1]].decrypt(nonce, rest, record_id.encode())
            return plain
        except (InvalidTag, KeyError, ValueError) as error:
            what = f"key {key_id!r} does not open the ledger's data"
            hint = "it is a different key of that name, or the row was altered"
            raise ConfigError([Problem("hub.yaml: keys.ring", what, hint)]) from error

    def keyed_hash(self, purpose: str, value: bytes) -> str:
        """32 hex characters that find the same value again and tell nothing without the key."""
        return hmac.digest(self._hashing, purpose.encode() + b"\0" + value, "sha256").hex()[:32]


class _Sm4:
    """SM4-GCM with AESGCM's two methods. SM4's key is 128 bits: the first half of the ring's key."""

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key[:16])

    def encrypt(self, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        work = Cipher(self._key, modes.GCM(nonce)).encryptor()
        work.authenticate_additional_data(bound)
        return work.update(plain) + work.finalize() + work.tag

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        tag = sealed[-TAG_BYTES:]
        work = Cipher(self._key, modes.GCM(nonce, tag)).decryptor()
        work.authenticate_additional_data(bound)
        return work.update(sealed[:-TAG_BYTES]) + work.finalize()


_MARKS = {"aes-256-gcm": b"\x01", "sm4-gcm": b"\x02"}
_CIPHERS: dict[bytes, Any] = {b"\x01": AESGCM, b"\x02": _Sm4}

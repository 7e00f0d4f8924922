"""
Personal data at rest: sealed with AES-256-GCM or SM4-GCM, found again by keyed hashes.

A sealed value is one byte for the cipher + nonce + ciphertext + tag. The record's id is bound in
as associated data, so that a value cannot be moved to another row. The key's id stands in the
row; old keys stay in the ring until `suqiu keys rotate` has sealed everything anew.

Hashes and random bytes are taken so that Python keeps its interpreter lock: a call that gives it
away for a microsecond waits up to five milliseconds to have it back while other threads work
(measured: a fifth of the intake's time went into short hashes). Hence keyed BLAKE2, which
keeps the lock for short inputs as HMAC does not, and nonces drawn many at a time.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from router.errors import ConfigError, Problem

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32
NONCES = 256
"""Drawn from the system at once."""
LOCK_KEPT = 2047
"""hashlib gives the interpreter lock away for more bytes than this in one call."""
MANY_STEPS = 64 * 1024


class Sealer:
    """Seals and opens; makes the keyed hashes. Thread-safe."""

    def __init__(self, ring: Mapping[str, bytes], current: str, hashing: bytes, cipher: str = "aes-256-gcm"):
        wrong = [name for name, key in ring.items() if len(key) != KEY_BYTES]
        if wrong or len(hashing) < KEY_BYTES or current not in ring:
            what = f"keys must be {KEY_BYTES} bytes and the current one in the ring"
            raise ConfigError([Problem("hub.yaml: keys", what, "suqiu keys generate prints a good one")])
        self._mark = _MARKS[cipher]
        self._ring = {name: {mark: _CIPHERS[mark](key) for mark in _CIPHERS} for name, key in ring.items()}
        self._encrypt = self._ring[current][self._mark].encrypt
        self._hashing = hashlib.blake2b(hashing).digest()
        self._begun: dict[str, Any] = {}
        """Purpose → a hash that has taken in key and purpose; there are a handful."""
        self.current = current

    def seal(self, record_id: str, plain: bytes) -> bytes:
        """Seal under the current key; store `current` beside it."""
        nonce = _nonce()
        sealed: bytes = self._encrypt(nonce, plain, record_id.encode())
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
        begun = self._begun.get(purpose)
        if begun is None:
            begun = hashlib.blake2b(purpose.encode() + b"\0", digest_size=16, key=self._hashing)
            self._begun[purpose] = begun
        keyed = begun.copy()
        size = len(value)
        if size <= LOCK_KEPT or size >= MANY_STEPS:
            keyed.update(value)
        else:
            for at in range(0, size, LOCK_KEPT):
                keyed.update(value[at : at + LOCK_KEPT])
        return keyed.hexdigest()


def _nonce() -> bytes:
    """A fresh random nonce; no two ever share one, whoever seals."""
    try:
        return _nonces.popleft()
    except IndexError:
        drawn = os.urandom(NONCE_BYTES * NONCES)
        _nonces.extend(drawn[at : at + NONCE_BYTES] for at in range(NONCE_BYTES, len(drawn), NONCE_BYTES))
        return drawn[:NONCE_BYTES]


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
_nonces: deque[bytes] = deque()
os.register_at_fork(after_in_child=_nonces.clear)  # a child never uses what its parent drew

"""Gateway signatures against values worked out by hand with openssl."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.http import Request
from connectors.rest_auth import make_auth
from connectors.rest_settings import RestSettings
from router.secrets import SecretRef

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PARAMS = {"b": "2", "a": "1", "empty": ""}


def signed(**auth: Any) -> dict[str, str]:
    settings = RestSettings.model_validate(
        {
            "kind": "rest",
            "url": "http://host/x",
            "auth": {"kind": "signature", "key": {"env": "KEY"}, "secret": {"env": "SECRET"}, **auth},
        }
    )

    def read(ref: SecretRef) -> str:
        return {"KEY": "app", "SECRET": "s3cret"}[ref.env or ""]

    def never(_: Request) -> Any:
        raise AssertionError("a signature asks nobody")

    request = make_auth(settings, read, never, lambda: NOW).sign(Request("GET", "http://host/x", PARAMS, {}))
    return {**request.query, **(request.form or {}), **request.headers}


TEXT = "a=1&appKey=app&b=2&timestamp=1772413200000"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        pytest.param({}, hashlib.md5((TEXT + "s3cret").encode()).hexdigest(), id="MD5, secret behind"),
        pytest.param(
            {"secret_goes": "around", "encoding": "HEX"},
            hashlib.md5(f"s3cret{TEXT}s3cret".encode()).hexdigest().upper(),
            id="MD5 in capitals, secret around",
        ),
        pytest.param(
            {"algorithm": "sha256", "secret_goes": "as_key"},
            hmac.new(b"s3cret", TEXT.encode(), "sha256").hexdigest(),
            id="HMAC-SHA256",
        ),
        pytest.param(
            {"algorithm": "sm3", "secret_goes": "key_param"},
            hashlib.new("sm3", f"{TEXT}&key=s3cret".encode()).hexdigest(),
            id="SM3, secret as the last parameter",
        ),
        pytest.param(
            {"algorithm": "sha1", "joined": "plain", "secret_goes": "before"},
            hashlib.sha1(b"s3creta1appKeyappb2timestamp1772413200000").hexdigest(),
            id="SHA-1, names and values run together",
        ),
        pytest.param(
            {"over": "key_secret_timestamp", "timestamp_format": "yyyyMMddHHmmss"},
            hashlib.md5(b"apps3cret20260302090000").hexdigest(),
            id="key + secret + timestamp in local time",
        ),
    ],
)
def test_a_gateway_signature(auth: dict[str, Any], expected: str) -> None:
    assert signed(**auth)["sign"] == expected


@pytest.mark.parametrize("place", ["query", "form", "header"])
def test_the_proof_goes_where_the_configuration_says(place: str) -> None:
    assert {"sign", "timestamp", "appKey"} <= signed(place=place).keys()


def test_two_requests_never_share_a_nonce() -> None:
    assert signed(nonce_name="nonce")["nonce"]

"""Gateway signatures against published vectors and values worked out with openssl, never by our own code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.http import Request
from connectors.rest_auth import make_auth
from connectors.rest_settings import RestSettings
from connectors.signing import joined_text, signature, with_secret
from router.secrets import SecretRef

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PARAMS = {"b": "2", "a": "1", "empty": ""}


@pytest.mark.parametrize(
    ("algorithm", "text", "key", "expected"),
    [
        pytest.param(
            "sm3", "abc", None, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
            id="GB/T 32905, example 1",
        ),
        pytest.param("md5", "abc", None, "900150983cd24fb0d6963f7d28e17f72", id="RFC 1321"),
        pytest.param("sha1", "abc", None, "a9993e364706816aba3e25717850c26c9cd0d89d", id="FIPS 180"),
        pytest.param(
            "sha256", "what do ya want for nothing?", "Jefe",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="RFC 4231, case 2",
        ),
    ],
)  # fmt: skip
def test_a_published_vector(algorithm: Any, text: str, key: str | None, expected: str) -> None:
    assert signature(algorithm, text, key=key) == expected
    assert signature(algorithm, text, key=key, spelling="HEX") == expected.upper()


def test_parameters_are_sorted_and_empty_ones_left_out() -> None:
    assert joined_text(PARAMS, "pairs") == "a=1&b=2"
    assert joined_text(PARAMS, "plain") == "a1b2"
    assert joined_text(PARAMS, "values") == "12"
    assert joined_text({"名": "值"}, "pairs") == "名=值"


def test_the_secret_goes_where_the_gateway_wants_it() -> None:
    forms = [with_secret("t", "s", goes) for goes in ("after", "before", "around", "as_key", "key_param")]
    assert forms == ["ts", "st", "sts", "t", "t&key=s"]
    assert with_secret("t", "s", "key_param", "appSecret") == "t&appSecret=s"


def signed(request: Request | None = None, **auth: Any) -> Request:
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

    return make_auth(settings, read, never, lambda: NOW).sign(
        request or Request("GET", "http://host/x", PARAMS)
    )


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        pytest.param({}, "0a4d1b94d2395a53b41ed53598ddd4dd", id="MD5, secret behind"),
        pytest.param(
            {"secret_goes": "around", "encoding": "HEX"},
            "BF261C687BF3B5491E0E91CE864039F4",
            id="MD5 in capitals, secret around",
        ),
        pytest.param(
            {"joined": "values"}, "c8fe406ee41bfaf8f2ded2880da1e34a", id="MD5 over the values alone"
        ),
        pytest.param(
            {"algorithm": "sha256", "secret_goes": "as_key"},
            "1a0cc67baab8436a4ad51325afb313be6940102800553558364e390cb87d5bdc",
            id="HMAC-SHA256",
        ),
        pytest.param(
            {"algorithm": "sm3", "secret_goes": "as_key"},
            "f9676614001fb262f14f24176e5c703d09613a749686b3654e6ddb19eac8c504",
            id="HMAC-SM3",
        ),
        pytest.param(
            {"algorithm": "sm3", "secret_goes": "key_param"},
            "6cd40d3ae921daeaa119be18c3109adcebf8078750e88199373e506b5765cb1f",
            id="SM3, secret as the last parameter",
        ),
        pytest.param(
            {"algorithm": "sha1", "joined": "plain", "secret_goes": "before"},
            "858421c4f9e84c08d5d6e51a2d8c7e1a0d2e47b7",
            id="SHA-1, names and values run together",
        ),
        pytest.param(
            {"algorithm": "sha1", "encoding": "base64"}, "wpY34eEzne88LKGyXWyyQg8o7f4=", id="SHA-1 in base64"
        ),
        pytest.param(
            {"over": "key_secret_timestamp", "timestamp_format": "yyyyMMddHHmmss"},
            "e5ba2418f1743906cbc67b1bbf51d744",
            id="key + secret + timestamp, in Shanghai time",
        ),
        pytest.param(
            {"over": "key_secret_timestamp", "timestamp_format": "epoch_s", "algorithm": "sha256"},
            "a3fe01764a50dfa2828eb797c3d9b5aa6845b6bd1ba01200f7cd046de9c61757",
            id="key + secret + timestamp in seconds",
        ),
    ],
)
def test_a_gateway_signature(auth: dict[str, Any], expected: str) -> None:
    assert signed(**auth).query["sign"] == expected


def test_the_proof_goes_where_the_configuration_says_under_the_names_it_says() -> None:
    names = {"sign_name": "X-Sign", "timestamp_name": "X-Time", "key_name": "X-App"}
    assert {"X-Sign", "X-Time", "X-App"} <= signed(place="header", **names).headers.keys()
    assert {"X-Sign", "X-Time", "X-App"} <= signed(place="query", **names).query.keys()
    form = signed(Request("POST", "http://host/x", form={"a": "1"}), place="form", **names)
    assert {"a", "X-Sign", "X-Time", "X-App"} == (form.form or {}).keys()
    json = signed(Request("POST", "http://host/x", json={"a": 1}), place="form", **names)
    assert {"a", "X-Sign", "X-Time", "X-App"} == json.json.keys()


def test_numbers_of_a_json_body_are_signed_as_they_are_written() -> None:
    as_json = signed(Request("POST", "http://host/x", json={"a": 1, "b": 2}), place="form")
    assert as_json.json["sign"] == "0a4d1b94d2395a53b41ed53598ddd4dd"


def test_the_query_of_the_configured_url_is_signed_too() -> None:
    in_url = signed(Request("GET", "http://host/x?b=2", {"a": "1"}).spread())
    assert in_url.query["sign"] == signed().query["sign"]
    assert in_url.full_url.startswith("http://host/x?b=2&a=1&")


def test_two_requests_never_share_a_nonce_and_the_nonce_is_signed() -> None:
    settings = RestSettings.model_validate(
        {
            "kind": "rest",
            "url": "http://host/x",
            "auth": {"kind": "signature", "secret": {"env": "SECRET"}, "nonce_name": "nonce"},
        }
    )
    auth = make_auth(settings, lambda _: "s", lambda _: None, lambda: NOW)
    first, second = (auth.sign(Request("GET", "http://host/x", PARAMS)).query for _ in range(2))
    assert first["nonce"] != second["nonce"]
    assert first["sign"] != second["sign"]

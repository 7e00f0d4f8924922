"""Signature schemes other than Standard Webhooks: what each lets in, and what it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import TypeAdapter, ValidationError
from standardwebhooks import Webhook

from connectors.receiving import Incoming, Refused
from connectors.schemes import Scheme
from connectors.verification import Proof, verifier
from router.errors import ConfigError
from router.reasons import Refusal
from router.secrets import SecretRef
from tests.front.fakes import START
from tests.front.rig import KEY, NEW_KEY, SECRETS, WEBHOOKS

BODY = '{"id":"1","title":"企业诉求"}'.encode()
NOW = str(int(START.timestamp()))
FORM = "application/x-www-form-urlencoded"
SCHEMES: TypeAdapter[Any] = TypeAdapter(Scheme)


def request(
    body: bytes = BODY, *, headers: dict[str, str] | None = None, query: str = "", covers_line: bool = False
) -> Incoming:
    return Incoming("POST", "/push/x", query, headers or {}, body, body, covers_line)


def check(scheme: dict[str, Any], asked: Incoming) -> Proof | Refusal:
    settings = SCHEMES.validate_python({"secrets": [{"env": "KEY"}], **scheme})
    try:
        return verifier(settings, SECRETS)(asked, START)
    except Refused as refused:
        return refused.reason


def mac(algorithm: str, text: bytes, key: bytes = KEY) -> bytes:
    return hmac.new(key, text, algorithm).digest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5", "sm3", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_an_hmac_of_the_body_in_every_digest_and_spelling(algorithm: str, encoding: str) -> None:
    scheme = {"kind": "hmac", "algorithm": algorithm, "encoding": encoding, "prefix": "sig="}
    made = mac(algorithm, BODY)
    spelt = made.hex() if encoding == "hex" else base64.b64encode(made).decode()
    assert check(scheme, request(headers={"x-signature": f"sig={spelt}"})) == Proof()
    assert check(scheme, request(headers={"x-signature": spelt})) is Refusal.BAD_SIGNATURE
    assert (
        check(scheme, request(BODY + b" ", headers={"x-signature": f"sig={spelt}"})) is Refusal.BAD_SIGNATURE
    )
    assert check(scheme, request(headers={"x-signature": f"sig={spelt}é"})) is Refusal.BAD_SIGNATURE


def test_sm3_is_the_standards_own_example() -> None:
    """GB/T 32905-2016, annex A.1: the digest of `abc`."""
    known = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert hashlib.new("sm3", b"abc").hexdigest() == known


def test_hexadecimal_may_be_in_capitals() -> None:
    shown = mac("sha256", BODY).hex().upper()
    assert check({"kind": "hmac"}, request(headers={"x-signature": shown})) == Proof()


def test_either_of_two_secrets_is_good_and_a_third_is_not() -> None:
    scheme = {"kind": "hmac", "secrets": [{"env": "KEY"}, {"env": "NEW_KEY"}]}
    for key in (KEY, NEW_KEY):
        assert check(scheme, request(headers={"x-signature": mac("sha256", BODY, key).hex()})) == Proof()
    shown = mac("sha256", BODY, b"third").hex()
    assert check(scheme, request(headers={"x-signature": shown})) is Refusal.BAD_SIGNATURE


TEMPLATED = {
    "kind": "hmac",
    "template": "{method}\n{path}\n{timestamp}\n{nonce}\n{body}",
    "timestamp_header": "X-Time",
    "nonce_header": "X-Nonce",
    "delivery_id_header": "X-Delivery",
}


def templated(timestamp: str = NOW, nonce: str = "n1") -> dict[str, str]:
    text = f"POST\n/push/x?a=1\n{timestamp}\n{nonce}\n".encode() + BODY
    signed = {"x-time": timestamp, "x-nonce": nonce, "x-delivery": "d-7"}
    return {**signed, "x-signature": mac("sha256", text).hex()}


def test_a_template_covers_what_it_names() -> None:
    assert check(TEMPLATED, request(headers=templated(), query="a=1")) == Proof("d-7")


@pytest.mark.parametrize("sent", [{"x-time": str(int(NOW) + 1)}, {"x-nonce": "n2"}])
def test_what_a_template_covers_cannot_be_exchanged(sent: dict[str, str]) -> None:
    asked = request(headers=templated() | sent, query="a=1")
    assert check(TEMPLATED, asked) is Refusal.BAD_SIGNATURE


def test_another_query_is_another_path() -> None:
    assert check(TEMPLATED, request(headers=templated(), query="a=2")) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("timestamp", "verdict"),
    [
        (NOW, Proof("d-7")),
        (NOW + "000", Proof("d-7")),
        (str(int(NOW) - 301), Refusal.OUTSIDE_TOLERANCE),
        (str(int(NOW) + 301), Refusal.OUTSIDE_TOLERANCE),
        ("", Refusal.OUTSIDE_TOLERANCE),
        ("soon", Refusal.OUTSIDE_TOLERANCE),
        ("9" * 30, Refusal.OUTSIDE_TOLERANCE),
    ],
)
def test_a_signed_timestamp_must_be_in_time(timestamp: str, verdict: object) -> None:
    assert check(TEMPLATED, request(headers=templated(timestamp), query="a=1")) == verdict


def test_a_body_cannot_pose_as_a_slot() -> None:
    body = b"{secret}{timestamp}"
    scheme = {"kind": "hmac", "template": "{secret}{body}", "algorithm": "md5"}
    shown = hashlib.md5(KEY + body, usedforsecurity=False).hexdigest()
    assert check(scheme, request(body, headers={"x-signature": shown})) == Proof()


def test_elsewhere_than_at_the_push_the_request_line_is_signed_too() -> None:
    shown = mac("sha256", b"POST /push/x?a=1\n" + BODY).hex()
    asked = request(headers={"x-signature": shown}, query="a=1", covers_line=True)
    assert check({"kind": "hmac"}, asked) == Proof()
    bare = mac("sha256", BODY).hex()
    asked = request(headers={"x-signature": bare}, query="a=1", covers_line=True)
    assert check({"kind": "hmac"}, asked) is Refusal.BAD_SIGNATURE


def signed_form(template: str = "{params}&key={secret}", **fields: str) -> bytes:
    used = sorted((k, v) for k, v in fields.items() if v and k != "sign_type")
    params = "&".join(f"{name}={value}" for name, value in used)
    text = template.replace("{params}", params).replace("{secret}", KEY.decode()).encode()
    return urlencode({**fields, "sign": hashlib.md5(text, usedforsecurity=False).hexdigest()}).encode()


def form(body: bytes, **how: Any) -> Incoming:
    return request(body, headers={"content-type": f"{FORM}; charset=UTF-8"}, **how)


def test_a_gateways_signature_over_sorted_parameters() -> None:
    body = signed_form(title="企业诉求 & 建议", id="1", empty="", sign_type="MD5", timestamp=NOW)
    assert check({"kind": "params"}, form(body)) == Proof()


def test_parameters_of_query_and_form_are_signed_together() -> None:
    body = signed_form(app="sst", id="1", timestamp=NOW).decode()
    query = "&".join(part for part in body.split("&") if not part.startswith("id="))
    assert check({"kind": "params"}, form(b"id=1", query=query)) == Proof()


@pytest.mark.parametrize("change", [b"&x=1", b"&id=2", b"&id=1", b"&sign=00"])
def test_a_parameter_that_comes_on_top_spoils_the_signature(change: bytes) -> None:
    body = signed_form(id="1", timestamp=NOW) + change
    assert check({"kind": "params"}, form(body)) is Refusal.BAD_SIGNATURE


def test_old_parameters_are_refused() -> None:
    body = signed_form(id="1", timestamp=str(int(NOW) - 301))
    assert check({"kind": "params"}, form(body)) is Refusal.OUTSIDE_TOLERANCE
    assert check({"kind": "params"}, form(signed_form(id="1"))) is Refusal.OUTSIDE_TOLERANCE


def test_a_gateways_written_time_is_read_as_shanghais() -> None:
    body = signed_form(id="1", timestamp="2026-03-02 09:00:00")
    scheme = {"kind": "params", "timestamp_formats": ["%Y-%m-%d %H:%M:%S"]}
    assert check(scheme, form(body)) == Proof()


def test_a_json_body_that_no_parameter_vouches_for_is_refused() -> None:
    query = signed_form(id="1", timestamp=NOW).decode()
    asked = request(BODY, headers={"content-type": "application/json"}, query=query)
    assert check({"kind": "params"}, asked) is Refusal.BAD_SIGNATURE


def test_a_status_question_by_parameters_is_good_for_its_own_path_only() -> None:
    text = f"POST /push/x\ntimestamp={NOW}&key={KEY.decode()}".encode()
    sign = hashlib.md5(text, usedforsecurity=False).hexdigest()
    query = urlencode({"timestamp": NOW, "sign": sign})
    assert check({"kind": "params"}, request(b"", query=query, covers_line=True)) == Proof()
    other = Incoming("POST", "/push/y", query, {}, b"", b"", True)
    assert check({"kind": "params"}, other) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        pytest.param({"authorization": f"Bearer {KEY.decode()}"}, Proof(), id="the token"),
        pytest.param({"authorization": f"bearer {KEY.decode()}"}, Proof(), id="bearer in small letters"),
        pytest.param({"authorization": KEY.decode()}, Refusal.BAD_SIGNATURE, id="without Bearer"),
        pytest.param({"authorization": "Bearer "}, Refusal.BAD_SIGNATURE, id="nothing behind Bearer"),
        pytest.param({"authorization": f"Bearer {KEY.decode()}x"}, Refusal.BAD_SIGNATURE, id="one sign more"),
        pytest.param({"authorization": "Bearer é中"}, Refusal.BAD_SIGNATURE, id="other letters"),
        pytest.param({}, Refusal.BAD_SIGNATURE, id="nothing"),
    ],
)
def test_a_token(sent: dict[str, str], verdict: object) -> None:
    assert check({"kind": "token"}, request(headers=sent)) == verdict


def test_a_token_may_stand_in_a_header_of_its_own() -> None:
    scheme = {"kind": "token", "header": "X-API-Key", "prefix": ""}
    assert check(scheme, request(headers={"x-api-key": KEY.decode()})) == Proof()


def test_the_standard_webhooks_library_signs_what_our_door_accepts() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for key in (KEY, NEW_KEY):
        sent = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(key).sign("msg_1", now, BODY.decode()),
        }
        assert verifier(SCHEMES.validate_python(WEBHOOKS), SECRETS)(request(headers=sent), now) == Proof(
            "msg_1"
        )


@pytest.mark.parametrize(
    ("scheme", "says"),
    [
        ({"kind": "hmac", "template": "{timestamp}"}, "must hold {body}"),
        ({"kind": "hmac", "template": "{body}{stamp}"}, "knows only"),
        ({"kind": "hmac", "template": "{body}{timestamp}"}, "belong together"),
        ({"kind": "hmac", "timestamp_header": "x-time"}, "belong together"),
        ({"kind": "hmac", "nonce_header": "x-nonce"}, "belong together"),
        ({"kind": "params", "template": "{secret}"}, "must hold {params}"),
        ({"kind": "params", "pair": "{name}"}, "{name} and {value}"),
        ({"kind": "params", "unsigned": ["timestamp"]}, "proves nothing"),
        ({"kind": "params", "timestamp_formats": ["%m"]}, "year"),
        ({"kind": "token", "secrets": []}, "at least 1"),
        ({"kind": "token", "secrets": [{"env": "A"}, {"env": "B"}, {"env": "C"}]}, "at most 2"),
        ({"kind": "standard_webhooks", "tolerance": 300}, "with its unit"),
        ({"kind": "hmac", "algorithm": "crc32"}, "sm3"),
    ],
)
def test_a_scheme_that_would_prove_nothing_is_refused_at_load(scheme: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SCHEMES.validate_python({"secrets": [{"env": "KEY"}], **scheme})
    assert says in str(caught.value)


@pytest.mark.parametrize("secret", ["whsec_!", "whsec_AAAA", "", "密"])
def test_a_secret_that_is_no_key_is_named_and_not_quoted(secret: str) -> None:
    scheme = SCHEMES.validate_python({**WEBHOOKS, "secrets": [{"env": "WHSEC"}]})
    with pytest.raises(ConfigError, match="env WHSEC is no key") as caught:
        verifier(scheme, lambda ref: secret)
    assert not secret or secret not in str(caught.value)


def test_a_reference_says_where_and_not_what() -> None:
    assert str(SecretRef(env="KEY")) == "env KEY"

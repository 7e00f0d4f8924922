"""Tokens and certificates against real servers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from router.errors import ConfigError, SourceRefused
from router.secrets import SecretRef
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids
from tests.connectors.server import Asked, ScriptedServer, Told
from tests.hub import StepClock

CANARY = "secret-canary-4711"


def guarded(token_answer: Any, good: str = "t1") -> Any:
    """A list behind a token in the header x-token."""

    def answer(asked: Asked) -> Told:
        if asked.path == "/token":
            return Told(token_answer)
        return Told([{"id": "a"}]) if asked.headers.get("x-token") == good else Told(status=401)

    return answer


def with_token(server: ScriptedServer, clock: StepClock | None = None, **auth: Any) -> systems.RestSource:
    token = {"kind": "token", "url": f"{server.url}/token", "name": "x-token", "prefix": "", **auth}
    return systems.source({"url": f"{server.url}/list", "auth": token}, clock=clock)


def token_calls(server: ScriptedServer) -> list[Asked]:
    return [asked for asked in server.asked if asked.path == "/token"]


def test_a_token_lives_over_many_rounds_and_is_renewed_before_it_ends(serve: Serve) -> None:
    server, clock = serve(guarded({"access_token": "t1", "expires_in": 3600})), StepClock()
    source = with_token(server, clock)
    for _ in range(3):
        assert ids(fetch_all(source)) == ["a"]
    assert len(token_calls(server)) == 1
    clock.move(dt.timedelta(minutes=59, seconds=31))
    assert ids(fetch_all(source)) == ["a"]
    assert len(token_calls(server)) == 2


@pytest.mark.parametrize(
    ("auth", "seen"),
    [
        pytest.param({"method": "GET"}, lambda a: a.query, id="GET with a query"),
        pytest.param({"body": "form"}, lambda a: a.form, id="a form"),
        pytest.param({"body": "json"}, lambda a: a.json, id="a JSON body"),
    ],
)
def test_the_token_endpoint_is_asked_in_its_own_way(serve: Serve, auth: dict[str, Any], seen: Any) -> None:
    server = serve(guarded({"access_token": "t1"}))
    asked_with = {"params": {"appid": "hub"}, "secrets": {"secret": {"env": "APP_TOKEN"}}, **auth}
    assert ids(fetch_all(with_token(server, **asked_with))) == ["a"]
    assert seen(token_calls(server)[0]) == {"appid": "hub", "secret": systems.SECRETS["APP_TOKEN"]}


def test_a_token_whose_end_is_a_moment_is_renewed_then(serve: Serve) -> None:
    server, clock = serve(guarded({"access_token": "t1", "end": "2026-03-02 09:10:00"})), StepClock()
    source = with_token(server, clock, expires_at={"from": "end", "formats": ["%Y-%m-%d %H:%M:%S"]})
    fetch_all(source)
    clock.move(dt.timedelta(minutes=9))
    fetch_all(source)
    assert len(token_calls(server)) == 1, "01:00 UTC is 09:00 in Shanghai; ten minutes, less the margin"
    clock.move(dt.timedelta(seconds=45))
    fetch_all(source)
    assert len(token_calls(server)) == 2


@pytest.mark.parametrize("place", ["query", "form"])
def test_a_token_may_go_into_query_or_form(serve: Serve, place: str) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/token":
            return Told({"access_token": "t1"})
        words = asked.query if place == "query" else asked.form
        return Told([{"id": "a"}]) if words.get("token") == "t1" else Told(status=401)

    server = serve(answer)
    auth = {"kind": "token", "url": f"{server.url}/token", "place": place, "name": "token"}
    sent = {"method": "POST", "body": "form", "params": {"x": "1"}, "auth": auth}
    assert ids(fetch_all(systems.source({"url": f"{server.url}/list", **sent}))) == ["a"]


def test_a_401_renews_the_token_once_in_mid_round(serve: Serve) -> None:
    tokens = iter(["t1", "t2"])
    good = ["t1"]

    def answer(asked: Asked) -> Told:
        if asked.path == "/token":
            return Told({"access_token": next(tokens)})
        if asked.headers.get("x-token") != good[0]:
            return Told(status=401)
        page = int(asked.query["p"])
        good[0] = "t2"  # from now on the first token is no good
        return Told([{"id": f"r{page}"}] if page < 3 else [])

    server = serve(answer)
    auth = {"kind": "token", "url": f"{server.url}/token", "name": "x-token", "prefix": ""}
    paging = {"params": {"p": "{page}"}, "paging": {"kind": "page", "size": 1}}
    assert ids(fetch_all(systems.source({"url": f"{server.url}/list", "auth": auth, **paging}))) == [
        "r1",
        "r2",
    ]


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(Told(b"", 401), id="401"),
        pytest.param(Told({"code": 40001, "msg": f"invalid secret {CANARY}"}), id="a refusal with 200"),
        pytest.param(Told(f'{{"access_token": 5, "x": "{CANARY}"}}'), id="a token that is none"),
    ],
)
def test_a_refusing_token_endpoint_is_asked_once_and_not_quoted(serve: Serve, answered: Told) -> None:
    server = serve(lambda asked: answered if asked.path == "/token" else Told([]))
    _, error = fetch_until_error(with_token(server, secrets={"s": {"env": "APP_TOKEN"}}))
    assert isinstance(error, SourceRefused)
    assert "token endpoint" in str(error)
    assert CANARY not in str(error)
    assert systems.SECRETS["APP_TOKEN"] not in str(error)
    assert len(token_calls(server)) == 1, "locked accounts are a nuisance"


def test_a_token_that_is_never_good_ends_the_round_after_one_renewal(serve: Serve) -> None:
    server = serve(guarded({"access_token": "wrong"}))
    _, error = fetch_until_error(with_token(server))
    assert isinstance(error, SourceRefused)
    assert len(token_calls(server)) == 2


def test_a_fresh_token_that_is_refused_inside_a_200_is_no_empty_page(serve: Serve) -> None:
    answers = {"/token": Told({"access_token": "t"}), "/list": Told({"code": 401})}
    server = serve(lambda asked: answers[asked.path])
    source = with_token(server, expired={"at": "code", "is": ["401"]})
    got, error = fetch_until_error(source)
    assert isinstance(error, SourceRefused)
    assert "fresh token" in str(error)
    assert got == []


def test_a_secret_that_no_header_can_hold_is_an_error_of_ours_that_does_not_show_it(serve: Serve) -> None:
    server = serve(lambda _: Told([]))
    auth = {"kind": "header", "name": "x-key", "secret": {"env": "ANY"}}
    for secret in (f"密钥{CANARY}", f"{CANARY}\r\nx: y"):
        source = systems.source({"url": f"{server.url}/list", "auth": auth}, secrets=lambda _, s=secret: s)
        _, error = fetch_until_error(source)
        assert isinstance(error, SourceRefused)
        assert CANARY not in f"{error} {error.__cause__} {error.__suppress_context__ or error.__context__}"


class Authority:
    """A certificate authority for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("authority", self.key, is_authority=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, name: str) -> tuple[str, str]:
        """Certificate and key, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key, is_authority=False)
        written = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), written.decode()

    def server_context(self) -> ssl.SSLContext:
        """Of a server that wants to see a certificate of ours."""
        path = self.folder / "server.pem"
        path.write_text("".join(self.issue("127.0.0.1")))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem)
        context.load_cert_chain(path)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=is_authority, crl_sign=is_authority,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())


def test_a_client_certificate_is_shown_and_theirs_is_checked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("suqiu")
    pems = {"CERT": certificate, "KEY": key, "CA": authority.pem}
    server = ScriptedServer(lambda _: Told([{"id": "a"}]), tls=authority.server_context())
    auth = {"kind": "certificate", "certificate": {"env": "CERT"}, "key": {"env": "KEY"}}

    def read(ref: SecretRef) -> str:
        return pems[ref.env or ""]

    base = {"url": f"{server.url}/list", "tries": 1}
    try:
        good = systems.source({**base, "auth": auth, "authority": {"env": "CA"}}, secrets=read)
        assert ids(fetch_all(good)) == ["a"]
        assert ("commonName", "suqiu") in [pair for (pair,) in server.asked[0].certificate["subject"]]
        for bad in ({"auth": auth}, {"authority": {"env": "CA"}}):
            _, error = fetch_until_error(systems.source({**base, **bad}, secrets=read))
            assert error is not None, "their authority is unknown, or ours is not shown"
        assert len(server.asked) == 1
    finally:
        server.close()


def test_a_certificate_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    certificate, _ = Authority(tmp_path).issue("suqiu")
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    auth = {"kind": "certificate", "certificate": {"env": "CERT"}, "key": {"env": "KEY"}}
    for key in (locked.decode(), "no key", Authority(tmp_path).issue("other")[1]):
        pems = {"CERT": certificate, "KEY": key}
        with pytest.raises(ConfigError, match="certificate") as caught:
            systems.source(
                {"url": "https://host/list", "auth": auth}, secrets=lambda ref, p=pems: p[ref.env or ""]
            )
        assert key not in str(caught.value)

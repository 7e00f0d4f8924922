"""Destination `http` against a real server: what counts as a yes, a no, and as unknown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook

from connectors.http_destination import HttpDestination
from connectors.http_destination_settings import HttpDestinationSettings
from connectors.receiving import Incoming, Refused
from connectors.schemes import HmacScheme
from connectors.verification import Proof, verifier
from router.errors import DestinationUnavailable, HubError, RejectedByReceiver, Throttled
from router.message import Dispatch
from tests.destinations import DestinationContract
from tests.front.fakes import Clock, dispatch
from tests.front.receiver import Said, UnitSystem
from tests.front.rig import KEY, NEW_KEY, SECRETS, WEBHOOKS

VERDICT = {"at": "code", "yes": [0, "ok"], "duplicate": [1062], "busy": [503]}


@pytest.fixture
def receiver() -> Iterator[UnitSystem]:
    with UnitSystem().running(signing=WEBHOOKS) as system:
        yield system


class TestHttpDestination(DestinationContract):
    """The contract, on a real server."""


def test_the_body_is_the_dispatch(receiver: UnitSystem) -> None:
    sent = dispatch()
    receiver.destination.deliver(sent, 3)
    (got,) = receiver.got
    assert Dispatch.model_validate_json(got.body) == sent
    assert (got.path, got.headers["suqiu-attempt"]) == ("/tasks?from=hub", "3")


def test_the_standard_webhooks_library_accepts_our_signature_under_each_secret(receiver: UnitSystem) -> None:
    receiver.clock.now = datetime.now(tz=receiver.clock.now.tzinfo)
    receiver.destination.deliver(dispatch(), 1)
    (got,) = receiver.got
    for key in (KEY, NEW_KEY):
        Webhook(key).verify(got.body, got.headers)


def test_an_hmac_signature_is_what_our_own_door_would_accept() -> None:
    scheme = {
        "kind": "hmac",
        "secrets": [{"env": "KEY"}],
        "algorithm": "sm3",
        "template": "{method}{path}{timestamp}{nonce}{body}",
        "timestamp_header": "x-time",
        "nonce_header": "x-nonce",
        "encoding": "base64",
        "prefix": "sm3=",
    }
    with UnitSystem().running(signing=scheme) as system:
        system.destination.deliver(dispatch(), 1)
        (got,) = system.got
        path, _, query = got.path.partition("?")
        verify = verifier(HmacScheme.model_validate(scheme), SECRETS)
        came = Incoming("POST", path, query, got.headers, got.body, got.body)
        assert isinstance(verify(came, system.clock()), Proof)
        with pytest.raises(Refused):
            verify(replace(came, raw=got.body + b" ", body=got.body + b" "), system.clock())


def test_a_token_is_sent_as_it_is() -> None:
    with UnitSystem().running(signing={"kind": "token", "secrets": [{"env": "TOKEN"}]}) as system:
        system.destination.deliver(dispatch(), 1)
        assert system.got[0].headers["authorization"] == f"Bearer {SECRETS._known['TOKEN']}"


def test_a_projection_replaces_the_body() -> None:
    class Projector:
        def project(self, dispatch: Dispatch) -> bytes:
            return json.dumps({"bh": dispatch.dispatch_id}).encode()

    with UnitSystem().running() as system:
        settings = system.destination._settings
        own = HttpDestination("rsj", settings, SECRETS, system.clock, Projector())
        sent = dispatch()
        own.deliver(sent, 1)
        own.close()
        assert json.loads(system.got[0].body) == {"bh": sent.dispatch_id}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param(Said(200), None, id="200"),
        pytest.param(Said(202, b""), None, id="202 and nothing"),
        pytest.param(Said(204, b"", {}), None, id="204"),
        pytest.param(Said(200, b"OK", {"content-type": "text/html"}), None, id="OK as text/html is no page"),
        pytest.param(Said(409), None, id="409: it had it already"),
        pytest.param(Said(400), RejectedByReceiver, id="400"),
        pytest.param(Said(401), RejectedByReceiver, id="401"),
        pytest.param(Said(404), RejectedByReceiver, id="404"),
        pytest.param(Said(408), DestinationUnavailable, id="408 is about time"),
        pytest.param(Said(425), DestinationUnavailable, id="425 is about time"),
        pytest.param(Said(429), Throttled, id="429"),
        pytest.param(Said(500), DestinationUnavailable, id="500"),
        pytest.param(Said(503), DestinationUnavailable, id="503"),
        pytest.param(
            Said(302, b"", {"location": "/login"}), DestinationUnavailable, id="a redirect is not followed"
        ),
        pytest.param(
            Said(200, b"\n<html>login</html>", {"content-type": "text/html"}),
            DestinationUnavailable,
            id="a login page with 200",
        ),
        pytest.param(
            Said(200, b"<!DOCTYPE html><p>", {"content-type": "application/json"}),
            DestinationUnavailable,
            id="a page that calls itself JSON",
        ),
        pytest.param(Said(hangs_up=True), DestinationUnavailable, id="it hangs up"),
        pytest.param(Said(after=1.5), DestinationUnavailable, id="it answers too late"),
        pytest.param(Said(endless=True), DestinationUnavailable, id="its answer has no end"),
    ],
)
def test_an_answer_without_a_verdict_inside(said: Said, error: type[HubError] | None) -> None:
    assert outcome_of(said, timeout="1s") == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b'{"code":0}', None, id="yes"),
        pytest.param(b'{"code":"0"}', None, id="yes as text"),
        pytest.param(b'{"code":"ok"}', None, id="yes in words"),
        pytest.param(b'{"code":1062}', None, id="a duplicate is as good as yes"),
        pytest.param(b'{"code":503}', Throttled, id="not now"),
        pytest.param(b'{"code":500,"msg":"x"}', RejectedByReceiver, id="no"),
        pytest.param(b"{}", DestinationUnavailable, id="nothing said"),
        pytest.param(b"OK", DestinationUnavailable, id="not JSON"),
        pytest.param(b'{"code":NaN}', DestinationUnavailable, id="not quite JSON"),
        pytest.param(b"", DestinationUnavailable, id="empty"),
    ],
)
def test_an_answer_with_a_verdict_inside(body: bytes, error: type[HubError] | None) -> None:
    assert outcome_of(Said(200, body), verdict=VERDICT) == error


def outcome_of(said: Said, **settings: Any) -> type[HubError] | None:
    with UnitSystem().running(**settings) as system:
        system.said = said
        try:
            system.destination.deliver(dispatch(), 1)
        except HubError as error:
            return type(error)
        return None


def test_the_receivers_own_number_stands_in_the_receipt() -> None:
    with UnitSystem().running(foreign_id="data.id") as system:
        for said, foreign_id in (
            (12345678901234567890123, "12345678901234567890123"),
            ("G-1", "G-1"),
            (None, None),
        ):
            system.said = Said(200, json.dumps({"data": {"id": said}}).encode())
            assert system.destination.deliver(dispatch(), 1).foreign_id == foreign_id


def test_a_duplicate_tells_its_number_too() -> None:
    with UnitSystem().running(foreign_id="id") as system:
        system.said = Said(409, b'{"id":"G-1"}')
        assert system.destination.deliver(dispatch(), 2).foreign_id == "G-1"


@pytest.mark.parametrize(
    ("written", "waits"),
    [("7", timedelta(seconds=7)), ("soon", None), ("-1", None), ("999999999", timedelta(hours=1))],
)
def test_retry_after_is_read_in_seconds_and_never_longer_than_an_hour(
    written: str, waits: timedelta | None
) -> None:
    with UnitSystem().running() as system:
        system.said = Said(429, headers={"retry-after": written})
        with pytest.raises(Throttled) as caught:
            system.destination.deliver(dispatch(), 1)
        assert caught.value.retry_after == waits


def test_a_port_where_nobody_listens_is_away() -> None:
    settings = HttpDestinationSettings(kind="http", url="http://127.0.0.1:1/")
    destination = HttpDestination("rsj", settings, SECRETS, Clock())
    with pytest.raises(DestinationUnavailable, match="rsj: ConnectError"):
        destination.deliver(dispatch(), 1)
    destination.close()


@pytest.mark.parametrize(
    "url", ["ftp://x/", "x", "http://", "http://u:p@x/", "http://x:0/", "http://x y/", "http://[x/", ""]
)
def test_an_address_that_cannot_be_meant_is_refused_at_load(url: str) -> None:
    with pytest.raises(ValidationError):
        HttpDestinationSettings(kind="http", url=url)


def test_secrets_are_never_part_of_a_settings_text() -> None:
    settings = HttpDestinationSettings.model_validate(
        {"kind": "http", "url": "http://x/", "signing": WEBHOOKS}
    )
    assert base64.b64encode(KEY).decode() not in settings.model_dump_json() + repr(settings)

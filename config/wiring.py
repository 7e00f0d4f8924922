"""
The only place that builds objects, and the only one that reads the environment.

An `Installation` is one configuration folder with everything that hangs on it, each part built
when it is first asked for: a command that lists appeals opens the ledger and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import uuid_utils
from sqlalchemy import make_url

from config.files import Bundle, read_folder
from config.loading import Configuration, load
from config.secrets import Secrets
from connectors.http_destination_settings import HttpDestinationSettings
from router import crashpoints
from router.decisions.lifecycle import reroutes
from router.errors import ConfigError, Problem
from router.flows.dispatching import Dispatching, Plan
from router.flows.replay import Replay
from router.flows.rulebook import Rulebook
from router.ledger.approvals import Approvals
from router.ledger.attachments import FolderStore
from router.ledger.configurations import ConfigurationStore
from router.ledger.database import Database
from router.ledger.dead import ReturnsStore
from router.ledger.desk import DeskStore
from router.ledger.intake import IntakeStore
from router.ledger.leases import LeaseStore
from router.ledger.letters import LetterStore
from router.ledger.outbox import OutboxStore
from router.ledger.quarters import QuarterStore
from router.ledger.replay import ReplayStore
from router.ledger.sealing import Sealer
from router.ledger.twins import TwinStore
from router.ledger.views import Views
from router.ledger.worklist import WorkListStore
from router.message import Appeal, Decision, Outcome, Reporter
from router.ports import Destination
from router.secrets import SecretRef


def now() -> datetime:
    """The hub's clock."""
    return datetime.now(UTC)


def arm_crashpoints(environ: Mapping[str, str]) -> None:
    """SUQIU_CRASH_AT=point[,point]: for tests, die there."""
    crashpoints.arm(*filter(None, environ.get("SUQIU_CRASH_AT", "").split(",")))


def new_id() -> str:
    """A fresh UUIDv7."""
    return str(uuid_utils.uuid7())


@dataclass
class Installation:
    """One configured hub. Raises ConfigError, on first use, for what is wrong with the part asked for."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def bundle(self) -> Bundle:
        return read_folder(self.folder)

    @cached_property
    def configuration(self) -> Configuration:
        return load(self.bundle)

    @cached_property
    def secret(self) -> Secrets:
        return Secrets(self.environ, self.folder)

    @cached_property
    def database(self) -> Database:
        settings = self.configuration.settings.database
        password = self.secret(settings.password) if settings.password else None
        url = make_url(settings.url)
        if url.get_backend_name() == "sqlite":
            url = url.set(database=str(self.data / (url.database or "")))
        return Database(url.render_as_string(hide_password=False), password=password)

    @property
    def data(self) -> Path:
        return self.folder / self.configuration.settings.data

    @cached_property
    def sealer(self) -> Sealer:
        keys = self.configuration.settings.keys
        ring = {name: self._key(f"keys.ring.{name}", ref) for name, ref in keys.ring.items()}
        return Sealer(ring, keys.current, self._key("keys.hashing", keys.hashing), keys.cipher)

    def _key(self, where: str, ref: SecretRef) -> bytes:
        try:
            return base64.b64decode(self.secret(ref), validate=True)
        except binascii.Error as error:
            hint = "suqiu keys generate prints a good one"
            raise ConfigError([Problem(f"hub.yaml: {where}", f"{ref} is not base64", hint)]) from error

    @cached_property
    def intake_store(self) -> IntakeStore:
        return IntakeStore(self.database, self.sealer)

    @cached_property
    def outbox(self) -> OutboxStore:
        return OutboxStore(self.database, self.sealer, new_id)

    @cached_property
    def work_list(self) -> WorkListStore:
        return WorkListStore(self.database, self.outbox, self.dispatching, now)

    @cached_property
    def views(self) -> Views:
        return Views(self.database, self.sealer)

    @cached_property
    def desk(self) -> DeskStore:
        return DeskStore(self.database, self.sealer, self.intake_store)

    @cached_property
    def attachments(self) -> FolderStore:
        return FolderStore(self.data / "attachments", self.sealer)

    @cached_property
    def configurations(self) -> ConfigurationStore:
        return ConfigurationStore(self.database)

    @cached_property
    def returns(self) -> ReturnsStore:
        return ReturnsStore(self.database, self.sealer, new_id, self.configuration.hash)

    @cached_property
    def letters(self) -> LetterStore:
        return LetterStore(self.database, self.sealer, now, self.configuration.hash)

    @cached_property
    def quarters(self) -> QuarterStore:
        return QuarterStore(self.database)

    @cached_property
    def twins(self) -> TwinStore:
        return TwinStore(self.database, self.sealer)

    @cached_property
    def approvals(self) -> Approvals:
        return Approvals(self.database, self.sealer, self.configuration.directory, now, new_id)

    @cached_property
    def leases(self) -> LeaseStore:
        return LeaseStore(self.database, f"{socket.gethostname()}/{os.getpid()}/{new_id()[-8:]}")

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """How each destination is served. Without a broker, what would be a queue is a work list."""
        configuration = self.configuration
        has_broker = configuration.settings.broker is not None
        plans = {}
        for unit, settings in configuration.destinations.items():
            kind = "pull" if settings.kind == "amqp" and not has_broker else settings.kind
            finish = settings.finished if settings.kind == "amqp" and has_broker else "accepted"
            projector = configuration.projectors[settings.projection] if settings.projection else None
            plans[unit] = Plan(unit, kind, finish, settings.contact, projector)
        return plans

    @cached_property
    def http_destinations(self) -> Mapping[str, Destination]:
        """What the hub itself calls."""
        configuration = self.configuration
        called = {
            unit: settings
            for unit, settings in configuration.destinations.items()
            if isinstance(settings, HttpDestinationSettings)
        }
        if not called:
            return {}
        # Only now: an HTTP client comes along, which most commands have no use for.
        from connectors.http_destination import HttpDestination

        return {
            unit: HttpDestination(
                unit,
                settings,
                self.secret,
                now,
                configuration.projectors[settings.projection] if settings.projection else None,
            )
            for unit, settings in called.items()
        }

    @cached_property
    def dispatching(self) -> Dispatching:
        return Dispatching(self.plans)

    @cached_property
    def replay(self) -> Replay:
        store = ReplayStore(self.database, self.sealer, self.intake_store)
        return Replay(store, self.book, clock=now, config_hash=self.configuration.hash)

    def book(self, source: str) -> Rulebook | None:
        """The rules for one source's items; None for a source that is no longer configured."""
        return self._books.get(source)

    @cached_property
    def _books(self) -> Mapping[str, Rulebook]:
        configuration = self.configuration
        router = FirstLook(configuration)
        desk = configuration.directory.office("desk")
        assert desk is not None, "the check refuses a city without a desk"
        return {
            name: Rulebook(
                configuration.translators[source.mapping],
                router,
                desk,
                configuration.hash,
                new_id,
                self.intake_store.kept_envelope,
                admission=Admitting(self.approvals),
                twins=self.twins,
            )
            for name, source in configuration.settings.sources.items()
        }

    def configuration_of(self, hash_: str) -> Configuration:
        """The configuration that something was handled under, from the ledger. KeyError when not kept."""
        if hash_ == self.bundle.hash:
            return self.configuration
        kept = self.configurations.find(hash_)
        if kept is None:
            raise KeyError(hash_)
        return load(Bundle.from_json(kept.decode()))


class FirstLook:
    """The rules for an appeal that nobody has returned yet."""

    def __init__(self, configuration: Configuration) -> None:
        self._rules = configuration.rules
        self._first_look = configuration.first_look

    def route(self, appeal: Appeal) -> Decision:
        decision: Decision = self._rules.route(appeal, self._first_look(appeal))
        return decision

    @property
    def may_reroute(self) -> bool:
        return bool(self._rules.reroute_on)

    def reroutes(self, outcome: Outcome, before: Appeal, after: Appeal) -> bool:
        return reroutes(self._rules, outcome, before, after)


class Admitting:
    """Asks the approvals of annex 2 about a direct report, as of the day it was made."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def objection(self, appeal: Appeal) -> str | None:
        reporter = appeal.reporter or Reporter()
        at = appeal.submitted_at or appeal.received_at
        return self._approvals.objection(reporter.unit, reporter.user, (), at)

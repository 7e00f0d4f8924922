"""What no single block can know: blocks of hub.yaml and units.yaml that do not fit each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.problems import Advice, did_you_mean
from config.settings import HubSettings
from config.strict import check_url
from config.units import OFFICES, UnitsFile, destination_of
from router.documents import Document, Loc
from router.errors import Problem


def sources(
    settings: HubSettings, document: Document, mappings: Collection[str], abstract: Collection[str]
) -> Iterator[Problem]:
    """Every source has a mapping that can translate."""
    for name, source in settings.sources.items():
        where = document.where(("sources", name, "mapping"))
        if source.mapping not in mappings:
            hint = (
                did_you_mean(source.mapping, mappings) or f"write {settings.mappings}/{source.mapping}.yaml"
            )
            yield Problem(where, f"source {name}: no mapping is called {source.mapping}", hint)
        elif source.mapping in abstract:
            hint = "name one that extends it"
            yield Problem(where, f"source {name}: the mapping {source.mapping} is abstract", hint)


def push_paths(settings: HubSettings, document: Document) -> Iterator[Problem]:
    """No two sources listen on the same path."""
    paths: dict[str, str] = {}
    for name, source in settings.sources.items():
        if source.push is None:
            continue
        path = source.push.path or name
        if (other := paths.setdefault(path, name)) != name:
            what = f"sources {other} and {name} have the same push path {path}"
            where = document.where(("sources", name, "push", "path"))
            yield Problem(where, what, "each needs one of its own")


def ports(settings: HubSettings, document: Document) -> Iterator[Problem]:
    """No port is used twice on one address."""
    front, watch = settings.front, settings.monitoring
    everywhere = {"0.0.0.0", "::"}
    same_host = front.host == watch.host or bool(everywhere & {front.host, watch.host})
    if front.port == watch.port != 0 and same_host:
        what = f"port {watch.port} is used twice: by front and by monitoring"
        loc: Loc = ("monitoring", "port") if "port" in _block(document, "monitoring") else ("front", "port")
        yield Problem(document.where(loc), what, "give each its own")


def database(settings: HubSettings, document: Document) -> Iterator[Problem]:
    if settings.database.password and settings.database.url.startswith("sqlite"):
        where = document.where(("database", "password"))
        yield Problem(where, "SQLite has no password", "drop it; personal data is encrypted by keys")


def broker(settings: HubSettings, document: Document) -> Iterator[Problem]:
    """URLs that are URLs, without the password: the configuration is kept in the ledger."""
    block = settings.broker
    if block is None:
        return
    urls = {"url": (block.url, ("amqp", "amqps")), "management": (block.management, ("http", "https"))}
    for key, (url, schemes) in urls.items():
        try:
            check_url(url or f"{schemes[0]}://none", schemes)
        except ValueError as error:
            yield Problem(document.where(("broker", key)), f"broker.{key} {error}")


def destinations(
    file: UnitsFile, document: Document, projections: Collection[str], *, has_broker: bool
) -> Iterator[Problem]:
    """Kinds that fit the part, projections that exist, and a way in for units that fetch."""
    for number, entry in enumerate(file.units):
        at: Loc = ("units", number)
        if entry.destination is None and document.has((*at, "destination")):
            continue  # a wrong one was cut out, and told
        settings = destination_of(entry, file.defaults)
        where = document.where((*at, "destination", "kind"))
        if entry.part in OFFICES and settings.kind != "internal":
            hint = "drop its destination: the people of the platform work inside the hub"
            yield Problem(where, f"{entry.id} is the {entry.part} and must be of kind internal", hint)
        if entry.part not in OFFICES and settings.kind == "internal":
            hint = "amqp, pull or http; internal is for desk, supervision and archive"
            yield Problem(where, f"{entry.id} is a {entry.part} and cannot be of kind internal", hint)
        has_access = entry.access is not None or document.has((*at, "access"))
        if settings.kind == "pull" and not has_access and entry.part not in OFFICES:
            hint = "add access: {token: {env: NAME}}"
            yield Problem(document.where(at), f"{entry.id} fetches its tasks but has no access", hint)
        if settings.kind == "amqp" and not has_access and not has_broker:
            hint = "hub.yaml has no broker, so it has to fetch: add access, or add the broker"
            yield Advice(document.where(at), f"nobody can read the tasks of {entry.id}", hint)
        projection = getattr(settings, "projection", None)
        if projection is not None and projection not in projections:
            loc: Loc = ("destination", "projection") if entry.destination else ()
            where = document.where((*at, *loc))
            hint = did_you_mean(projection, projections) or f"write projections/{projection}.yaml"
            yield Problem(where, f"{entry.id}: no projection is called {projection}", hint)


def _block(document: Document, key: str) -> Mapping[str, Any]:
    block = document.data.get(key) if isinstance(document.data, dict) else None
    return block if isinstance(block, dict) else {}

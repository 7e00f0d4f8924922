"""Finds the part of a JSON Schema that belongs to a place in a document, for hints about keys and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

Node = Mapping[str, Any]
Steps = Sequence[str | int]


class Schema:
    """One or more alternatives (a union has several) of the schema at some place."""

    def __init__(self, root: Node, nodes: Iterable[Node] | None = None) -> None:
        self._root = root
        self._nodes = [leaf for node in ([root] if nodes is None else nodes) for leaf in self._leaves(node)]

    def at(self, steps: Steps) -> Self:
        found = self
        for step in steps:
            found = type(self)(self._root, list(found._below(step)))
        return found

    def real_steps(self, loc: Steps) -> list[str | int]:
        """The steps of a pydantic loc that stand in the file: it puts union tags in between."""
        real: list[str | int] = []
        place = self
        for number, step in enumerate(loc):
            below = list(place._below(step))
            if not below and number < len(loc) - 1:
                continue
            real.append(step)
            place = type(self)(self._root, below)
        return real

    def keys(self) -> set[str]:
        return {key for node in self._nodes for key in node.get("properties", {})}

    def words(self) -> list[str]:
        return [
            str(w)
            for node in self._nodes
            for w in node.get("enum", [node["const"]] if "const" in node else [])
        ]

    def tags(self) -> list[str]:
        """The kinds of a union that is told apart by `kind`."""
        kinds = [
            Schema(self._root, [node["properties"]["kind"]])
            for node in self._nodes
            if "kind" in node.get("properties", {})
        ]
        return sorted({word for kind in kinds for word in kind.words()})

    def sentence(self) -> str:
        return next((str(node["description"]) for node in self._nodes if "description" in node), "")

    def is_secret(self) -> bool:
        return any(node.get("title") == "SecretRef" for node in self._nodes)

    def _below(self, step: str | int) -> Iterator[Node]:
        for node in self._nodes:
            if isinstance(step, int):
                if "items" in node:
                    yield node["items"]
            elif step in node.get("properties", {}):
                yield node["properties"][step]
            elif isinstance(node.get("additionalProperties"), Mapping):
                yield node["additionalProperties"]
            else:  # a block whose keys have a form of their own; a wrong key is told as such
                yield from node.get("patternProperties", {}).values()

    def _leaves(self, node: Node, depth: int = 0) -> Iterator[Node]:
        """The node itself without references and unions."""
        if depth > 20:
            return
        if "$ref" in node:
            name = str(node["$ref"]).rsplit("/", 1)[-1]
            yield from self._leaves({**self._root["$defs"][name], **_aside(node)}, depth + 1)
            return
        several = [*node.get("anyOf", ()), *node.get("oneOf", ())]
        for alternative in several:
            yield from self._leaves({**alternative, **_aside(node)}, depth + 1)
        if not several:
            yield node


def _aside(node: Node) -> Node:
    """What a field adds to the type it refers to."""
    return {key: node[key] for key in ("description",) if key in node}

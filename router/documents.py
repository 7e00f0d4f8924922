"""
A configuration file as it was read: its data, and on which line each part stands.

YAML 1.2 by ruamel.yaml: `no` stays a word, a key that stands twice is an error, and a nest of
aliases that grows past MAX_NODES is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from router.errors import ConfigError, Problem

MAX_BYTES = 2 * 1024 * 1024
"""A configuration file larger than this is a mistake, not a configuration."""

MAX_NODES = 200_000
"""Ten times the largest city; aliases of aliases reach it at once."""

_UNREADABLE = (
    YAMLError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    RecursionError,
)
"""What ruamel raises: its own errors, and bare ones, e.g. TypeError for a block that is used as a key."""

Loc = Sequence[str | int]
"""A path into a document, as pydantic gives it in `error["loc"]`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the configuration. `data` is plain dicts, lists and scalars."""

    path: str
    data: Any
    marked: Any
    """The same with line marks; for `where` only."""

    def where(self, loc: Loc = ()) -> str:
        """`path:line` of the part at `loc`, or of the nearest part above it that exists."""
        node, line = self.marked, 1
        for step in loc:
            mark = _line_of(node, step)
            if mark is None:
                continue  # pydantic puts union tags and function names into a loc
            line, node = mark + 1, node[step]
        return f"{self.path}:{line}"

    def has(self, loc: Loc) -> bool:
        """Whether something is written at `loc`, right or wrong."""
        data = self.data
        for step in loc:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def read(path: str, text: str) -> Document:
    """Read one YAML text. `path` is what messages call it. Raises ConfigError with file and line."""
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError([Problem(f"{path}:1", f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")])
    try:
        marked = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([Problem(f"{path}:{line}", _say(error))]) from error
    except _UNREADABLE as error:
        raise ConfigError([Problem(f"{path}:1", f"not YAML: {type(error).__name__}")]) from error
    return Document(path, _Plain(path).of(marked), marked)


def read_on(path: str, text: str) -> tuple[Document | None, list[Problem]]:
    """As `read`, but a key that stands twice does not hide what else is wrong: all of them are told,
    and the document has the first. None when it cannot be read at all."""
    try:
        return read(path, text), []
    except ConfigError as error:
        twice = _twice(path, text)
        if not twice:
            return None, list(error.problems)
    reader = YAML(typ="rt")
    reader.allow_duplicate_keys = True
    try:
        marked = reader.load(text)
        return Document(path, _Plain(path).of(marked), marked), twice
    except ConfigError as error:
        return None, [*twice, *error.problems]
    except _UNREADABLE:
        return None, twice


def _twice(path: str, text: str) -> list[Problem]:
    """Every key that stands twice in its block. Empty when the text is wrong in another way."""
    if len(text.encode()) > MAX_BYTES:
        return []
    try:
        root = YAML(typ="rt").compose(text)
    except _UNREADABLE:
        return []
    found, open_nodes, seen = [], [root], set()
    while open_nodes:
        node = open_nodes.pop()
        if id(node) in seen:
            continue  # an alias
        seen.add(id(node))
        if isinstance(node, MappingNode):
            found += _twice_in(path, node)
            open_nodes += [value for _, value in node.value]
        elif isinstance(node, SequenceNode):
            open_nodes += node.value
    return found


def _twice_in(path: str, node: MappingNode) -> list[Problem]:
    first: dict[str, int] = {}
    found = []
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, ScalarNode) and first.setdefault(key.value, line) != line:
            hint = f"first on line {first[key.value]}; drop one of the two"
            found.append(Problem(f"{path}:{line}", f"duplicate key {key.value}", hint))
    return found


def _say(error: MarkedYAMLError) -> str:
    problem = (error.problem or "not YAML").split("\n")[0]
    return f"duplicate key: {problem}" if "duplicate key" in problem else f"not YAML: {problem}"


def _line_of(node: Any, step: str | int) -> int | None:
    try:
        if isinstance(node, CommentedMap) and step in node:
            return int(node.lc.key(step)[0])
        if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            return int(node.lc.item(step)[0])
    except (KeyError, TypeError, AttributeError):
        return None
    return None


class _Plain:
    """Strips ruamel's marks, and counts what it builds."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._nodes = 0

    def of(self, node: Any, above: tuple[int, ...] = ()) -> Any:
        """The node as plain dicts, lists and scalars. Raises ConfigError when aliases nest without end."""
        self._nodes += 1
        if self._nodes > MAX_NODES or id(node) in above:
            raise ConfigError(
                [Problem(f"{self._path}:1", "aliases nest without end", "write the values out")]
            )
        if isinstance(node, CommentedMap):
            return {self.of(k): self.of(v, (*above, id(node))) for k, v in node.items()}
        if isinstance(node, CommentedSeq):
            return [self.of(item, (*above, id(node))) for item in node]
        if isinstance(node, bool) or node is None:
            return node
        for kind in (int, float, str):
            if isinstance(node, kind):
                return kind(node)
        return node

"""Settings whose fields are described, in the schemas that editors read, by the text under each of them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler


class Described(BaseModel):
    """A model whose JSON Schema says of a field what the text right under it says.

    pydantic's own way to this, `use_attribute_docstrings`, reads and parses the source of every class
    as it is imported, a tenth of a hub's start. Here that waits until somebody asks for a schema.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in _texts(cls).items():
            written = cls.model_fields[name].alias or name
            if text and written in properties:
                properties[written].setdefault("description", text)
        return schema


def _texts(model: type[Described]) -> dict[str, str]:
    """Field → the text under it; empty where the class that declares it last has none."""
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Described) and kind is not Described:
            texts.update(_declared(kind))
    return {name: text for name, text in texts.items() if name in model.model_fields}


def _declared(kind: type) -> Iterator[tuple[str, str]]:
    try:
        source = inspect.getsource(kind)
    except OSError:  # installed without its source; a schema is as good without descriptions
        return
    block = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(block, ast.ClassDef)
    for line, below in pairwise([*block.body, ast.Pass()]):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, _text(below)


def _text(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
    return ""

"""
Many ids as one value of a statement: on SQLite a JSON text, on PostgreSQL an array.

A statement that names each of them is written anew, and prepared anew, for every number of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, String, any_, bindparam, column, func, select

from router import jsontext

Among = Mapping[str, ColumnElement[bool]]
"""By dialect: the column holds one of them."""


def among(field: Column[Any], name: str) -> Among:
    """The condition; `name` is the parameter that `as_one` makes."""
    listed = func.json_each(bindparam(name, type_=String))
    return {
        "sqlite": field.in_(select(column("value")).select_from(listed)),
        "postgresql": field == any_(bindparam(name, type_=ARRAY(String))),
    }


def as_one(connection: Connection, ids: list[str]) -> Any:
    """The value for it."""
    return jsontext.dumps(ids).decode() if connection.dialect.name == "sqlite" else ids

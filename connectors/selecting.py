"""
Where things stand in a foreign document: JMESPath, compiled at load, harmless at work.

For a connector's few questions only (where are the items, the id, the change time); what an
appeal's fields are is the mapping's business.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from pydantic import AfterValidator, StringConstraints

from router.limits import clean
from router.lookups import keys_of, look_up


def _compilable(path: str) -> str:
    try:
        jmespath.compile(path).search({})  # an unknown function shows only when it is run
    except JMESPathTypeError:
        return path  # of the empty document, not of a real one
    except JMESPathError as error:
        raise ValueError(f"is not JMESPath: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise ValueError("is not JMESPath: it nests too deeply") from error
    return path


Selector = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_compilable)]
"""A JMESPath expression."""


class Select:
    """One expression, ready to work. Answers None for what is not there or does not fit."""

    def __init__(self, path: str) -> None:
        keys = keys_of(path)
        self.find = look_up(keys) if keys else _harmless(jmespath.compile(path).search)
        """What a call does, without the call: for what is asked of every item."""

    def __call__(self, data: Any) -> Any:
        return self.find(data)


def _harmless(search: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def find(data: Any) -> Any:
        try:
            return search(data)
        except Exception:  # jmespath raises bare TypeError and RecursionError besides its own
            return None

    return find


def id_text(value: object, most: int = 200) -> str | None:
    """An id as text: words and numbers as they stand. None for what is no id (empty, list, true).

    Cleaned as an envelope cleans it: a lone surrogate can be neither kept nor sent back.
    """
    if type(value) is str and value.isprintable():  # nothing to clean in it
        text = value.strip()
    elif isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    else:
        text = str(clean(str(value))).strip()
    return text if 0 < len(text) <= most else None

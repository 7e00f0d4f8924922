"""
What a database says no with, sorted into our errors by its codes.

Only codes and our own words get into an error's text: a driver's message may quote a row. The one
exception is the attempt to connect, where there is no row yet, masked all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, NotSupportedError, ProgrammingError

from router.errors import HubError, SourceRefused, SourceUnavailable
from router.masking import mask_text

# https://www.postgresql.org/docs/current/errcodes-appendix.html, https://mariadb.com/kb/en/mariadb-error-code-reference/,
# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and https://www.sqlite.org/rescode.html
_LOCKED = (
    *("55P03", "57014", "40P01", "40001"),
    *("1205", "1213", "1969", "3024"),
    *("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT"),
)
_REFUSED = (
    *("25006", "28", "3D", "3F", "42"),
    *("1044", "1045", "1049", "1054", "1130", "1142", "1143", "1146", "1227", "1288", "1290", "1356", "1698"),
    *("SQLITE_AUTH", "SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_NOTADB", "SQLITE_READONLY"),
)
_UNREADABLE = ("22",)
"""One row's data, as a view computes it. PostgreSQL's class; other databases hand over NULL."""

# PostgreSQL's client library keeps no code of a failed connection; its server speaks English or Chinese here.
_REFUSED_WORDS = re.compile(
    r"authentication failed|认证失败|no password supplied|口令|pg_hba\.conf|does not exist|不存在"
    r"|permission denied|权限不够|not permitted to log in"
)


class Locked(SourceUnavailable):
    """Somebody else holds the table or the row, or the database took too long."""


class Unreadable(Exception):
    """Something among the rows cannot be handed over; the others may be fine. Never leaves the connector."""


@contextmanager
def as_hub_errors(where: str) -> Iterator[None]:
    """The one place where the database's errors become ours. Wrap statement and fetch, never a `yield`."""
    try:
        yield
    except DBAPIError as error:
        raise _sorted(where, error) from error
    except (OSError, EOFError) as error:
        raise SourceUnavailable(f"{where}: the connection broke off ({type(error).__name__})") from error
    except ValueError as error:  # UnicodeDecodeError is one: the text is not in the encoding it claims
        raise Unreadable(type(error).__name__) from error


@contextmanager
def as_connection_errors(where: str, password: str | None) -> Iterator[None]:
    """The same for the attempt to connect, before any row is seen."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).replace(password, "***") if password else str(error.orig)
        told = f"{where}: no connection to the database: {mask_text(said, 200)}"
        if _code(error).startswith(_REFUSED) or _REFUSED_WORDS.search(said):
            raise SourceRefused(told) from error
        raise SourceUnavailable(told) from error
    except OSError as error:
        raise SourceUnavailable(f"{where}: no connection to the database ({type(error).__name__})") from error


def _sorted(where: str, error: DBAPIError) -> HubError | Unreadable:
    code = _code(error)
    name = f"{type(error.orig).__name__} {code}".strip()
    if code.startswith(_LOCKED):
        return Locked(f"{where}: locked by somebody else, or too slow ({name}); tried again later")
    if code.startswith(_UNREADABLE) or (isinstance(error, DataError) and not error.connection_invalidated):
        return Unreadable(name)
    if code.startswith(_REFUSED) or (not code and isinstance(error, (ProgrammingError, NotSupportedError))):
        return SourceRefused(
            f"{where}: the database refuses it ({name}); compare table, columns and the account's rights"
        )
    return SourceUnavailable(f"{where}: the database is away or in trouble ({name})")


def _code(error: DBAPIError) -> str:
    """SQLSTATE, MySQL's number or SQLite's name; empty for drivers we know no codes of."""
    original = error.orig
    first = original.args[0] if original is not None and original.args else None
    if isinstance(first, int):  # before the SQLSTATE, which for MySQL says next to nothing
        return str(first)
    for name in ("sqlstate", "sqlite_errorname"):
        if isinstance(code := getattr(original, name, None), str):
            return code
    return ""

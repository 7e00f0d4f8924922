"""Mails of the hub's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from router.limits import Body, Frozen, Identifier, Line, Name


class Letter(Frozen):
    """A mail of the hub's own: it tells the sender of a table what was taken and what was not (R9)."""

    letter_id: Identifier
    """The same for the same letter however often it is written; becomes the mail's Message-ID."""
    source: Identifier
    """The mailbox that it answers for."""
    to: Name
    subject: Line
    text: Body
    in_reply_to: Line = ""
    """The Message-ID of the mail that it answers."""
    file_name: Name = ""
    file: Annotated[bytes, Field(max_length=16 * 1024 * 1024)] = b""
    """An .xlsx, or nothing."""

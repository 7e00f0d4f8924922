"""
Forms as web pages send them, read from a body that is already complete and verified.

Fields become one JSON-like object: a name's text, or a list of texts where the name repeats.
Files stay apart. Reading is strict; a body that could be read in two ways is malformed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qsl

from router.errors import MalformedEnvelope

MAX_PARTS = 200
MAX_HEAD = 4096
_FOLDERS = re.compile(r".*[/\\]")
_TOKEN = re.compile(r"[\w!#$&^.+-]{1,40}/[\w!#$&^.+-]{1,80}", re.ASCII)

Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a form. Name and media type are the sender's words, not facts."""

    field: str
    name: str
    media_type: str
    content: bytes


def read_urlencoded(body: bytes) -> Fields:
    """`a=1&b=2`. Raises MalformedEnvelope."""
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARTS, errors="strict")
    except UnicodeDecodeError as error:
        raise MalformedEnvelope("the form is not UTF-8") from error
    except ValueError as error:
        raise MalformedEnvelope(f"a form of more than {MAX_PARTS} fields") from error
    return _collect(pairs)


def read_multipart(body: bytes, content_type: str) -> tuple[Fields, list[File]]:
    """A form with files. Raises MalformedEnvelope."""
    pairs: list[tuple[str, str]] = []
    files: list[File] = []
    for part in _split(body, _boundary(content_type)):
        head, content = _open(part)
        name = head.get_param("name", header="content-disposition")
        if head.get_content_disposition() != "form-data" or not isinstance(name, str):
            raise MalformedEnvelope("a part of the form has no name")
        if head.get_filename() is None:
            pairs.append((name, _text(content)))
        elif content or head.get_filename():  # a file field left empty comes without name and content
            files.append(File(name, _file_name(head), _media_type(head), content))
    return _collect(pairs), files


def _boundary(content_type: str) -> bytes:
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_boundary("")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise MalformedEnvelope("multipart/form-data without a usable boundary")
    return boundary.encode()


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    before, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    if before or not parts or parts.pop().strip() != b"--":
        raise MalformedEnvelope("the form is cut off, or has too many parts")
    return parts


def _open(part: bytes) -> tuple[Message, bytes]:
    head_bytes, gap, content = part.partition(b"\r\n\r\n")
    if not head_bytes.startswith(b"\r\n") or not gap or len(head_bytes) > MAX_HEAD:
        raise MalformedEnvelope("a part of the form has no proper head")
    head = Message()
    for line in _text(head_bytes).split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon or name.strip().lower() in head:
            raise MalformedEnvelope("a part of the form has no proper head")
        head[name.strip().lower()] = value.strip()
    return head, content


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedEnvelope("the form is not UTF-8") from error


def _file_name(head: Message) -> str:
    name = _FOLDERS.sub("", (head.get_filename() or "").replace("%22", '"')).strip()
    return name[-200:] or "unnamed"


def _media_type(head: Message) -> str:
    written = str(head.get("content-type", "")).partition(";")[0].strip().lower()
    return written if _TOKEN.fullmatch(written) and len(written) <= 64 else "application/octet-stream"


def _collect(pairs: list[tuple[str, str]]) -> Fields:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else list(values) for name, values in found.items()}

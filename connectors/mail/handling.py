"""
What one mail is made into: batches to record, and what is to be said to its sender.

A trusted mail's tables become sets, one batch each. What cannot be taken is quarantined, not dropped:
an envelope with the reason and the untouched original, which becomes a dead letter and work for the
desk. The last batch carries the cursor, so that a crash before it has the whole mail read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.mail.authentication import Gate, Verdict, is_automatic
from connectors.mail.box import Mail
from connectors.mail.headers import Headers, split_head
from connectors.mail.parts import File
from connectors.mail.reply import Answer
from connectors.mail.sets import MOST_ROWS, TableSet, Told, sets_of
from connectors.mail.settings import MailboxSettings
from connectors.mail.sorting import Found, Unreadable, look_through
from router.masking import mask_text
from router.message import Batch, Envelope, ItemSet
from router.ports import AttachmentStore, Clock

LONGEST_SUBJECT = 200
LONGEST_MESSAGE_ID = 400


@dataclass(frozen=True, slots=True)
class Handled:
    batches: tuple[Batch, ...]
    """One at least; the last has the cursor."""
    answer: Answer | None
    """None when nobody is to be answered."""


class Handling:
    """One mailbox's way with mails. What is in a mail never makes it raise; the store may."""

    def __init__(self, name: str, settings: MailboxSettings, store: AttachmentStore, clock: Clock) -> None:
        self._name = name
        self._settings = settings
        self._gate = Gate(settings)
        self._store = store
        self._clock = clock

    def handle(self, mail: Mail) -> Handled:
        headers, body = split_head(mail.raw)
        verdict = self._gate.judge(headers)
        told = Told(
            source=self._name,
            unit=verdict.unit,
            digest=_digest(mail, headers, body),
            subject=headers.text("subject", LONGEST_SUBJECT),
            arrived_at=mail.arrived_at or self._clock(),
            received_at=self._clock(),
        )
        found, sets = self._understood(mail, verdict, told)
        batches = self._batches(mail, found, sets, told)
        batches[-1] = batches[-1].model_copy(update={"cursor": dict(mail.cursor)})
        if not self._is_answered(verdict, headers):
            return Handled(tuple(batches), None)
        message_id = headers.text("message-id", LONGEST_MESSAGE_ID)
        return Handled(tuple(batches), Answer(verdict.address, message_id, told, found, tuple(sets)))

    def _understood(self, mail: Mail, verdict: Verdict, told: Told) -> tuple[Found, list[TableSet]]:
        """The mail's tables; or why nothing of it is taken."""
        objection = mail.fault or verdict.problem or self._too_large(mail)
        if objection:
            return Found(problem=objection), []
        try:
            found = look_through(mail.raw)
            sets = sets_of(found.tables, told)
        except Exception as error:  # one mail's edge: it must not keep the ones behind it from being read
            return Found(problem=f"邮件解析出错（{type(error).__name__}），请交技术人员查看"), []
        if any(len(one.envelopes) > MOST_ROWS for one in sets):
            return Found(problem=f"一个季度的行数超过 {MOST_ROWS}，请联系平台"), []
        return found, sets

    def _too_large(self, mail: Mail) -> str:
        if mail.size <= len(mail.raw):
            return ""
        sizes = f"{mail.size / 1_000_000:.1f} MB，上限 {self._settings.max_bytes / 1_000_000:.1f} MB"
        return f"邮件过大（{sizes}），只保留了开头；请分几封发送"

    def _batches(self, mail: Mail, found: Found, sets: Sequence[TableSet], told: Told) -> list[Batch]:
        if found.problem:
            return [self._batch((_kept_mail(mail, found.problem, told),))]
        is_whole = not found.unreadable
        batches = [
            self._batch(one.envelopes, self._item_set(one, mail, found, told) if is_whole else None)
            for one in sets
            if one.envelopes or is_whole
        ]
        if found.unreadable:
            kept = [_kept_file(n, one, told) for n, one in enumerate(found.unreadable, 1)]
            batches.append(self._batch(tuple(kept)))
        return batches

    def _batch(self, envelopes: tuple[Envelope, ...], replaces: ItemSet | None = None) -> Batch:
        return Batch(source=self._name, envelopes=envelopes, replaces=replaces)

    def _item_set(self, one: TableSet, mail: Mail, found: Found, told: Told) -> ItemSet:
        """Kept before it is recorded: the file, or the mail where several files make one set."""
        files = found.files_of(one.files)
        original = files[0].content if len(files) == 1 else mail.raw
        return ItemSet(
            unit=one.unit, period=one.period, sent_at=told.arrived_at, original=self._store.put(original)
        )

    def _is_answered(self, verdict: Verdict, headers: Headers) -> bool:
        """Only those on the list who proved it, and never machines."""
        reply = self._settings.reply
        is_ours = reply is not None and verdict.address == reply.from_
        return reply is not None and bool(verdict.unit) and not is_ours and not is_automatic(headers)


def _digest(mail: Mail, headers: Headers, body: int) -> str:
    # On its ways a mail gets more head, nothing else; a borrowed Message-ID alone makes no two mails one.
    name = headers.first("message-id")
    known = name + b"\n" + mail.raw[body:] if name else mail.raw
    return hashlib.sha256(known or mail.key.encode()).hexdigest()[:16]


def _kept_mail(mail: Mail, problem: str, told: Told) -> Envelope:
    return Envelope(
        source=told.source,
        source_id=f"mail/{told.digest}",
        body=mail.raw,
        content_type="message/rfc822",
        updated_at=told.arrived_at,
        received_at=told.received_at,
        problem=f"邮件未采用：{mask_text(problem, 400)}",
    )


def _kept_file(number: int, unreadable: Unreadable, told: Told) -> Envelope:
    file: File = unreadable.file
    return Envelope(
        source=told.source,
        source_id=f"mail/{told.digest}/{number}",
        body=file.content,
        content_type="application/octet-stream",
        updated_at=told.arrived_at,
        received_at=told.received_at,
        problem=f"文件“{mask_text(file.name, 100)}”无法读取：{mask_text(unreadable.reason, 300)}",
    )

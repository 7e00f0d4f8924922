"""The hub's own mails on their way out, sealed like everything personal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from router.flows.letters import MAIL, DueLetter
from router.flows.records import NewDead
from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.rows import dead_row
from router.ledger.sealing import Sealer
from router.letters import Letter
from router.ports import Clock


class LetterStore:
    """Keeps the port `router.ports.Letters`, and what the postman's round asks for."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock, config_hash: str) -> None:
        self._db = database
        self._sealer = sealer
        self._clock = clock
        self._config_hash = config_hash

    def post(self, letter: Letter) -> None:
        now = self._clock()
        row = {
            "letter_id": letter.letter_id,
            "source": letter.source,
            "state": "pending",
            "attempts": 0,
            "next_attempt_at": now,
            "created_at": now,
            "key_id": self._sealer.current,
            "body": self._sealer.seal(letter.letter_id, letter.model_dump_json().encode()),
        }
        if self._is_known(letter.letter_id):
            return
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.letters), row)
        except IntegrityError:  # another process was faster: it is kept
            return

    def _is_known(self, letter_id: str) -> bool:
        with self._db.read() as connection:
            chosen = select(t.letters.c.letter_id).where(t.letters.c.letter_id == letter_id)
            return connection.execute(chosen).first() is not None

    def due(self, now: datetime, limit: int) -> list[DueLetter]:
        """Letters whose time has come, oldest first."""
        c = t.letters.c
        chosen = (
            select(c.letter_id, c.attempts, c.key_id, c.body)
            .where(text("state = 'pending'"), c.next_attempt_at <= now)
            .order_by(c.next_attempt_at)
            .limit(limit)
        )
        with self._db.read() as connection:
            rows = connection.execute(chosen).all()
        return [
            DueLetter(Letter.model_validate_json(self._sealer.open(key_id, letter_id, body)), attempts)
            for letter_id, attempts, key_id, body in rows
        ]

    def sent(self, letter_id: str, now: datetime) -> None:
        """A mail server has it."""
        done = {"state": "sent", "next_attempt_at": None, "finished_at": now}
        with self._db.write() as connection:
            connection.execute(update(t.letters).where(t.letters.c.letter_id == letter_id).values(done))

    def again(self, letter_id: str, at: datetime) -> None:
        """An attempt failed; the next one is then."""
        c = t.letters.c
        with self._db.write() as connection:
            connection.execute(
                update(t.letters)
                .where(c.letter_id == letter_id)
                .values(attempts=c.attempts + 1, next_attempt_at=at)
            )

    def died(self, due: DueLetter, dead: NewDead, now: datetime) -> None:
        """It will not be tried again by itself: a dead letter for people to look at."""
        c = t.letters.c
        letter_id, source = due.letter.letter_id, due.letter.source
        row = dead_row(
            dead,
            self._config_hash,
            now,
            source=source,
            source_id=letter_id,
            destination=MAIL,
        )
        with self._db.write() as connection:
            connection.execute(
                update(t.letters)
                .where(c.letter_id == letter_id)
                .values(state="dead", attempts=c.attempts + 1, next_attempt_at=None, finished_at=now)
            )
            connection.execute(insert(t.dead_letters), {**row, "attempts": due.attempts + 1})

"""Missed calls to report to people, in the event store: notices and messages.

A notice is made in the transaction that stores its call's last part (`finished_calls`). A message is stored before it
is sent, so that the store knows a message that a killed listener may have sent: at most one message is sent twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli.events.event import ANSWERED_STATUS, Call
from alovoice_cli.events.missed import REPORTED_APART_SECONDS
from alovoice_cli.events.notices import (
    FORGOTTEN_AFTER_SECONDS,
    NOTICE_STATES,
    TRIES_WITHIN_SECONDS,
    JudgedNotice,
    MissedNotice,
    caller_number,
    judge_notice,
)
from alovoice_cli.stores.event_engine import Connection, marks, opened
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.event_rows import call_from
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_AT_ONCE = 500
_MICRO = 1_000_000
_MINUTE = 60 * _MICRO
_LONGEST_WAIT = 24 * 60 * _MINUTE  # the longest grace: what is due later was written while the clock was ahead
_OF_CALL = ", ".join(f"call.{name}" for name in CALL_COLUMNS.split(", "))
_NOTICES = f"""SELECT notice.seq, notice.state, notice.due_at, notice.message, call.trial, {_OF_CALL} FROM notice
    JOIN fact ON fact.seq = notice.seq AND fact.part = 0 JOIN call ON call.call_id = fact.call_id
    WHERE notice.target = ?"""
_CALLS = f"""SELECT {CALL_COLUMNS} FROM call WHERE number = ? AND trial = ? AND reported_at >= ?
    ORDER BY reported_at, start_seq"""
# Messages with a caller, not a hidden one, who may have been talked to since: they are judged again.
_CHANGED = f"""SELECT DISTINCT notice.message FROM notice
    JOIN fact ON fact.seq = notice.seq AND fact.part = 0 JOIN call AS missed ON missed.call_id = fact.call_id
    JOIN call AS later ON later.number = missed.number AND later.trial = missed.trial
        AND later.reported_at >= missed.reported_at - {REPORTED_APART_SECONDS} AND later.status = '{ANSWERED_STATUS}'
    WHERE notice.target = ? AND notice.state = 'told' AND notice.born_at >= ? AND missed.number BETWEEN '0' AND ':'"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in the store. `remote_id` is the messenger's own id, `text` the delivered text; empty before.

    Moments are unix microseconds; `attempts` failed since the last delivery.
    """

    id: int
    state: str
    remote_id: str
    text: str
    made_at: int
    tried_at: int
    attempts: int


class Notices:
    """The notices and messages of one store. Each method uses a connection of its own; raises as the database does."""

    def __init__(self, url: str) -> None:
        self._url = url

    def due(self, target: str, now_us: int) -> list[JudgedNotice]:
        """Returns the notices whose grace is over, judged, oldest first."""
        with opened(self._url) as connection:
            rows = connection.execute(
                f"{_NOTICES} AND notice.state = 'waiting' AND notice.due_at NOT BETWEEN ? AND ? ORDER BY notice.seq",
                (target, now_us + 1, now_us + _LONGEST_WAIT),
            )
            return _judged(connection, [_notice(*row) for row in rows.fetchall()], now_us)

    def of_message(self, target: str, message: int, now_us: int) -> list[JudgedNotice]:
        """Returns the notices of a message, judged."""
        with opened(self._url) as connection:
            rows = connection.execute(f"{_NOTICES} AND notice.message = ? ORDER BY notice.seq", (target, message))
            return _judged(connection, [_notice(*row) for row in rows.fetchall()], now_us)

    def unsent(self, target: str) -> StoredMessage | None:
        """Returns the message that was about to be sent, or None."""
        with opened(self._url) as connection:
            found = f"{_MESSAGES} AND state = 'sending' ORDER BY id LIMIT 1"
            row = connection.execute(found, (target,)).fetchone()
        return StoredMessage(*row) if row else None

    def changed(self, target: str, now_us: int) -> list[StoredMessage]:
        """Returns the sent messages that may be outdated: a caller was talked to, or called again."""
        with opened(self._url) as connection:
            numbers = {row[0] for row in connection.execute(_CHANGED, (target, _since(now_us)))}
            again = "SELECT DISTINCT message FROM notice WHERE target = ? AND state = 'telling'"
            numbers.update(row[0] for row in connection.execute(again, (target,)))
            wanted = sorted(numbers)[:_AT_ONCE]
            found = f"{_MESSAGES} AND state = 'sent' AND id IN ({marks(wanted)}) ORDER BY id"
            return [StoredMessage(*row) for row in connection.execute(found, (target, *wanted)).fetchall()]

    def messages_of_callers(
        self, target: str, pending: Sequence[JudgedNotice], since_us: int
    ) -> dict[int, list[JudgedNotice]]:
        """Returns messages, sent since then, that already report a caller of these notices, with those notices."""
        question = """SELECT max(notice.message) FROM call JOIN notice ON notice.seq = call.start_seq
            JOIN notice_message ON notice_message.target = notice.target AND notice_message.id = notice.message
            WHERE call.number = ? AND call.trial = ? AND notice.target = ? AND notice.state = 'told'
            AND notice_message.state = 'sent' AND notice_message.made_at >= ?"""
        found: dict[int, list[JudgedNotice]] = {}
        with opened(self._url) as connection:
            for one in pending:
                place = (caller_number(one.notice.call), int(one.notice.is_trial), target, since_us)
                message = place[0] and connection.execute(question, place).fetchone()[0]
                if message:
                    found.setdefault(int(message), []).append(one)
        return found

    def sent_at(self, target: str, now_us: int) -> list[int]:
        """Returns when messages were sent or edited in the last minute, rising (unix microseconds)."""
        with opened(self._url) as connection:
            question = "SELECT tried_at FROM notice_message WHERE target = ? AND tried_at > ? ORDER BY tried_at"
            return [row[0] for row in connection.execute(question, (target, now_us - _MINUTE)).fetchall()]

    def chat(self, target: str) -> str:
        """Returns the chat that has replaced the target's own one, or ''."""
        with opened(self._url) as connection:
            row = connection.execute("SELECT chat FROM notice_chat WHERE target = ?", (target,)).fetchone()
        return str(row[0]) if row else ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns how many notices there are, by target and state."""
        with opened(self._url) as connection:
            rows = connection.execute("SELECT target, state, count(*) FROM notice GROUP BY target, state").fetchall()
        found: dict[str, dict[str, int]] = {target: dict.fromkeys(NOTICE_STATES, 0) for target, *_ in rows}
        for target, state, count in rows:
            found[target][state] = count
        return found

    def old(self, target: str, now_us: int) -> int:
        """Returns how many notices are too old to report."""
        with opened(self._url) as connection:
            return int(connection.execute(f"SELECT count(*) {_OLD}", (target, _since(now_us))).fetchone()[0])


_MESSAGES = "SELECT id, state, remote_id, text, made_at, tried_at, attempts FROM notice_message WHERE target = ?"


def _notice(seq: int, state: str, due_at: int, message: int, trial: int, *values: object) -> MissedNotice:
    return MissedNotice(seq, state, due_at, message, Call(*values), bool(trial))  # type: ignore[arg-type] # as stored


def _judged(connection: Connection, notices: Sequence[MissedNotice], now_us: int) -> list[JudgedNotice]:
    """Returns the notices, judged by the calls with the same number."""
    earliest: dict[tuple[str, bool], int] = {}
    for notice in notices:
        key = (caller_number(notice.call), notice.is_trial)
        earliest[key] = min(earliest.get(key, notice.call.reported_at), notice.call.reported_at)
    calls: Mapping[tuple[str, bool], list[Call]] = {
        (number, trial): [
            call_from(row)
            for row in connection.execute(_CALLS, (number, int(trial), since - TRIES_WITHIN_SECONDS)).fetchall()
        ]
        for (number, trial), since in earliest.items()
        if number
    }
    return [
        judge_notice(notice, calls.get((caller_number(notice.call), notice.is_trial), []), now_us) for notice in notices
    ]


_OLD = "FROM notice WHERE target = ? AND state = 'waiting' AND born_at < ?"


def _since(now_us: int) -> int:
    return now_us - FORGOTTEN_AFTER_SECONDS * _MICRO


# --- changes, for the event writer


def dropped_old(target: str, now_us: int) -> Change:
    """Returns the change that drops notices that are too old to report."""

    def drop(connection: Connection) -> None:
        old = f"UPDATE notice SET state = 'dropped' WHERE seq IN (SELECT seq {_OLD}) AND target = ?"
        connection.execute(old, (target, _since(now_us), target))

    return drop


def settled_notices(target: str, numbers: Sequence[int]) -> Change:
    """Returns the change that settles these waiting notices without a message: somebody talked to the callers."""

    def settle(connection: Connection) -> None:
        _set_state(connection, target, numbers, "settled", "AND state = 'waiting'")

    return settle


def begun_message(target: str, numbers: Sequence[int], now_us: int) -> Change:
    """Returns the change that makes a message of these waiting notices, before it is sent."""

    def begin(connection: Connection) -> None:
        last = connection.execute("SELECT max(id) FROM notice_message WHERE target = ?", (target,)).fetchone()[0] or 0
        connection.execute(
            "INSERT INTO notice_message (target, id, state, remote_id, text, made_at, tried_at, attempts)"
            " VALUES (?, ?, 'sending', '', '', ?, 0, 0)",
            (target, last + 1, now_us),
        )
        _set_state(connection, target, numbers, "telling", "AND state = 'waiting'", message=last + 1)

    return begin


def joined_message(target: str, numbers: Sequence[int], message: int) -> Change:
    """Returns the change that adds these waiting notices to a sent message, which must then be edited."""

    def join(connection: Connection) -> None:
        _set_state(connection, target, numbers, "telling", "AND state = 'waiting'", message=message)

    return join


def tried_message(target: str, message: int, now_us: int) -> Change:
    """Returns the change that marks the message as being sent, or edited, now."""

    def note(connection: Connection) -> None:
        connection.execute(
            "UPDATE notice_message SET tried_at = ? WHERE target = ? AND id = ?", (now_us, target, message)
        )

    return note


def told_message(target: str, message: StoredMessage, judged: Sequence[JudgedNotice]) -> Change:
    """Returns the change that stores the delivered text of the message and the state of these notices."""

    def keep(connection: Connection) -> None:
        connection.execute(
            "UPDATE notice_message SET state = 'sent', remote_id = ?, text = ?, attempts = 0"
            " WHERE target = ? AND id = ?",
            (message.remote_id, message.text, target, message.id),
        )
        for is_done, state in ((False, "told"), (True, "done")):
            numbers = [one.notice.seq for one in judged if one.is_settled is is_done]
            _set_state(connection, target, numbers, state, "AND state IN ('telling', 'told')")

    return keep


def dropped_message(target: str, message: int) -> Change:
    """Returns the change that ends a message without any notice left."""

    def drop(connection: Connection) -> None:
        connection.execute("UPDATE notice_message SET state = 'dropped' WHERE target = ? AND id = ?", (target, message))

    return drop


def failed_message(target: str, message: int) -> Change:
    """Returns the change that counts a failed attempt."""

    def count(connection: Connection) -> None:
        connection.execute(
            "UPDATE notice_message SET attempts = attempts + 1 WHERE target = ? AND id = ?", (target, message)
        )

    return count


def moved_chat(target: str, chat: str) -> Change:
    """Returns the change that stores the chat that has replaced the target's own one."""

    def keep(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO notice_chat (target, chat) VALUES (?, ?)"
            " ON CONFLICT (target) DO UPDATE SET chat = excluded.chat",
            (target, chat),
        )

    return keep


def _set_state(
    connection: Connection,
    target: str,
    numbers: Sequence[int],
    state: str,
    condition: str,
    message: int | None = None,
) -> None:
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        connection.execute(
            f"UPDATE notice SET state = ?, message = coalesce(?, message)"
            f" WHERE target = ? {condition} AND seq IN ({marks(part)})",
            (state, message, target, *part),
        )

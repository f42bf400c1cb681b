"""Writes receipts: the beginnings and ends of several requests in as few statements as there can be."""

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from alovoice_cli.stores.cells import iso
from alovoice_cli.stores.migrations import transaction
from alovoice_cli.stores.quotas import Quota, spent

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORTEST = 4  # a million codes; a crowded ledger gets longer ones
_TRIES_A_LENGTH = 8

_BEGUN = "code, profile, command, method, path, numbers, our_id, request, begun_at, pid"
_END = "UPDATE receipt SET state = ?, exit_code = ?, sent = ?, status = ?, answer = ?, settled_at = ? WHERE code = ?"


@dataclass(frozen=True, slots=True)
class Begin:
    """A request about to leave: the columns after its code, and the quota that it counts against."""

    columns: tuple[object, ...]
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How the request of a code ended: state, exit code, sent, status, answer, moment."""

    code: str
    columns: tuple[object, ...]


def write_receipts(connection: sqlite3.Connection, changes: Sequence[Begin | End]) -> Sequence[str]:
    """The code of each change; nothing for an end of a code that is not there. All of them are written, or none.

    Raises UsageError where a quota is spent: counted and written in one transaction, whoever else dials.
    """
    begins = [change for change in changes if isinstance(change, Begin)]
    if (len(begins) == len(changes) or len(changes) == 1) and not any(begin.quota for begin in begins):
        try:
            return _write(connection, changes)  # one statement writes all: that is a transaction
        except sqlite3.IntegrityError:
            pass  # another process took one of the codes a moment ago
    with transaction(connection):
        return _write(connection, changes)


def count_against(connection: sqlite3.Connection, profile: str, quota: Quota) -> int:
    """How many requests count against the quota: those that were carried out, or may have been."""
    fits = " OR ".join(["path LIKE ? || '%'"] * len(quota.paths))
    (found,) = connection.execute(
        "SELECT COUNT(*) FROM receipt WHERE profile = ? AND begun_at >= ?"  # noqa: S608 - constants
        f" AND COALESCE(state, 'unknown') NOT IN ('refused', 'unsent') AND ({fits})",
        (profile, iso(quota.since), *quota.paths),
    ).fetchone()
    return int(found)


def _write(connection: sqlite3.Connection, changes: Sequence[Begin | End]) -> Sequence[str]:
    codes = iter(_begin(connection, [change for change in changes if isinstance(change, Begin)]))
    ended = _end(connection, [change for change in changes if isinstance(change, End)])
    return [next(codes) if isinstance(change, Begin) else change.code * (change.code in ended) for change in changes]


def _begin(connection: sqlite3.Connection, begins: Sequence[Begin]) -> Sequence[str]:
    if len(begins) > 1 and any(begin.quota for begin in begins):
        return [code for begin in begins for code in _begin(connection, [begin])]  # each counts those before it
    for begin in begins:
        if begin.quota is not None:
            profile = str(begin.columns[0])
            if count_against(connection, profile, begin.quota) >= begin.quota.most:
                raise spent(begin.quota)
    if not begins:
        return []
    try:
        return _insert(connection, begins, [_draw(_SHORTEST) for _ in begins])
    except sqlite3.IntegrityError:  # a code that is taken: rare enough for not to ask before
        return _insert(connection, begins, _free_codes(connection, len(begins)))


def _insert(connection: sqlite3.Connection, begins: Sequence[Begin], codes: Sequence[str]) -> Sequence[str]:
    rows = [(code, *begin.columns) for code, begin in zip(codes, begins, strict=True)]
    connection.execute(f"INSERT INTO receipt ({_BEGUN}) VALUES {_marks(10, len(rows))}", tuple(chain(*rows)))  # noqa: S608 - question marks
    return codes


def _end(connection: sqlite3.Connection, ends: Sequence[End]) -> set[str]:
    """The codes that were there."""
    return {end.code for end in ends if connection.execute(_END, (*end.columns, end.code)).rowcount}


@lru_cache(maxsize=256)
def _marks(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def _free_codes(connection: sqlite3.Connection, count: int) -> Sequence[str]:
    """Different codes that no receipt has: as short as there are some."""
    found: list[str] = []
    length = _SHORTEST
    while True:
        for _ in range(_TRIES_A_LENGTH):
            drawn = {_draw(length) for _ in range(count - len(found))}
            found += drawn - _taken(connection, drawn) - set(found)
            if len(found) == count:
                return found
        length += 1


def _draw(length: int) -> str:
    # One question to the system a code: 256 is a multiple of the letters, so each is as likely.
    return "".join(_CROCKFORD[byte % len(_CROCKFORD)] for byte in secrets.token_bytes(length))


def _taken(connection: sqlite3.Connection, codes: set[str]) -> set[str]:
    wanted = _marks(len(codes), 1)
    return {code for (code,) in connection.execute(f"SELECT code FROM receipt WHERE code IN {wanted}", tuple(codes))}  # noqa: S608 - question marks

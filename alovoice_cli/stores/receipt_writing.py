"""Writes receipts: how a request begins and how it ends."""

import secrets
import sqlite3
from dataclasses import dataclass

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


def write_receipt(connection: sqlite3.Connection, change: Begin | End) -> str:
    """Returns the code of the change; nothing for an end of a code that is not there.

    Raises UsageError where a quota is spent: counted and written in one transaction, whoever else dials.
    """
    if isinstance(change, End):
        return change.code if connection.execute(_END, (*change.columns, change.code)).rowcount else ""
    if change.quota is None:
        return _insert(connection, change)
    with transaction(connection):
        if count_against(connection, str(change.columns[0]), change.quota) >= change.quota.most:
            raise spent(change.quota)
        return _insert(connection, change)


def count_against(connection: sqlite3.Connection, profile: str, quota: Quota) -> int:
    """How many requests count against the quota: those that were carried out, or may have been."""
    fits = " OR ".join(["path LIKE ? || '%'"] * len(quota.paths))
    (found,) = connection.execute(
        "SELECT COUNT(*) FROM receipt WHERE profile = ? AND begun_at >= ?"  # noqa: S608 - constants
        f" AND COALESCE(state, 'unknown') NOT IN ('refused', 'unsent') AND ({fits})",
        (profile, iso(quota.since), *quota.paths),
    ).fetchone()
    return int(found)


def _insert(connection: sqlite3.Connection, begin: Begin) -> str:
    """Draws a code that no receipt has, as short as there are some, and writes the receipt."""
    tries = 0
    while True:
        code = _draw(_SHORTEST + tries // _TRIES_A_LENGTH)
        try:
            connection.execute(f"INSERT INTO receipt ({_BEGUN}) VALUES (?{', ?' * 9})", (code, *begin.columns))  # noqa: S608 - question marks
        except sqlite3.IntegrityError:  # a code that is taken: rare enough for not to ask before
            tries += 1
        else:
            return code


def _draw(length: int) -> str:
    # One question to the system a code: 256 is a multiple of the letters, so each is as likely.
    return "".join(_CROCKFORD[byte % len(_CROCKFORD)] for byte in secrets.token_bytes(length))

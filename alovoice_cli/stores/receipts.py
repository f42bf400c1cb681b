"""What the ledger keeps of one request: what was asked, and what is known of its end."""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from alovoice_cli.batch.placed_call import Receipt
from alovoice_cli.stores.cells import iso
from alovoice_cli.stores.migrations import transaction
from alovoice_cli.stores.quotas import Quota, spent

COLUMNS = (
    "code, profile, command, method, path, numbers, our_id, request, begun_at, pid,"
    " state, exit_code, sent, status, answer, settled_at"
)


class Intended(Protocol):
    """A request about to leave. `path` is a template (`/outcall/{token}`): no token comes here."""

    @property
    def profile(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def numbers(self) -> Sequence[str]: ...
    @property
    def our_id(self) -> str: ...
    @property
    def request(self) -> Mapping[str, object]: ...


class Settled(Protocol):
    """What became of it. `state`: done, refused, unsent or unknown; `sent`: no, maybe or yes."""

    @property
    def state(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def sent(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def answer(self) -> str: ...


def receipt_from(row: tuple[object, ...]) -> Receipt:
    """The receipt in a row of COLUMNS. Raises ValueError for one that cannot be read."""
    code, profile, command, method, path, numbers, our_id, request, begun_at, pid, *end = row
    state, exit_code, sent, status, answer, settled_at = end
    return Receipt(
        receipt=f"R-{code}",
        profile=str(profile),
        command=str(command),
        method=str(method),
        path=str(path),
        numbers=tuple(json.loads(str(numbers))),
        our_id=str(our_id),
        request=json.loads(str(request)),
        begun_at=str(begun_at),
        pid=int(str(pid)),
        outcome=str(state or "unknown"),
        exit_code=None if exit_code is None else int(str(exit_code)),
        sent=str(sent or "maybe"),
        status=None if status is None else int(str(status)),
        answer=None if answer is None else str(answer),
        settled_at=None if settled_at is None else str(settled_at),
    )


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

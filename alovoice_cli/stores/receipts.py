"""What the ledger keeps of one request: what was asked, and what is known of its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One receipt. Times are ISO 8601 in UTC; `outcome` is done, refused, unsent or unknown.

    One that was never settled is unknown, and may have been sent; its `exit_code` and what follows are None.
    """

    receipt: str
    profile: str
    command: str
    method: str
    path: str
    numbers: tuple[str, ...]
    our_id: str
    request: object
    begun_at: str
    pid: int
    outcome: str
    exit_code: int | None
    sent: str
    status: int | None
    answer: str | None
    settled_at: str | None

    def as_dict(self) -> dict[str, object]:
        """The receipt as JSON prints it."""
        return {**asdict(self), "numbers": list(self.numbers)}


def entry_from(row: tuple[object, ...]) -> Entry:
    """The receipt in a row of COLUMNS. Raises ValueError for one that cannot be read."""
    code, profile, command, method, path, numbers, our_id, request, begun_at, pid, *end = row
    state, exit_code, sent, status, answer, settled_at = end
    return Entry(
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

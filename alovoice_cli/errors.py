"""What can go wrong, named after the fact, with the exit code that says it to a script.

    AlovoiceError
    ├── UsageError                    2  nothing was sent: wrong words, a bad file, a lock held
    │   ├── BadConfigError               config.toml or tokens.toml cannot be read or written
    ├── RefusedError                  1  the PBX understood and said no: known not done
    ├── AuthError                     3
    │   ├── TokenMissingError            no token: nothing was sent
    │   └── TokenRefusedError            401, 403, or 407 from a proxy
    ├── NotFoundError                 4  404
    ├── UnreachableError              5  certainly nothing happened on the PBX
    ├── OutcomeUnknownError           6  it may have rung: look before running again
    ├── ServerError                   7  for reads: 5xx, 429, an unreadable answer
    │   ├── RedirectedError              any 3xx: never followed
    │   └── RateLimitedError             429
    ├── CheckFailedError              8  a check found errors; nothing was sent
    └── NotReadyError                 9  not there yet

Only exit code 6 forbids running the same command again blindly.
"""

import errno
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Literal

from alovoice_cli.language import mark, text_of, tr

Sent = Literal["no", "maybe", "yes"]
"""Whether the request's first byte left this machine, and whether the server certainly read the request."""


class ExitCode(IntEnum):
    """The contract with shell scripts; `worst` orders the codes of a batch."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    AUTH = 3
    NOT_FOUND = 4
    NETWORK = 5
    UNKNOWN_OUTCOME = 6
    SERVER = 7
    CHECK_FAILED = 8
    NOT_READY = 9
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


FULL_DISK = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})  # Windows has no quotas


def no_space_left(path: Path) -> str:
    """Returns the message for a file on a full disk."""
    return tr("no space is left in {directory}", directory=path.absolute().parent)


_SYSTEM_REASONS = (
    mark("Broken pipe"),
    mark("Directory not empty"),
    mark("Disk quota exceeded"),
    mark("File exists"),
    mark("File name too long"),
    mark("File too large"),
    mark("Input/output error"),
    mark("Is a directory"),
    mark("No such file or directory"),
    mark("No space left on device"),
    mark("Not a directory"),
    mark("Operation not permitted"),
    mark("Permission denied"),
    mark("Read-only file system"),
    mark("Too many levels of symbolic links"),
    mark("Too many open files"),
)
"""What the system says in the usual cases, for the catalogues."""


def reason_of(error: Exception) -> str:
    """Returns the system's reason for an error (`Permission denied`), or the error's own text."""
    said = getattr(error, "strerror", None)
    return tr(said) if isinstance(said, str) else text_of(error)


_WORST_FIRST = (6, 3, 5, 7, 1, 4, 0)


def worst(codes: list[int]) -> int:
    """Returns the exit code for several outcomes of one command: 6 before 3, 5, 7, 1, 4, 0."""
    for code in _WORST_FIRST:
        if code in codes:
            return code
    return max(codes, default=0)


class AlovoiceError(Exception):
    """A failure, in a form for the user.

    `message` says what is wrong, `hint` what to do next (with the exact command if possible), `detail` further help:
    each without token and secrets, in the language of the run (see `language`). `status` is the HTTP status of a
    response.
    """

    kind: ClassVar[str] = "server"
    exit_code: ClassVar[ExitCode] = ExitCode.SERVER
    default_sent: ClassVar[Sent] = "no"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        status: int | None = None,
        sent: Sent | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.status = status
        self.sent: Sent = self.default_sent if sent is None else sent

    @property
    def retry_safe(self) -> bool:
        """Returns whether running the same command again is harmless: true for all but an unknown outcome."""
        return self.exit_code is not ExitCode.UNKNOWN_OUTCOME

    def as_json(self) -> dict[str, object]:
        """Returns the object that `--json` prints on stderr under the key `error`."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "detail": self.detail,
            "status": self.status,
            "sent": self.sent,
            "retry_safe": self.retry_safe,
        }


class UsageError(AlovoiceError):
    """Wrong words, a file that cannot be opened, a lock held: nothing was sent."""

    kind = "usage"
    exit_code = ExitCode.USAGE


class BadConfigError(UsageError):
    """config.toml or tokens.toml cannot be read, or must not be written."""


class RefusedError(AlovoiceError):
    """The server understood and said no."""

    kind = "refused"
    exit_code = ExitCode.REFUSED
    default_sent = "yes"


class AuthError(AlovoiceError):
    """No token, or one that is refused."""

    kind = "auth"
    exit_code = ExitCode.AUTH


class TokenMissingError(AuthError):
    """No token is known for the profile: nothing was sent."""


class TokenRefusedError(AuthError):
    """The server answered 401 or 403 (or a proxy 407, then nothing was sent)."""

    default_sent = "yes"


class NotFoundError(AlovoiceError):
    """The server answered 404."""

    kind = "not_found"
    exit_code = ExitCode.NOT_FOUND
    default_sent = "yes"


class UnreachableError(AlovoiceError):
    """The server was not reached, or a read got no answer: certainly nothing happened on the PBX."""

    kind = "network"
    exit_code = ExitCode.NETWORK


class OutcomeUnknownError(AlovoiceError):
    """A request that dials, creates or costs may have been carried out."""

    kind = "unknown_outcome"
    exit_code = ExitCode.UNKNOWN_OUTCOME
    default_sent = "maybe"


class ServerError(AlovoiceError):
    """The server failed at a read, or its answer is unreadable."""

    default_sent = "yes"


class RedirectedError(ServerError):
    """The server answered 3xx, which is never followed: the token would go with it."""


class RateLimitedError(ServerError):
    """The server answered 429. `retry_after` is in seconds, if the answer has it."""

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail, status=429)
        self.retry_after = retry_after


class CheckFailedError(AlovoiceError):
    """A check found errors before anything was sent."""

    kind = "check_failed"
    exit_code = ExitCode.CHECK_FAILED


class NotReadyError(AlovoiceError):
    """The requested thing is not there yet."""

    kind = "not_ready"
    exit_code = ExitCode.NOT_READY
    default_sent = "yes"


class Rehearsal(Exception):  # noqa: N818 - not an error: `--dry-run` ends here
    """A request that would change something, stopped before anything was opened."""

    def as_json(self) -> dict[str, object]:
        """Returns the request: `method`, `url`, `headers`, `body`, and the `curl` that sends the same."""
        raise NotImplementedError


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived: unwinds like Ctrl-C, so that ledger and terminal stay in order."""

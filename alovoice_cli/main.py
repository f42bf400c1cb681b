"""Runs one command line: builds the part of the tree that the words need, and turns whatever goes wrong into a
message and an exit code. The only place that does either."""

import errno
import os
import traceback
from pathlib import Path

import typer

from alovoice_cli.commands.command_table import PROGRAM, build_tree
from alovoice_cli.errors import (
    AlovoiceError,
    ExitCode,
    OutcomeUnknownError,
    Rehearsal,
    ServerError,
    Terminated,
    UsageError,
)
from alovoice_cli.session import Session

_QUIET = (KeyboardInterrupt, Terminated, BrokenPipeError)
"""What is nobody's fault: the user's own wish, a reader that left."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNWRITABLE = (*_NO_SPACE, errno.EIO, errno.EBADF)


def run(session: Session) -> int:
    """Runs the words of the session and returns the exit code. Prints every error itself; raises nothing it can help.

    Once a request that dials has left, no trouble of ours is told as "nothing happened": the send guard has the
    last word.
    """
    try:
        try:
            code = _invoke(session)
            _flush(session, code)
            _warn_of_ledger_trouble(session)
        except BaseException as problem:
            return _explain(problem, session)
        return _true_code(session, code)
    except BaseException:
        return _true_code(session, ExitCode.USAGE)


def _true_code(session: Session, code: int) -> int:
    """The exit code that is true of what was sent, for the one that the program was about to end with."""
    guard = session.used_send_guard
    return code if guard is None else guard.guard(code)


def _warn_of_ledger_trouble(session: Session) -> None:
    """Warns where the ledger could not write how a request ended: its receipt will read `unknown`."""
    guard = session.used_send_guard
    if guard is not None and guard.trouble is not None:
        receipt = guard.last_receipt or "the request"
        session.warn(f"the ledger could not note the outcome of {receipt}: {guard.trouble}")


def _flush(session: Session, code: int) -> None:
    """A reader that has left takes no more; what the command has to say of it by its exit code stands."""
    try:
        session.stdout.flush()
    except OSError as error:
        is_gone = isinstance(error, BrokenPipeError) or error.errno == errno.EIO  # EIO: a terminal that was closed
        if not (is_gone and code):
            raise


def _invoke(session: Session) -> int:
    argv = list(session.argv)
    plain = bool(session.environ.get("NO_COLOR")) or session.environ.get("TERM") == "dumb"
    tree = build_tree(decorated=session.stdout.isatty() and not plain)
    # Not `tree.main()`: it answers Ctrl-C and a closed pipe itself, with exit codes that could be a lie here.
    try:
        with tree.make_context(PROGRAM, argv or ["--help"], obj=session) as ctx:
            ctx.call_on_close(session.close)
            return int(tree.invoke(ctx) or 0)
    except typer.Exit as done:
        return done.exit_code
    except UsageError:
        session.set_options(session.options.with_form(argv))
        raise
    except typer.TyperException as wrong_words:
        session.set_options(session.options.with_form(argv))
        raise _usage_error(wrong_words) from None


def _usage_error(wrong_words: typer.TyperException) -> UsageError:
    ctx = getattr(wrong_words, "ctx", None)
    path = ctx.command_path if ctx else PROGRAM
    return UsageError(wrong_words.format_message().rstrip("."), hint=f"see `{path} --help`")


def _explain(problem: BaseException, session: Session) -> int:
    """Says what went wrong, if stderr still takes it, and returns the exit code."""
    if isinstance(problem, Rehearsal):
        return _show_rehearsal(problem, session)
    code, error = _judge(_full_disk(problem, session) or problem)
    if not isinstance(problem, AlovoiceError):
        # Trouble of this machine. Where something left before it, only the send guard knows how that went: 0, or 6.
        told = _true_code(session, ExitCode.USAGE)
        if told != ExitCode.USAGE:
            code, error = told, _trouble_after_leaving(told, problem, session.last_receipt)
    try:
        if error is not None:
            session.display.error(error)
        if session.environ.get("ALOVOICE_DEBUG") == "1" and not isinstance(problem, _QUIET):
            session.stderr.write(session.masker.hide("".join(traceback.format_exception(problem))))
        session.stderr.flush()
    except (OSError, ValueError):
        pass  # stderr is gone too: the exit code is all that is left to say
    return _true_code(session, code)


def _full_disk(problem: BaseException, session: Session) -> UsageError | None:
    """The error for a disk that takes no more, where a store did not name its folder already."""
    folder = None
    if isinstance(problem, OSError) and problem.errno in _NO_SPACE and problem.filename is not None:
        folder = str(Path(os.fsdecode(problem.filename)).absolute().parent)
    elif getattr(getattr(problem, "orig", problem), "sqlite_errorname", "") == "SQLITE_FULL":  # orig: SQLAlchemy's
        folder = str(session.paths.state)
    if folder is None:
        return None
    return UsageError(f"no space is left in {folder}", hint="make room there, then run again", detail=str(problem))


def _judge(problem: BaseException) -> tuple[int, AlovoiceError | None]:
    """The exit code of a problem where nothing has left, and the error to print (None: nothing to say)."""
    if isinstance(problem, AlovoiceError):
        return problem.exit_code, problem
    if isinstance(problem, BrokenPipeError):
        return ExitCode.DONE, None
    if isinstance(problem, EOFError):
        return ExitCode.USAGE, UsageError("the input ended before the question was answered: nothing was done")
    if isinstance(problem, (KeyboardInterrupt, typer.Abort)):
        return ExitCode.INTERRUPTED, None
    if isinstance(problem, Terminated):
        return ExitCode.TERMINATED, None
    if isinstance(problem, OSError) and problem.errno in _UNWRITABLE:
        return ExitCode.SERVER, ServerError(f"the output could not be written: {problem.strerror}", sent="no")
    hint = "ALOVOICE_DEBUG=1 shows where; please report it"
    return ExitCode.USAGE, UsageError("this is a fault of alovoice itself", detail=_name(problem), hint=hint)


def _trouble_after_leaving(told: int, problem: BaseException, receipt: str) -> AlovoiceError | None:
    if told == ExitCode.DONE and isinstance(problem, _QUIET):
        return None
    hint = f"`alovoice call receipts show {receipt}` shows what is known of it"
    if told == ExitCode.UNKNOWN_OUTCOME:
        what = "interrupted" if isinstance(problem, _QUIET) else "this machine failed"
        message = f"{what} after the request had left: it may have been carried out (receipt {receipt})"
        return OutcomeUnknownError(
            message, detail=_name(problem), hint=f"look in the web console before you repeat it; {hint}"
        )
    message = "the PBX accepted the request; only showing its answer failed"
    if told != ExitCode.DONE:
        message = "the PBX answered the request, and did not carry it out; showing its answer failed too"
    return ServerError(f"{message} (receipt {receipt})", detail=_name(problem), hint=hint, sent="yes")


def _name(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".removesuffix(": ")


def _show_rehearsal(rehearsed: Rehearsal, session: Session) -> int:
    try:
        session.display.rehearsal(rehearsed.as_json())
        session.stdout.flush()
    except BaseException as problem:
        return _explain(problem, session)
    return ExitCode.DONE

"""Runs one command line; the only place that turns an error into a message and an exit code."""

import errno
import os
import traceback
from pathlib import Path

import typer

from alovoice_cli.commands.command_tree import PROGRAM, build_tree
from alovoice_cli.config.language_choice import choose_language
from alovoice_cli.errors import (
    FULL_DISK,
    AlovoiceError,
    ExitCode,
    OutcomeUnknownError,
    Rehearsal,
    ServerError,
    Terminated,
    UsageError,
    reason_of,
)
from alovoice_cli.language import joined, tr, use_language
from alovoice_cli.session import Session

_QUIET = (KeyboardInterrupt, Terminated, BrokenPipeError)
"""Endings without a fault: the user stopped the program, or the reader closed the pipe."""
_UNWRITABLE = FULL_DISK | {errno.EIO, errno.EBADF}
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def run(session: Session) -> int:
    """Runs the words of the session and returns the exit code. Prints every error itself.

    Once a request that dials has left, no local error may look like "nothing happened": the send guard decides the exit
    code.
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
    """Returns the exit code that fits the sent requests, for the code that the program was about to end with."""
    guard = session.used_send_guard
    return code if guard is None else guard.guard(code)


def _warn_of_ledger_trouble(session: Session) -> None:
    """Warns where the ledger could not write a request's outcome: its receipt will read `unknown`."""
    guard = session.used_send_guard
    if guard is not None and guard.trouble is not None:
        receipt = guard.last_receipt or tr("the request")
        session.warn(
            tr(
                "the outcome could not be written to the ledger ({receipt}): {problem}",
                receipt=receipt,
                problem=guard.trouble,
            )
        )


def _flush(session: Session, code: int) -> None:
    """Flushes stdout. A reader that closed the pipe takes no more; the command's exit code stays."""
    try:
        session.stdout.flush()
    except OSError as error:
        is_gone = isinstance(error, BrokenPipeError) or error.errno == errno.EIO  # EIO: a terminal that was closed
        if not (is_gone and code):
            raise


def _invoke(session: Session) -> int:
    argv = list(session.argv)
    _choose_language(session, argv)
    tree = build_tree()
    # Not `tree.main()`: it handles Ctrl-C and a closed pipe itself, with exit codes that could be wrong here.
    try:
        with tree.make_context(PROGRAM, argv, obj=session) as ctx:
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


def _choose_language(session: Session, argv: list[str]) -> None:
    use_language("en")  # of the error that the next line may raise
    try:
        use_language(choose_language(argv, session.environ, session.cwd))
    except UsageError:
        session.set_options(session.options.with_form(argv))
        raise


def _usage_error(wrong_words: typer.TyperException) -> UsageError:
    """Returns the error for wrong words that `command_classes` does not explain itself."""
    ctx = getattr(wrong_words, "ctx", None)
    path = ctx.command_path if ctx else PROGRAM
    return UsageError(wrong_words.format_message().rstrip("."), hint=tr("see `{command} --help`", command=path))


def _explain(problem: BaseException, session: Session) -> int:
    """Prints the error, if stderr still works, and returns the exit code."""
    if isinstance(problem, Rehearsal):
        return _show_rehearsal(problem, session)
    code, error = _judge(_file_error(problem, session) or problem)
    if not isinstance(problem, AlovoiceError):
        # An error of this machine. If a request left before, only the send guard knows its outcome: 0, or 6.
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
        pass  # stderr is closed too: only the exit code remains
    return _true_code(session, code)


def _file_error(problem: BaseException, session: Session) -> UsageError | None:
    """Returns the error for a full disk, or a file that may not be written, which no store has explained already."""
    folder = None
    if isinstance(problem, OSError) and problem.filename is not None:
        path = Path(os.fsdecode(problem.filename)).absolute()
        if problem.errno in _FORBIDDEN:
            hint = tr("make its directory writable") if problem.errno == errno.EROFS else ""
            return UsageError(tr("{path} cannot be used: {problem}", path=path, problem=reason_of(problem)), hint=hint)
        if problem.errno in FULL_DISK:
            folder = str(path.parent)
    elif getattr(getattr(problem, "orig", problem), "sqlite_errorname", "") == "SQLITE_FULL":  # orig: SQLAlchemy's
        folder = str(session.paths.state)
    if folder is None:
        return None
    return UsageError(
        tr("no space is left in {directory}", directory=folder),
        hint=tr("free some space there, then run it again"),
        detail=str(problem),
    )


def _judge(problem: BaseException) -> tuple[int, AlovoiceError | None]:
    """Returns the exit code of a problem before any request left, and the error to print (None: nothing)."""
    if isinstance(problem, AlovoiceError):
        return problem.exit_code, problem
    if isinstance(problem, BrokenPipeError):
        return ExitCode.DONE, None
    if isinstance(problem, EOFError):
        return ExitCode.USAGE, UsageError(tr("the input ended before the question was answered: nothing was done"))
    if isinstance(problem, (KeyboardInterrupt, typer.Abort)):
        return ExitCode.INTERRUPTED, None
    if isinstance(problem, Terminated):
        return ExitCode.TERMINATED, None
    if isinstance(problem, OSError) and problem.errno in _UNWRITABLE:
        message = tr("the output could not be written: {problem}", problem=reason_of(problem))
        return ExitCode.SERVER, ServerError(message, sent="no")
    hint = tr("ALOVOICE_DEBUG=1 shows the place; please report it")
    return ExitCode.USAGE, UsageError(tr("this is an error in alovoice itself"), detail=_name(problem), hint=hint)


def _trouble_after_leaving(told: int, problem: BaseException, receipt: str) -> AlovoiceError | None:
    if told == ExitCode.DONE and isinstance(problem, _QUIET):
        return None
    hint = tr("`alovoice call receipts show {receipt}` shows what is known about it", receipt=receipt)
    if told == ExitCode.UNKNOWN_OUTCOME:
        return OutcomeUnknownError(
            _unknown_text(problem, receipt),
            detail=_name(problem),
            hint=joined("; ", (tr("check in the web console before you repeat it"), hint)),
        )
    message = tr(
        "the PBX accepted the request; only the response could not be shown (receipt {receipt})", receipt=receipt
    )
    if told != ExitCode.DONE:
        message = tr(
            "the PBX did not carry out the request, and its response could not be shown (receipt {receipt})",
            receipt=receipt,
        )
    return ServerError(message, detail=_name(problem), hint=hint, sent="yes")


def _unknown_text(problem: BaseException, receipt: str) -> str:
    if isinstance(problem, _QUIET):
        return tr(
            "interrupted after the request was sent: the request may have been carried out (receipt {receipt})",
            receipt=receipt,
        )
    return tr(
        "this computer failed after the request was sent: the request may have been carried out (receipt {receipt})",
        receipt=receipt,
    )


def _name(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".removesuffix(": ")


def _show_rehearsal(rehearsed: Rehearsal, session: Session) -> int:
    try:
        session.display.rehearsal(rehearsed.as_json())
        session.stdout.flush()
    except BaseException as problem:
        return _explain(problem, session)
    return ExitCode.DONE

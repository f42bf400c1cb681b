"""`alovoice events certify`: tests a CRM's handler with everything that the PBX may send."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.events.certify.runner import CaseOutcome, CertifyCase, CertifyReport, chosen, run
from alovoice_cli.events.certify.trial import Bench
from alovoice_cli.events.event import PBX_TYPES
from alovoice_cli.events.handler import Handlers
from alovoice_cli.language import ngettext, tr
from alovoice_cli.output.listing import Checklist, Column, Listing, tone_by
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events certify http://127.0.0.1:8000/hooks",
    "alovoice events certify --callstart http://127.0.0.1:8000/start.php --callend http://127.0.0.1:8000/end.php",
    "alovoice events certify http://127.0.0.1:8000/hooks --only route --only call-burst --junit report.xml",
)
COLUMNS = (
    Column("case", "Case"),
    Column("grade", "Grade", tone=tone_by("grade", {"pass": "good", "warn": "doubt", "fail": "bad", "skip": "quiet"})),
    Column("need", "Need"),
    Column("area", "Area", shown=False),
    Column("type", "Type", shown=False),
    Column("sends", "What is sent"),
    Column("sent", "Events", shown=False, numeric=True),
    Column("slowest_ms", "Slowest, ms", numeric=True),
    Column("finding", "Finding"),
)
_CHECKLIST = {"section": "area", "grade": "grade", "name": "case", "text": "sends"}
_ANSWER_SECONDS = 10.0
_Url = Annotated[str | None, typer.Argument(metavar="[URL]", help="Base URL of the handlers; the type is added.")]


def _own(kind: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{kind}", metavar="URL", help="URL of this handler, used unchanged."
    )
    return option


@shows_list(COLUMNS)
def certify_handler(
    ctx: typer.Context,
    url: _Url = None,
    callstart: Annotated[str | None, _own("callstart")] = None,
    callend: Annotated[str | None, _own("callend")] = None,
    result: Annotated[str | None, _own("result")] = None,
    route: Annotated[str | None, _own("route")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CASE", help="Only this case, or all of a type (start, end); repeatable."),
    ] = None,
    slow: Annotated[
        bool, typer.Option("--slow", help="Wait the full time for late messages (30 s).", show_default=False)
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit XML file too.")] = None,
) -> int:
    """Test a CRM's handler with everything that the PBX may send.

    The answers are graded; exit code 8: a required case failed. A case is required if any reading of the vendor's
    document allows it. The CRM registers the test calls: their numbers (+998 00 …) belong to nobody, and every
    request has the header x-alovoice-trial: 1. --dry-run lists the cases. --timeout limits each answer (default: 10
    seconds).
    """
    session: Session = ctx.obj
    own = zip(PBX_TYPES, (callstart, callend, result, route), strict=True)
    words = [*([url] if url else []), *(f"{kind}={text}" for kind, text in own if text)]
    handlers = Handlers.from_words(words, "certify")
    cases = chosen(only or ())
    if session.options.dry_run:
        _show_cases(session, cases)
        return ExitCode.DONE
    if not words:
        raise UsageError(
            tr("certify needs the URL of a handler"),
            hint=tr("for example: {command}", command="`alovoice events certify http://127.0.0.1:8000`"),
        )
    if junit is not None:
        _check_writable(junit)
    report = _try(session, cases, handlers, slow=slow)
    if junit is not None:
        _write(junit, report.as_junit())
    checklist = Checklist(
        **_CHECKLIST, aside="slowest_ms", unit="ms", note="finding", summary=report.summary, passed=report.certified
    )
    session.show(Listing(report.rows(), COLUMNS, whole=report.as_json(), ours=True, checklist=checklist))
    return ExitCode.DONE if report.certified else ExitCode.CHECK_FAILED


def _try(session: Session, cases: tuple[CertifyCase, ...], handlers: Handlers, *, slow: bool) -> CertifyReport:
    if session.stderr.isatty():
        session.note(_begin_text(len(cases), slow=slow))
    bench = Bench(poster_of(session), handlers, session.now, session.options.timeout or _ANSWER_SECONDS, slow)
    began, ticks = session.now(), time.monotonic()
    outcomes: tuple[CaseOutcome, ...] = tuple(run(cases, bench))
    return CertifyReport(handlers.shown, began, time.monotonic() - ticks, outcomes)


def _begin_text(number: int, *, slow: bool) -> str:
    if slow:
        return ngettext("{n} case; this takes minutes", "{n} cases; this takes minutes", number)
    return ngettext("{n} case; this takes seconds", "{n} cases; this takes seconds", number)


def _show_cases(session: Session, cases: tuple[CertifyCase, ...]) -> None:
    items = [
        {
            "case": case.name,
            "need": case.need,
            "type": case.kind,
            "area": case.area,
            "sends": tr(case.sends),
            "finding": tr("It should {behaviour}.", behaviour=tr(case.should)),
        }
        for case in cases
    ]
    summary = ngettext("{n} case; nothing was sent", "{n} cases; nothing was sent", len(cases))
    checklist = Checklist(**_CHECKLIST, aside="need", note="finding", summary=summary, passed=True)
    session.show(Listing(items, COLUMNS, ours=True, checklist=checklist))


def _check_writable(file: Path) -> None:
    """Raises UsageError before anything is sent; leaves an earlier report as it is, and no empty one."""
    is_new = not file.exists()
    _write(file, b"", "ab")
    if is_new:
        file.unlink(missing_ok=True)


def _write(file: Path, content: bytes, mode: Literal["wb", "ab"] = "wb") -> None:
    try:
        with file.open(mode) as out:
            out.write(content)
    except OSError as error:
        raise UsageError(
            tr("{path} cannot be written: {problem}", path=file, problem=error.strerror),
            hint=tr("choose another file for --junit"),
        ) from error

"""`alovoice route check`: every error of a rules file, before a caller meets one."""

from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import SEVERITY_TONES, examples
from alovoice_cli.errors import ExitCode
from alovoice_cli.findings import Finding, Severity, count_of, has_errors, in_order
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.output.listing import Column, Listing, state_word, tone_by
from alovoice_cli.routing.lint import CheckedRules, check, compare_with_pbx
from alovoice_cli.session import Session

COLUMNS = (
    Column("severity", "Severity", words=state_word, tone=tone_by("severity", SEVERITY_TONES)),
    Column("place", "Place", lambda finding: f"{finding['file']}:{finding['line']}:{finding['column']}"),
    Column("message", "Finding"),
    Column("hint", "What to do"),
    Column("code", "Code", shown=False),
    Column("file", "File", shown=False),
    Column("line", "Line", shown=False, numeric=True),
    Column("column", "Column", shown=False, numeric=True),
)
EXAMPLES = examples(
    "alovoice route check rules.toml",
    "alovoice route check rules.toml --online",
    "alovoice route check rules.toml --json | jq -r '.findings[] | select(.severity == \"error\") | .message'",
)


@shows_list(COLUMNS)
def check_rules(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rules file, such as rules.toml.", show_default=False)],
    online: Annotated[
        bool, typer.Option("--online", help="Ask the PBX whether extensions and lines exist.", show_default=False)
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.", show_default=False)] = False,
) -> int:
    """Check a rules file.

    Checked are syntax, names, rules that no call reaches, hours and lines without a rule, and the tests in the file.
    Exit code 8: errors. Warnings and notes: 0. --json has ok, rules, findings, and the numbers of tests passed and
    failed.
    """
    session: Session = ctx.obj
    checked = check(file, session.now())
    findings = in_order([*checked.findings, *_online(session, checked)]) if online else checked.findings
    failed = has_errors(findings) or (strict and any(finding.severity == "warning" for finding in findings))
    items = [finding.as_rule_json() for finding in findings]
    tests = {"passed": checked.verdict.passed, "failed": checked.verdict.failed}
    rules = len(checked.loaded.rules.rules) if checked.loaded.rules else None
    whole = {"ok": not failed, "rules": rules, "tests": tests, "findings": items}
    session.show(Listing(items, COLUMNS, whole=whole, nothing=tr("no problems found"), ours=True))
    session.note(_summary(file, rules, checked, findings))
    return ExitCode.CHECK_FAILED if failed else ExitCode.DONE


def _online(session: Session, checked: CheckedRules) -> list[Finding]:
    if checked.loaded.rules is None:
        session.note(tr("the PBX was not asked: the file cannot be read"))
        return []
    extensions = {str(peer.get("number")) for peer in session.client.peers.list()}
    lines = [str(line) for line in session.client.trunks.list()]
    return list(compare_with_pbx(checked.loaded.rules, extensions, lines))


def _summary(file: Path, rules: int | None, checked: CheckedRules, findings: tuple[Finding, ...]) -> str:
    counts = [
        count_of(severity, sum(finding.severity is severity for finding in findings))
        for severity in (Severity.ERROR, Severity.WARNING)
    ]
    if rules is None:
        text = mark("{file}: {counts}; the tests were not run")
        return tr(text, file=file, counts=joined(", ", counts))
    verdict = checked.verdict
    tests = [ngettext("{n} test passed", "{n} tests passed", verdict.passed)]
    if verdict.failed:
        tests.append(ngettext("{n} test failed", "{n} tests failed", verdict.failed))
    sums = joined(", ", [ngettext("{n} rule", "{n} rules", rules), *tests, *counts])
    return tr("{file}: {counts}", file=file, counts=sums)

"""The rules of a running listener: always the last good ones. Checks the files on request; has no thread."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, RulePlace, Severity
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.routing.lint import CheckedRules, check
from alovoice_cli.routing.lists import RuleSource, stamp_of
from alovoice_cli.routing.rules import Rules

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The files have changed and are good: these rules are now in force."""

    rules: Rules
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class RefusedRules:
    """The files have changed and are unusable: the earlier rules remain in force."""

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        first = next((found for found in self.findings if found.severity is Severity.ERROR), None)
        text = mark("the changed rules are not used, the last good rules remain in force: {problem}")
        return tr(text, problem=str(first))


class Live:
    """Rules that follow their files. The code that answers reads `rules`, which is replaced whole and never changed."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Reads the rules. Raises UsageError where there is no file, CheckFailedError for rules with errors."""
        self.path = path
        self.outdated = False
        """Whether the files have changed since, and must not be served."""
        checked = check(path, now)
        self._sources = checked.loaded.sources
        self.findings = checked.findings
        self.rules: Rules = served(checked, path)

    def stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Returns values that differ for each state of the files; a file that is being written differs each time."""
        return tuple(stamp_of(source.path) for source in self._sources)

    @property
    def has_changed(self) -> bool:
        """Returns whether one of the files has changed since it was read. Reads no file."""
        return any(source.changed for source in self._sources)

    def take(self, checked: CheckedRules) -> Reloaded | RefusedRules:
        """Puts rules that were read again in force, if they may be served. The same broken files are reported once."""
        self._sources = checked.loaded.sources
        self.outdated = checked.rules is None
        if checked.rules is None:
            return RefusedRules(checked.findings)
        self.rules, self.findings = checked.rules, checked.findings
        return Reloaded(checked.rules, checked.findings)

    def refuse(self, error: UsageError) -> RefusedRules:
        """Keeps the rules, because their file cannot be opened any more; this is reported once."""
        self._sources = (RuleSource(self.path, None), *self._sources[1:])
        self.outdated = True
        place = RulePlace(str(self.path))
        return RefusedRules((Finding.at(Severity.ERROR, "no-file", place, error.message, error.hint),))


def served(checked: CheckedRules, path: Path) -> Rules:
    """Returns the rules of a file that may be served. Raises CheckFailedError, with the first errors, for any other."""
    if checked.rules is not None:
        return checked.rules
    errors = [str(found) for found in checked.findings if found.severity is Severity.ERROR]
    hidden = len(errors) - _SHOWN
    more = [ngettext("and {n} more", "and {n} more", hidden)] if hidden > 0 else []
    raise CheckFailedError(
        ngettext(
            "{path} has {n} error, and is not used", "{path} has {n} errors, and is not used", len(errors), path=path
        ),
        detail=joined("\n", [*errors[:_SHOWN], *more]),
        hint=tr("`alovoice route check {path}` shows all errors, and what to do", path=path),
    )

"""The rules of a running listener: always the last good ones. Checks the files on request; has no thread."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, RulePlace, Severity
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
    """The files have changed and are unusable: the earlier rules stay in force."""

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        first = next((found for found in self.findings if found.severity is Severity.ERROR), None)
        return f"the changed rules are not used, the last good ones stay in force: {first}"


class Live:
    """Rules that follow their files. The code that answers reads `rules`, which is replaced whole and never changed."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Reads the rules. Raises UsageError where there is no file, CheckFailedError where it must not be served."""
        self.path = path
        self.outdated = False
        """Whether the files have changed since, and must not be served."""
        checked = check(path, now)
        self._sources = checked.loaded.sources
        self.findings = checked.findings
        self.rules: Rules = served(checked, path)

    def stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        """What tells the present state of the files from the next: a file that is being written differs each time."""
        return tuple(stamp_of(source.path) for source in self._sources)

    @property
    def has_changed(self) -> bool:
        """Whether one of the files is another one than was last read. Asks the file system, reads nothing."""
        return any(source.changed for source in self._sources)

    def take(self, checked: CheckedRules) -> Reloaded | RefusedRules:
        """Puts rules that were read anew in force, if they may be served. The same broken files are told once."""
        self._sources = checked.loaded.sources
        self.outdated = checked.rules is None
        if checked.rules is None:
            return RefusedRules(checked.findings)
        self.rules, self.findings = checked.rules, checked.findings
        return Reloaded(checked.rules, checked.findings)

    def refuse(self, error: UsageError) -> RefusedRules:
        """Keeps the rules, for their file cannot be opened any more; told once."""
        self._sources = (RuleSource(self.path, None), *self._sources[1:])
        self.outdated = True
        place = RulePlace(str(self.path))
        return RefusedRules((Finding.at(Severity.ERROR, "no-file", place, error.message, error.hint),))


def served(checked: CheckedRules, path: Path) -> Rules:
    """The rules of a file that may be served. Raises CheckFailedError, with the first errors, for any other."""
    if checked.rules is not None:
        return checked.rules
    errors = [str(found) for found in checked.findings if found.severity is Severity.ERROR]
    more = [f"and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
    raise CheckFailedError(
        f"{path} has {len(errors)} error{'s' if len(errors) != 1 else ''}: it is not used",
        detail="\n".join([*errors[:_SHOWN], *more]),
        hint=f"`alovoice route check {path}` shows them all, and what to do",
    )

"""The question before something that cannot be undone: how many people do you mean to reach?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alovoice_cli.campaigns.findings import count
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.output.display import nobody_answers

if TYPE_CHECKING:
    from alovoice_cli.session import Session


@dataclass(frozen=True, slots=True)
class Reach:
    """How many are reached; `summary` tells of them in one sentence. `one` and `many` are what they are."""

    number: int
    summary: str
    one: str = "person"
    many: str = "people"
    rings: bool = True
    """Whether people are rung: a script must then say that this is meant."""

    def __str__(self) -> str:
        return count(self.number, self.one, self.many)


def check_confirmed(reach: Reach, confirm: int) -> None:
    """Raises CheckFailedError (8) where `--confirm` says another number."""
    if confirm != reach.number:
        raise CheckFailedError(
            f"the list reaches {reach}, and --confirm says {confirm}: nothing was sent",
            hint="look what has changed in the list, then give the number that you mean",
        )


def agree(session: "Session", reach: Reach, confirm: int | None, about: Sequence[str] = ()) -> None:
    """Returns where the operator means this number; raises CheckFailedError (8) or UsageError where not.

    `--confirm N` must be the number. On a terminal the number is asked for, unless `--yes` answers for up to the
    profile's `confirm_above`. A script that rings people must give one of both, and above that `--confirm`. `about` is
    as in `Display.ask`.
    """
    options, above = session.options, session.settings.confirm_above
    if confirm is not None:
        check_confirmed(reach, confirm)
        return
    if options.dry_run or (options.yes and reach.number <= above):
        return
    if not session.display.is_asked:
        _check_script(reach, above, is_meant=options.yes or not reach.rings)
        return
    answer = session.display.ask(f"{reach.summary}; cannot be undone.\nType the number to go on: ", about)
    if answer.replace(" ", "") != str(reach.number):
        raise UsageError("not confirmed: nothing was sent")


def _check_script(reach: Reach, above: int, *, is_meant: bool) -> None:
    """Raises where a script has to say more than it does: that so many are meant, or that it is meant at all."""
    if reach.number > above:
        raise CheckFailedError(
            f"the list reaches {reach}, more than the profile's confirm_above {above}: nothing was sent",
            hint=f"add `--confirm {reach.number}` if that many are meant",
        )
    if not is_meant:
        raise nobody_answers("--yes")

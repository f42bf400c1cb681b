"""The confirmation before an action that cannot be undone: the operator states how many people to reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.output.display import nobody_answers

if TYPE_CHECKING:
    from alovoice_cli.session import Session


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people, or calls to analyse, a command reaches; `summary` describes them in one sentence."""

    number: int
    summary: str
    rings: bool = True
    """Whether people are called: a script must then confirm explicitly. False: recorded calls are analysed."""

    def __str__(self) -> str:
        if self.rings:
            return ngettext("{n} person", "{n} people", self.number)
        return ngettext("{n} call", "{n} calls", self.number)


def check_confirmed(reach: Reach, confirm: int) -> None:
    """Raises CheckFailedError (8) if `--confirm` names another number."""
    if confirm != reach.number:
        raise CheckFailedError(
            tr(
                "the list reaches {reach}, and --confirm says {number}: nothing was sent",
                reach=str(reach),
                number=confirm,
            ),
            hint=tr("check what has changed in the list, then give the number that you intend"),
        )


def agree(session: "Session", reach: Reach, confirm: int | None, about: Sequence[str] = ()) -> None:
    """Returns if the operator confirms this number; raises CheckFailedError (8) or UsageError otherwise.

    `--confirm N` must be the number. On a terminal the number is asked for, unless `--yes` answers, up to the profile's
    `confirm_above`. A script that rings people needs one of both options, and above that limit `--confirm`. `about` is
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
    question = tr("{summary}; cannot be undone.\nType the number to go on: ", summary=reach.summary)
    answer = session.display.ask(question, about)
    if answer.replace(" ", "") != str(reach.number):
        raise UsageError(tr("not confirmed: nothing was sent"))


def _check_script(reach: Reach, above: int, *, is_meant: bool) -> None:
    """Raises where a script lacks `--yes` or `--confirm`, or the `--confirm` that a large number needs."""
    if reach.number > above:
        raise CheckFailedError(
            tr(
                "the list reaches {reach}, more than the profile's confirm_above ({limit}): nothing was sent",
                reach=str(reach),
                limit=above,
            ),
            hint=tr("to reach that many, add `--confirm {number}`", number=reach.number),
        )
    if not is_meant:
        raise nobody_answers("--yes")

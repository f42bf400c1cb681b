"""The profile's limits, asked before the first row goes."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from alovoice_cli.batch.lines import LineLimit, need_of
from alovoice_cli.batch.steps import Step
from alovoice_cli.batching.verbs import Verb
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.findings import count, name_lines
from alovoice_cli.dialling import DAY, numbers_outside, quota_of
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.quotas import Quota, spent

if TYPE_CHECKING:
    from alovoice_cli.session import Session

LIMITS = ("max_calls_per_run", "max_calls_per_day", "allowed_prefixes", "ai_budget_per_day", "reserve_lines")


def line_limit(session: "Session", verb: Verb, overridden: Collection[str]) -> LineLimit | None:
    """The lines that a batch has to leave free; None for none. Raises UsageError where the profile's make no sense."""
    settings = session.settings
    trunk, reserve = settings.trunk_lines, settings.reserve_lines
    if reserve is None or not verb.dials or "reserve_lines" in overridden:
        return None
    if trunk is None:
        raise UsageError(
            f"the profile's reserve_lines is {reserve}, and how many lines a trunk has is not said: nothing was sent",
            hint="`alovoice config set trunk_lines N`; or --override-limit reserve_lines",
        )
    if reserve >= trunk:
        raise UsageError(
            f"the profile's reserve_lines is {reserve}, and trunk_lines {trunk}: no line is left to call by",
            hint="`alovoice config set reserve_lines N`, less than trunk_lines; or --override-limit reserve_lines",
        )
    return LineLimit(trunk, reserve)


def check_limits(session: "Session", verb: Verb, wish: Wish, steps: Sequence[Step]) -> None:
    """Raises UsageError for rows beyond a limit that `--override-limit` does not name, or beyond `--budget`."""
    overridden, budget = frozenset(wish.override_limit), wish.budget
    for name in overridden - set(LIMITS):
        raise UsageError(f"--override-limit {name!r} is no limit", hint=f"limits: {', '.join(LIMITS)}")
    settings = session.settings
    most = settings.max_calls_per_run
    if verb.dials and most is not None and len(steps) > most and "max_calls_per_run" not in overridden:
        raise UsageError(
            f"{count(len(steps), 'call')}, and the profile's max_calls_per_run is {most}: nothing was sent",
            hint="--override-limit max_calls_per_run, if that is meant",
        )
    outside = [step.line for step in steps if numbers_outside(settings, step.numbers)]
    if outside and "allowed_prefixes" not in overridden:
        allowed = ", ".join(settings.allowed_prefixes or ())
        raise UsageError(
            f"{name_lines(outside)}: a number outside the prefixes {allowed} that the profile allows: nothing was sent",
            hint="--override-limit allowed_prefixes, if that is meant",
        )
    _check_lines(steps, line_limit(session, verb, overridden))
    if budget is not None:
        asked = session.ledger.count(settings.profile, Quota("--budget", budget, (verb.path,), session.now() - DAY))
        if asked + len(steps) > budget:
            raise UsageError(
                f"{asked} were asked for in the last 24 hours; {len(steps)} more would pass the budget of {budget}",
                hint=f"nothing was sent; {max(budget - asked, 0)} more fit into it",
            )
    quota = quota_of(settings, verb.path, session.now())
    if quota is None or quota.name in overridden:
        return
    if session.ledger.count(settings.profile, quota) + len(steps) > quota.most:
        raise spent(quota, len(steps))


def _check_lines(steps: Sequence[Step], limit: LineLimit | None) -> None:
    """Raises UsageError for rows that would wait for ever: a conference may take two lines."""
    beyond = [step.line for step in steps if limit is not None and need_of(step)[1] > limit.usable]
    if limit is not None and beyond:
        raise UsageError(
            f"{name_lines(beyond)}: a conference takes 2 lines, and {limit.usable} of {limit.trunk}"
            f" {'is' if limit.usable == 1 else 'are'} not reserved (reserve_lines {limit.reserve}): nothing was sent",
            hint="--override-limit reserve_lines, if that is meant",
        )

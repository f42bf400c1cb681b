"""Reads the `then` of a rule and the fallback: one of the five steps, `round_robin`, `@last_peer`."""

from collections.abc import Iterator

from alovoice_cli.routing.call import Condition
from alovoice_cli.routing.clauses import Reading, check_keys, text_of
from alovoice_cli.routing.conditions import All
from alovoice_cli.routing.located import Entry
from alovoice_cli.routing.past import SpokeWithin
from alovoice_cli.routing.rules import Action, Fixed, LastPeer, RoundRobin
from alovoice_cli.routing.step import ACTION_TYPES, Step, problem_with

_STEP_FORMS = '{ peer = "2000" }, { queue = "6000" }, { ivr = "111" }, { trunk = "998901234567" } or { hangup = true }'
LAST_PEER = "@last_peer"


def read_step(entry: Entry, reading: Reading, what: str) -> Step | None:
    """One of the five steps from a table with one key; None, and a finding, for all else."""
    check_keys(entry, ACTION_TYPES, what, reading.findings)
    found = [(key, inner) for key, inner in entry.table.items() if key in ACTION_TYPES]
    if len(found) != 1:
        if found or not entry.table:
            message = f"{what} names {len(found) or 'no'} step{'s' if len(found) != 1 else ''}; it takes one"
            reading.bad(entry, message, f"write {_STEP_FORMS}", "bad-action")
        return None
    return _step(*found[0], reading)


def _step(action_type: str, entry: Entry, reading: Reading) -> Step | None:
    if action_type == "hangup" and entry.value is True:
        return Step("hangup")
    text = text_of(entry)
    if action_type == "hangup" and (entry.value is False or text is None):
        reading.bad(entry, "hangup takes true or the id of a sound file", f"write {_STEP_FORMS}", "bad-action")
        return None
    # A missing text is no argument: of the five only hangup goes without, and that was read above.
    if problem := problem_with(action_type, text if text is not None else ""):
        reading.bad(entry, problem, f"write {_STEP_FORMS}", "bad-action")
        return None
    return Step(action_type, text)


def read_action(entry: Entry, conditions: tuple[Condition, ...], reading: Reading) -> Action | None:
    """The action of a rule; None, and a finding, where it has no valid argument."""
    table = entry.table
    if list(table) == ["round_robin"]:
        return _round_robin(table["round_robin"], reading)
    peer = table.get("peer")
    if list(table) == ["peer"] and peer is not None and isinstance(peer.value, str) and peer.value.startswith("@"):
        return _last_peer(peer, conditions, reading)
    if "round_robin" in table:
        reading.bad(entry, "`then` names several steps; it takes one", f"write {_STEP_FORMS}", "bad-action")
        return None
    step = read_step(entry, reading, "`then`")
    return Fixed(step) if step else None


def _round_robin(entry: Entry, reading: Reading) -> Action | None:
    hint = 'write round_robin = ["2000", "2001"]'
    if not entry.items:
        reading.bad(entry, "round_robin is no array of extensions", hint, "bad-action")
        return None
    steps = [_step("peer", item, reading) for item in entry.items]
    return RoundRobin(tuple(step for step in steps if step)) if None not in steps else None


def _last_peer(entry: Entry, conditions: tuple[Condition, ...], reading: Reading) -> Action | None:
    if entry.value != LAST_PEER:
        reading.bad(entry, f"peer {entry.value!r} is unknown", f"did you mean {LAST_PEER}?", "unknown-name")
        return None
    windows = [condition.window for condition in _always_true(conditions) if isinstance(condition, SpokeWithin)]
    if not windows:
        message, hint = f"{LAST_PEER} needs to know how far back to look", 'add spoke_within = "7d" to `when`'
        reading.bad(entry, message, hint, "bad-action")
        return None
    return LastPeer(min(windows))


def _always_true(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """The conditions that hold whenever the rule matches."""
    for condition in conditions:
        yield condition
        if isinstance(condition, All):
            yield from _always_true(condition.parts)

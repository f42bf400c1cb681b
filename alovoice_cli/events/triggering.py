"""Events that `alovoice events trigger` sends: documented ones, stored ones, and scenarios of several calls.

A scenario is data: its steps are in the order in which the PBX sends them. Time passes only in the bodies.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import count
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import read_crm_answer
from alovoice_cli.events.bodies import read_body
from alovoice_cli.events.event import TRIAL_HEADER, Delivery, EventType
from alovoice_cli.events.handler import JSON_TYPE, Handlers
from alovoice_cli.events.samples import EventChange, as_json, changed, counted_path, counted_up, sample
from alovoice_cli.events.sending import Outgoing, content_headers_of, with_query
from alovoice_cli.language import tr
from alovoice_cli.posts import Posted

_LONGEST_INTEGER = 12
OPTION = "--to"


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One event: its type, its call, and its time in seconds from the scenario's beginning."""

    type: EventType
    call: str
    at: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CallScenario:
    """A scenario of calls; its steps are in the order in which the PBX sends them."""

    name: str
    title: str
    steps: tuple[ScenarioStep, ...]

    @property
    def seconds(self) -> int:
        """Returns the scenario's length in seconds, in its own time."""
        return max(step.at for step in self.steps)


def scenario_names() -> list[str]:
    """Returns the names of the scenarios in the program."""
    names = (file.name for file in files("alovoice_cli.events").joinpath("scenarios").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_scenario(name: str) -> CallScenario:
    """Returns the scenario with this name. Raises UsageError, with all names, for another name."""
    names = scenario_names()
    if name not in names:
        raise UsageError(
            tr("there is no scenario {name!r}", name=name), hint=tr("scenarios: {names}", names=", ".join(names))
        )
    text = files("alovoice_cli.events").joinpath("scenarios", f"{name}.toml").read_text("utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    steps = tuple(ScenarioStep(step["type"], step["call"], step["at"], step.get("set", {})) for step in data["steps"])
    return CallScenario(name, data["title"], steps)


def play(
    scenario: CallScenario,
    now: datetime,
    changes: Sequence[EventChange],
    handlers: Handlers,
    post: Callable[[Outgoing], Posted],
) -> Iterator[tuple[Outgoing, Posted]]:
    """Sends the steps one by one; the last one happens `now`, the others earlier, as the scenario says.

    A callend has the `call_id` from the answer to its callstart, or none if the answer had none. The `changes` apply to
    each step that has their place. Raises UsageError, before anything is sent, for a place that no step has.
    """
    _check(scenario, now, changes)
    began = now - timedelta(seconds=scenario.seconds)
    ids: dict[str, int | str | None] = {}
    for step in scenario.steps:
        body = _body(step, scenario, began)
        if step.type == "callend":
            body.pop("call_id")
            if ids.get(step.call) is not None:
                body = {"call_id": ids[step.call], **body}
        url = handlers.needed(step.type, OPTION)
        outgoing = _made_up(step.type, url, _with(body, step.type, changes, now), step.call)
        answer = post(outgoing)
        if step.type == "callstart":
            ids[step.call] = given_id(answer)
        yield outgoing, answer


def rehearse_scenario(
    scenario: CallScenario, now: datetime, changes: Sequence[EventChange], handlers: Handlers
) -> Iterator[Outgoing]:
    """Yields the scenario's events as they would be sent; a word that names the call stands for each call's id."""
    starts = count(1)

    def answer(outgoing: Outgoing) -> Posted:
        return Posted(200, f"ID-GIVEN-TO-{next(starts)}".encode() if outgoing.kind == "callstart" else b"true")

    return (outgoing for outgoing, _ in play(scenario, now, changes, handlers, answer))


def given_id(answer: Posted) -> int | str | None:
    """Returns the id in the answer to a callstart; None without an id, or with one that the PBX cannot take."""
    start = read_crm_answer(answer.status or 0, answer.body, "").start
    if start is None or start.callto is not None:
        return None
    text = start.call_id
    is_number = text.isdigit() and len(text) <= _LONGEST_INTEGER and str(int(text)) == text
    return int(text) if is_number else text


def _check(scenario: CallScenario, now: datetime, changes: Sequence[EventChange]) -> None:
    for change in changes:
        problems = []
        for step in scenario.steps:
            try:
                changed(_body(step, scenario, now), change, sample(step.type, now))
            except UsageError as problem:
                problems.append(problem)
        if len(problems) == len(scenario.steps):
            raise problems[0]


def _with(body: object, kind: EventType, changes: Sequence[EventChange], now: datetime) -> object:
    for change in changes:
        try:
            body = changed(body, change, sample(kind, now))
        except UsageError:  # the place is another step's: `_check` found that at least one step has it
            continue
    return body


def _body(step: ScenarioStep, scenario: CallScenario, began: datetime) -> dict[str, object]:
    """Returns the documented body with the scenario's values; its times follow from the step's place and call."""
    at = began + timedelta(seconds=step.at)
    body = sample(step.type, at)
    if step.type == "result":
        starts = [other.at for other in scenario.steps if other.call == step.call]
        body["begin_time"] = int((began + timedelta(seconds=min(starts))).timestamp())
        duration = step.values.get("duration", 0)
        answered = isinstance(duration, int) and duration > 0
        body["duration"] = duration
        body["answer_time"] = int(at.timestamp()) - duration if answered and isinstance(duration, int) else None
        body["id"] = 1 + sorted({other.call for other in scenario.steps}).index(step.call)
    return {**body, **step.values}


def made_up(
    kind: EventType, now: datetime, changes: Sequence[EventChange], handlers: Handlers, copies: int = 1
) -> Iterator[Outgoing]:
    """Yields documented events with the changes. Several events differ in their number or id, unless a change sets it.

    Raises UsageError before the first event for a change that cannot be made.
    """
    body = with_changes(kind, sample(kind, now), now, changes)
    as_json(body)
    return _copies(kind, handlers.needed(kind, OPTION), body, changes, copies)


def from_delivery(
    delivery: Delivery, now: datetime, changes: Sequence[EventChange], handlers: Handlers, copies: int = 1
) -> Iterator[Outgoing]:
    """Yields a stored event: its bytes unchanged; with changes or several copies, its value as JSON.

    Raises UsageError for a change in a body that cannot be read.
    """
    url = handlers.needed(delivery.type, OPTION)
    if not changes and copies == 1:
        headers = {TRIAL_HEADER: "1", **content_headers_of(delivery)}
        return iter([Outgoing(delivery.type, with_query(url, delivery), delivery.body, headers, delivery.id)])
    value, problem = read_body(delivery.body, delivery.content_type, delivery.content_encoding)
    if problem:
        raise UsageError(
            tr("the body of {event} cannot be changed: {problem}", event=delivery.id, problem=problem),
            hint=tr("send it unchanged: leave out --set, --unset and --count"),
        )
    body = with_changes(delivery.type, value, now, changes)
    return _copies(delivery.type, url, body, changes, copies, delivery.id)


def _copies(
    kind: EventType, url: str, body: object, changes: Sequence[EventChange], copies: int, label: str = ""
) -> Iterator[Outgoing]:
    path = counted_path(kind)
    is_counted = path not in (change.path for change in changes)
    for by in range(copies):
        yield _made_up(kind, url, _counted(body, path, by) if is_counted else body, label)


def with_changes(kind: EventType, body: object, now: datetime, changes: Sequence[EventChange]) -> object:
    """Returns the body after all changes, in order."""
    documented = tuple(sample(kind, now))
    for change in changes:
        body = changed(body, change, documented)
    return body


def _made_up(kind: EventType, url: str, body: object, label: str = "") -> Outgoing:
    return Outgoing(kind, url, as_json(body), {"Content-Type": JSON_TYPE, TRIAL_HEADER: "1"}, label)


def _counted(body: object, path: str, by: int) -> object:
    return {**body, path: counted_up(body[path], by)} if isinstance(body, dict) and path in body else body

"""A caller's step within the deadline, whatever the rules meet; what is kept of it; the override and the shadow."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.receiver import RouteAnswer
from alovoice_cli.listening.routes import RouteAnswerer
from alovoice_cli.listening.ruling import Ruling
from alovoice_cli.listening.switch import Switch
from alovoice_cli.listening.watching import FollowedRules, Watch
from alovoice_cli.routing.history import GivenHistory, History
from alovoice_cli.routing.live import Live, Reloaded
from alovoice_cli.routing.step import Override, RouteStep
from alovoice_cli.stores.override import OverrideFile

NOW = datetime(2026, 11, 25, 7, tzinfo=UTC)
RULES = """fallback = { queue = "6000" }
[[rule]]
name = "back"
when = { spoke_within = "7d" }
then = { peer = "@last_peer" }
[[rule]]
name = "turns"
when = { line = "712037006" }
then = { round_robin = ["1", "2", "3"] }
"""
PLAIN = RULES.replace('spoke_within = "7d"', 'from = "901234567"').replace("@last_peer", "2000")


class Held(GivenHistory):
    """A past that tells nothing until it is let go."""

    let_go = threading.Event()

    def last_peer(self, number: str, since: datetime) -> str | None:
        self.let_go.wait(60)
        return None


class Broken(GivenHistory):
    """A past that raises."""

    def last_peer(self, number: str, since: datetime) -> str | None:
        raise RuntimeError("the disk is on fire")


@dataclass
class Desk:
    """A ruling over real files, asked as the receiver asks it."""

    folder: Path
    said: list[str]
    file: OverrideFile
    now: datetime = NOW

    def routes(self, rules: str | None, history: History | None = None, **more: Any) -> RouteAnswerer:
        """Routes over rules of this text."""
        shadow, deadline = more.pop("shadow", None), more.pop("deadline", 0.2)
        live = self.live("rules.toml", rules) if rules else None
        other = self.live("new.toml", shadow) if shadow else None
        switch = Switch(self.file, self.said.append, UTC)
        past = history or GivenHistory()
        ruling = Ruling(switch, lambda _: past, lambda: self.now, rules=live, shadow=other, **more)
        lives = {"": live} if live else {}
        watch = Watch(lives, switch, lambda: self.now, note=self.said.append, warn=self.said.append)
        return RouteAnswerer(ruling, watch, deadline=deadline)

    def live(self, name: str, text: str) -> Live:
        """Rules of this text."""
        (self.folder / name).write_text(text, "utf-8")
        return Live(self.folder / name, NOW)

    def ask(
        self, routes: RouteAnswerer, count: int = 1, *, then: Callable[[], None] = lambda: None, **question: str
    ) -> list[tuple[RouteAnswer, dict[str, Any]]]:
        """Asks so often at once; each answer with all that is kept of it. `then` is called once all are there."""
        body = json.dumps({"from_number": "901234567", **question}).encode()

        async def one() -> tuple[RouteAnswer, dict[str, Any]]:
            answer = await routes.answer(Delivery("ID", "route", 0, body))
            return answer, dict(answer.answer if answer.later is None else await answer.later())

        async def every() -> list[tuple[RouteAnswer, dict[str, Any]]]:
            return await asyncio.gather(*[one() for _ in range(count)])

        try:
            return asyncio.run(every())
        finally:
            then()
            routes.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with nothing in it."""
    return Desk(tmp_path, [], OverrideFile(tmp_path / "state" / "override.json"))


def _step(answer: RouteAnswer) -> str:
    return str(RouteStep.from_wire(json.loads(answer.body)))


def test_a_slow_look_up_gets_the_fallback_within_the_deadline_also_when_many_wait(desk: Desk) -> None:
    past = Held()
    answers = desk.ask(desk.routes(RULES, past, deadline=0.1), 30, then=past.let_go.set)
    assert {_step(answer) for answer, _ in answers} == {"queue:6000"}
    assert {kept["why"] for _, kept in answers} == {"no decision within 100 ms"}


def test_a_rule_that_raises_gets_the_fallback_and_the_reason_is_kept(desk: Desk) -> None:
    ((answer, kept),) = desk.ask(desk.routes(RULES, Broken()))
    assert (_step(answer), answer.rule) == ("queue:6000", None)
    assert kept["why"] == "RuntimeError: the disk is on fire"


@pytest.mark.parametrize(
    ("rules", "fallback", "step", "why"),
    [
        (None, None, "hangup", "no rules"),
        (None, "queue:1", "queue:1", "no rules"),
        (PLAIN, None, "queue:6000", "no rule matches"),
        (PLAIN, "queue:1", "queue:1", "no rule matches"),
        (RULES, "queue:1", "queue:1", "no rule matches"),
    ],
)
def test_a_given_fallback_goes_before_that_of_the_file(
    desk: Desk, rules: str | None, fallback: str | None, step: str, why: str
) -> None:
    routes = desk.routes(rules, fallback=RouteStep.from_text(fallback) if fallback else None)
    ((answer, kept),) = desk.ask(routes, from_number="907654321")
    assert (_step(answer), kept["why"]) == (step, why)


def test_the_decision_is_kept_with_its_trail_which_is_found_out_after_the_answer(desk: Desk) -> None:
    ((answer, kept),) = desk.ask(desk.routes(RULES, GivenHistory(last_peer="2424")))
    assert (_step(answer), answer.rule) == ("peer:2424", "back")
    assert set(answer.answer) == {"step", "us"}
    assert kept["trail"] == [
        {"rule": "back", "line": 2, "matched": True, "why": 'spoke_within = "7d": the caller spoke with 2424'}
    ]


def test_of_a_long_trail_the_end_is_kept(desk: Desk) -> None:
    many = "".join(
        f'[[rule]]\nname = "r{n}"\nwhen = {{ line = "71{n:07}" }}\nthen = {{ queue = "{n}" }}\n' for n in range(50)
    )
    ((_, kept),) = desk.ask(desk.routes('fallback = { queue = "6000" }\n' + many), line_number="710000040")
    assert [tried["rule"] for tried in kept["trail"]] == [f"r{n}" for n in range(31, 41)]
    assert kept["trail_left_out"] == 31


def test_turns_are_taken_one_by_one_by_callers_who_come_at_once(desk: Desk) -> None:
    for rules in (RULES, PLAIN):
        answers = desk.ask(desk.routes(rules), 30, from_number="907654321", line_number="712037006")
        steps = [_step(answer) for answer, _ in answers]
        assert {step: steps.count(step) for step in steps} == {"peer:1": 10, "peer:2": 10, "peer:3": 10}


@pytest.mark.parametrize("rules", [RULES, PLAIN])
def test_a_shadow_is_noted_and_never_answers_nor_takes_a_turn(desk: Desk, rules: str) -> None:
    shadow = rules.replace('"1", "2", "3"', '"8", "9"')
    routes = desk.routes(rules, shadow=shadow)
    answers = desk.ask(routes, 3, from_number="907654321", line_number="712037006")
    assert sorted(_step(answer) for answer, _ in answers) == ["peer:1", "peer:2", "peer:3"]
    for _, kept in answers:
        assert kept["shadow"] == {
            "step": {"action_type": "peer", "action_data": "8"},
            "rule": "turns",
            "moved": True,
        }
    same = desk.ask(desk.routes(rules, shadow=rules), from_number="907654321", line_number="712037006")
    assert same[0][1]["shadow"]["moved"] is False


def test_an_override_beats_rules_and_fallback_and_ends_by_itself(desk: Desk) -> None:
    override = Override(RouteStep("queue", "7000"), NOW + timedelta(minutes=30))
    desk.file.write(override)
    for rules in (RULES, PLAIN, None):
        ((answer, kept),) = desk.ask(desk.routes(rules, Broken(), fallback=RouteStep("queue", "1"), shadow=PLAIN))
        assert (_step(answer), answer.rule) == ("queue:7000", None)
        assert kept["why"] == "override until 2026-11-25T07:30:00Z"
        assert kept.get("shadow") is None or rules is None
    desk.now += timedelta(minutes=30)
    ((answer, _),) = desk.ask(desk.routes(PLAIN))
    assert _step(answer) == "peer:2000"


def test_an_override_is_told_when_it_begins_changes_and_ends(desk: Desk) -> None:
    switch = Switch(desk.file, desk.said.append, UTC)
    switch.tell(NOW)
    assert desk.said == []
    for step in ("7000", "7001"):
        desk.file.write(Override(RouteStep("queue", step), NOW + timedelta(minutes=30)))
        switch.tell(NOW)
        switch.tell(NOW)
    switch.tell(NOW + timedelta(hours=1))
    switch.tell(NOW + timedelta(hours=1))
    assert desk.said == [
        "override: every caller gets queue:7000 until 2026-11-25 07:30:00",
        "override: every caller gets queue:7001 until 2026-11-25 07:30:00",
        "the override has ended: the rules decide again",
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"step": {"action_type": "x"}, "until": 1}', b"\xff" * 9000])
def test_an_override_that_cannot_be_read_is_none_and_is_told_once(desk: Desk, content: bytes) -> None:
    desk.file.write(Override(RouteStep("hangup"), NOW + timedelta(minutes=1)))
    assert desk.file.path.stat().st_mode & 0o777 == 0o600
    desk.file.path.write_bytes(content)
    switch = Switch(desk.file, desk.said.append, UTC)
    for _ in range(3):
        assert switch.in_force(NOW) is None
        switch.tell(NOW)
    assert len(desk.said) == 1
    assert "there is no override" in desk.said[0]


def _outcome(followed: FollowedRules, woken: threading.Event) -> object:
    """What a reload ends with."""
    return wait_until(lambda: followed.look(NOW) or (woken.wait(0.1) and None), "the end of the reload")


def test_a_file_that_is_being_written_is_not_judged(desk: Desk) -> None:
    live = desk.live("rules.toml", PLAIN)
    woken = threading.Event()
    followed = FollowedRules(live, woken.set)
    live.path.write_text(PLAIN[:40], "utf-8")
    assert followed.look(NOW) is None
    live.path.write_text(PLAIN + "# all of it\n", "utf-8")
    assert isinstance(_outcome(followed, woken), Reloaded)
    assert not live.outdated


def test_where_no_process_can_be_started_changed_rules_are_read_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(desk.folder / "nosuch"))
    live = desk.live("rules.toml", PLAIN)
    woken = threading.Event()
    followed = FollowedRules(live, woken.set)
    live.path.write_text(RULES, "utf-8")
    assert isinstance(_outcome(followed, woken), Reloaded)
    live.path.unlink()
    assert "cannot be read" in str(_outcome(followed, woken))

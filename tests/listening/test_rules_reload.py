"""Changed rules are read in a child process: callers are answered meanwhile, whatever becomes of the child."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from front_door import FrontDoor
from waiting import wait_until

from alovoice_cli.language import in_english, use_language
from alovoice_cli.listening.rules_reload import RulesReload
from alovoice_cli.routing.lint import check

from .conftest import Listening

Listen = Callable[..., Listening]
RULES = """fallback = { queue = "6000" }
[lists]
vip = "vip.csv"
[[rule]]
name = "vip"
when = { from = "@vip" }
then = { peer = "2000" }
"""
FIRST, SECOND, THIRD = "901234567", "907654321", "935550000"
HOLD = """import os, sys
if any("rules_reload" in word for word in sys.orig_argv):
    with open("children", "a") as children:
        children.write(f"{os.getpid()}\\n")
    with open("held") as held:
        word = held.read()
    if word == "die":
        os.kill(os.getpid(), 9)
"""


@dataclass
class Gate:
    """Rules whose reading waits, in the child process, until the test lets it go."""

    folder: Path

    def write(self, *numbers: str) -> None:
        """Replaces the list."""
        beside = self.folder / "vip.new"
        beside.write_text("".join(f"{number}\n" for number in numbers), "utf-8")
        beside.replace(self.folder / "vip.csv")

    def child(self, place: int) -> int:
        """The process id of the child that was started as the so-manieth, once it is there."""
        children = self.folder / "children"
        wait_until(lambda: children.exists() and len(children.read_text().splitlines()) >= place, f"child {place}")
        return int(children.read_text().splitlines()[place - 1])

    def let_go(self, word: str = "go") -> None:
        """Lets the child that waits go on."""
        (self.folder / "held").write_text(word)


@pytest.fixture
def gate(alovoice: FrontDoor) -> Gate:
    """Rules in this test's home."""
    gate = Gate(alovoice.home)
    (gate.folder / "rules.toml").write_text(RULES, "utf-8")
    (gate.folder / "sitecustomize.py").write_text(HOLD, "utf-8")
    os.mkfifo(gate.folder / "held")
    gate.write(FIRST)
    alovoice.environ["PYTHONPATH"] = str(gate.folder)
    return gate


def _is_gone(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def _decisions(listening: Listening) -> list[str]:
    """Whom FIRST, SECOND and THIRD get: the extension of the rule, or the queue of the fallback."""
    answers = [listening.post("route", {"from_number": number})[1] for number in (FIRST, SECOND, THIRD)]
    return [json.loads(answer)["action_data"] for answer in answers]


def test_callers_are_answered_while_rules_are_read_and_a_newer_change_overtakes(
    listen: Listen, alovoice: FrontDoor, gate: Gate
) -> None:
    listening = listen("--rules", "rules.toml")
    gate.write(SECOND)
    older = gate.child(1)
    assert _decisions(listening) == ["2000", "6000", "6000"]
    alovoice("route", "override", "queue:7000", "--for", "30m")
    assert _decisions(listening) == ["7000"] * 3
    listening.wait_for("override: every caller gets queue:7000", 60)
    alovoice("route", "override", "--off")
    gate.write(THIRD)
    wait_until(lambda: _is_gone(older), "the end of the older child")
    gate.child(2)
    assert _decisions(listening) == ["2000", "6000", "6000"]
    gate.let_go()
    listening.wait_for("was read again", 60)
    assert _decisions(listening) == ["6000", "6000", "2000"]
    assert sum("was read again" in line or "not read" in line for line in listening.errors) == 1


def test_a_child_that_dies_leaves_the_last_good_rules_and_a_stop_ends_one_that_reads(
    listen: Listen, gate: Gate
) -> None:
    listening = listen("--rules", "rules.toml")
    gate.write(SECOND)
    gate.child(1)
    gate.let_go("die")
    listening.wait_for("the last good rules stay in force: the process that read them was ended by signal 9", 60)
    assert _decisions(listening) == ["2000", "6000", "6000"]
    assert listening.event(60)["answer"]["outdated"] is True
    gate.write(THIRD)
    gate.child(2)
    gate.let_go()
    listening.wait_for("was read again", 60)
    assert _decisions(listening) == ["6000", "6000", "2000"]
    gate.write(FIRST)
    child = gate.child(3)
    listening.stop()
    wait_until(lambda: _is_gone(child), "the end of the child")


@pytest.mark.soak
def test_a_list_that_never_rests_comes_into_force_too(listen: Listen, gate: Gate) -> None:
    listening = listen("--rules", "rules.toml")
    for place in range(1, 5):
        gate.write(SECOND, str(935550000 + place))
        gate.child(place)
    gate.write(THIRD)
    time.sleep(1.2)  # what changes now overtakes nobody any more
    gate.let_go()
    listening.wait_for("was read again", 60)
    assert _decisions(listening) == ["6000", "6000", "2000"]
    assert len((gate.folder / "children").read_text().splitlines()) == 4


def test_the_child_speaks_the_listener_s_language_and_remembers_its_english(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('fallback = { queue = "6000" }\nfoo = 1\n', "utf-8")
    now, is_done = datetime(2026, 11, 25, tzinfo=UTC), threading.Event()
    use_language("ru")
    reload = RulesReload(tmp_path / "rules.toml", now, is_done.set)
    assert is_done.wait(60)
    finding = reload.checked().findings[0]
    use_language("en")
    assert in_english(finding.message) == check(tmp_path / "rules.toml", now).findings[0].message != finding.message

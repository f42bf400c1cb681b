"""The tour's day: the same calls each time, and no process stays behind."""

import json

from front_door import FrontDoor

from alovoice_cli.commands.demo import play_day


def test_the_day_of_the_tour_is_heard_whole_and_is_the_same_each_time(alovoice: FrontDoor) -> None:
    told: list[str] = []
    play_day(alovoice.home, alovoice.environ, told.append)
    listen, serve = told
    assert listen == "alovoice -p sandbox listen --port 0 --fallback queue:6000 --ready-file urls &"
    assert serve.startswith("alovoice sandbox serve --events-to http://127.0.0.1:")
    counted = json.loads(alovoice("events", "stats", "-p", "sandbox", "--by", "status", "--json").out)
    assert sum(row["calls"] for row in counted) == 212
    assert {row["group"]: row["calls"] for row in counted}["603-S"] == 19
    assert "no listener since" in alovoice("events", "gaps", "-p", "sandbox").err


def test_the_whole_tour_runs_where_nobody_is_at_a_terminal(alovoice: FrontDoor) -> None:
    toured = alovoice.process("demo")
    assert toured.returncode == 0, toured.stderr
    assert b"alovoice login" in toured.stdout

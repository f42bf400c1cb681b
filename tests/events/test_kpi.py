"""The key figures, equal to the digit: fixtures with expected values."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor

import alovoice_cli

DATA = Path(__file__).parent / "data" / "kpi"
ANNOUNCEMENT = Path(alovoice_cli.__file__).parent / "sandbox" / "scenarios" / "announcement.mp3"
PAIRS = (
    ("kpi_day", "kpi_day"),
    ("kpi_day", "kpi_empty"),
    ("kpi_day", "kpi_none_answered"),
    ("kpi_day", "kpi_few"),
    ("kpi_total", "kpi_total"),
)


def _asked(name: str, store_url: str, alovoice: FrontDoor) -> tuple[str, ...]:
    imported = alovoice("events", "import", str(DATA / f"{name}.jsonl"), "--store", store_url)
    assert imported.code == 0, imported.err
    return ("events", "stats", "--kpi", "--store", store_url)


def _period(expected: dict[str, Any]) -> tuple[str, ...]:
    return ("--since", expected["period"]["since"], "--until", expected["period"]["until"])


def _expected(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((DATA / f"{name}.expected.json").read_text("utf-8"))
    return value


@pytest.mark.parametrize(("name", "expected"), PAIRS)
def test_the_figures_of_a_day_are_those_that_were_worked_out_by_hand(
    alovoice: FrontDoor, store_url: str, name: str, expected: str
) -> None:
    words = (*_asked(name, store_url, alovoice), *_period(_expected(expected)))
    told = alovoice(*words, "--json")
    assert told.code == 0, told.err
    assert told.out == json.dumps(_expected(expected), ensure_ascii=False) + "\n"


def test_a_terminal_shows_six_figures_and_the_hours(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_day", store_url, alovoice), *_period(_expected("kpi_day")))
    told = alovoice(*words, terminal=True, environ={"NO_COLOR": "1"})
    for name, figure in (
        ("Service level", "52.4 %"),
        ("Answer rate", "56.5 %"),
        ("Abandon rate", "22.7 %"),
        ("Mean wait", "8.4 s"),
        ("Owed a call", "4"),
        ("Callback delay", "1 h 04 min"),
    ):
        assert re.search(rf"{name} +{figure} ", told.out), name
    for fact in ("answered within 20 s", "are left out"):
        assert fact in told.out
    assert [line[:5] for line in told.out.splitlines() if re.match(r"\d\d:00 ", line)] == [
        "09:00",
        "10:00",
        "11:00",
        "12:00",
    ]
    assert "mean talk time of inbound calls: 2 min 18 s" in told.err
    assert "ccupancy" not in told.out + told.err
    assert max(map(len, told.out.splitlines())) <= 80


def test_a_figure_that_cannot_be_known_is_a_dash_with_one_sentence(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_total", store_url, alovoice), *_period(_expected("kpi_total")))
    told = alovoice(*words)
    lines = dict(line.split("\t") for line in told.out.splitlines())
    assert lines["wait.asa_s"] == lines["service_level.net_pct"] == "–"
    assert lines["inbound.answer_rate_pct"] == "56.5"
    assert told.err.count("wait times are not known") == 1
    assert dict(row.split(",") for row in alovoice(*words, "--csv").out.splitlines())["wait.asa_s"] == ""


def test_the_limits_come_from_the_options_then_from_the_profile(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_day", store_url, alovoice), *_period(_expected("kpi_day")), "--json")
    assert alovoice("config", "set", "service_seconds", "10s").code == 0
    assert alovoice("config", "set", "short_abandon_seconds", "6").code == 0
    told = json.loads(alovoice(*words).out)
    assert (told["settings"]["service_seconds"], told["settings"]["short_abandon_seconds"]) == (10, 6)
    assert told["inbound"]["short_abandoned"] == 2
    told = json.loads(alovoice(*words, "--target", "1m", "--short", "0s").out)
    assert (told["settings"]["service_seconds"], told["inbound"]["short_abandoned"]) == (60, 0)
    assert told["service_level"]["answered_within"] == 12


def test_the_profile_overrules_what_duration_counts(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_total", store_url, alovoice), *_period(_expected("kpi_total")), "--json")
    assert alovoice("config", "set", "duration_counts", "ring").code != 0
    assert alovoice("config", "set", "duration_counts", "talk").code == 0
    told = json.loads(alovoice(*words).out)
    assert told["settings"]["duration_counts"] == told["duration_test"]["verdict"] == "talk"
    assert told["wait"]["asa_s"] is not None


def test_each_group_has_its_key_figures_and_small_groups_are_marked(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_day", store_url, alovoice), *_period(_expected("kpi_day")))
    lines = json.loads(alovoice(*words, "--by", "line", "--json").out)
    assert [(row["by"], row["group"], row["calls"], row["few"]) for row in lines] == [
        ("line", "998712037006", 23, False),
        ("line", "998712037007", 10, True),
    ]
    for by in ("hour", "weekday", "line", "peer", "number", "day"):
        groups = json.loads(alovoice(*words, "--by", by, "--json").out)
        for name, whole in (("inbound", "offered"), ("inbound", "answered"), ("outbound", "seizures")):
            assert sum(group[name][whole] for group in groups) == _expected("kpi_day")[name][whole], by
    (monday,) = json.loads(alovoice(*words, "--by", "weekday", "--json").out)
    assert (monday["group"], monday["service_level"]) == ("Monday", _expected("kpi_day")["service_level"])
    names = alovoice.home / "names.csv"
    names.write_text("101,Ўктам\n", "utf-8")
    assert alovoice("config", "set", "peer_names", str(names)).code == 0
    told = alovoice(*words, "--by", "peer", terminal=True)
    assert "101 Ўктам *" in told.out
    assert "(marked *) have fewer than 20 calls" in told.err
    piped = alovoice(*words, "--by", "line").out.splitlines()
    assert [line.split("\t")[-1] for line in piped] == ["few", "false", "true"]


def test_a_group_without_a_figure_says_why_in_one_sentence(alovoice: FrontDoor, store_url: str) -> None:
    words = (*_asked("kpi_day", store_url, alovoice), *_period(_expected("kpi_day")), "--by", "hour")
    assert alovoice(*words).err.count("–: the wait time of too many answered calls is unknown") == 1
    told = alovoice(*words, "--where", "status = 603-S")
    assert told.err.count("–: the group has no such calls") == 1


def test_a_period_without_calls_has_no_sentence_about_its_calls(alovoice: FrontDoor, store_url: str) -> None:
    told = alovoice(*_asked("kpi_day", store_url, alovoice), *_period(_expected("kpi_empty")))
    assert "outbound: no call has ended" in told.err
    assert not [line for line in told.err.splitlines() if "mean talk" in line or "called back" in line]


def test_what_key_figures_cannot_say_is_refused(alovoice: FrontDoor, store_url: str) -> None:
    words = _asked("kpi_day", store_url, alovoice)
    for more in (("--by", "status"), ("--by", "rule"), ("--target", "soon"), ("--short", "2d")):
        assert alovoice(*words, *more).code == 2, more
    assert alovoice("events", "stats", "--store", words[-1], "--target", "20s").code == 2


def test_a_condition_chooses_the_missed_calls_and_any_call_answers_them(alovoice: FrontDoor, store_url: str) -> None:
    rows = Rows(store_url)
    rows.call(1_795_406_400, "901000001", status="304", line="712037006", call_id="a", duration=9)
    rows.call(1_795_407_400, "901000001", status="200", line="712037007", call_id="b", direction="out", duration=9)
    rows.call(1_795_407_500, "901000002", status="304", line="712037007", call_id="c", duration=9)
    words = ("events", "stats", "--kpi", "--store", rows.url, "--since", "all", "--json")
    callback = json.loads(alovoice(*words, "--line", "712037006").out)["callback"]
    assert (callback["episodes"], callback["called_back"], callback["still_owed"]) == (1, 1, 0)
    assert json.loads(alovoice(*words).out)["callback"]["still_owed"] == 1


def test_a_ring_group_that_somebody_answered_owes_nobody_a_call(alovoice: FrontDoor, store_url: str) -> None:
    rows = Rows(store_url)
    for peer, status in ((2001, "304"), (2002, "200"), (2003, "304")):
        rows.call(1_795_406_400, "901000001", status=status, peer=peer)
    rows.call(1_795_406_500, "901000002", status="304")
    told = json.loads(alovoice("events", "stats", "--kpi", "--store", rows.url, "--since", "all", "--json").out)
    assert (told["inbound"]["missed"], told["noticed"]["ring_group"]) == (3, 2)
    assert (told["callback"]["episodes"], told["callback"]["still_owed"]) == (1, 1)


def test_hours_and_days_are_those_in_which_a_call_began(alovoice: FrontDoor, store_url: str) -> None:
    rows = Rows(store_url)
    began = int(datetime.fromisoformat("2026-11-23T23:59:58+05:00").timestamp())
    start = {"inner_phone": 101, "number": "901000001", "line": "712037006", "type": "inc", "start_time": began}
    rows.deliver("callstart", began + 4, start, call_id="late")
    words = ("events", "stats", "--store", rows.url, "--since", "all", "--json")
    for more in ((), ("--kpi",)):
        for by, group in (("day", "2026-11-23"), ("hour", "2026-11-23 23:00"), ("weekday", "Monday")):
            assert [row["group"] for row in json.loads(alovoice(*words, *more, "--by", by).out)] == [group]
    assert json.loads(alovoice(*words, "--until", "2026-11-23").out) == []


def test_a_campaign_of_the_period_is_told(alovoice: FrontDoor, store_url: str) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    (alovoice.home / "promo.mp3").write_bytes(ANNOUNCEMENT.read_bytes())
    (alovoice.home / "clients.csv").write_text("telefon\n998901234501\n", "utf-8")
    created = alovoice(
        *("autorule", "create", "--record", "promo.mp3", "--recipients", "clients.csv", "--name", "Куз"),
        *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
        *("--night-ok", "--yes"),
    )
    assert created.code == 0, created.err
    rows = Rows(store_url)
    rows.call(1_795_406_400)
    words = ("events", "stats", "--kpi", "--store", rows.url)
    assert "campaign" not in alovoice(*words, "--since", "2d").err
    alovoice.later(hours=72)
    assert "1 campaign ran in the period (" in alovoice(*words, "--since", "2d").err

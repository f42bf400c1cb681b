"""`autorule check --forecast`: figures, assumptions, a chart on a terminal, a warning where it will not finish."""

import json
from pathlib import Path

import pytest
from front_door import FrontDoor, Result

from alovoice_cli.campaigns.campaign_record import plan_from_form
from alovoice_cli.campaigns.forecast import forecast, parse_share
from alovoice_cli.errors import UsageError

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home with a recording, on the sandbox."""
    (alovoice.home / "promo.mp3").write_bytes(MP3.read_bytes())
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return alovoice


def _checked(home: FrontDoor, count: int, *words: str, terminal: bool = False) -> Result:
    numbers = "".join(f"99890{1000000 + number * 7}\n" for number in range(count))
    (home.home / "clients.csv").write_text(numbers)
    days = ("--from", "tomorrow", "--to", "tomorrow", "--fromtime", "10:00", "--totime", "20:59", "--maxline", "1")
    files = ("--record", "promo.mp3", "--recipients", "clients.csv", "--name", "Куз", "--trunks", "712037006,712037007")
    return home("autorule", "check", *files, *days, "--forecast", *words, "--color", "never", terminal=terminal)


def test_a_script_gets_figures_and_every_assumption(home: FrontDoor) -> None:
    result = _checked(home, 450, "--json", "--tariff", "95")
    assert result.code == 0, result.err
    made = json.loads(result.out)["forecast"]
    assert made["recipients"] == 450
    assert made["finish_p10"] < made["finish_p50"] < made["finish_p90"] < made["closes"]
    assert made["closes"].endswith("T21:00:00+05:00")
    assert made["cost"] == pytest.approx(made["talk_minutes"] * 95, rel=0.001)
    assert made["assumed"] == {
        "answer_rate": 0.62,
        "busy_rate": 0.12,
        "unreachable_rate": 0.06,
        "ring_seconds": [4, 24],
        "patience_seconds": 40,
        "talk_seconds": [1, 60],
        "pause_between_tries_seconds": 600,
        "line_gap_seconds": 2,
        "tries": 2,
        "goodtime_seconds": 3,
        "tariff": 95.0,
    }
    assert made["curve"][-1]["p10"] == 1
    fields = json.loads(result.out)["campaign"]
    plan = plan_from_form(fields)
    assert plan is not None
    again = forecast(450, plan)
    assert again is not None
    assert again.calls == made["calls"]
    assert "forecast" not in json.loads(home("autorule", "check", *_without_forecast()).out)


def _without_forecast() -> tuple[str, ...]:
    days = ("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "20:59")
    return ("--record", "promo.mp3", "--recipients", "clients.csv", *days, "--trunks", "all", "--json")


def test_a_pipe_gets_lines_without_a_chart(home: FrontDoor) -> None:
    out = _checked(home, 200, "--answer-rate", "50%", "--seconds-per-call", "90", "--seed", "7").out
    rows = dict(line.split("\t", 1) for line in out.splitlines())
    assert (rows["called"], rows["answer_rate"], rows["talk_seconds"], rows["seed"]) == ("1.0", "0.5", "1,179", "7")
    assert not {"curve", "assumed"} & set(rows)
    assert "█" not in out


def test_a_terminal_gets_words_and_a_chart_that_fits(home: FrontDoor) -> None:
    result = _checked(home, 450, "--tariff", "95.5", terminal=True)
    assert result.code == 0, result.err
    assert max(map(len, result.out.splitlines())) <= 80
    words = " ".join(result.out.replace("│", " ").split())
    assert "100 % of 450 at least once" in words
    assert "62 % answer after 4–24 s" in words
    assert "(talk only, 95.5 per minute)" in words
    assert result.out.count("█") > 60
    assert "█ called in nine of ten runs" in result.err
    assert "finish:" not in result.out


def test_one_try_has_no_pause_between_tries(home: FrontDoor) -> None:
    words = " ".join(_checked(home, 40, "--tryes", "1", terminal=True).out.replace("│", " ").split())
    assert "the others let it ring for 40 s; 1 attempt per number runs" in words.replace("╰", "").replace("╯", "")
    assert "2 attempts per number; 600 s between attempts" in " ".join(
        _checked(home, 40, terminal=True).out.replace("│", " ").split()
    )


def test_what_will_not_finish_is_a_warning_with_the_lines_that_would_do(home: FrontDoor) -> None:
    result = _checked(home, 1000, "--json")
    assert result.code == 0
    (found,) = [one for one in json.loads(result.out)["findings"] if one["code"] == "unfinished"]
    assert found["severity"] == "warning"
    assert found["message"].startswith("will not finish: 75 % called by ")
    assert found["message"].endswith(" 20:59 (utc +5); lines needed: 2")


def test_what_may_not_finish_and_what_is_not_tried_enough_are_told_apart(home: FrontDoor) -> None:
    assert "may not finish: " in _checked(home, 732).out
    assert "will not finish: some numbers do not get all their attempts by " in _checked(home, 742).out


def test_a_bad_answer_rate_is_refused(home: FrontDoor) -> None:
    assert _checked(home, 10, "--answer-rate", "40").code == 2


@pytest.mark.parametrize(("text", "share"), [("0.4", 0.4), ("40%", 0.4), ("40 %", 0.4), ("0,25", 0.25), ("1", 1.0)])
def test_an_answer_rate_is_a_share_or_a_percentage(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["40", "-0.1", "many", "", "101%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a share"):
        parse_share(text)

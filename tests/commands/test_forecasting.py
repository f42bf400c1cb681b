"""What `--forecast` shows: figures, assumptions, a chart on a terminal, and a warning where it will not finish."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from alovoice_cli.campaigns.draft import Draft, read_window
from alovoice_cli.commands.autorule.forecasting import Assumptions, read_assumptions, show_forecast
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)


class _Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def _shown(
    count: int,
    *,
    days: int = 3,
    terminal: bool = False,
    as_json: bool = False,
    now: datetime = NOON,
    tariff: float = 95.0,
) -> tuple[str, str]:
    out, err = _Stream(terminal=terminal), _Stream(terminal=terminal)
    environ = {"COLUMNS": "80", "TERM": "xterm"}
    session = Session(stdin=_Stream(terminal=False), stdout=out, stderr=err, environ=environ, now=lambda: now)
    session.options.json, session.options.color = as_json, "never"
    window = read_window("2026.11.24", f"2026.11.{23 + days}", "10:00", "20:59", "utc +5", min(now, NOON))
    draft = Draft("Куз", window, ("712037006",), maxline=3)
    show_forecast(session, count, draft, Assumptions(tariff=tariff))
    return out.getvalue(), err.getvalue()


def test_a_script_gets_figures_and_every_assumption() -> None:
    out, err = _shown(4000, as_json=True)
    made = json.loads(out)
    assert err == ""
    assert made["recipients"] == 4000
    assert made["finish_p10"] < made["finish_p50"] < made["finish_p90"] < made["closes"] == "2026-11-26T21:00:00+05:00"
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


def test_a_pipe_gets_lines_without_a_chart() -> None:
    out, _ = _shown(400)
    rows = dict(line.split("\t", 1) for line in out.splitlines())
    assert rows["called"] == "1.0"
    assert rows["answer_rate"] == "0.62"
    assert not {"curve", "assumed"} & set(rows)
    assert "█" not in out


def test_a_terminal_gets_words_and_a_chart_that_fits() -> None:
    out, err = _shown(4000, terminal=True)
    assert max(map(len, out.splitlines())) <= 80
    assert "Wed 25 Nov" in out
    assert "100 % of 4 000 are rung at least once" in out
    assert "62 % answer after 4 to 24 s" in " ".join(out.replace("│", " ").split())
    assert out.count("█") > 60
    assert "█ called in nine runs of ten" in err
    assert "warning" not in err


def test_what_will_not_finish_is_a_warning_with_the_lines_that_would_do() -> None:
    for terminal in (True, False):
        out, err = _shown(9000, terminal=terminal, tariff=0)
        assert "warning: will not finish: 74 % called by Thu 26 Nov 20:59 (utc +5); 5 lines would" in err
        assert "100" not in out.partition("called")[2].splitlines()[0]


def test_what_may_not_finish_and_what_is_not_tried_enough_are_told_apart() -> None:
    assert "warning: may not finish: " in _shown(6650)[1]
    assert "of the runs do not by Thu 26 Nov 20:59 (utc +5); 4 lines would" in _shown(6650)[1]
    assert "warning: will not finish: not all are tried as often as asked by Thu" in _shown(6700)[1]


def test_where_no_window_is_left_there_is_no_forecast() -> None:
    out, err = _shown(100, days=1, now=NOON + timedelta(days=3))
    assert (out, err) == ("", "warning: no forecast: nothing is left to dial in\n")


@pytest.mark.parametrize(("text", "share"), [("0.4", 0.4), ("40%", 0.4), ("40 %", 0.4), ("0,25", 0.25), ("1", 1.0)])
def test_an_answer_rate_is_a_share_or_a_percentage(text: str, share: float) -> None:
    assert read_assumptions(text, None, None, 1).answer_rate == pytest.approx(share)


@pytest.mark.parametrize("text", ["40", "-0.1", "many", "", "101%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no share"):
        read_assumptions(text, None, None, 1)

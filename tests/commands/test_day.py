"""`day` in all its forms: one value, equal figures, one screen, one message, one page."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import pytest
from event_rows import Rows
from front_door import FrontDoor
from speech_cases import answer, kept

FIXTURE = Path(__file__).parents[1] / "events" / "data" / "kpi" / "kpi_day.jsonl"
TASHKENT = timezone(timedelta(hours=5))
DAY = datetime(2026, 11, 23, tzinfo=TASHKENT)
FIGURES = {
    "service_level_pct": "Service level",
    "answer_rate_pct": "Answer rate",
    "abandon_rate_pct": "Abandon rate",
    "mean_wait_s": "Mean wait",
    "still_owed": "Owed a call",
    "callback_p50_s": "Callback delay",
}
MISSED = ("--not-returned", "--since", "2026-11-22", "--until", "2026-11-22")
LONG_NAMES = "101,Oʻtkir Abdurahmonov-Gʻaybullayev Sherzodbek oʻgʻli\n102,Анваржон Каримов-Мухаммадиев Содиқжон ўғли\n"


def at(door: FrontDoor, moment: datetime) -> FrontDoor:
    """The home, with its clock at this moment."""
    door.ahead = moment - datetime.now(UTC)
    return door


@pytest.fixture
def home(alovoice: FrontDoor, profile_store: str) -> FrontDoor:
    """The day of the fixtures, looked at on the evening before its end, with targets."""
    assert at(alovoice, DAY + timedelta(hours=23)).__call__("events", "import", str(FIXTURE)).code == 0
    for key, value in {"service_level": "80", "answer_rate": "50%", "wait": "1m", "owed": "0"}.items():
        assert alovoice("config", "set", f"target_{key}", value).code == 0
    return alovoice


def _told(home: FrontDoor, *words: str) -> dict[str, Any]:
    result = home("day", *words, "--json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


class _Page(HTMLParser):
    """The texts of a page, by the cells, tiles and paragraphs that they stand in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._opens = True
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._opens = self._opens or tag in ("td", "th", "dt", "dd", "p", "h1", "h2", "small")

    def handle_endtag(self, tag: str) -> None:
        self._opens = True

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def _value(figure: dict[str, Any], key: str) -> str:
    """A figure as every form for people writes it."""
    value = figure["value"]
    if value is None:
        return "–"
    if key.endswith("_pct"):
        return f"{value:.1f} %"
    if not key.endswith("_s"):
        return str(value)
    if value < 60:
        return f"{value:g} s"
    minutes = int(value + 0.5) // 60
    return f"{minutes} min {int(value + 0.5) % 60:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def test_the_figures_of_all_forms_are_equal(home: FrontDoor) -> None:
    told = _told(home)
    screen = home("day", terminal=True, environ={"NO_COLOR": "1"}).out
    text = home("day", "--text").out
    page = _Page(home("day", "--html", "-").out).texts
    for key, name in FIGURES.items():
        value = _value(told["figures"][key], key)
        assert re.search(rf"{name} +{re.escape(value)}( |$)", screen, re.MULTILINE), (key, screen)
        assert re.search(rf"^{name}: {re.escape(value)}[,\n (]", text, re.MULTILINE), (key, text)
        assert page[page.index(name) + 1] == value, key
    hours = [(hour["hour"], hour["offered"], hour["missed"]) for hour in told["hours"]]
    rows = {line[:6].strip(): line[6:].split() for line in screen.splitlines()}
    assert list(zip(rows["Hour"], rows["Calls"], rows["Missed"], strict=True)) == [
        (hour[:2], str(offered), str(missed)) for hour, offered, missed in hours
    ]
    assert re.findall(r"^(\d\d:00) (\d+)(?: \((\d+)\))?$", text, re.MULTILINE) == [
        (hour, str(offered), str(missed or "")) for hour, offered, missed in hours
    ]
    cells = page[page.index("Missed") + 1 :]
    assert [tuple(cells[place : place + 3]) for place in range(0, 3 * len(hours), 3)] == [
        (hour, str(offered), str(missed)) for hour, offered, missed in hours
    ]
    numbers = [caller["number"] for caller in told["owed"]]
    assert re.findall(r"^  (998\d{9})", screen, re.MULTILINE) == numbers
    assert re.findall(r"^(998\d{9}) since", text, re.MULTILINE) == numbers
    assert [cell for cell in page if re.fullmatch(r"998\d{9}", cell)] == numbers
    peak = f"at most {told['lines']['peak']} in use"
    assert peak in screen
    assert peak in text
    assert peak in " ".join(page)


def test_the_figures_are_those_of_the_statistics(home: FrontDoor) -> None:
    told = _told(home)
    kpi = json.loads(home("events", "stats", "--kpi", "--since", "today", "--json").out)
    figures = {name: figure["value"] for name, figure in told["figures"].items()}
    assert figures == {
        "service_level_pct": kpi["service_level"]["net_pct"],
        "answer_rate_pct": kpi["inbound"]["answer_rate_pct"],
        "abandon_rate_pct": kpi["inbound"]["abandon_rate_pct"],
        "mean_wait_s": kpi["wait"]["asa_s"],
        "still_owed": kpi["callback"]["still_owed"],
        "callback_p50_s": kpi["callback"]["reached_p50_s"],
    }
    assert list(figures.values()) == [52.2, 56.0, 25.0, 8.1, 5, 3855]
    assert told["inbound"] == kpi["inbound"]
    assert told["lines"]["peak"] == kpi["lines"]["peak"] == 4
    assert len(told["owed"]) == kpi["callback"]["still_owed"]
    assert told["owed_hidden"] == kpi["callback"]["still_owed_hidden"] == 1


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with calls in each hour of the day before DAY, many callers who were missed, and a gap in each hour."""
    rows = Rows(tmp_path_factory.mktemp("full") / "events.db")
    before = DAY - timedelta(days=1)
    for hour in range(24):
        rows.call(before + timedelta(hours=hour, minutes=3), f"9012345{hour:02}", peer=101 + hour % 2)
        rows.call(before + timedelta(hours=hour, minutes=9), f"9033345{hour:02}", status="304", peer=101 + hour % 2)
    rows.call(before + timedelta(hours=12), "anonymous", status="304")
    rows.call(before + timedelta(hours=13), "anonymous", status="603-S")
    gaps = [(before + timedelta(hours=hour, minutes=30)).timestamp() for hour in range(24)]
    rows.listened(*((begin, begin + 3000, True) for begin in gaps))
    return rows.path


def _fill(home: FrontDoor, store: Path, names: str = "") -> Rows:
    """Gives the home this store, and extensions' names; the clock stands at nine on DAY."""
    at(home, DAY + timedelta(hours=9))
    (home.home / "state").mkdir(exist_ok=True)
    shutil.copy(store, home.home / "state" / "events.db")
    if names:
        path = home.home / "names.csv"
        path.write_text(names, "utf-8")
        assert home("config", "set", "peer_names", str(path)).code == 0
    return Rows(home.home / "state" / "events.db")


def test_the_worst_day_fits_one_screen_and_one_message(alovoice: FrontDoor, full_store: Path) -> None:
    _fill(alovoice, full_store, LONG_NAMES)
    for key in ("service_level", "answer_rate", "abandon_rate", "wait", "callback"):
        assert alovoice("config", "set", f"target_{key}", "99.9" if "_" in key else "5430").code == 0
    shown = alovoice("day", "yesterday", terminal=True, environ={"NO_COLOR": "1"})
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert "Owed a call: 24, and 2 hidden;" in shown.out
    (more,) = re.findall(r"; (\d+) more: events missed", shown.out)
    assert int(more) + len(re.findall(r"^  998", shown.out, re.MULTILINE)) == 24
    assert re.findall(r"^  998\d+ +(\d\d:\d\d)", shown.out, re.MULTILINE)[0] == "00:10"
    listed = json.loads(alovoice("events", "missed", *MISSED, "--limit", "0", "--json").out)
    assert len(listed) == 24
    text = alovoice("day", "yesterday", "--text").out
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert max(map(len, re.findall(r"^998.*$", text, re.MULTILINE))) <= 110
    assert "Анваржон" in text
    assert not re.search("[\u2500-\u259f]", text)


def test_a_terminal_without_unicode_gets_ascii(alovoice: FrontDoor, full_store: Path) -> None:
    _fill(alovoice, full_store, LONG_NAMES)
    shown = alovoice("day", "yesterday", terminal=True, encoding="ascii", environ={"NO_COLOR": "1"}).out
    assert shown.isascii()
    assert "\\u" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_page_stands_alone_and_is_escaped(alovoice: FrontDoor, full_store: Path) -> None:
    rows = _fill(alovoice, full_store, "101,<script>alert(1)</script>\n")
    rows.call(DAY - timedelta(hours=5), "<b>9</b>", call_id="hostile", status="304", line="</style>")
    result = alovoice("day", "yesterday", "--html", "day.html")
    path = alovoice.home / "day.html"
    page = path.read_text("utf-8")
    assert (result.code, result.out) == (0, "")
    assert "written: day.html" in result.err
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(page.encode()) < 150_000
    html5lib.HTMLParser(strict=True).parse(page)
    assert not re.search(r"<script|<b>|https?://|url\(|@import|(?:src|href)=", page)
    assert "&lt;script&gt;" in page
    for rule in ("prefers-color-scheme: dark", "@page { size: A4;", 'name="viewport"', "Content-Security-Policy"):
        assert rule in page
    assert alovoice("day", "yesterday", "--html", "day.html").code == 2
    assert path.read_text("utf-8") == page
    assert alovoice("day", "yesterday", "--html", "day.html", "--force", "--json").out.startswith("{")


def test_targets_are_judged_and_without_targets_nothing_is(home: FrontDoor) -> None:
    figures = _told(home)["figures"]
    assert [figures[key]["met"] for key in FIGURES] == [False, True, None, True, False, None]
    assert "≥ 80 % below" in home("day", terminal=True).out
    assert "Mean wait: 8.1 s (target at most 1m: met)" in home("day", "--text").out
    for key in ("service_level", "answer_rate", "wait", "owed"):
        home("config", "unset", f"target_{key}")
    assert {figure["met"] for figure in _told(home)["figures"].values()} == {None}
    assert not re.search("target|≥|≤", home("day", terminal=True).out + home("day", "--text").out)
    assert not re.search('class="(good|bad)"', home("day", "--html", "-").out)


@pytest.mark.parametrize(
    ("key", "value", "trouble"),
    [
        ("target_service_level", "101", "must be a percentage"),
        ("target_answer_rate", "half", "must be a percentage"),
        ("target_wait", "0", "must be whole seconds"),
        ("target_wait", "20 parrots", "must be whole seconds"),
        ("target_owed", "x", "must be a whole number"),
    ],
)
def test_a_target_that_is_none_is_refused(alovoice: FrontDoor, key: str, value: str, trouble: str) -> None:
    result = alovoice("config", "set", key, value)
    assert result.code == 2
    assert trouble in result.err


def test_figures_that_cannot_be_known_say_why(alovoice: FrontDoor) -> None:
    at(alovoice, DAY + timedelta(hours=9))
    Rows(alovoice.store_url)
    screen = alovoice("day", terminal=True, environ={"NO_COLOR": "1"}).out
    assert re.search(r"Service level +–", screen)
    assert "– service level, answer rate, abandon rate, mean wait: no inbound call has\n" in screen
    assert "No inbound call is known." in screen
    assert "the listener was not running then" in screen
    told = _told(alovoice)
    assert told["figures"]["answer_rate_pct"]["value"] is None
    assert told["figures"]["answer_rate_pct"]["why"] == "no inbound call has ended"
    assert told["hours"] == []
    assert "Answer rate: –" in alovoice("day", "--text").out
    html5lib.HTMLParser(strict=True).parse(alovoice("day", "--html", "-").out)


def test_a_day_without_a_listener_does_not_meet_the_target_of_callers_who_are_owed_a_call(alovoice: FrontDoor) -> None:
    at(alovoice, DAY + timedelta(hours=9))
    Rows(alovoice.store_url)
    assert alovoice("config", "set", "target_owed", "0").code == 0
    owed = _told(alovoice)["figures"]["still_owed"]
    assert (owed["value"], owed["met"], owed["why"]) == (None, None, "the listener was not running")
    assert "Owed a call: –" in alovoice("day", "--text").out.splitlines()


def test_the_coverage_of_a_week_has_dates(home: FrontDoor) -> None:
    (coverage,) = [line for line in home("day", "--week", "--text").out.splitlines() if line.startswith("Coverage: ")]
    assert re.findall(r"\d\d:\d\d", coverage)
    assert len(re.findall(r"\d\d:\d\d", coverage)) == len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d", coverage)), coverage


def test_a_running_day_says_so_far_and_a_day_that_is_over_does_not(home: FrontDoor) -> None:
    assert "Mon 23 Nov 2026, so far (until 23:0" in home("day", "--text").out
    assert _told(home)["so_far"] is True
    home.later(hours=2)
    assert "so far" not in home("day", "yesterday", "--text").out
    told = _told(home, "yesterday")
    assert (told["since"], told["until"], told["so_far"]) == (
        "2026-11-23T00:00:00+05:00",
        "2026-11-24T00:00:00+05:00",
        False,
    )
    assert _told(home, "2026-11-23")["figures"] == told["figures"]


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (("2026-11-24",), "2026-11-24 has not begun"),
        (("14:30",), "'14:30' is not a valid day"),
        (("2h",), "'2h' is not a valid day"),
        (("soon",), "'soon' is not a valid day"),
        (("2026-02-30",), "is not a valid day"),
        (("--rules", "qa.toml"), "--rules works only with --week"),
        (("--text", "--html", "-"), "only one format can be printed to stdout"),
    ],
)
def test_words_that_mean_no_day_are_refused(home: FrontDoor, words: tuple[str, ...], trouble: str) -> None:
    result = home("day", *words)
    assert (result.code, result.out) == (2, "")
    assert trouble in result.err


def test_a_day_without_a_store_says_what_is_missing(alovoice: FrontDoor) -> None:
    result = alovoice("day")
    assert (result.code, result.out) == (2, "")
    assert "alovoice listen" in result.err


def test_hidden_callers_are_counted_and_not_listed(alovoice: FrontDoor, full_store: Path) -> None:
    _fill(alovoice, full_store)
    told = _told(alovoice, "yesterday")
    assert told["owed_hidden"] == 2
    assert "anonymous" not in alovoice("day", "yesterday", "--text").out + json.dumps(told)
    assert "and 2 hidden" in alovoice("day", "yesterday", "--text").out


def test_who_is_owed_a_call_waits_since_the_first_missed_call(alovoice: FrontDoor) -> None:
    at(alovoice, DAY + timedelta(hours=12))
    rows = Rows(alovoice.store_url)
    rows.call(DAY + timedelta(hours=8), "901112233", status="304")
    rows.call(DAY + timedelta(hours=9), "901112233")
    rows.call(DAY + timedelta(hours=10), "901112233", status="304")
    rows.call(DAY + timedelta(hours=10, minutes=30), "901112233", status="304", direction="out")
    rows.call(DAY + timedelta(hours=11), "901112233", status="486", peer=102)
    (caller,) = _told(alovoice)["owed"]
    assert caller["since"] == "2026-11-23T10:01:00+05:00"
    assert (caller["missed"], caller["tried"], caller["peer"]) == (2, 1, "102")
    assert 7140 <= caller["waiting_seconds"] < 7200
    assert "998901112233 since 10:01 (1 h 59 min), missed 2x, tried 1x, 102" in alovoice("day", "--text").out


def test_a_pipe_gets_lines_of_names_and_values(home: FrontDoor) -> None:
    lines = dict(line.split("\t") for line in home("day").out.splitlines())
    told = _told(home)
    assert lines["answer_rate_pct"] == str(told["figures"]["answer_rate_pct"]["value"])
    assert (lines["so_far"], lines["still_owed"]) == ("true", str(told["figures"]["still_owed"]["value"]))


def _analyse(home: FrontDoor, day: datetime, points: int) -> None:
    """Keeps an analysis of a call of this day; of its five checks `points` / 20 hold."""
    monologue = ((0, 90_000, "operator", "а"), (90_100, 91_000, "client", "б"))
    dialogue = ((0, 5000, "operator", "а"), (5100, 9000, "client", "б"))
    kept(home, "default").keep(
        f"call-{day}", answer(*(dialogue if points == 100 else monologue), begun=int(day.timestamp())), peer="101"
    )


def test_a_week_is_seven_days_with_the_scores_beside(home: FrontDoor) -> None:
    told = _told(home, "--week")
    assert [row["day"] for row in told["days"]] == [f"2026-11-{day}" for day in range(17, 24)]
    assert {row["score"] for row in told["days"]} == {None}
    assert "core" not in home("day", "--week", terminal=True).out
    _analyse(home, DAY + timedelta(hours=10), 100)
    _analyse(home, DAY - timedelta(days=1), 60)
    told = _told(home, "--week")
    scores = [row["score"] for row in told["days"]]
    assert scores[:5] == [None] * 5
    assert scores[6] == 100.0
    assert scores[5] < 100
    last = told["days"][-1]
    assert (last["offered"], last["missed"]) == (_told(home)["inbound"]["offered"], _told(home)["inbound"]["missed"])
    screen = home("day", "--week", terminal=True, environ={"NO_COLOR": "1"}).out
    assert re.search(rf"^2026-11-23\*? +{last['offered']} .* 100\.0$", screen, re.MULTILINE)
    assert re.search(r"^2026-11-17 +– .* –$", screen, re.MULTILINE), "no listener was there, and no call is known"
    assert len(screen.splitlines()) <= 23
    assert max(map(len, screen.splitlines())) <= 80
    text, page = home("day", "--week", "--text").out, _Page(home("day", "--week", "--html", "-").out).texts
    assert "score 100.0" in text
    assert page[page.index("2026-11-23") + 8] == "100.0"
    assert page[page.index("2026-11-23") + 1] == str(last["offered"])

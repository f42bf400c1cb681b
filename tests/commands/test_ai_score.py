"""`ai score`: the rules file, the points, the averages, the bar."""

import json
from typing import Any

import pytest
from front_door import FrontDoor
from speech_cases import answer, kept

RULES = """
bar = 60
[[check]]
name = "Greets"
weight = 3
say = ["assalomu alaykum", "здравствуй*"]
speaker = "operator"
within = 10
[[check]]
tag = "Прощание"
[[check]]
never_say = "нет денег"
[[check]]
measure = "talk_ratio"
at_most = 0.6
weight = 5
"""
WEEK = 7 * 86400
BEGUN = 1_716_207_617  # Monday of week 21, 2024


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    (alovoice.home / "qa.toml").write_text(RULES, "utf-8")
    store = kept(alovoice)
    good = ((0, 900, "operator", "Ассалому алайкум"), (1000, 2000, "client", "salom"))
    store.keep("good", answer(*good, tags=("прощание",), begun=BEGUN), peer="100")
    late = ((0, 900, "client", "алло"), (11_000, 11_500, "operator", "здравствуйте, нет денег"))
    store.keep("late", answer(*late, begun=BEGUN + WEEK), peer="2000")
    store.keep("silent", answer(begun=BEGUN + WEEK), peer="2000")
    return alovoice


def test_a_score_is_the_weight_of_what_holds_by_the_weight_of_what_can_be_judged(home: FrontDoor) -> None:
    result = home("ai", "score", "--rules", "qa.toml", "--json")
    assert result.code == 8, "the average of 100, 50 and 20 is below the bar of the file"
    told = json.loads(result.out)
    by_id = {call["call_id"]: call for call in told["calls"]}
    assert by_id["good"]["score"] == 100
    assert (by_id["late"]["score"], by_id["late"]["passed"]) == (50, ["talk_ratio"])
    assert (by_id["silent"]["score"], by_id["silent"]["unjudged"]) == (20, ["talk_ratio"])
    assert by_id["late"]["failed"] == ["Greets", "tag Прощание", "never_say нет денег"]
    assert told["score"] == 56.7
    assert [(one["peer"], one["calls"], one["score"], one["worst_call"]) for one in told["operators"]] == [
        ("100", 1, 100, "good"),
        ("2000", 2, 35, "silent"),
    ]
    assert [(one["week"], one["score"]) for one in told["weeks"]] == [("2024-W21", 100), ("2024-W22", 35)]
    assert told["operators"][1]["failed"]["Greets"] == 2


def test_the_bar_may_be_named_and_met(home: FrontDoor) -> None:
    assert home("ai", "score", "--rules", "qa.toml", "--fail-under", "50").code == 0
    assert home("ai", "score", "--rules", "qa.toml", "--fail-under", "57").code == 8
    assert home("ai", "score", "--rules", "qa.toml", "--peer", "100").code == 0


def test_a_pipe_gets_a_line_a_call_an_operator_or_a_week(home: FrontDoor) -> None:
    words = ("ai", "score", "--rules", "qa.toml", "--fail-under", "0")
    assert home(*words).out.splitlines()[-1] == "good\t2024-05-20 17:20\t100\t100.0\t"
    assert home(*words, "--by", "week").out.splitlines()[1] == "2024-W21\tall\t1\t100.0\t\tgood\t"
    assert home(*words, "--by", "operator").out.splitlines()[2].startswith("2000\t2\t35.0\tsilent\tGreets 2")


def test_nothing_to_score_is_said_and_is_no_failure(home: FrontDoor) -> None:
    result = home("ai", "score", "--rules", "qa.toml", "--peer", "9", "--json")
    assert (result.code, json.loads(result.out)["score"]) == (0, None)
    assert "no call was scored" in result.err


BAD = {
    "[[check]]\nsay = 'x'\nspeeker = 'operator'": "did you mean speaker?",
    "[[check]]\nsay = 'x'\nspeaker = 'boss'": "there is no speaker",
    "[[check]]\nsay = []": "empty",
    "[[check]]\nsay = '...'": "a phrase is a text in quotes",
    "[[check]]\nname = 'x'": "has nothing to check",
    "[[check]]\ntag = 'a'\nwithout_tag = 'b'": "checks several things",
    "[[check]]\nmeasure = 'dead_aer'\nat_most = 1": "did you mean dead_air?",
    "[[check]]\nmeasure = 'dead_air'": "has no bound",
    "[[check]]\nmeasure = 'dead_air'\nat_least = 2\nat_most = 1": "below at_least",
    "[[check]]\ntag = 'a'\nweight = true": "weight must be a number",
    "[[check]]\ntag = 'a'\nweight = nan": "weight must be a number",
    "[[check]]\ntag = 'a'\nweight = 0": "every check has the weight 0",
    "bar = 101\n[[check]]\ntag = 'a'": "bar must be a number from 0 to 100",
    "check = 1": "is not an array of tables",
    "": "no check",
    "[[check]": "not valid TOML",
    "chek = 1\n[[check]]\ntag = 'a'": "did you mean check?",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_with_the_rules_is_told_by_its_line(home: FrontDoor, text: str) -> None:
    (home.home / "bad.toml").write_text(text, "utf-8")
    result = home("ai", "score", "--rules", "bad.toml", "--check")
    assert result.code == 8
    assert BAD[text] in result.out
    assert "bad.toml:" in result.out
    used = home("ai", "score", "--rules", "bad.toml")
    assert (used.code, used.out) == (8, "")
    assert "--check` shows all" in used.err


def test_a_sound_file_passes_the_check_and_a_missing_one_is_2(home: FrontDoor) -> None:
    told = home("ai", "score", "--rules", "qa.toml", "--check", "--json")
    assert (told.code, json.loads(told.out)) == (0, {"ok": True, "checks": 4, "findings": []})
    assert home("ai", "score", "--rules", "nosuch.toml").code == 2
    (home.home / "latin.toml").write_bytes(b"# \xff")
    assert "the file is not UTF-8" in home("ai", "score", "--rules", "latin.toml", "--check").out


# --- set by hand -----------------------------------------------------------------------------------------------------


def _calls(home: FrontDoor, *words: str) -> dict[str, Any]:
    told = json.loads(home("ai", "score", "--rules", "qa.toml", "--json", *words).out)
    return {call["call_id"]: call for call in told["calls"]} | {"": told}


def test_a_score_set_by_hand_counts_and_the_rules_score_stands_beside(home: FrontDoor) -> None:
    home.environ["LOGNAME"] = "anvar"
    result = home("ai", "score", "late", "--set", "70", "--note", "Линия оборвалась", "--json")
    assert (result.code, json.loads(result.out)["override"]["score"]) == (0, 70), result.err
    calls = _calls(home)
    late = calls["late"]
    assert (late["score"], late["rules_score"]) == (70, 50)
    assert (late["override"]["note"], late["override"]["by"]) == ("Линия оборвалась", "anvar")
    assert abs(late["override"]["at"] - kept(home)._now().timestamp()) < 3600
    assert calls["good"]["override"] is None
    assert (calls[""]["score"], calls[""]["rules_score"], calls[""]["overridden"]) == (63.3, 56.7, 1)
    assert calls[""]["operators"][1]["score"] == 45
    shown = home("ai", "score", "--rules", "qa.toml", "--csv").out.splitlines()
    assert shown[0] == "call_id,began,peer,score,rules_score,failed,note"
    assert "late,2024-05-27 17:20,2000,70.0,50.0," in shown[2]
    assert "Линия оборвалась" in shown[2]
    told = home("ai", "score", "--rules", "qa.toml", terminal=True)
    assert "average 63.3 (set by hand: 1; by rules 56.7)" in told.err
    report = json.loads(home("ai", "report", "--rules", "qa.toml", "--json").out)
    assert (report["score"], report["rules_score"], report["overridden"]) == (63.3, 56.7, 1)
    assert [(one["call_id"], one["score"], one["rules_score"]) for one in report["set_by_hand"]] == [("late", 70, 50)]
    words = ("ai", "report", "--rules", "qa.toml", "--by", "operator", "--no-headers")
    assert "2000\t2\t45.0\t35.0\t" in home(*words).out
    assert home("ai", "report", "--rules", "qa.toml", "--html", "r.html").code == 0
    page = (home.home / "r.html").read_text("utf-8")
    assert '>late</td><td class="number">70.0</td><td class="number">50.0</td><td>anvar</td><td>Линия' in page
    assert "By rules alone" in page


def test_a_score_set_by_hand_outlives_another_fetch_and_can_be_removed(home: FrontDoor) -> None:
    home("ai", "score", "late", "--set", "70", "--note", "a")
    kept(home).keep("late", answer((0, 900, "client", "алло"), begun=BEGUN + WEEK))
    assert _calls(home)["late"]["score"] == 70
    home("ai", "score", "late", "--set", "0", "--note", "b")
    assert _calls(home)["late"]["override"]["note"] == "b"
    rehearsed = home("ai", "score", "late", "--unset", "--dry-run")
    assert "rules would decide the score of call late again" in rehearsed.out + rehearsed.err
    assert json.loads(home("ai", "score", "late", "--unset", "--json").out)["unset"]
    assert _calls(home)["late"]["override"] is None
    assert not json.loads(home("ai", "score", "late", "--unset", "--json").out)["unset"]


def test_a_score_of_one_call(home: FrontDoor) -> None:
    assert set(_calls(home, "good")) == {"good", ""}
    assert home("ai", "score", "nosuch", "--rules", "qa.toml").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("late", "--set", "70"), ("late", "--set", "70", "--note", " "), ("late", "--set", "101", "--note", "x"),
        ("late", "--set", "nan", "--note", "x"), ("late", "--set", "-1", "--note", "x"), ("--set", "70", "--note", "x"),
        ("nosuch", "--set", "70", "--note", "x"), ("nosuch", "--unset"), ("--unset",), ("late", "--note", "x"),
        ("late", "--set", "70", "--unset", "--note", "x"), ("late",), (), ("late", "--set", "70", "--note", "x" * 2001),
    ],
)  # fmt: skip
def test_an_override_that_cannot_be_meant_is_refused(home: FrontDoor, words: tuple[str, ...]) -> None:
    result = home("ai", "score", *words)
    assert (result.code, result.out) == (2, "")
    assert _calls(home)["late"]["override"] is None


def test_dry_run_sets_nothing_and_prune_forgets_notes(home: FrontDoor) -> None:
    assert home("ai", "score", "late", "--set", "70", "--note", "maxfiy", "--dry-run").code == 0
    assert _calls(home)["late"]["override"] is None
    home("ai", "score", "late", "--set", "70", "--note", "maxfiy")
    home("ai", "prune", "--older-than", "30d", "--yes")
    left = b"".join(path.read_bytes() for path in (home.home / "state").iterdir())
    assert b"maxfiy" not in left


# --- weeks -----------------------------------------------------------------------------------------------------------


def test_weeks_show_the_trend_of_each_operator(home: FrontDoor) -> None:
    kept(home).keep("back", answer((0, 900, "client", "salom"), begun=BEGUN), peer="2000")
    lines = home("ai", "report", "--rules", "qa.toml", "--by", "week", "--columns", "group,peer,calls,score,change").out
    assert lines.splitlines() == [
        "group\tpeer\tcalls\tscore\tchange",
        "2024-W21\tall\t2\t80.0\t",
        "2024-W22\tall\t2\t35.0\t-45.0",
        "2024-W21\t100\t1\t100.0\t",
        "2024-W21\t2000\t1\t60.0\t",
        "2024-W22\t2000\t2\t35.0\t-25.0",
    ]
    told = json.loads(home("ai", "report", "--rules", "qa.toml", "--by", "week", "--json").out)
    assert [(one["group"], one["peer"], one["change"]) for one in told["groups"]][-1] == ("2024-W22", "2000", -25)
    score = json.loads(home("ai", "score", "--rules", "qa.toml", "--json").out)
    assert [(one["week"], one["peer"], one["score"]) for one in score["operator_weeks"]] == [
        ("2024-W21", "100", 100),
        ("2024-W21", "2000", 60),
        ("2024-W22", "2000", 35),
    ]
    assert home("ai", "report", "--rules", "qa.toml", "--html", "r.html").code == 0
    page = (home.home / "r.html").read_text("utf-8")
    assert page.count("<svg") == 4
    assert "-25.0" in page


def test_weeks_are_iso_weeks_of_the_profiles_zone(home: FrontDoor) -> None:
    sunday = 1_735_500_600  # 2024-12-29 19:30 UTC: Monday 00:30 in Tashkent, of the first week of 2025
    kept(home).keep("new", answer((0, 900, "client", "salom"), begun=sunday), peer="7")
    out = home("ai", "report", "--by", "week", "--peer", "7", "--columns", "group", "--no-headers").out
    assert out.split() == ["2025-W01", "2025-W01"]


# --- the example -----------------------------------------------------------------------------------------------------


def test_the_example_file_passes_the_check_without_a_finding_and_is_not_overwritten(home: FrontDoor) -> None:
    assert home("ai", "score", "--init").code == 0
    told = json.loads(home("ai", "score", "--rules", "scores.toml", "--check", "--json").out)
    assert (told["ok"], told["findings"]) == (True, [])
    assert home("ai", "score", "--rules", "scores.toml", "--fail-under", "0").code == 0
    (home.home / "scores.toml").write_text("mine", "utf-8")
    assert home("ai", "score", "--init").code == 2
    assert (home.home / "scores.toml").read_text("utf-8") == "mine"
    assert home("ai", "score", "--init", "o'zim.toml").code == 0
    assert home("ai", "score", "--rules", "o'zim.toml", "--check").code == 0
    assert home("ai", "score", "--init", "no/such/folder.toml").code == 2

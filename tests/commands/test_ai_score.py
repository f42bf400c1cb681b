"""`ai score`: the rules file, the points, the averages, the bar."""

import json
from pathlib import Path

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
    "[[check]]\nsay = '...'": "no text for a phrase",
    "[[check]]\nname = 'x'": "says nothing to check",
    "[[check]]\ntag = 'a'\nwithout_tag = 'b'": "checks several things",
    "[[check]]\nmeasure = 'dead_aer'\nat_most = 1": "did you mean dead_air?",
    "[[check]]\nmeasure = 'dead_air'": "has no bound",
    "[[check]]\nmeasure = 'dead_air'\nat_least = 2\nat_most = 1": "below at_least",
    "[[check]]\ntag = 'a'\nweight = true": "weight is no number",
    "[[check]]\ntag = 'a'\nweight = nan": "weight is no number",
    "[[check]]\ntag = 'a'\nweight = 0": "no check weighs anything",
    "bar = 101\n[[check]]\ntag = 'a'": "bar is no number from 0 to 100",
    "check = 1": "no array of tables",
    "": "no check",
    "[[check]": "no TOML",
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
    assert "no UTF-8" in home("ai", "score", "--rules", "latin.toml", "--check").out


def test_the_example_in_the_docstring_is_sound(home: FrontDoor) -> None:
    from alovoice_cli.speech import score_rules as rules

    (home.home / "example.toml").write_text(rules.EXAMPLE, "utf-8")
    assert home("ai", "score", "--rules", "example.toml", "--check").code == 0
    assert Path(rules.__file__).exists()

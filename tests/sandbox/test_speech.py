"""Analyses and recordings of the simulated PBX."""

import io
import re
import wave
from pathlib import Path
from typing import Any

import pytest

from alovoice_cli.sandbox.scenario import shipped

from .conftest import Mounted

RESULT = "/callgetaireresult/{token}/"
SEND = "/callsendai/{token}/"


def test_an_analysis_becomes_ready_after_a_while(pbx: Mounted) -> None:
    before = pbx.get(RESULT + "42")["answer"]
    assert list(before) == ["begin_time", "stereoaudio"]
    sent = pbx.get(SEND + "42")["answer"]
    assert list(sent) == ["begin_time", "aicallid", "stereoaudio"]
    pbx.wait(seconds=19)
    assert pbx.get(RESULT + "42")["answer"] == sent
    pbx.wait(seconds=1)
    ready = pbx.get(RESULT + "42")["answer"]
    assert list(ready) == ["begin_time", "aicallid", "stalk", "tags", "stereoaudio"]
    assert {key: ready[key] for key in sent} == sent
    assert before["begin_time"] == sent["begin_time"]


def test_asking_for_a_result_starts_nothing(pbx: Mounted) -> None:
    pbx.get(RESULT + "42")
    pbx.wait(hours=1)
    assert "stalk" not in pbx.get(RESULT + "42")["answer"]


def test_sending_twice_starts_one_analysis(pbx: Mounted) -> None:
    first = pbx.get(SEND + "42")
    pbx.wait(seconds=30)
    assert pbx.get(SEND + "42") == first
    assert "stalk" in pbx.get(RESULT + "42")["answer"], "the second sending must not begin it anew"


def test_the_literal_of_the_samples_has_the_vendors_own_dialogue(pbx: Mounted) -> None:
    pbx.get(SEND + "CALL_ID")
    pbx.wait(minutes=1)
    answer = pbx.get(RESULT + "CALL_ID")["answer"]
    assert answer == {**shipped().vendor_dialogue, "stereoaudio": "/stereo/CALL_ID"}


def test_the_same_seed_gives_the_same_talk_and_ids_and_another_one_others(pbx: Mounted, tmp_path: Path) -> None:
    mounted = type(pbx)
    answers = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        other = mounted(tmp_path / name / "sandbox.db", seed=seed)
        other.get(SEND + "42")
        other.wait(minutes=1)
        answers.append(other.get(RESULT + "42"))
    assert answers[0] == answers[1] != answers[2]


def test_many_calls_meet_every_dialogue(pbx: Mounted) -> None:
    scenario = shipped()
    opening = {scenario.dialogue_for(998, str(number))["stalk"][0]["text"] for number in range(100)}
    assert opening == {dialogue["fragments"][0]["text"] for dialogue in scenario.dialogues}


@pytest.mark.parametrize("place", range(len(shipped().dialogues)))
def test_a_dialogue_is_a_talk_of_two_with_tags_that_stand_in_it(place: Any) -> None:
    dialogue = shipped().dialogues[place]
    said = dialogue["fragments"]
    assert 8 <= len(said) <= 20
    assert {fragment["direction"] for fragment in said} == {"operator", "client"}
    assert all(fragment["begin"] < fragment["end"] for fragment in said)
    assert [fragment["begin"] for fragment in said] == sorted(fragment["begin"] for fragment in said)
    placed = [tag for tag in dialogue["tags"] if "line" in tag]
    assert len(placed) >= 3
    assert all(tag["match_text"] in said[tag["line"]]["text"] for tag in placed)


def test_the_dialogues_speak_uzbek_in_both_scripts_and_russian() -> None:
    dialogues = shipped().dialogues
    texts = {d["language"]: " ".join(f["text"] for f in d["fragments"]) for d in dialogues}
    assert len(dialogues) >= 6
    assert {"uz-Latn", "uz-Cyrl", "ru"} <= set(texts)
    everything = " ".join(" ".join(f["text"] for f in d["fragments"]) for d in dialogues)
    assert all(letter in everything for letter in ("o'", "oʻ", "ў", "қ", "ҳ", "ё"))


def test_fragment_ids_are_24_hexadecimal_digits_and_each_its_own() -> None:
    stalk = shipped().dialogue_for(998, "42")["stalk"]
    ids = {fragment["fragment_id"] for fragment in stalk}
    assert len(ids) == len(stalk)
    assert all(re.fullmatch("[0-9a-f]{24}", one) for one in ids)


def test_a_recording_is_stereo_sound_as_long_as_the_talk(pbx: Mounted) -> None:
    answer = pbx.ask("GET", "/stereo/42")
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
        seconds = sound.getnframes() / 8000
        frames = sound.readframes(sound.getnframes())
    stalk = shipped().dialogue_for(998, "42")["stalk"]
    assert abs(seconds - stalk[-1]["end"] / 1000 - 0.5) < 0.05
    middle = (stalk[0]["begin"] + stalk[0]["end"]) // 2 // 20 * 20 * 16
    left, right = frames[middle : middle + 320 : 2], frames[middle + 1 : middle + 320 : 2]
    assert stalk[0]["direction"] == "operator"
    assert set(right) == {0x80} != set(left), "the operator is heard on the left"


def test_a_recording_asks_for_the_token(pbx: Mounted) -> None:
    assert pbx.ask("GET", "/stereo/42", headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("call_id", ["%20", "a%0ab", "x" * 65, "қ", "..%2f..%2fx", "%00"])
def test_what_is_no_call_id_is_refused(pbx: Mounted, call_id: str) -> None:
    for path in (SEND, RESULT):
        answer = pbx.ask("GET", path.replace("{token}", "22dfbb22-d073-4422-b322-22949d14a022") + call_id)
        assert answer.status_code in (400, 404)

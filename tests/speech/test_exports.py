"""The forms of a talk: golden files, read by a person; subtitles as ffmpeg reads them; what may be in no form."""

import json
import re
import shutil
import subprocess
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from speech_cases import VENDOR, answer, kept, sandbox_answer
from strength import examples

from alovoice_cli.html_page import page
from alovoice_cli.speech.exports import as_srt, as_vtt, cues, talk_section
from alovoice_cli.speech.measures import measure
from alovoice_cli.speech.number_masking import mask_numbers
from alovoice_cli.speech.report_page import report_page
from alovoice_cli.speech.score import DEFAULT_RULES, SpeechReport
from alovoice_cli.speech.talk import ScoreOverride, marks, read_talk

GOLDEN = Path(__file__).parent / "golden"
FORMS = {"text": "txt", "json": "json", "md": "md", "srt": "srt", "vtt": "vtt", "csv": "csv", "html": "html"}
SAMPLES: dict[str, Any] = {"vendor": VENDOR, "sandbox": sandbox_answer()}
HOSTILE = "\x1b[2J\x9b31m\u202e\x00<script>alert(1)</script>\n\n00:00:01,000 --> 00:00:02,000 {\\an8}=1+1|*x*"
ARMED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    for name, sample in SAMPLES.items():
        kept(alovoice).keep(name, sample)
    return alovoice


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_each_form_is_as_its_golden_file(home: FrontDoor, sample: str, form: str) -> None:
    result = home("ai", "show", sample, "--format", form)
    assert result.code == 0, result.err
    told = re.sub(r"(?<=<style>\n).*(?=</style>)", "", result.out, flags=re.DOTALL)  # its look is for eyes
    assert told == (GOLDEN / f"{sample}.{FORMS[form]}").read_text("utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_holds_what_the_pipe_would(home: FrontDoor, form: str) -> None:
    name = f"talk.{FORMS[form]}"
    assert home("ai", "show", "sandbox", "-o", name).code == 0
    written = home.home / name
    assert written.stat().st_mode & 0o777 == 0o600
    shown = home("ai", "show", "sandbox", "--format", form).out
    if form == "json":
        assert json.loads(written.read_text("utf-8")) == json.loads(shown) == SAMPLES["sandbox"]
    else:
        assert written.read_text("utf-8") == shown
    again = home("ai", "show", "sandbox", "-o", name)
    assert (again.code, "already exists" in again.err) == (2, True)
    assert home("ai", "show", "sandbox", "-o", name, "--force").code == 0


def test_several_calls_go_into_a_folder_or_one_page(home: FrontDoor) -> None:
    (home.home / "out").mkdir()
    assert home("ai", "show", *SAMPLES, "--format", "srt").code == 2
    assert home("ai", "show", *SAMPLES, "--format", "srt", "-o", "out").code == 0
    assert {path.name for path in (home.home / "out").iterdir()} == {"vendor.srt", "sandbox.srt"}
    together = home("ai", "show", *SAMPLES, "--format", "html").out
    assert together.count("<section") == 2
    rows = home("ai", "show", *SAMPLES, "--csv").out.splitlines()
    assert rows[0].startswith("call_id,")
    assert {row.partition(",")[0] for row in rows[1:]} == set(SAMPLES)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("ending", ["srt", "vtt"])
@pytest.mark.parametrize("hostile", [False, True])
def test_a_player_reads_every_cue_with_its_times_and_speaker(tmp_path: Path, ending: str, hostile: bool) -> None:
    sample = SAMPLES["sandbox"]
    if hostile:
        sample = answer((500, 400, "operator", HOSTILE), (-5, 900, "client", HOSTILE), (600, 5000, "client", "а - б"))
    talk = read_talk("1", sample)
    assert talk is not None
    path = tmp_path / f"talk.{ending}"
    path.write_text(as_srt(talk) if ending == "srt" else as_vtt(talk), "utf-8")
    told = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-f", "ass", "-"], capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    lines = [line for line in told.stdout.splitlines() if line.startswith("Dialogue:")]
    wanted = list(cues(talk))
    assert len(lines) == len(wanted)
    for line, cue in zip(lines, wanted, strict=True):
        assert _centiseconds(line.split(",")[1]) == pytest.approx(cue.begin_ms / 10, abs=1)
        assert _centiseconds(line.split(",")[2]) == pytest.approx(cue.end_ms / 10, abs=1)
        if ending == "srt":
            assert f"{cue.speaker}: " in line
    if ending == "vtt":
        assert path.read_text("utf-8").count("<v ") == len(wanted)


def _centiseconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 100


def test_overlapping_phrases_stay_apart() -> None:
    talk = read_talk("1", answer((0, 5000, "operator", "раз"), (1000, 2000, "client", "два")))
    assert talk is not None
    first, second = cues(talk)
    assert (first.begin_ms, first.end_ms, second.begin_ms, second.end_ms) == (0, 5000, 1000, 2000)


class _Watch(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_was_said_leaves_a_form_armed(home: FrontDoor, form: str) -> None:
    tag = {"name": HOSTILE, "fragment_id": "f0", "match_text": "alert(1)", "begin": 0}
    kept(home).keep("1", answer((0, 9, HOSTILE, HOSTILE), (1, 5, "client", "=cmd|x"), tags=(tag,)))
    out = home("ai", "show", "1", "--format", form).out
    assert not ARMED.search(out)
    if form == "html":
        watch = _Watch()
        watch.feed(out)
        assert "script" not in watch.tags
        assert not {name for name in watch.attributes if name.startswith("on")}
    if form == "csv":
        assert "'=cmd|x" in out
    if form in ("md", "vtt"):
        assert "<script" not in out.replace("\\<script", "")
    if form == "md":
        assert "\\*x\\*" in out


def test_numbers_are_hidden_in_every_form(home: FrontDoor) -> None:
    spoken = "to'qson bir ikki uch"
    kept(home).keep("1", answer((0, 900, "client", f"номер 90 123-45-67 {spoken} rahmat")))
    for form in FORMS:
        out = home("ai", "show", "1", "--format", form, "--mask-numbers").out
        assert "123" not in out, form
        assert "bir ikki" not in out, form
        assert "rahmat" in out, form
    for words in ((), ("--json",)):
        out = home("ai", "show", "1", "--mask-numbers", *words).out
        assert "rahmat" in out
        assert "123" not in out
    assert "123" in home("ai", "show", "1", "--json").out


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("+998 90 123 45 67", "+••• •• ••• •• 67"),
        ("8600 1234 5678 9012", "•••• •••• •••• ••12"),
        ("до 2025 года 15 штук", "до 2025 года 15 штук"),
        ("девяносто один сто двадцать три", "•••"),
        ("тўқсон бир бир юз йигирма", "•••"),
        ("двадцать пять тысяч сум", "двадцать пять тысяч сум"),
        ("ikki ming besh", "ikki ming besh"),
    ],
)
def test_a_phone_is_hidden_and_a_price_is_not(said: str, shown: str) -> None:
    assert mask_numbers(said) == shown


# --- whatever the server says ----------------------------------------------------------------------------------------

_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**7),
    st.floats(),
    st.text(max_size=8),
    st.just([]),
    st.just(10**400),
)
_FRAGMENT = st.dictionaries(
    st.sampled_from(["begin", "end", "direction", "text", "fragment_id", "name", "match_text"]),
    st.one_of(_VALUE, st.sampled_from(["operator", "client", "f1", HOSTILE])),
)
ANSWER = st.fixed_dictionaries({"stalk": st.lists(st.one_of(_FRAGMENT, _VALUE), max_size=12)}).flatmap(
    lambda inner: st.lists(st.one_of(_FRAGMENT, _VALUE), max_size=6).map(
        lambda tags: {"answer": {**inner, "tags": tags}}
    )
)


@examples(80)
@given(ANSWER)
def test_any_stalk_and_tags_are_read_measured_and_shown(sample: dict[str, Any]) -> None:
    talk = read_talk("1", sample)
    assert talk is not None
    figures = measure(talk)
    assert min(figures.silence_ms, figures.overlap_ms, figures.operator_ms) >= 0
    assert figures.talk_ratio is None or 0 <= figures.talk_ratio <= 1
    for cue in cues(talk):
        assert 0 <= cue.begin_ms < cue.end_ms < 360_000_000
    assert as_srt(talk).count(" --> ") == as_vtt(talk).count(" --> ") == len(list(cues(talk)))
    for part in talk.fragments:
        places = [place for mark in marks(part) for place in mark]
        assert places == sorted(places)
    watch = _Watch()
    watch.feed(page("x", [talk_section(talk, UTC)]))
    assert "script" not in watch.tags


def test_ten_thousand_phrases_are_read_in_one_go() -> None:
    phrases = [(i * 100, i * 100 + 90, ("operator", "client")[i % 2], f"so'z {i}") for i in range(10_000)]
    talk = read_talk("1", answer(*phrases))
    assert talk is not None
    assert len(list(cues(talk))) == len(talk.fragments) == 10_000
    assert measure(talk).talk_ratio == 0.5


def test_the_page_of_a_report_says_how_many_scores_set_by_hand_it_leaves_out() -> None:
    report = SpeechReport(DEFAULT_RULES)
    talk = read_talk("8001", VENDOR)
    assert talk is not None
    for number in range(203):
        report.add(talk, None, ScoreOverride(70, f"note {number}", "anvar", 0))
    shown = report_page("Speech", report, {}, UTC, by_rules="by the times alone")
    assert "note 199<" in shown
    assert "note 200<" not in shown
    assert "and 3 more" in shown

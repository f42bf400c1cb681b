"""`alovoice events certify` through the front door: the report in each form, the exit codes, what is never shown."""

import json
import re
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from crm import Asked, Crm, served
from front_door import FrontDoor

from alovoice_cli.events.certify import trial
from alovoice_cli.events.certify.runner import all_cases

SECRET = "0123456789abcdef0123456789abcdef"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How busy this machine is must not grade a handler."""
    monkeypatch.setattr(trial, "SLOW_SECONDS", 60)
    monkeypatch.setattr(trial, "LATE_SECONDS", 60)


def _troubles(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The cases that did not pass."""
    cases: list[dict[str, Any]] = report["cases"]
    return [case for case in cases if case["grade"] != "pass"]


def _numbers_alone(asked: Asked) -> tuple[int, bytes]:
    """Registers calls of whole numbers only; answers routes as the PBX cannot read them."""
    if asked.kind == "route":
        return 200, b'{"action_type": "queue", "action_data": 6000}'
    if asked.kind == "callstart":
        assert isinstance(asked.value()["inner_phone"], int)
        return 200, str(abs(hash(asked.body)) % 10**12).encode()
    return 200, b"true"


def test_a_good_handler_is_certified_whole_in_one_run(alovoice: FrontDoor) -> None:
    with served() as crm:
        result = alovoice("events", "certify", f"{crm.url}/h/{SECRET}", "--json")
        assert {asked.path.rpartition("/")[0] for asked in crm.asked} == {f"/h/{SECRET}"}
    report = json.loads(result.out)
    assert (len(report["cases"]), _troubles(report)) == (len(all_cases()), [])
    assert (result.code, result.err, report["certified"]) == (0, "", True)
    assert {"case", "grade", "need", "area", "type", "sends", "sent", "slowest_ms", "finding"} == set(
        report["cases"][0]
    )
    assert SECRET not in result.out + result.err
    assert report["url"].endswith("/h/••••cdef")


def test_a_required_case_that_fails_is_exit_8_in_every_form(alovoice: FrontDoor) -> None:
    words = ("events", "certify", "--only", "start", "--only", "route")
    with served(_numbers_alone) as crm:
        piped = alovoice(*words, crm.url)
        told = alovoice(*words, crm.url, "--json")
        csv = alovoice(*words, crm.url, "--csv", "--columns", "case,grade")
    assert (piped.code, told.code, csv.code) == (8, 8, 8)
    grades = dict(line.split(",") for line in csv.out.splitlines()[1:])
    failed = {name for name, grade in grades.items() if grade == "fail"}
    routes = {case.name for case in all_cases() if case.kind == "route" and case.need == "required"}
    assert failed == {"start-text-numbers", *routes}
    warned = {name for name, grade in grades.items() if grade == "warn"}
    assert warned == {"start-bare", "start-form", "route-unknown-field"}
    assert json.loads(told.out)["failed"] == len(failed)
    (line,) = (line for line in piped.out.splitlines() if line.startswith("start-text-numbers"))
    assert line.endswith('\tIt answered 500; it should read "2424" the same as 2424.')


def test_the_report_on_a_terminal_fits_and_says_what_to_do(alovoice: FrontDoor) -> None:
    with served(_numbers_alone) as crm:
        result = alovoice("events", "certify", crm.url, "--only", "start", "--only", "route-out", terminal=True)
    plain = alovoice("events", "certify", "--dry-run", terminal=True, environ={"NO_COLOR": "1"})
    assert result.code == 8
    for text in (result.out, plain.out):
        shown = _without_colours(text).splitlines()
        assert max(map(len, shown)) <= 80
    shown_text = _without_colours(result.out)
    assert '\n    It answered 500; it should read "2424" the same as 2424.\n' in shown_text
    assert "  ✗ start-text-numbers" in shown_text
    assert "  ✓ start-documented" in shown_text
    assert "\x1b[" in result.out
    assert "\x1b[" not in plain.out
    assert shown_text.rstrip().splitlines()[-1].startswith("✗ not certified: ")


def test_a_terminal_that_is_not_utf8_gets_marks_of_ascii(alovoice: FrontDoor) -> None:
    with served(_numbers_alone) as crm:
        result = alovoice(
            "events",
            "certify",
            crm.url,
            "--only",
            "route-out",
            terminal=True,
            encoding="cp1251",
            environ={"NO_COLOR": "1"},
        )
    assert "  x route-out" in result.out
    assert "\\u" not in result.out


def test_junit_is_what_a_ci_server_reads(alovoice: FrontDoor) -> None:
    file = alovoice.home / "report.xml"
    with served(_numbers_alone) as crm:
        words = ("--callstart", f"{crm.url}/callstart", "--route", f"{crm.url}/route?key=s3cret", "--junit", str(file))
        result = alovoice("events", "certify", *words, "--only", "start", "--only", "route", "--only", "end-documented")
    assert result.code == 8
    root = ElementTree.parse(file).getroot()
    assert (root.tag, root.get("errors")) == ("testsuites", "0")
    suites = {suite.get("name", "").rpartition(" ")[2]: suite for suite in root}
    assert set(suites) == {"callstart", "callend", "route"}
    for suite in suites.values():
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    assert root.get("tests") == str(len(root.findall("testsuite/testcase")))
    (skipped,) = suites["callend"].findall("testcase/skipped")
    assert skipped.get("message") == "there is no URL for callend"
    messages = [failure.get("message", "") for failure in suites["route"].findall("testcase/failure")]
    assert "would be disconnected" in messages[0]
    assert suites["callstart"].findall("testcase/system-out")
    assert "s3cret" not in file.read_text("utf-8")


def test_an_answer_full_of_control_characters_harms_neither_report(alovoice: FrontDoor) -> None:
    file = alovoice.home / "report.xml"
    with served(lambda asked: (200, b"\x1b[2J\x00\xe2\x80\xae</failure>")) as crm:
        result = alovoice("events", "certify", crm.url, "--only", "route-out", "--junit", str(file), terminal=True)
    assert result.code == 8
    assert "\x1b[2J" not in result.out
    ElementTree.parse(file)


def test_a_handler_that_is_not_there_is_exit_5_and_a_file_that_cannot_be_is_exit_2(alovoice: FrontDoor) -> None:
    unreached = alovoice("events", "certify", f"http://127.0.0.1:1/h/{SECRET}")
    assert unreached.code == 5
    assert "the handler does not answer: connection refused" in unreached.err
    assert SECRET not in unreached.err
    with served() as crm:
        result = alovoice("events", "certify", crm.url, "--junit", str(Path("no") / "such" / "dir.xml"))
        assert (result.code, crm.asked) == (2, [])


def test_a_run_that_reaches_nobody_leaves_an_earlier_report_alone(alovoice: FrontDoor) -> None:
    file = alovoice.home / "report.xml"
    file.write_text("<before/>")
    assert alovoice("events", "certify", "http://127.0.0.1:1/", "--junit", str(file)).code == 5
    assert file.read_text() == "<before/>"
    file.unlink()
    assert alovoice("events", "certify", "http://127.0.0.1:1/", "--junit", str(file)).code == 5
    assert not file.exists()


@pytest.mark.parametrize(
    "words", [(), ("--only", "nosuch"), ("ftp://x",), ("http://127.0.0.1", "--callend", "nonsense")]
)
def test_wrong_words_send_nothing(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    assert alovoice("events", "certify", *words).code == 2


def test_a_rehearsal_lists_the_cases_and_sends_nothing(alovoice: FrontDoor) -> None:
    with served() as crm:
        result = alovoice("events", "certify", crm.url, "--dry-run", "--json")
        assert crm.asked == []
    cases = json.loads(result.out)
    assert [case["case"] for case in cases] == [case.name for case in all_cases()]
    assert all(case["finding"].startswith("It should ") for case in cases)


def test_a_slow_answer_is_a_warning_that_says_so(alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SLOW_SECONDS", 0.25)

    def slow(asked: Asked) -> tuple[int, bytes]:
        time.sleep(0.3)
        return good(asked)

    good = Crm()
    with served(slow) as crm:
        result = alovoice("events", "certify", crm.url, "--only", "route-out", "--json")
        late = alovoice("events", "certify", crm.url, "--only", "route-out", "--json", "--timeout", "0.05")
    (case,) = json.loads(result.out)["cases"]
    assert (result.code, case["grade"]) == (0, "warn")
    assert re.fullmatch(
        r"It took \d+\.\d s; it should answer first and work afterwards: a caller is waiting\.", case["finding"]
    )
    assert late.code == 5


def test_our_own_listener_is_certified_without_a_warning(alovoice: FrontDoor) -> None:
    listener = alovoice.start("listen", "--port", "0", "--json", "--fallback", "queue:6000")
    assert listener.stdout is not None
    try:
        urls = json.loads(listener.stdout.readline())["urls"]
        report = json.loads(alovoice("events", "certify", urls["callstart"], "--json").out)
    finally:
        listener.terminate()
        listener.communicate(timeout=60)
    assert _troubles(report) == []
    assert json.loads(alovoice("events", "list", "--json").out) == []
    listed = alovoice("events", "list", "--limit", "0", "--with-trials").out.splitlines()
    assert len(listed) - 1 == sum(case["sent"] for case in report["cases"])

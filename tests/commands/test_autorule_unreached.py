"""`autorule report --unreached`: whom to call again, and who may have been reached."""

import csv
import io
import json
import shlex
import stat
from datetime import timedelta

import pytest
from front_door import FrontDoor
from reported_campaign import (
    call_people,
    campaign_rows,
    create_campaign,
    opening_of,
    pass_day,
    report_json,
    tell_result,
)


@pytest.fixture
def home(report_home: FrontDoor) -> FrontDoor:
    return report_home


def test_whom_to_call_again_is_a_list_for_the_next_campaign(home: FrontDoor) -> None:
    call_people(home)
    pass_day(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert result.code == 0, result.err
    again = home.home / "again.csv"
    assert stat.S_IMODE(again.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(again.read_text("utf-8")), delimiter=";"))
    assert rows == [
        ["ism", "telefon", "izoh"],
        ["Вали; катта", "+49301234567", "'@home"],
        ["Ҳасан", "998901110003", "икки\nқатор"],
        ["Зуҳра", "901110006", "+1"],
    ]
    before = again.read_bytes()
    refused = home("autorule", "report", "124", "--unreached", "again.csv")
    assert refused.code == 2
    assert "already exists" in refused.err
    assert again.read_bytes() == before
    assert home("autorule", "report", "124", "--unreached", "again.csv", "--force").code == 0
    create_campaign(home, "--recipients", "again.csv", "--name", "Куз 2")
    (second, _) = json.loads(home("autorule", "list", "--json").out)
    assert [row["number"] for row in report_json(home, campaign=second["id"])["list"]] == [
        *("49301234567", "998901110003", "998901110006")
    ]


def test_nobody_who_may_have_been_reached_is_called_again_unless_that_is_asked_for(home: FrontDoor) -> None:
    call_people(home)
    tell_result(home, "+998901110003", 20, "SOMETHING")  # the second try of one who was busy
    pass_day(home, listened=False)
    report = report_json(home)
    assert {row["cell"]: row["category"] for row in report["list"] if row["category"] in ("busy", "unknown")} == {
        "+998 90 111-00-03": "busy",
        "901110006": "unknown",
    }
    assert home("autorule", "report", "124", "--unreached", "again.csv").code == 0
    assert (home.home / "again.csv").read_text("utf-8").count("\n") == 2
    more = home("autorule", "report", "124", "--unreached", "again.csv", "--include", "unknown", "--force")
    assert more.code == 0, more.err
    text = (home.home / "again.csv").read_text("utf-8")
    assert "901110006" in text
    assert "998901110003" in text
    assert "901110001;" not in text
    assert "901110005" not in text


def test_the_command_for_the_next_campaign_can_be_pasted_whatever_the_file_is_called(home: FrontDoor) -> None:
    call_people(home)
    done = home("autorule", "report", "124", "--unreached", "yana qo'ng'iroq.csv")
    assert done.code == 0, done.err
    line = done.err.partition("`")[2].partition("`")[0]
    assert shlex.split(line) == ["alovoice", "autorule", "create", "--recipients", "yana qo'ng'iroq.csv"]


def test_a_call_without_a_time_or_with_two_ends_may_have_reached_somebody(home: FrontDoor) -> None:
    create_campaign(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    tell_result(home, "901110001", 1, "ANSWER", 30, begin_time=None, answer_time=None, end_time=None)
    begin = opening_of(home) + timedelta(minutes=5)
    own = campaign_rows(home).call(begin, "901110003", status="200", direction="out", peer=0)
    campaign_rows(home).deliver(
        "callend", begin + timedelta(minutes=2), {"call_id": own, "status_code": 480, "duration": 0}
    )
    pass_day(home)
    assert [row["category"] for row in report_json(home)["list"]] == [
        *("unknown", "not_tried", "no_answer", "duplicate", "invalid", "excluded", "not_tried")
    ]
    done = home("autorule", "report", "124", "--unreached", "again.csv")
    assert "2 rows are left out" in done.err.replace("\n", " ")
    text = (home.home / "again.csv").read_text("utf-8")
    assert "901110006" in text
    assert "901110001" not in text
    assert "111-00-03" not in text
    assert "998901110003" not in text


def test_a_campaign_of_which_no_call_is_known_is_not_called_again_without_a_warning(home: FrontDoor) -> None:
    create_campaign(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    pass_day(home)
    done = home("autorule", "report", "124", "--unreached", "again.csv")
    assert done.code == 0
    assert "no call of this campaign is known" in done.err.replace("\n", " ")


def test_with_nobody_to_call_again_no_file_is_written(home: FrontDoor) -> None:
    create_campaign(home, "--recipient", "901110001")
    tell_result(home, "901110001", 1, "ANSWER", 30)
    pass_day(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert result.code == 0
    assert "there is nobody to call again" in result.err
    assert not (home.home / "again.csv").exists()


def test_a_campaign_that_goes_on_is_named_when_rows_are_written(home: FrontDoor) -> None:
    call_people(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert "is not over and still calls these rows" in result.err


def test_a_category_that_include_does_not_take_is_named(home: FrontDoor) -> None:
    create_campaign(home, "--recipient", "901110001")
    result = home("autorule", "report", "124", "--unreached", "x.csv", "--include", "excluded")
    assert result.code == 2
    assert "is not one of short, unknown, ambiguous" in result.err

"""Files to start from: `sandbox sample`, whose commands work as they are pasted, and `route init`."""

import json
import shlex
import tomllib
from datetime import UTC, datetime

import pytest
from front_door import FrontDoor


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    return alovoice


@pytest.mark.parametrize(
    ("moment", "times"), [("2027-01-01T03:00+05:00", 2), ("2027-01-03T23:58+05:00", 1), ("2027-01-05T12:00+05:00", 1)]
)
def test_each_command_of_the_sample_works_at_any_hour_and_again(home: FrontDoor, moment: str, times: int) -> None:
    home.ahead = datetime.fromisoformat(moment) - datetime.now(UTC)
    written = home("sandbox", "sample", "na'muna 1")
    assert written.code == 0, written.err
    lines = written.out.splitlines()
    assert all(line.startswith("alovoice -p sandbox ") for line in lines)
    for line in lines * times:
        result = home(*shlex.split(line)[1:])
        assert result.code == 0, (line, result.err)
        if "ai score" in line and "--fail-under" in line:
            assert "903\t" in result.out, "the call is scored"
        if "route check" in line:
            assert "0 errors, 0 warnings" in result.err


def test_the_list_has_duplicates_and_invalid_rows_and_the_recording_is_sound(home: FrontDoor) -> None:
    told = json.loads(home("sandbox", "sample", "s", "--json").out)
    assert told["files"] == ["s/list.csv", "s/announcement.mp3", "s/rules.toml", "s/scores.toml"]
    counted = home("-p", "sandbox", "numbers", "check", "s/list.csv", "--json")
    assert counted.code == 0
    assert "rows: 14 (good 10, invalid 2, empty 0, duplicate 2" in home("numbers", "check", "s/list.csv").err
    text = (home.home / "s" / "list.csv").read_text("utf-8")
    assert "Шаҳноза" in text
    assert "Oʻtkir Gʻaniyev" in text
    assert all((home.home / name).stat().st_mode & 0o777 == 0o600 for name in told["files"])


def test_a_folder_with_anything_in_it_is_left_alone(home: FrontDoor) -> None:
    (home.home / "s").mkdir()
    (home.home / "s" / "mine").write_text("x", "utf-8")
    (home.home / "file").write_text("x", "utf-8")
    for target in ("s", "file", "file/below"):
        refused = home("sandbox", "sample", target)
        assert (refused.code, refused.out) == (2, "")
    assert [path.name for path in (home.home / "s").iterdir()] == ["mine"]
    assert home("sandbox", "sample", "new/below").code == 0


def test_route_init_writes_rules_that_pass_the_strict_check(home: FrontDoor) -> None:
    assert home("route", "init").code == 0
    told = json.loads(home("route", "check", "rules.toml", "--strict", "--json").out)
    assert (told["ok"], told["findings"], told["tests"]["failed"]) == (True, [], 0)
    (home.home / "rules.toml").write_text("mine", "utf-8")
    refused = home("route", "init", "rules.toml")
    assert refused.code == 2
    assert (home.home / "rules.toml").read_text("utf-8") == "mine"


def test_route_init_takes_lines_and_zone_of_the_profile(home: FrontDoor) -> None:
    assert home("config", "set", "sandbox.trunks", "551234567,712037007").code == 0
    assert home("config", "set", "sandbox.timezone", "Asia/Samarkand").code == 0
    assert home("route", "init", "qoida.toml", "-p", "sandbox").code == 0
    text = (home.home / "qoida.toml").read_text("utf-8")
    assert "# Lines of this PBX: 551234567, 712037007" in text
    read = tomllib.loads(text)
    assert read["timezone"] == "Asia/Samarkand"
    assert {rule["when"]["line"] for rule in read["rule"] if "line" in rule.get("when", {})} == {"551234567"}
    told = home("route", "check", "qoida.toml", "--strict", "--online", "-p", "sandbox")
    assert told.code == 0, told.out


def test_a_dry_run_writes_no_file_to_start_from(home: FrontDoor) -> None:
    for words in (("route", "init"), ("ai", "score", "--init"), ("sandbox", "sample", "new")):
        result = home(*words, "--dry-run")
        assert result.code == 0
        assert "would be written" in result.err
    assert not [path.name for path in home.home.iterdir() if path.name not in ("config", "state")]

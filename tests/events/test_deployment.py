"""The unit and the location are what their programs take, whatever the words hold."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alovoice_cli.errors import UsageError
from alovoice_cli.events.deployment import nginx_location, systemd_unit

ARGV = ["/usr/local/bin/alovoice", "listen", "--port", "8787", "--fallback", "queue:6000"]


def _unquoted(text: str) -> list[str]:
    """The words of a command line as systemd reads them (systemd.service(5), "COMMAND LINES")."""
    words, word, quoted, within, place = [], "", False, False, 0
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            place += 1
            word += text[place]
        elif letter == '"':
            quoted, within = not quoted, True
        elif letter == " " and not quoted:
            if word or within:
                words.append(word)
            word, within = "", False
        else:
            word += letter
        place += 1
    return [*words, word] if word or within else words


def _expanded(word: str) -> str:
    """A word after specifiers and variables are put in: of both there are none left."""
    for sign in "%$":
        assert sign not in word.replace(sign * 2, "")
        word = word.replace(sign * 2, sign)
    return word


def _command(unit: str) -> str:
    (line,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    return line.removeprefix("ExecStart=")


def test_the_unit_of_a_plain_line() -> None:
    unit = systemd_unit(ARGV, user="alovoice", environment={"ALOVOICE_STATE_DIR": "/var/lib/alovoice"})
    assert "\nExecStart=/usr/local/bin/alovoice listen --port 8787 --fallback queue:6000\n" in unit
    assert "\nType=notify\n" in unit
    assert "\nUser=alovoice\n" in unit
    assert '\nEnvironment="ALOVOICE_STATE_DIR=/var/lib/alovoice"\n' in unit
    assert "\nSuccessExitStatus=143\n" in unit
    assert "\nRestart=on-failure\n" in unit


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \"'\\$%;"), max_size=12))
)
def test_every_word_reaches_the_program_as_it_is(words: list[str]) -> None:
    line = _command(systemd_unit(["/bin/alovoice", *words]))
    assert [_expanded(word) for word in _unquoted(line)] == ["/bin/alovoice", *words]


@pytest.mark.parametrize("words", [[], ["alovoice", "listen"], ["/bin/alovoice", "a\nExecStartPre=/bin/sh"]])
def test_what_no_unit_can_hold_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        systemd_unit(words)


@pytest.mark.parametrize(("user", "environment"), [("root\nx", {}), ("", {"A B": "1"}), ("", {"A": "1\n"})])
def test_what_no_user_or_variable_can_be_is_refused(user: str, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        systemd_unit(ARGV, user=user, environment=environment)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is missing")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    unit = tmp_path / "alovoice.service"
    unit.write_text(systemd_unit(["/bin/true", "--exec", "a 'b' $c %d \"e\""]), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "alovoice.service" not in done.stderr, done.stderr


def test_the_location_passes_the_path_on_and_logs_no_secret() -> None:
    location = nginx_location("127.0.0.1", 8787)
    assert "\nlocation /h/ {\n    proxy_pass http://127.0.0.1:8787;\n" in location
    assert "access_log off;" in location
    assert "proxy_next_upstream off;" in location
    assert location.count("{") - location.count("`server { … }`") == 1
    assert "proxy_pass http://[::1]:1;" in nginx_location("::1", 1, path="/")


@pytest.mark.parametrize("path", ["h/", "/h {", "/h;", "/ў"])
def test_a_path_that_no_location_can_hold_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        nginx_location("127.0.0.1", 1, path=path)

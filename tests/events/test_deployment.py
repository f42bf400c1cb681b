"""The unit and the location are what their programs take, whatever the words hold."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.events.deployment import (
    ServiceUnit,
    nginx_location,
    nginx_shared_location,
    nginx_upstream,
    systemd_unit,
)

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
    unit = systemd_unit(ServiceUnit(ARGV, user="alovoice", environment={"ALOVOICE_STATE_DIR": "/var/lib/alovoice"}))
    assert "\nExecStart=/usr/local/bin/alovoice listen --port 8787 --fallback queue:6000\n" in unit
    assert "\nType=notify\n" in unit
    assert "\nUser=alovoice\n" in unit
    assert '\nEnvironment="ALOVOICE_STATE_DIR=/var/lib/alovoice"\n' in unit
    assert "\nSuccessExitStatus=143\n" in unit
    assert "\nRestart=on-failure\n" in unit


@examples(60)
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \"'\\$%;"), max_size=12))
)
def test_every_word_reaches_the_program_as_it_is(words: list[str]) -> None:
    line = _command(systemd_unit(ServiceUnit(["/bin/alovoice", *words])))
    assert [_expanded(word) for word in _unquoted(line)] == ["/bin/alovoice", *words]


@pytest.mark.parametrize("words", [[], ["alovoice", "listen"], ["/bin/alovoice", "a\nExecStartPre=/bin/sh"]])
def test_what_no_unit_can_hold_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        systemd_unit(ServiceUnit(words))


@pytest.mark.parametrize(("user", "environment"), [("root\nx", {}), ("", {"A B": "1"}), ("", {"A": "1\n"})])
def test_what_no_user_or_variable_can_be_is_refused(user: str, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        systemd_unit(ServiceUnit(ARGV, user=user, environment=environment))


UNITS = [
    ServiceUnit(["/bin/true", "--exec", "a 'b' $c %d \"e\""], user="daemon"),
    ServiceUnit(["/bin/true"], user="root", programs=True, low_port=True, writable=["/srv/a b%", "/srv/c"]),
    ServiceUnit(
        ["/bin/true"],
        name="alovoice-tashkent",
        directory="/tmp",
        environment={"ALOVOICE_CONFIG_DIR": "/etc/alo voice%"},
        credentials={"sign-secret": "/etc/alovoice/sign%secret"},
    ),
]


def _can_judge() -> bool:
    """Whether systemd is here, and new enough (250) to judge a unit that is not installed."""
    if shutil.which("systemd-analyze") is None:
        return False
    return b"--offline" in subprocess.run(["systemd-analyze", "--help"], capture_output=True, check=False).stdout


@pytest.mark.skipif(not _can_judge(), reason="systemd is missing, or older than 250")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_it_and_little_exposed(tmp_path: Path, unit: ServiceUnit) -> None:
    file = tmp_path / f"{unit.name}.service"
    file.write_text(systemd_unit(unit), "utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert file.name not in verified.stderr, verified.stderr
    words = ["systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=29", str(file)]
    judged = subprocess.run(words, capture_output=True, text=True, check=False)  # the threshold is ten times the level
    assert judged.returncode == 0, judged.stdout
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", judged.stdout)
    assert level is not None
    assert float(level[1]) < 3


def test_the_location_passes_the_path_on_and_logs_no_secret() -> None:
    location = nginx_location("127.0.0.1", 8787)
    assert "\nlocation /h/ {\n    proxy_pass http://127.0.0.1:8787;\n" in location
    assert "access_log off;" in location
    assert "proxy_next_upstream off;" in location
    assert location.count("{") - location.count("`server { … }`") == 1
    assert "proxy_read_timeout 35s;" in nginx_location("127.0.0.1", 1, read_seconds=35)
    assert "proxy_pass http://[::1]:1;" in nginx_location("::1", 1, path="/")


def test_listeners_that_share_a_store_are_asked_one_after_the_other() -> None:
    upstream = nginx_upstream([("10.0.0.1", 8787), ("fd00::2", 8787)])
    assert "    server 10.0.0.1:8787 max_fails=0;\n    server [fd00::2]:8787 max_fails=0;\n" in upstream
    location = nginx_shared_location(path="/", read_seconds=20)
    assert "    proxy_pass http://alovoice;\n" in location
    assert "proxy_next_upstream error timeout http_503 non_idempotent;" in location
    assert "proxy_read_timeout 20s;" in location


@pytest.mark.parametrize("path", ["h/", "/h {", "/h;", "/ў"])
def test_a_path_that_no_location_can_hold_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        nginx_location("127.0.0.1", 1, path=path)

"""Tokens: their form, their file, the command that prints one; and that no message holds one."""

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alovoice_cli.config import tokens
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.token_file import TokenFile
from alovoice_cli.errors import AlovoiceError, BadConfigError, ExitCode, TokenMissingError, UsageError

TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"
PYTHON = f'"{sys.executable}"'


def test_a_stored_token_reads_back_until_it_is_forgotten(paths: Paths) -> None:
    file = TokenFile(paths)
    file.store("tashkent", f" {TOKEN}\n")
    file.store("samarkand", "another-token")
    assert tokens.read(paths, "tashkent") == TOKEN
    assert tomllib.loads(paths.tokens_file.read_text()) == {"tokens": {"tashkent": TOKEN, "samarkand": "another-token"}}
    assert (file.forget("tashkent"), file.forget("tashkent")) == (True, False)
    assert (tokens.read(paths, "tashkent"), tokens.read(paths, "samarkand")) == (None, "another-token")


def test_forgetting_where_nothing_is_stored_makes_no_file(paths: Paths) -> None:
    assert TokenFile(paths).forget("tashkent") is False
    assert not paths.config.exists()


@pytest.mark.parametrize(
    "text", ["", " \n", "a b", "a/b", "a?b", "a#b", "a%b", "a\\b", "a\x00b", "a\nb", "тoken", "x" * 201]
)
def test_what_cannot_stand_in_a_path_is_no_token(paths: Paths, text: str) -> None:
    with pytest.raises(UsageError, match="the token from the input") as caught:
        TokenFile(paths).store("tashkent", text)
    assert len(text) < 3 or text not in str(caught.value.as_json())
    assert not paths.tokens_file.exists()


def test_a_bad_profile_name_gets_no_token(paths: Paths) -> None:
    with pytest.raises(UsageError, match="no profile can be called"):
        TokenFile(paths).store("a b", TOKEN)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_a_checked_token_needs_no_quoting(text: str) -> None:
    try:
        token = tokens.check_token(text, "the input")
    except UsageError:
        return
    assert token
    assert token.isascii()
    assert token.isprintable()
    assert not set(token) & set("/?#%\\ ")


@pytest.mark.parametrize(
    "content",
    [
        f"[tokens]\ntashkent = {TOKEN}\n",
        f'[tokens]\ntashkent = "{TOKEN}\n',
        f'token = "{TOKEN}"\n',
        f'tokens = "{TOKEN}"\n',
        f'[tokens]\ntashkent = ["{TOKEN}"]\n',
        f'[tokens]\n"{TOKEN}" = 5\n',
        f"{TOKEN}",
    ],
)
def test_a_broken_file_is_told_without_what_it_holds(paths: Paths, content: str) -> None:
    paths.config.mkdir(parents=True)
    paths.tokens_file.write_text(content)
    for act in (lambda: tokens.read(paths, "tashkent"), lambda: TokenFile(paths).store("a", "b")):
        with pytest.raises(BadConfigError, match=r"tokens\.toml") as caught:
            act()
        assert TOKEN not in str(caught.value.as_json())
    assert paths.tokens_file.read_text() == content


@given(st.text(max_size=60) | st.text('[]tokens=" \n', max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_file_is_tokens_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.mktemp("any")
    paths = Paths(directory, directory)
    paths.tokens_file.write_text(text, "utf-8", "backslashreplace")
    try:
        found = tokens.read_all(paths)
    except BadConfigError:
        return
    assert all(isinstance(token, str) for token in found.values())


def test_a_bad_token_in_the_file_is_told_without_it(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.tokens_file.write_text('[tokens]\na = "s3cr3t/x"\n')
    with pytest.raises(UsageError, match=r"tokens\.toml") as caught:
        tokens.read(paths, "a")
    assert "s3cr3t" not in str(caught.value.as_json())


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_that_others_can_read_is_warned_about(paths: Paths) -> None:
    assert tokens.exposure(paths) == ""
    TokenFile(paths).store("a", TOKEN)
    assert tokens.exposure(paths) == ""
    paths.tokens_file.chmod(0o640)
    assert "mode 0640" in tokens.exposure(paths)
    TokenFile(paths).store("a", TOKEN)
    assert tokens.exposure(paths) == ""


def test_whither_names_the_file_and_its_form(paths: Paths) -> None:
    assert str(paths.tokens_file) in TokenFile(paths).whither("a")
    assert "plain text" in TokenFile(paths).whither("a")
    assert str(paths.config_file) in TokenFile(paths).whither("a", by_command=True)


def test_a_token_command_gives_its_first_line() -> None:
    command = f"{PYTHON} -c \"print('{TOKEN}'); print('and a note')\""
    assert tokens.run_token_command(command, os.environ) == TOKEN


def test_a_token_command_runs_without_a_shell_and_without_the_token(tmp_path: Path) -> None:
    command = f"{PYTHON} -c \"import os, sys; print(os.environ.get('ALOVOICE_TOKEN', 'none') + str(len(sys.argv)))\""
    assert tokens.run_token_command(f"{command} ; touch $HOME", {**os.environ, "ALOVOICE_TOKEN": TOKEN}) == "none4"


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (
            f"{PYTHON} -c \"import sys; print('{TOKEN}'); print('{TOKEN}', file=sys.stderr); sys.exit(3)\"",
            "ended with 3",
        ),
        (f'{PYTHON} -c "" {TOKEN}', "printed nothing"),
        (f"/nonexistent/secret-tool {TOKEN}", "cannot be run"),
        (f"{PYTHON} -c \"import time; print('{TOKEN}', flush=True); time.sleep(60)\"", "took longer than"),
        ("", "cannot be run"),
    ],
)
def test_a_token_command_that_fails_is_named_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, trouble: str
) -> None:
    monkeypatch.setattr(tokens, "_COMMAND_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(TokenMissingError, match=trouble) as caught:
        tokens.run_token_command(command, os.environ)
    assert time.monotonic() - begun < 5
    assert caught.value.exit_code is ExitCode.AUTH
    assert TOKEN not in str(caught.value.as_json())
    assert caught.value.__cause__ is None  # a traceback would show the words
    assert TOKEN not in "".join(capfd.readouterr())


def test_what_a_command_prints_must_be_a_token() -> None:
    with pytest.raises(AlovoiceError, match="token command") as caught:
        tokens.run_token_command(f"{PYTHON} -c \"print('gpg: no s3cr3t key')\"", os.environ)
    assert "s3cr3t" not in str(caught.value.as_json())


def test_a_token_command_does_not_eat_the_input() -> None:
    script = (
        "import os, sys; from alovoice_cli.config.tokens import run_token_command\n"
        'command = f\'"{sys.executable}" -c "import sys; print(len(sys.stdin.read()))"\'\n'
        "print(run_token_command(command, os.environ), sys.stdin.read())"
    )
    done = subprocess.run([sys.executable, "-c", script], input="901234567", capture_output=True, text=True, timeout=30)
    assert done.stdout == "0 901234567\n"

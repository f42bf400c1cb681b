"""Tokens: their form, their file, the command that prints one; and that no message holds one."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.config import tokens
from alovoice_cli.config.edits import Login, keep_login
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.tokens import StoredToken, forget_token, run_token_command
from alovoice_cli.errors import AlovoiceError, BadConfigError, ExitCode, TokenMissingError, UsageError

SERVER = "https://cld.alovoice.uz"
TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"
PYTHON = f'"{sys.executable}"'


def test_a_stored_token_reads_back_until_it_is_forgotten(paths: Paths) -> None:
    keep_login(paths, Login("tashkent", "https://PBX.example:443/x"), f" {TOKEN}\n")
    keep_login(paths, Login("samarkand", "http://127.0.0.1:8080"), "another-token")
    assert tokens.read(paths, "tashkent") == StoredToken(TOKEN, "https://pbx.example")
    assert tomllib.loads(paths.tokens_file.read_text()) == {
        "tokens": {"tashkent": TOKEN, "samarkand": "another-token"},
        "origins": {"tashkent": "https://pbx.example", "samarkand": "http://127.0.0.1:8080"},
    }
    assert (forget_token(paths, "tashkent"), forget_token(paths, "tashkent")) == (True, False)
    assert tokens.read(paths, "tashkent") is None
    assert tokens.read(paths, "samarkand") == StoredToken("another-token", "http://127.0.0.1:8080")


def test_forgetting_where_nothing_is_stored_makes_no_file(paths: Paths) -> None:
    assert forget_token(paths, "tashkent") is False
    assert not paths.config.exists()


@pytest.mark.parametrize(
    "text", ["", " \n", "a b", "a/b", "a?b", "a#b", "a%b", "a\\b", "a\x00b", "a\nb", "тoken", "x" * 201]
)
def test_what_cannot_stand_in_a_path_is_no_token(paths: Paths, text: str) -> None:
    with pytest.raises(UsageError, match="the input: ") as caught:
        keep_login(paths, Login("tashkent", SERVER), text)
    assert len(text) < 3 or text not in str(caught.value.as_json())
    assert not paths.tokens_file.exists()


def test_a_bad_profile_name_gets_no_token(paths: Paths) -> None:
    with pytest.raises(UsageError, match="a profile cannot have the name"):
        keep_login(paths, Login("a b", SERVER), TOKEN)


@given(st.text())
@examples(200)
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
        f'[tokens]\na = "x"\n[origins]\na = "{TOKEN}"\n',
        f'[tokens]\na = "x"\n[origins]\na = ["{TOKEN}"]\n',
        f"{TOKEN}",
    ],
)
def test_a_broken_file_is_told_without_what_it_holds(paths: Paths, content: str) -> None:
    paths.config.mkdir(parents=True)
    paths.tokens_file.write_text(content)
    acts: tuple[Callable[[], object], ...] = (
        lambda: tokens.read(paths, "tashkent"),
        lambda: keep_login(paths, Login("a", SERVER), "b"),
    )
    for act in acts:
        with pytest.raises(BadConfigError, match=r"tokens\.toml") as caught:
            act()
        assert TOKEN not in str(caught.value.as_json())
    assert paths.tokens_file.read_text() == content


@given(st.text(max_size=60) | st.text('[]tokens=" \n', max_size=40))
@examples(125)
def test_any_file_is_tokens_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.mktemp("any")
    paths = Paths(directory, directory)
    paths.tokens_file.write_text(text, "utf-8", "backslashreplace")
    try:
        found = tokens.read_all(paths)
    except BadConfigError:
        return
    assert all(isinstance(stored.value, str) for stored in found.values())


def test_a_bad_token_in_the_file_is_told_without_it(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.tokens_file.write_text('[tokens]\na = "s3cr3t/x"\n')
    with pytest.raises(UsageError, match=r"tokens\.toml") as caught:
        tokens.read(paths, "a")
    assert "s3cr3t" not in str(caught.value.as_json())


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_that_others_can_read_is_warned_about(paths: Paths) -> None:
    assert tokens.exposure(paths) == ""
    keep_login(paths, Login("a", SERVER), TOKEN)
    assert tokens.exposure(paths) == ""
    paths.tokens_file.chmod(0o640)
    assert "mode 0640" in tokens.exposure(paths)
    keep_login(paths, Login("a", SERVER), TOKEN)
    assert tokens.exposure(paths) == ""


def test_the_place_of_a_token_is_named_with_its_form(paths: Paths) -> None:
    assert str(paths.tokens_file) in Login("a", SERVER).describe_place(paths)
    assert "plain text" in Login("a", SERVER).describe_place(paths)
    assert str(paths.config_file) in Login("a", SERVER, token_command="pass show a").describe_place(paths)


@pytest.mark.parametrize("printed", [TOKEN, rf"\n  {TOKEN}\r\n\r\n", rf"\ufeff{TOKEN}\n"])
def test_a_token_command_gives_its_only_line(printed: str) -> None:
    command = f"{PYTHON} -c \"import sys; sys.stdout.buffer.write('{printed}'.encode())\""
    assert run_token_command(command, os.environ, 30) == TOKEN


def test_a_token_command_runs_without_a_shell_and_without_the_token(tmp_path: Path) -> None:
    command = f"{PYTHON} -c \"import os, sys; print(os.environ.get('ALOVOICE_TOKEN', 'none') + str(len(sys.argv)))\""
    assert run_token_command(f"{command} ; touch $HOME", {**os.environ, "ALOVOICE_TOKEN": TOKEN}, 30) == "none4"


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (
            f"{PYTHON} -c \"import sys; print('{TOKEN}'); print('{TOKEN}', file=sys.stderr); sys.exit(3)\"",
            "ended with 3",
        ),
        (f'{PYTHON} -c "" {TOKEN}', "printed nothing"),
        (f"/nonexistent/secret-tool {TOKEN}", "cannot be run"),
        (f'{PYTHON} -c "import os, signal; os.kill(os.getpid(), signal.SIGTERM)" {TOKEN}', "ended by signal 15"),
        (f"{PYTHON} -c \"print('{TOKEN}'); print('user: {TOKEN}')\"", "printed more than one line"),
        (f"{PYTHON} -c \"print('{TOKEN}' * 100000)\"", "printed more than 64 kB"),
        (f"{PYTHON} -c \"while True: print('{TOKEN}')\"", "printed more than 64 kB"),
        ("", "cannot be run"),
    ],
)
def test_a_token_command_that_fails_is_named_without_its_words(
    capfd: pytest.CaptureFixture[str], command: str, trouble: str
) -> None:
    with pytest.raises(TokenMissingError, match=trouble) as caught:
        run_token_command(command, os.environ, 30)
    assert caught.value.exit_code is ExitCode.AUTH
    assert TOKEN not in str(caught.value.as_json())
    assert caught.value.__cause__ is None  # a traceback would show the words
    assert TOKEN not in "".join(capfd.readouterr())


def test_what_a_command_prints_must_be_a_token() -> None:
    with pytest.raises(AlovoiceError, match="token command") as caught:
        run_token_command(f"{PYTHON} -c \"print('gpg: no s3cr3t key')\"", os.environ, 30)
    assert "s3cr3t" not in str(caught.value.as_json())


def test_a_token_command_does_not_eat_the_input() -> None:
    script = (
        "import os, sys; from alovoice_cli.config.tokens import run_token_command\n"
        'command = f\'"{sys.executable}" -c "import sys; print(len(sys.stdin.read()))"\'\n'
        "print(run_token_command(command, os.environ, 30), sys.stdin.read())"
    )
    done = subprocess.run([sys.executable, "-c", script], input="901234567", capture_output=True, text=True, timeout=60)
    assert done.stdout == "0 901234567\n"

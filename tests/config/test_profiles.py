"""config.toml read: what it may say, and where an error is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.config.keys import KEYS
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import Config, parse_config, read_config
from alovoice_cli.errors import BadConfigError

HERE = Path("config.toml")

WHOLE = """\
profile = "tashkent"
require_profile = true

[profiles.tashkent]
base_url = "https://pbx.example/"   # ours
encoding = "vendor-curl"
timezone = "Asia/Tashkent"
timeout = 5
token_command = "pass show alovoice/tashkent"
trunks = ["712037006", "+998712037007"]
insecure = false
require_profile = false

[profiles.sandbox]
base_url = "http://127.0.0.1:8080"
"""


def test_every_key_is_read_with_its_type() -> None:
    assert parse_config(HERE, WHOLE) == Config(
        profile="tashkent",
        require_profile=True,
        profiles={
            "tashkent": {
                "base_url": "https://pbx.example",
                "encoding": "vendor-curl",
                "timezone": "Asia/Tashkent",
                "timeout": 5.0,
                "token_command": "pass show alovoice/tashkent",
                "trunks": ("712037006", "+998712037007"),
                "insecure": False,
                "require_profile": False,
            },
            "sandbox": {"base_url": "http://127.0.0.1:8080"},
        },
    )


def test_no_file_is_an_empty_configuration(paths: Paths) -> None:
    assert read_config(paths.config_file) == Config()


def test_a_byte_order_mark_and_dos_line_ends_are_no_trouble(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert read_config(paths.config_file).profile == "tashkent"


@pytest.mark.parametrize(
    ("text", "place", "trouble", "hint"),
    [
        ('profile = "a"\n\n[profiles.a\n', "line 3, column 12", "Expected", "TOML"),
        ("profile = ", "line 1, column 11", "Invalid value", "TOML"),
        ('# x\nprofil = "a"\n', "line 2, column 1", "unknown key profil", "did you mean profile?"),
        ("timeout = 3\n", "line 1, column 1", "unknown key timeout", "[profiles.NAME]"),
        ("[profiles.a]\n\n  time_out = 3\n", "line 3, column 3", "unknown key time_out", "did you mean timeout?"),
        ('[profiles.a]\ntoken = "x"\n', "line 2, column 1", "unknown key token", ""),
        ("profiles.a = {insecure = false, limit = 3}\n", "line 1, column 33", "unknown key limit", "known names"),
        ("[profiles.a]\ntrunks = [\n 712,\n]\nx = 1", "line 5, column 1", "unknown key x", ""),
        ("[profiles.a]\ntrunks = [\n 712,\n]\n", "line 2, column 1", "in quotes", ""),
        ("[profiles.a]\ntimeout = -1\n", "line 2, column 1", "timeout must be a number of seconds", ""),
        ("[profiles.a]\ntimeout = nan\n", "line 2, column 1", "timeout must be", ""),
        ("[profiles.a]\ntimeout = true\n", "line 2, column 1", "timeout must be", ""),
        ("[profiles.a]\ninsecure = 1\n", "line 2, column 1", "insecure must be true or false", ""),
        ('[profiles.a]\nencoding = "xml"\n', "line 2, column 1", "one of json, multipart, form, vendor-curl", ""),
        ('[profiles.a]\nbase_url = "https://u:p@h"\n', "line 2, column 1", "a user name or a password", ""),
        ('[profiles.a]\ntimezone = "5"\n', "line 2, column 1", "timezone must have a form such as", ""),
        ('[profiles.a]\ntoken_command = "echo \'x"\n', "line 2, column 1", "that a shell can read", ""),
        ('[profiles.sandbox]\nbase_url = "https://x.uz"\n', "line 2, column 1", "simulated PBX", ""),
        ('[profiles."a b"]\n', "line 1, column 12", "a profile cannot have the name", "letters"),
        ("[profiles]\na = 1\n", "line 2, column 1", "a must be a table", ""),
        ("profiles = 1\n", "line 1, column 1", "profiles must be a table", ""),
        ("profile = 1\n", "line 1, column 1", "the name of a profile in quotes", ""),
        ("require_profile = 1\n", "line 1, column 1", "true or false", ""),
        ("x = " + "9" * 5000, "config.toml", "that is too large", ""),
        ("x = " + "[" * 5000, "config.toml", "", ""),
    ],
)
def test_an_error_names_its_line_and_column(text: str, place: str, trouble: str, hint: str) -> None:
    with pytest.raises(BadConfigError) as caught:
        parse_config(HERE, text)
    assert place in caught.value.message
    assert trouble in caught.value.message
    assert hint in caught.value.hint


def test_bytes_that_are_no_text_are_told(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_bytes("profile = 'ў'".encode("cp1251"))
    with pytest.raises(BadConfigError, match=r"not UTF-8 text \(byte 11\)"):
        read_config(paths.config_file)


@pytest.mark.parametrize("kind", ["directory", "pipe", "huge"])
def test_what_is_no_configuration_file_is_not_read(paths: Paths, kind: str) -> None:
    paths.config.mkdir(parents=True)
    if kind == "directory":
        paths.config_file.mkdir()
    elif kind == "huge":
        paths.config_file.write_bytes(b"\n" * (1 << 21))
    elif hasattr(os, "mkfifo"):
        os.mkfifo(paths.config_file)
    with pytest.raises(BadConfigError, match=r"not a regular file|larger than"):
        read_config(paths.config_file)


def test_the_token_command_is_not_shown_by_repr() -> None:
    assert "hunter2" not in repr(parse_config(HERE, "[profiles.a]\ntoken_command = 'echo hunter2'\n"))


_toml_words = st.sampled_from(
    [
        *("profile", "profiles", "[", "]", "[profiles.a]", ".", "=", '"', "'", '"""', "{", "}", ",", "\n", "\r\n"),
        *("#", " ", "true", "1", "1e999", "nan", "1979-05-27", "0x", "\\u", "\\ud800", "\x00", "ў", *KEYS),
    ]
)


@given(st.lists(_toml_words | st.text(max_size=5), max_size=25).map("".join))
@examples(125)
def test_any_text_is_a_configuration_or_a_named_error(text: str) -> None:
    try:
        result: Config | str = parse_config(HERE, text)
    except BadConfigError as error:
        result = error.message
    assert isinstance(result, Config) or str(HERE) in result


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(KEYS)), value=_json, word=st.text())
@examples(125)
def test_a_key_takes_a_value_or_raises_value_error(name: str, value: object, word: str) -> None:
    readers: tuple[Callable[[], object], ...] = (
        lambda: KEYS[name].check(value),
        lambda: KEYS[name].check(KEYS[name].parse(word)),
    )
    for read in readers:
        try:
            result: object = read()
        except ValueError as error:
            result = str(error)
        assert isinstance(result, (str, int, float, bool, tuple))
        assert result != ""

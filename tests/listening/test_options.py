"""Where the options of `listen` may stand: the flag, the environment, the profile, the default, in this order."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.config.listen_options import LISTEN_KEYS, listen_values, listen_variable
from alovoice_cli.config.profiles import parse_config
from alovoice_cli.errors import BadConfigError, UsageError

from .conftest import Listening


def _port_of(alovoice: FrontDoor, *words: str, **environ: str) -> str:
    printed = alovoice("listen", *words, "--print-nginx", environ=environ)
    assert printed.code == 0, printed.err
    return printed.out.partition("proxy_pass http://127.0.0.1:")[2].partition(";")[0]


def test_the_flag_wins_then_the_environment_then_the_profile_then_the_default(alovoice: FrontDoor) -> None:
    assert _port_of(alovoice) == "8787"
    assert alovoice("config", "set", "listen.port", "9001").err == "note: default.listen.port is now 9001\n"
    assert _port_of(alovoice) == "9001"
    assert _port_of(alovoice, ALOVOICE_LISTEN_PORT="9002") == "9002"
    assert _port_of(alovoice, ALOVOICE_LISTEN_PORT="") == "9001"
    assert _port_of(alovoice, "--port", "9003", ALOVOICE_LISTEN_PORT="9002") == "9003"
    assert alovoice("config", "get", "listen.port").out == "9001\n"
    told = alovoice("config", "get", "listen.port", "--json", environ={"ALOVOICE_LISTEN_PORT": "9002"}).out
    assert json.loads(told) == {"key": "listen.port", "value": 9002, "from": "environment ALOVOICE_LISTEN_PORT"}
    alovoice("config", "unset", "listen.port")
    assert _port_of(alovoice) == "8787"


def test_a_profile_gives_a_whole_listener(alovoice: FrontDoor, listen: Callable[..., Listening]) -> None:
    config = alovoice.home / "config"
    config.mkdir()
    secret = alovoice.home / "secret"
    secret.write_text("of-the-file-1234\n")
    (config / "config.toml").write_text(f"""
[profiles.tashkent.listen]
fallback = "queue:6000"
secret = "@{secret}"
allow-from = ["203.0.113.0/24", "127.0.0.1"]
exec = ["callend=sh -c 'cat > {alovoice.home}/seen'"]
no-dedupe = true
""")
    listening = listen("-p", "tashkent")
    assert listening.urls["route"].endswith("/h/of-the-file-1234/route")
    assert json.loads(listening.post("route", b"{}")[1]) == {"action_type": "queue", "action_data": "6000"}
    assert listen().urls["route"] != listening.urls["route"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prot = 1", "unknown key prot (did you mean port?)"),
        ("port = 70000", "port must be a port, 0 to 65535"),
        ('port = "8787"', "port must be a port"),
        ('forward = "https://crm.example.com"', "forward must be a list of texts"),
        ('rules = "rules.toml"', "rules must be an absolute path"),
        ('sign-secret = "@secret"', "sign-secret must be an absolute path"),
        ("forward-timeout = 31", "forward-timeout must be a number of seconds, 0.05 to 30"),
        ('log-format = "xml"', "log-format must be one of text, json"),
        ("no-dedupe = 1", "no-dedupe must be true or false"),
    ],
)
def test_a_profile_that_means_nothing_is_told_with_its_place(line: str, said: str) -> None:
    with pytest.raises(BadConfigError) as told:
        parse_config(Path("config.toml"), f"[profiles.tashkent.listen]\n{line}\n")
    assert f"config.toml, line 2, column 1: {said}" in f"{told.value.message} ({told.value.hint})"


def test_a_key_in_the_wrong_table_is_told_where_it_belongs() -> None:
    with pytest.raises(BadConfigError) as told:
        parse_config(Path("config.toml"), "[profiles.tashkent]\nport = 1\n")
    assert told.value.hint == "port belongs under [profiles.NAME.listen]"
    with pytest.raises(BadConfigError, match="listen must be a table"):
        parse_config(Path("config.toml"), "[profiles.tashkent]\nlisten = 1\n")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ALOVOICE_LISTEN_PROT", "1", "did you mean ALOVOICE_LISTEN_PORT?"),
        ("ALOVOICE_LISTEN_PORT", "ҳа", "ALOVOICE_LISTEN_PORT must be a port"),
        ("ALOVOICE_LISTEN_NO_DEDUPE", "yes", "must be true or false"),
        ("ALOVOICE_LISTEN_ALLOW_FROM", "300.0.0.0/8", "is not a valid network"),
    ],
)
def test_a_variable_that_means_nothing_is_named(alovoice: FrontDoor, variable: str, value: str, said: str) -> None:
    result = alovoice("listen", "--port", "0", environ={variable: value})
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_variable_holds_several_values() -> None:
    environ = {
        "ALOVOICE_LISTEN_FORWARD": "https://crm.example.com/a?x=1,2  callend=http://127.0.0.1/b",
        "ALOVOICE_LISTEN_EXEC": "callend=sh -c 'a b'\n\n./c d\n",
        "ALOVOICE_LISTEN_TRUSTED_PROXY": "10.0.0.0/8, ::1 127.0.0.1",
        "ALOVOICE_LISTEN_NO_DEDUPE": "true",
        "ALOVOICE_LISTEN_FORWARD_TIMEOUT": "1.5",
    }
    assert listen_values(environ) == {
        "forward": ("https://crm.example.com/a?x=1,2", "callend=http://127.0.0.1/b"),
        "exec": ("callend=sh -c 'a b'", "./c d"),
        "trusted-proxy": ("10.0.0.0/8", "::1", "127.0.0.1"),
        "no-dedupe": True,
        "forward-timeout": 1.5,
    }


@given(st.sampled_from(sorted(LISTEN_KEYS)), st.text(max_size=20))
def test_any_text_of_a_variable_is_a_value_or_a_usage_error(name: str, text: str) -> None:
    with contextlib.suppress(UsageError):
        assert set(listen_values({listen_variable(name): text})) <= {name}


def test_every_default_passes_its_own_check() -> None:
    for key in LISTEN_KEYS.values():
        if key.default is not None:
            held = list(key.default) if isinstance(key.default, tuple) else key.default
            assert key.check(held) == key.default


def test_every_option_may_stand_in_the_profile() -> None:
    from alovoice_cli.commands.command_tree import full_tree
    from alovoice_cli.reference.tree import read_tree

    (command,) = (command for command in read_tree(full_tree()).subcommands if command.name == "listen")
    own = {option.name.removeprefix("--") for option in command.options if option.panel != "Global options"}
    assert own - set(LISTEN_KEYS) == {"print-systemd", "print-nginx"}
    assert set(LISTEN_KEYS) <= own


def test_a_config_that_others_may_change_starts_no_program(alovoice: FrontDoor) -> None:
    alovoice("config", "set", "listen.exec", "touch /nowhere")
    (alovoice.home / "config" / "config.toml").chmod(0o666)
    result = alovoice("listen", "--port", "0")
    assert (result.code, result.out) == (2, "")
    assert "its options of `listen` are not used" in result.err


def test_a_secret_of_the_profile_is_shown_nowhere(alovoice: FrontDoor) -> None:
    for key, value in (("listen.secret", "very-secret-9876"), ("listen.sign-secret", "whsec_c2VjcmV0")):
        shown = [alovoice("config", "set", key, value), alovoice("config", "get", key)]
        shown.append(alovoice("config", "get", key, "--json"))
        assert all(value not in one.out + one.err for one in shown)
        assert f"••••{value[-4:]}" in shown[1].out
    alovoice("config", "set", "listen.secret", "@/run/secrets/path")
    assert alovoice("config", "get", "listen.secret").out == "@/run/secrets/path\n"


def test_a_profile_may_be_called_listen(alovoice: FrontDoor) -> None:
    (alovoice.home / "config").mkdir()
    (alovoice.home / "config" / "config.toml").write_text("[profiles.listen]\ntimeout = 5\n")
    assert "listen.store is now" in alovoice("config", "set", "listen.store", "/var/lib/a.db").err
    assert "listen.listen.port is now 5" in alovoice("config", "set", "listen.listen.port", "5").err
    assert alovoice("config", "get", "listen.timeout").out == "5.0\n"
    assert "did you mean listen.port?" in alovoice("config", "set", "listen.prot", "1").err

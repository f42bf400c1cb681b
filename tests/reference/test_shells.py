"""TAB in real bash, zsh and fish."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


PROFILES = ["default", "sandbox", "samarkand", "tashkent", "Бухоро 2"]

LINES = [
    # sub-commands, behind global options too; hidden ones are not told
    ("alovoice ", ["autorule", "completion", "config", "copy", "logout", "trunks"]),
    ("alovoice tr", ["trunks"]),
    ("alovoice hid", []),
    ("alovoice autorule ", ["create", "get"]),
    ("alovoice -p tashkent autorule c", ["create"]),
    ("alovoice -p autorule ", ["autorule", "completion", "config", "copy", "logout", "trunks"]),
    ("alovoice --json autorule --timeout 3 g", ["get"]),
    ("alovoice --profile=tashkent config ", ["use"]),
    # profile names
    ("alovoice config use ", PROFILES),
    ("alovoice logout ", PROFILES),
    ("alovoice logout sa", ["samarkand", "sandbox"]),
    ("alovoice -p s", ["samarkand", "sandbox"]),
    ("alovoice --json --profile t", ["tashkent"]),
    ("alovoice trunks --profile s", ["samarkand", "sandbox"]),
    ("alovoice autorule create --tries 2 -p s", ["samarkand", "sandbox"]),
    # choices
    ("alovoice completion ", ["bash", "fish", "zsh"]),
    ("alovoice --json completion --timeout 3 z", ["zsh"]),
    ("alovoice copy ", ["fast", "slow"]),
    ("alovoice autorule create --encoding ", ["form", "json", "vendor-curl"]),
    ("alovoice autorule create --tries 3 --encoding v", ["vendor-curl"]),
    ("alovoice trunks --color ", ["auto", "never"]),
    ("alovoice --color n", ["never"]),
    # options
    ("alovoice trunks --js", ["--json"]),
    ("alovoice --ti", ["--timeout"]),
    ("alovoice autorule create --re", ["--recipient", "--record"]),
    ("alovoice autorule create --recipient 998901234567 --reci", ["--recipient"]),
    ("alovoice autorule create --no-", ["--no-paused"]),
    ("alovoice autorule create --sec", []),
    ("alovoice autorule --rec", []),
    # files and directories
    ("alovoice autorule create --record h", ["hello.mp3", "help me.mp3"]),
    ("alovoice autorule create --into ", ["folder/"]),
    ("alovoice copy fast li", ["list.csv"]),
    ("alovoice copy fast list.csv --json hell", ["hello.mp3"]),
    ("alovoice copy fast -- list.csv hell", ["hello.mp3"]),
]


def bare(offers: list[str]) -> list[str]:
    """Without the shells' own ways of writing a space and a directory."""
    return sorted({offer.replace("\\ ", " ").replace("folder/", "folder") for offer in offers})


@pytest.mark.parametrize(("line", "offered"), LINES)
def test_tab_offers_what_fits(shell: Any, line: str, offered: list[str]) -> None:
    assert bare(shell(line)) == bare(offered)


@pytest.mark.parametrize(
    "line",
    [
        "alovoice autorule create --tries ",
        "alovoice autorule get ",
        "alovoice trunks ",
        "alovoice completion bash ",
        "alovoice --timeout ",
    ],
)
def test_nothing_but_options_is_offered_for_words_that_only_the_user_knows(shell: Any, line: str) -> None:
    assert [offer for offer in shell(line) if not offer.startswith("-")] == []


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("alovoice autorule create --encoding=", ["form", "json", "vendor-curl"]),
        ("alovoice autorule create --encoding=v", ["vendor-curl"]),
        ("alovoice --profile=sam", ["samarkand"]),
        ("alovoice autorule create --record=hel", ["hello.mp3", "help me.mp3"]),
        ("alovoice autorule create --recipient=a:b=c@d --encoding=j", ["json"]),
    ],
)
def test_tab_offers_values_behind_an_equals_sign(shell: Any, line: str, offered: list[str]) -> None:
    option = line[line.rindex(" ") + 1 : line.rindex("=") + 1]
    assert [offer.removeprefix(option) for offer in bare(shell(line))] == offered


def test_without_a_configuration_the_profiles_that_always_exist_are_offered(shell: Any, tmp_path: Path) -> None:
    assert shell("alovoice -p ", ALOVOICE_CONFIG_DIR=str(tmp_path / "none")) == ["default", "sandbox"]


@pytest.mark.parametrize(
    ("directory", "environ"),
    [
        (".config", {}),
        (".config", {"XDG_CONFIG_HOME": "relative"}),
        ("elsewhere", {"XDG_CONFIG_HOME": "{home}/elsewhere"}),
        ("Library/Application Support", {}),
    ],
)
def test_the_configuration_is_looked_for_where_it_is_kept(
    shell: Any, tmp_path: Path, directory: str, environ: dict[str, str]
) -> None:
    home = tmp_path / directory / "alovoice"
    home.mkdir(parents=True)
    (home / "config.toml").write_text("[profiles.nukus]\n")
    settings = {name: value.format(home=tmp_path) for name, value in environ.items()}
    assert shell("alovoice -p ", ALOVOICE_CONFIG_DIR="", **settings) == ["default", "nukus", "sandbox"]


def test_a_leaf_without_words_of_its_own_offers_its_options(bash: Any) -> None:
    assert "--record" in bash("alovoice autorule create ")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_bash_script_passes_shellcheck(scripts: Path) -> None:
    subprocess.run(["shellcheck", "--shell=bash", str(scripts / "alovoice.bash")], check=True, timeout=60)


@pytest.mark.parametrize(
    ("shell_name", "file"), [("bash", "alovoice.bash"), ("zsh", "_alovoice"), ("fish", "alovoice.fish")]
)
def test_each_script_parses(scripts: Path, shell_name: str, file: str) -> None:
    path = shutil.which(shell_name)
    if path is None:
        pytest.skip(f"{shell_name} is not installed")
    done = subprocess.run([path, "-n", str(scripts / file)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

"""Which language a run speaks: `--lang`, then ALOVOICE_LANG, then the profile's `lang`, then English."""

import json
import subprocess
import sys

import pytest
from front_door import FrontDoor

from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.config.language_choice import OWN_LANG
from alovoice_cli.language import language_in_use

TRUNKS = ("trunks", "-p", "sandbox", "--json")


@pytest.fixture
def uzbek_profile(alovoice: FrontDoor) -> FrontDoor:
    """A home whose profile `tashkent` speaks Uzbek, and whose other profiles do not say."""
    assert alovoice("config", "set", "tashkent.lang", "uz").code == 0
    return alovoice


@pytest.mark.parametrize(
    "words", [("--lang", "ru", *TRUNKS), (*TRUNKS, "--lang=ru"), ("trunks", "--help", "--lang", "ru")]
)
def test_the_option_chooses_the_language_before_and_after_the_verb(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    assert alovoice(*words).code == 0
    assert language_in_use() == "ru"


def test_the_option_wins_over_the_environment_and_that_over_the_profile(uzbek_profile: FrontDoor) -> None:
    status = ("status", "--offline", "-p", "tashkent")
    assert (uzbek_profile(*status).code, language_in_use()) == (0, "uz")
    assert (uzbek_profile(*status, environ={"ALOVOICE_LANG": "ru"}).code, language_in_use()) == (0, "ru")
    assert (uzbek_profile(*status, "--lang", "en", environ={"ALOVOICE_LANG": "ru"}).code, language_in_use()) == (
        0,
        "en",
    )


@pytest.mark.parametrize(
    "words", [("--help", "-p", "tashkent"), ("-qptashkent", "--help"), ("--profile=tashkent", "--help")]
)
def test_the_profile_chooses_the_language_of_help_pages_too(uzbek_profile: FrontDoor, words: tuple[str, ...]) -> None:
    assert uzbek_profile(*words).code == 0
    assert language_in_use() == "uz"


def test_without_a_choice_texts_are_english_whatever_the_system_speaks(uzbek_profile: FrontDoor) -> None:
    environ = {"LANG": "ru_RU.UTF-8", "LC_ALL": "ru_RU.UTF-8", "LANGUAGE": "ru"}
    assert uzbek_profile(*TRUNKS, environ=environ).code == 0
    assert language_in_use() == "en"


def test_each_run_chooses_anew(alovoice: FrontDoor) -> None:
    alovoice(*TRUNKS, "--lang", "ru")
    alovoice(*TRUNKS)
    assert language_in_use() == "en"


def test_the_language_in_force_and_its_source_are_shown(uzbek_profile: FrontDoor) -> None:
    words = ("config", "get", "lang", "--json")
    shown = json.loads(uzbek_profile(*words, "-p", "tashkent").out)
    assert (shown["value"], shown["from"]) == ("uz", "profile tashkent")
    shown = json.loads(uzbek_profile(*words, environ={"ALOVOICE_LANG": "ru"}).out)
    assert (shown["value"], shown["from"]) == ("ru", "environment ALOVOICE_LANG")
    shown = json.loads(uzbek_profile(*words, "--lang", "ru").out)
    assert (shown["value"], shown["from"]) == ("ru", "flag")
    assert json.loads(uzbek_profile("status", "--offline", "-p", "tashkent", "--json").out)["lang"] == "uz"


def test_another_language_is_refused_and_the_three_are_named(alovoice: FrontDoor) -> None:
    for result in (
        alovoice(*TRUNKS, "--lang", "fr"),
        alovoice(*TRUNKS, environ={"ALOVOICE_LANG": "fr"}),
        alovoice("config", "set", "tashkent.lang", "fr"),
    ):
        assert result.code == 2
        assert all(name in result.err for name in ("en", "ru", "uz"))
    assert json.loads(alovoice(*TRUNKS, environ={"ALOVOICE_LANG": "fr"}).err)["error"]["kind"] == "usage"


def test_a_wrong_lang_in_the_file_is_named_by_the_command_that_reads_it(alovoice: FrontDoor) -> None:
    config = alovoice.home / "config" / "config.toml"
    config.parent.mkdir()
    config.write_text('[profiles.tashkent]\nlang = "fr"\n', "utf-8")
    assert alovoice("--help").code == 0
    result = alovoice("trunks", "-p", "tashkent")
    assert result.code == 2
    assert "en, ru, uz" in result.err


def test_behind_call_ivr_the_option_is_the_voice_menus(alovoice: FrontDoor) -> None:
    words = ("--callto", "901234567", "--ivrid", "222", "--fromline", "712037006", "--night-ok", "--dry-run", "--json")
    result = alovoice("--lang", "ru", "-p", "sandbox", "call", "ivr", *words, "--lang", "uz")
    assert result.code == 0, result.err
    assert "uz" in json.dumps(json.loads(result.out)["body"])
    assert language_in_use() == "ru"
    alovoice("-p", "sandbox", "call", "ivr", *words, "--lang", "uz")
    assert language_in_use() == "en"


def test_the_commands_with_a_lang_of_their_own_are_known() -> None:
    common = next(param for param in full_tree().params if "--lang" in param.opts)
    own = {
        (noun, verb)
        for noun, group in full_tree().commands.items()
        for verb, command in getattr(group, "commands", {}).items()
        for param in command.params
        if "--lang" in param.opts and param is not common
    }
    assert own == {OWN_LANG}


def test_english_reads_no_configuration_for_it(alovoice: FrontDoor) -> None:
    assert alovoice("config", "set", "tashkent.timeout", "5").code == 0
    code = "import sys\nsys.argv[1:] = ['--help']\nfrom alovoice_cli.__main__ import main\ntry:\n    main()\n"
    code += "except SystemExit:\n    print({'tomllib', 'alovoice_cli.config.settings'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=alovoice.environ, check=True)
    assert done.stdout.decode().endswith("set()\n")

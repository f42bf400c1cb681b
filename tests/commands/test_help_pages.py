"""Help pages fit on a screen, say what must be given, and repeat nothing."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from front_door import FrontDoor

from alovoice_cli.commands.command_table import NOUNS
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.commands.help_page import is_global
from alovoice_cli.commands.used_options import CHOOSABLE, USED_OPTIONS
from alovoice_cli.reference.topics import ENVIRONMENT, EXIT_STATUS


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*path, name))


TREE = dict(_walk(full_tree()))
GLOBAL = {param.name: param for param in TREE[()].params}
LONG = ("autorule create", "call out", "listen")


@pytest.fixture
def page(alovoice: FrontDoor) -> Any:
    """What `--help` prints behind the words, on a terminal of 80 columns without colors."""

    def read(*words: str) -> str:
        result = alovoice(*words, "--help", terminal=True, environ={"NO_COLOR": "1"})
        assert (result.code, result.err) == (0, "")
        return result.out

    return read


def test_a_page_fits_80_columns_has_no_boxes_and_cuts_nothing(page: Any) -> None:
    for path, command in TREE.items():
        shown = page(*path)
        assert [line for line in shown.splitlines() if len(line) > 80 and not line.startswith("  $ ")] == []  # commands
        assert not re.search(r"[│─╭╮╰╯]|\.\.\.$|x<=|x>=", shown, re.MULTILINE), path
        for below in getattr(command, "commands", {}).values():
            first = re.split(r"(?<=[.?!]) ", " ".join(below.help.split("\n\n")[0].split()))[0].removesuffix(".")
            assert first in " ".join(shown.split()), f"a line of {path} is cut"


def test_a_page_has_its_own_options_and_one_line_for_the_others(page: Any) -> None:
    for path in TREE.keys() - {()}:
        shown = page(*path)
        assert shown.count("\nGlobal options: alovoice --help\n") == 1, path
        groups = re.split(r"^\S.*:$", shown.partition("\nGlobal options")[0], flags=re.MULTILINE)[1:]
        rows = re.findall(r"^  ((?:-\w, )?--[\w-]+)", "".join(groups), re.MULTILINE)
        flags = {flag for row in rows for flag in row.split(", ")}
        own = {flag for param in TREE[path].params if not is_global(param) for flag in param.opts}
        assert not {flag for param in GLOBAL.values() for flag in param.opts} & flags - own, path


@pytest.mark.parametrize("language", ["en", "ru", "uz"])
@pytest.mark.parametrize("words", LONG)
def test_the_longest_pages_have_at_most_45_lines(page: Any, words: str, language: str) -> None:
    assert page("--lang", language, *words.split()).count("\n") <= 45


def test_what_must_be_given_stands_first_among_the_groups(page: Any) -> None:
    for path in TREE.keys() - {()}:
        titles = re.findall(r"^(\S.*):$", page(*path), re.MULTILINE)
        needs = any(param.required for param in TREE[path].params)
        assert not needs or titles[0].startswith("Required"), path
        assert all(titles.index(title) == 0 for title in titles if title.startswith("Required")), path


@pytest.mark.parametrize("words", ["autorule create", "call out", "call ivr", "call conference", "listen"])
def test_a_long_page_has_named_groups_and_none_for_the_rest(page: Any, words: str) -> None:
    titles = re.findall(r"^(\S.*):$", page(*words.split()), re.MULTILINE)
    assert len(titles) >= 5
    assert not {"Options", "Arguments"} & set(titles)


def test_the_first_page_has_all_commands_in_groups_before_the_global_options(page: Any) -> None:
    shown = page()
    places = [shown.index(f"\n  {noun.name} ") for noun in NOUNS]
    assert places == sorted(places)
    assert places[-1] < shown.index("\nGlobal options")
    assert [shown.index(f"\n{panel}:") for panel in dict.fromkeys(noun.panel for noun in NOUNS)]


GROUPS = [path for path, command in TREE.items() if hasattr(command, "commands") and not command.invoke_without_command]


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_bare_group_prints_its_page(alovoice: FrontDoor, path: tuple[str, ...]) -> None:
    bare = alovoice(*path)
    assert (bare.code, bare.err) == (0, "")
    assert bare.out == alovoice(*path, "--help").out == alovoice("help", *path).out


def test_help_shows_the_page_of_a_command(alovoice: FrontDoor) -> None:
    assert alovoice("help", "call", "out").out == alovoice("call", "out", "-h").out
    wrong = alovoice("help", "call", "outt")
    assert (wrong.code, "did you mean `alovoice call out`?" in wrong.err) == (2, True)
    assert alovoice("help", "trunks", "more").code == 2


def test_help_shows_exit_codes_and_environment(alovoice: FrontDoor) -> None:
    codes, variables = alovoice("help", "exit-codes"), alovoice("help", "environment")
    assert (codes.code, variables.code) == (0, 0)
    assert re.findall(r"^  (\d+) ", codes.out, re.MULTILINE) == [str(code) for code, _ in EXIT_STATUS]
    assert [f"  {name} " in variables.out for name, _ in ENVIRONMENT] == [True] * len(ENVIRONMENT)


def test_the_version_has_three_names_and_one_answer(alovoice: FrontDoor) -> None:
    told = {alovoice(word).out for word in ("version", "--version", "-V")}
    assert len(told) == 1
    assert alovoice.process("version").stdout.decode() == told.pop()


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("call out", "--inner-phone N, --number PHONE"),
        ("call ivr --line 712037006", "--callto PHONE, --ivrid ID"),
        ("autorule create --to +3d", "--record FILE, --from DAY, --fromtime HH:MM, --totime HH:MM"),
        ("autorule check", "--record FILE, --from DAY, --to DAY, --fromtime HH:MM, --totime HH:MM"),
        ("route diff", "OLD, NEW"),
        ("config set", "[PROFILE.]KEY, VALUE"),
        ("completion", "bash|zsh|fish|powershell"),
    ],
)
def test_all_that_is_missing_is_named_at_once(alovoice: FrontDoor, words: str, missing: str) -> None:
    result = alovoice(*words.split())
    assert result.code == 2
    assert result.err.startswith(f"error: missing: {missing}\n"), result.err
    assert f"see `alovoice {words.partition(' --')[0]} --help`" in result.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("trunk", "alovoice trunks"),
        ("Peers", "alovoice peers"),
        ("lines", "alovoice trunks"),
        ("extensions", "alovoice peers"),
        ("campaign", "alovoice autorule"),
        ("history", "alovoice events"),
        ("calls", "alovoice events"),
        ("token", "alovoice login"),
        ("events lst", "alovoice events list"),
        ("call out --nmber 1", "--number"),
        ("autorule create --recipent 1", "--recipient"),
    ],
)
def test_a_mistyped_word_is_answered_with_what_was_meant(alovoice: FrontDoor, words: str, meant: str) -> None:
    result = alovoice(*words.split())
    assert result.code == 2
    assert f"did you mean `{meant}`?" in result.err


@pytest.mark.parametrize("words", ["xyz", "events total", "call ring", "trunks --lines", "call out --voice ru"])
def test_no_proposal_is_better_than_a_wrong_one(alovoice: FrontDoor, words: str) -> None:
    result = alovoice(*words.split())
    assert result.code == 2
    assert "did you mean" not in result.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("call out --jobs 65", "--jobs must be a whole number from 1 to 64, not '65'"),
        ("peers --status away", "--status must be one of on, off, not 'away'"),
        ("completion tcsh", "SHELL must be one of bash, zsh, fish, powershell, not 'tcsh'"),
        ("--timeout soon trunks", "--timeout must be a number, not 'soon'"),
        ("peers --number", "--number N: the value is missing"),
        ("trunks --json=1", "--json takes no value"),
        ("trunks one two", "unexpected: one two"),
    ],
)
def test_wrong_words_are_answered_in_one_plain_sentence(alovoice: FrontDoor, words: str, told: str) -> None:
    result = alovoice(*words.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {told}\n"), result.err


VALUES = {"columns": ("a",), "timeout": ("3",), "base_url": ("http://127.0.0.1:1",)}


def test_every_command_says_which_global_options_it_uses() -> None:
    runs = {" ".join(path) for path in TREE if path and path not in GROUPS}
    assert set(USED_OPTIONS) == runs
    for name, used in USED_OPTIONS.items():
        command = TREE[tuple(name.split())]
        assert ({"csv", "columns"} <= used) == hasattr(command.callback, "columns"), name


@pytest.mark.parametrize("name", sorted(USED_OPTIONS))
def test_a_global_option_without_use_is_refused_on_both_sides_of_the_command(alovoice: FrontDoor, name: str) -> None:
    words = name.split()
    for option in sorted(CHOOSABLE - USED_OPTIONS[name]):
        flag = f"--{option.replace('_', '-')}"
        given = (flag, *VALUES.get(option, ()))
        result = alovoice(*words, *_needed(words), *given)
        assert (result.code, result.out) == (2, ""), (flag, result)
        assert f"alovoice {name} does not use {flag}" in result.err
        if option in ("dry_run", "yes", "csv"):
            before = alovoice(*given, *words, *_needed(words))
            assert (before.code, f"alovoice {name} does not use {flag}" in before.err) == (2, True)


def _needed(words: list[str]) -> list[str]:
    """Returns words for everything that the command must be given."""
    given: list[str] = []
    for param in TREE[tuple(words)].params:
        if param.required:
            value = next(iter(getattr(param.type, "choices", ())), "1")
            given += [value] if param.param_type_name == "argument" else [param.opts[0], value]
    return given


def test_headings_are_bold_on_a_terminal_that_shows_colors(alovoice: FrontDoor) -> None:
    assert "\x1b[1mOptions:\x1b[0m" in alovoice("peers", "--help", terminal=True).out
    assert "\x1b" not in alovoice("peers", "--help", terminal=True, environ={"TERM": "dumb"}).out
    assert "\x1b" not in alovoice("peers", "--help").out

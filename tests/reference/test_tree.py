"""The tree is read whole, and without what is hidden."""

import pytest
import typer
from typer.main import get_command

from alovoice_cli.reference.tree import Argument, Command, Option, TypedValue, common_options, own_options, read_tree


def at(tree: Command, *words: str) -> Command:
    for word in words:
        tree = next(command for command in tree.subcommands if command.name == word)
    return tree


def option(command: Command, flag: str) -> Option:
    return next(option for option in command.options if flag in option.flags)


def test_the_commands_stand_in_the_order_of_the_help_without_the_hidden(toy: Command) -> None:
    paths = [" ".join(command.path[1:]) for command in toy.walk()]
    alone = ["logout", "trunks", "completion", "copy"]
    assert paths == ["", *alone, "autorule", "autorule create", "autorule get", "config", "config use"]
    assert at(toy, "hidden").hidden


@pytest.mark.parametrize(
    ("flag", "kind", "metavar", "choices"),
    [
        ("--record", "file", "FILE", ()),
        ("--into", "directory", "DIR", ()),
        ("--recipient", "text", "NUMBER", ()),
        ("--tries", "text", "N", ()),
        ("--paused", "flag", "", ()),
        ("--encoding", "choice", "json|form|vendor-curl", ("json", "form", "vendor-curl")),
        ("--profile", "profile", "NAME", ()),
        ("--json", "flag", "", ()),
        ("--help", "flag", "", ()),
    ],
)
def test_an_option_tells_what_its_word_is(
    toy: Command, flag: str, kind: str, metavar: str, choices: tuple[str, ...]
) -> None:
    found = option(at(toy, "autorule", "create"), flag)
    assert (found.kind, found.metavar, found.choices) == (kind, metavar, choices)
    assert found.takes_value == (kind != "flag")


def test_an_option_tells_its_spellings_and_its_default(toy: Command) -> None:
    create = at(toy, "autorule", "create")
    assert option(create, "--paused").flags == ("--paused", "--no-paused")
    assert option(create, "--tries").flags == ("-t", "--tries")
    assert (option(create, "--tries").default, option(create, "--tries").environment) == ("2", "TRIES")
    assert option(create, "--encoding").default == "json"
    assert option(create, "--recipient").repeatable
    assert option(create, "--record").required
    assert option(create, "--secret").hidden


def test_arguments_tell_what_they_are(toy: Command) -> None:
    assert at(toy, "logout").arguments == (Argument("PROFILE", "profile", "", required=False),)
    assert at(toy, "copy").arguments == (
        Argument("HOW", "choice", "", ("fast", "slow"), value=TypedValue("choice"), offers=("fast", "slow")),
        Argument("FILES", "file", "", repeatable=True, value=TypedValue("file")),
    )
    assert at(toy, "autorule", "get").arguments == (Argument("ID", "text", ""),)


def test_a_word_tells_machines_its_type_its_bounds_and_what_holds_without_it(toy: Command) -> None:
    create = at(toy, "autorule", "create")
    assert option(create, "--record").value == TypedValue("file")
    assert option(create, "--into").value == TypedValue("directory")
    assert option(create, "--tries").value == TypedValue("integer", minimum=1, default=2)
    assert option(create, "--paused").value == TypedValue("boolean", default=False)
    assert option(create, "--encoding").value == TypedValue("choice", default="json")
    assert option(create, "--timeout").value == TypedValue("number")
    assert option(create, "--help").value == TypedValue("boolean", default=False)


def test_examples_are_told_apart_from_the_rest_of_the_epilog(toy: Command) -> None:
    create = at(toy, "autorule", "create")
    assert create.examples == ("alovoice autorule create --record it\\'s.mp3", ".alovoice")
    assert create.epilog == "More: see it."
    assert create.summary == "Create a campaign"


def test_the_common_options_are_those_that_stand_everywhere(toy: Command) -> None:
    common = common_options(toy)
    assert [option.flags[-1] for option in common] == ["--profile", "--json", "--color", "--timeout", "--help"]
    assert own_options(at(toy, "trunks"), common) == ()
    own = [option.flags[-1] for option in own_options(at(toy, "autorule", "create"), common)]
    assert own == ["--record", "--recipient", "--into", "--no-paused", "--encoding", "--tries"]


def test_the_programs_own_names_for_help_are_told() -> None:
    app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]}, add_completion=False)

    @app.command()
    def one() -> None:
        """One."""

    @app.command(add_help_option=False)
    def two() -> None:
        """Two.\f Not for the reader."""

    tree = read_tree(get_command(app), "tool")
    assert tree.path == ("tool",)
    assert option(at(tree, "one"), "-h").flags == ("-h", "--help")
    assert at(tree, "two").options == ()
    assert at(tree, "two").help == "Two."

"""Writes the catalogues of translations: `python -m alovoice_cli.catalogues [--prune]` from a checkout.

Collects every text of the source that is given to `tr`, `pgettext`, `ngettext` or `mark`, the titles of columns and the
help texts of the command tree; adds what is new to `locale/*/LC_MESSAGES/alovoice.po`, and compiles each to the `.mo`
that the program reads. A text that is gone is kept as a comment, until `--prune`.

The `.mo` files are not in Git: the build makes them for a wheel and for an editable install (`hatch_build.py`), and the
tests for themselves.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alovoice_cli.language import DOMAIN, FOLDER

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

SOURCE = Path(__file__).parent
_TOML_TEXTS = ("title", "sends", "should")
COLUMN_CONTEXT = "column"
"""The context of a column's title: a word for a narrow place."""


class Text(NamedTuple):
    """One text to translate, and where it stands. `many` is the plural of `one`."""

    one: str
    place: str
    many: str = ""
    context: str | None = None

    @property
    def id(self) -> str | tuple[str, str]:
        """Returns the text as a catalogue names it."""
        return (self.one, self.many) if self.many else self.one


def source_texts(folder: Path = SOURCE) -> Iterator[Text]:
    """Yields the texts of the source files, in their order."""
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder.parent).as_posix()
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            if text := _text_of_call(call, place):
                yield text
    for path in sorted(folder.rglob("*.toml")):
        place = path.relative_to(folder.parent).as_posix()
        yield from (Text(text, place) for text in _texts_of_table(tomllib.loads(path.read_text("utf-8"))))


def _texts_of_table(table: dict[str, Any]) -> Iterator[str]:
    """Yields the texts for people in a file of cases or scenarios."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _texts_of_table(value)
        elif name in _TOML_TEXTS and isinstance(value, str):
            yield value


def _text_of_call(call: ast.Call, place: str) -> Text | None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    words = [arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else None for arg in call.args]
    match name, words:
        case ("tr" | "mark", [str(text), *_]):
            return Text(text, place)
        case ("pgettext", [str(context), str(text), *_]):
            return Text(text, place, context=context)
        case ("ngettext", [str(one), str(many), *_]):
            return Text(one, place, many)
        case ("Column" | "_column", [_, str(title), *_]) if title:
            return Text(title, place, context=COLUMN_CONTEXT)
    return None


def help_texts() -> Iterator[Text]:
    """Yields the texts of the help pages, as a page translates them: by paragraph, in one line."""
    from alovoice_cli.commands.command_table import NOUNS  # noqa: PLC0415 - the build has no Typer
    from alovoice_cli.commands.command_tree import full_tree  # noqa: PLC0415 - same

    yield from _texts_of_command(full_tree(), "alovoice")
    for noun in NOUNS:  # a command that is not loaded has only its line of help
        yield Text(noun.help, "alovoice")
        yield from (Text(verb.help, f"alovoice-{noun.name}") for verb in noun.verbs)


def _texts_of_command(command: Any, path: str) -> Iterator[Text]:
    from alovoice_cli.commands.help_page import split_epilog  # noqa: PLC0415 - the build has no Typer

    place = path.replace(" ", "-")
    texts = [paragraph for paragraph in (command.help or "").split("\n\n") if not paragraph.startswith("$ ")]
    panels = [command, *command.params]
    texts += [one.rich_help_panel for one in panels if isinstance(getattr(one, "rich_help_panel", None), str)]
    texts += [param.help for param in command.params if getattr(param, "help", None)]
    texts += split_epilog(command.epilog or "")[0]
    for text in texts:
        if line := " ".join(text.split()):
            yield Text(line, place)
    for name, below in getattr(command, "commands", {}).items():
        yield from _texts_of_command(below, f"{path} {name}")


def collect() -> "Catalog":
    """Returns the catalogue of all texts, without a language."""
    from babel.messages.catalog import Catalog  # noqa: PLC0415 - the build needs it to compile alone

    found = Catalog(domain=DOMAIN)
    for text in (*source_texts(), *help_texts()):
        message = found.get(text.one, text.context)
        if message is not None and text.many and isinstance(message.id, str):
            del found._messages[text.one]  # counted in one place and not in another: one entry serves both
        found.add(text.id, locations=[(text.place, 0)], context=text.context)
    return found


def update(path: Path, found: "Catalog", *, prune: bool) -> None:
    """Writes the catalogue at the path again: all found texts, with its translations."""
    from babel.messages.pofile import read_po, write_po  # noqa: PLC0415 - as above

    with path.open("rb") as file:
        catalogue = read_po(file, domain=DOMAIN)
    header = path.read_text("utf-8").partition("\n\n")[0]  # unchanged: dates would differ in each run
    for gone in catalogue.obsolete.values():  # a text may have come back
        if found.get(_key(gone), gone.context) and not catalogue.get(_key(gone), gone.context):
            catalogue.add(gone.id, gone.string, context=gone.context)
    catalogue.update(found, no_fuzzy_matching=True)
    gone_for_good = {
        key: gone
        for key, gone in catalogue.obsolete.items()
        if any(gone.string or ()) and not catalogue.get(_key(gone), gone.context)
    }
    catalogue.obsolete.clear()
    catalogue.obsolete.update(gone_for_good)
    for message in catalogue:
        message.flags.discard("python-format")  # `format` fills a text: a percent sign has no meaning in it
    with path.open("wb") as file:
        file.write(f"{header}\n\n".encode())
        write_po(file, catalogue, width=0, omit_header=True, include_lineno=False, ignore_obsolete=prune)


def _key(message: "Message") -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def compile_catalogues(folder: Path = FOLDER) -> list[Path]:
    """Writes the `.mo` beside each `.po`, and returns them."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - the program needs no Babel
    from babel.messages.pofile import read_po  # noqa: PLC0415 - same

    written = []
    for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, domain=DOMAIN)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        written.append(path.with_suffix(".mo"))
    return written


def main(words: list[str]) -> None:
    """Updates and compiles all catalogues."""
    found = collect()
    for path in sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        update(path, found, prune="--prune" in words)
    compile_catalogues()


if __name__ == "__main__":
    main(sys.argv[1:])

"""Help pages in another language: every text of every page has its place in the catalogues."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from babel.messages.pofile import read_po
from front_door import FrontDoor
from small_catalogue import Messages, use_messages

from alovoice_cli.commands import help_page
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.commands.help import TOPICS
from alovoice_cli.language import DOMAIN, FOLDER, tr


def _contexts(command: Any, name: str, parent: Any = None) -> Iterator[Any]:
    ctx = typer.Context(command, info_name=name, parent=parent)
    yield ctx
    for below, found in getattr(command, "commands", {}).items():
        yield from _contexts(found, below, ctx)


def test_each_text_of_each_page_is_in_the_catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = set()

    def recording(text: str, **values: object) -> str:
        shown.add(text)
        return tr(text, **values)

    monkeypatch.setattr(help_page, "tr", recording)
    for ctx in _contexts(full_tree(), "alovoice"):
        help_page.write_page(ctx)
    for topic in TOPICS.values():
        help_page.write_topic(*topic)
    with (FOLDER / "ru" / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        known = {message.id for message in read_po(file, domain=DOMAIN)}
    assert shown - known == {""} & shown


def test_a_page_is_in_the_language_of_the_run(
    alovoice: FrontDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = alovoice("trunks", "--help").out
    summary = help_page.summary_of(full_tree().commands["trunks"].help)
    messages: Messages = {
        "Usage:": "Использование:",
        "Examples:": "Примеры:",
        "Global options: {command}": "Общие параметры: {command}",
        " ".join(full_tree().commands["trunks"].help.split("\n\n")[0].split()): "Линии АТС. И ещё одно.",
        "Commands": "Команды",
    }
    use_messages(tmp_path, monkeypatch, "ru", messages)
    page = alovoice("trunks", "--help", "--lang", "ru").out
    assert page.startswith("Использование: alovoice trunks [OPTIONS]") or "[OPTIONS]" not in english
    assert "Линии АТС. И ещё одно." in page
    assert "Примеры:" in page
    assert "Общие параметры: alovoice --help" in page
    assert "\n  $ alovoice trunks\n" in page
    assert summary not in page
    first = alovoice("--help", "--lang", "ru").out
    assert any(line.split() == ["trunks", "Линии", "АТС"] for line in first.splitlines())

"""Texts in another language: filled, counted, and with their English remembered."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from alovoice_cli import language
from alovoice_cli.language import all_in_english, in_english, joined, joined_hints, ngettext, pgettext, tr, use_language


@pytest.fixture
def russian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small Russian catalogue."""
    catalogue = Catalog(locale="ru", domain="alovoice")
    catalogue.add("there is no line {line}", "нет линии {line}")
    catalogue.add("line", "строка", context="of a file")
    catalogue.add(("{n} call", "{n} calls"), ("{n} звонок", "{n} звонка", "{n} звонков"))
    path = tmp_path / "ru" / "LC_MESSAGES" / "alovoice.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    use_language("ru")
    yield
    use_language("en")


def test_in_english_a_text_is_only_filled() -> None:
    assert tr("there is no line {line}", line="712") == "there is no line 712"
    assert ngettext("{n} call", "{n} calls", 4812) == "4 812 calls"


@pytest.mark.usefixtures("russian")
def test_a_translated_text_remembers_its_english() -> None:
    text = tr("there is no line {line}", line=pgettext("of a file", "line"))
    assert text == "нет линии строка"
    assert in_english(text) == "there is no line line"


@pytest.mark.usefixtures("russian")
@pytest.mark.parametrize(("n", "said"), [(1, "1 звонок"), (3, "3 звонка"), (11, "11 звонков"), (1022, "1 022 звонка")])
def test_russian_has_three_plural_forms(n: int, said: str) -> None:
    assert ngettext("{n} call", "{n} calls", n) == said


@pytest.mark.usefixtures("russian")
def test_a_hint_after_a_question_is_a_sentence_of_its_own() -> None:
    no_line = tr("there is no line {line}", line="1")
    after_a_hint, after_a_question = joined_hints("plain", no_line), joined_hints("meant?", no_line)
    assert (after_a_hint, after_a_question) == ("plain; нет линии 1", "meant? Нет линии 1")
    assert in_english(after_a_question) == "meant? There is no line 1"


@pytest.mark.usefixtures("russian")
def test_the_english_of_a_joined_text_and_of_a_json_value_is_known() -> None:
    text = joined("; ", [tr("there is no line {line}", line="1"), "plain"])
    assert all_in_english({"message": text, "rows": [1, None, text]}) == {
        "message": "there is no line 1; plain",
        "rows": [1, None, "there is no line 1; plain"],
    }


@pytest.mark.usefixtures("russian")
def test_an_error_within_a_text_keeps_its_own_english() -> None:
    problem = ValueError(tr("there is no line {line}", line="1"))
    assert in_english(tr("refused: {problem}", problem=problem)) == "refused: there is no line 1"


def test_english_imports_no_gettext() -> None:
    code = "import sys; from alovoice_cli.language import tr, use_language; use_language('en'); tr('a'); "
    found = subprocess.run(
        [sys.executable, "-c", code + "print('gettext' in sys.modules)"], capture_output=True, check=True
    )
    assert found.stdout.strip() == b"False"

"""The catalogues of translations: whole, filled like the English, and built into what is installed."""

import re
import shutil
import string
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from alovoice_cli.catalogues import collect, update
from alovoice_cli.language import DOMAIN, FOLDER, LANGUAGES

COMPLETE = True
"""Whether the translation is through: from then on a text without a translation is a failure."""

OTHERS = [language for language in LANGUAGES if language != "en"]
ROOT = Path(__file__).parents[1]
COMMAND = r"`[^`]*`|(?<![\w-])--?[a-z][\w-]*|\bALOVOICE_[A-Z_]+"
"""What is never translated: commands in backquotes, options, variables."""


@cache
def _catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, domain=DOMAIN)


def _messages(language: str) -> Iterator[Message]:
    return (message for message in _catalogue(language) if message.id)


def _english(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, (tuple, list)) else (message.id,)


def _translations(message: Message) -> tuple[str, ...]:
    texts = tuple(message.string) if isinstance(message.string, (tuple, list)) else (message.string,)
    return tuple(text for text in texts if text)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_catalogues_hold_the_texts_of_the_program() -> None:
    """Where this fails: `python -m alovoice_cli.catalogues`."""
    wanted = {(message.id, message.context) for message in collect() if message.id}
    for language in OTHERS:
        found = {(message.id, message.context) for message in _messages(language)}
        assert (wanted - found, found - wanted) == (set(), set()), language


@pytest.mark.skipif(not COMPLETE, reason="the translation is under way")
@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    forms = _catalogue(language).num_plurals
    for message in _messages(language):
        wanted = forms if isinstance(message.id, tuple) else 1
        assert len(_translations(message)) == wanted, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_fuzzy(language: str) -> None:
    assert not [message.id for message in _messages(language) if message.fuzzy]


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_placeholders_of_the_english(language: str) -> None:
    for message in _messages(language):
        wanted = set.union(*map(_fields, _english(message)))
        for text in _translations(message):
            # One of something may be said without its number.
            assert _fields(text) | ({"n"} & wanted) == wanted, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_commands_options_and_variables_are_not_translated(language: str) -> None:
    for message in _messages(language):
        wanted = set(re.findall(COMMAND, _english(message)[-1]))
        for text in _translations(message):
            assert wanted <= set(re.findall(COMMAND, text)), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_a_translated_text_does_not_say_how_to_answer(language: str) -> None:
    """The keys of a question are the program's: a letter of a translation could mean the opposite of what it does."""
    keys = re.compile(r"\[\w+/\w+")
    for message in _messages(language):
        for text in (*_english(message), *_translations(message)):
            assert not keys.search(text), text


@pytest.mark.parametrize("language", OTHERS)
def test_letters_and_quotes_are_those_of_the_language(language: str) -> None:
    wrong = {"ru": "[ʻʼ“”‘’]", "uz": "['`’‘«»]|[а-яё]"}[language]
    for message in _messages(language):
        for text in _translations(message):
            plain = re.sub(r"`[^`]*`", "", text)
            found = re.search(wrong, plain, re.IGNORECASE)
            assert found is None or found[0] in _english(message)[0], text


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
@pytest.mark.parametrize("language", OTHERS)
def test_gettext_finds_no_fault(language: str) -> None:
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    words = ["msgfmt", "--check-format", "--check-domain", "-o", "/dev/null", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_text_that_comes_back_has_its_translation_again(tmp_path: Path) -> None:
    path = tmp_path / "alovoice.po"
    path.write_text((FOLDER / "ru" / "LC_MESSAGES" / f"{DOMAIN}.po").read_text("utf-8").partition("\n\n")[0], "utf-8")
    texts = Catalog()
    texts.add("Row", context="column")
    update(path, texts, prune=False)
    path.write_text(path.read_text("utf-8").replace('msgid "Row"\nmsgstr ""', 'msgid "Row"\nmsgstr "Строка"'), "utf-8")
    update(path, Catalog(), prune=False)
    assert '#~ msgid "Row"\n#~ msgstr "Строка"' in path.read_text("utf-8")
    update(path, texts, prune=False)
    assert '\nmsgid "Row"\nmsgstr "Строка"' in path.read_text("utf-8")
    update(path, Catalog(), prune=True)
    assert "Строка" not in path.read_text("utf-8")


def test_a_wheel_holds_the_compiled_catalogues(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.mo", "tests", "dist")
    shutil.copytree(ROOT, source, ignore=ignored)
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for language in OTHERS:
        assert f"alovoice_cli/locale/{language}/LC_MESSAGES/{DOMAIN}.mo" in names
    assert not [name for name in names if name.endswith(".po")]

"""Replaces the program's catalogue by one with a few messages."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from alovoice_cli import language

Messages = Mapping[str | tuple[str, str], str | tuple[str, ...]]
"""Translations by their English, or by singular and plural; `column|Title` is a text with a context."""


def use_messages(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, messages: Messages) -> None:
    """Makes these the only messages of the language, until the test ends."""
    catalogue = Catalog(locale=code, domain=language.DOMAIN)
    for english, translated in messages.items():
        context, bar, text = english.partition("|") if isinstance(english, str) else ("", "", "")
        catalogue.add(text if bar else english, translated, context=context if bar else None)
    path = folder / code / "LC_MESSAGES" / f"{language.DOMAIN}.mo"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(language, "FOLDER", folder)

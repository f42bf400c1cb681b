"""Texts in the operator's own language: English, Russian or Uzbek.

A text is written in English where it is used: `tr("{name} is not a number", name=name)`. With English active it is
only formatted; nothing is imported and no catalogue is read. Otherwise the catalogue of the language gives the text,
and the result remembers its English: JSON, CSV and logs stay English (`in_english`).

`tr` is called when a text is shown, never while a module is imported: the language is not known then. Texts that stand
in tables of a module are marked with `mark`, and translated when they are shown: `tr(TITLES[key])`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from gettext import GNUTranslations

Language = Literal["en", "ru", "uz"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "alovoice"
FOLDER = Path(__file__).with_name("locale")

_catalogue: "GNUTranslations | None" = None
_language: Language = "en"


class Translated(str):
    """A text in another language, which remembers its English."""

    __slots__ = ("english",)

    english: str

    def __new__(cls, text: str, english: str) -> "Translated":
        made = super().__new__(cls, text)
        made.english = english
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # a pickle keeps the English too
        return str(self), self.english


def use_language(language: Language) -> None:
    """Makes this the language of all texts from now on. A missing catalogue leaves them English."""
    global _catalogue, _language
    _catalogue, _language = None, language
    if language != "en":
        from gettext import GNUTranslations  # noqa: PLC0415 - English needs none of it

        path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        try:
            with path.open("rb") as file:
                _catalogue = GNUTranslations(file)
        except OSError:
            _catalogue = None


def language_in_use() -> Language:
    """Returns the language of the texts."""
    return _language


def tr(text: str, **values: object) -> str:
    """Returns the text in the active language, with its `{name}` filled; `text` itself is the English one."""
    if _catalogue is None or not text:  # the catalogue's text for '' is its header
        return text.format(**values) if values else text
    return _filled(_catalogue.gettext(text), text, values)


def pgettext(context: str, text: str, **values: object) -> str:
    """Returns the text as `tr` does, for a word with two meanings: `context` names the meaning."""
    if _catalogue is None or not text:
        return text.format(**values) if values else text
    return _filled(_catalogue.pgettext(context, text), text, values)


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Returns the text for this number, with `{n}` filled with thousands apart, and the other values as `tr` does."""
    english = one if n == 1 else many
    values = {"n": spaced(n), **values}
    if _catalogue is None:
        return english.format(**values)
    return _filled(_catalogue.ngettext(one, many, n), english, values)


def mark(text: str) -> str:
    """Returns the text unchanged: it is found for the catalogues, and translated with `tr` where it is shown."""
    return text


def spaced(number: int) -> str:
    """Returns `4 812`: thousands apart, as is usual in Uzbekistan."""
    return f"{number:,}".replace(",", " ")


def joined(separator: str, texts: Iterable[str]) -> str:
    """Returns the texts with the separator between them; the English of each is remembered."""
    parts = list(texts)
    text = separator.join(parts)
    if _catalogue is None:
        return text
    return Translated(text, in_english(separator).join(map(in_english, parts)))


def joined_hints(first: str, second: str) -> str:
    """Returns `first; second`; after a question the second hint is a sentence of its own: `first? Second`."""
    text = _after(first, second)
    return text if _catalogue is None else Translated(text, _after(in_english(first), in_english(second)))


def _after(first: str, second: str) -> str:
    return f"{first} {second[:1].upper()}{second[1:]}" if first.endswith("?") else f"{first}; {second}"


def in_english(text: str) -> str:
    """Returns the English of a translated text; any other text unchanged."""
    return text.english if isinstance(text, Translated) else text


def text_of(error: BaseException) -> str:
    """Returns the text of an error, with its English."""
    said = error.args[0] if error.args else None
    return said if isinstance(said, str) else str(error)


def all_in_english(value: object) -> object:
    """Returns a JSON value with the English of each text in it."""
    if _catalogue is None:
        return value
    if isinstance(value, str):
        return in_english(value)
    if isinstance(value, Mapping):
        return {key: all_in_english(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [all_in_english(item) for item in value]
    return value


def _filled(text: str, english: str, values: Mapping[str, object]) -> str:
    if not values:
        return Translated(text, english)
    return Translated(text.format(**values), english.format(**{name: _english(item) for name, item in values.items()}))


def _english(value: object) -> object:
    if isinstance(value, str):
        return in_english(value)
    if isinstance(value, BaseException):  # an error's text is its message
        return in_english(text_of(value))
    return value

"""What people read when something goes wrong, in three languages, word for word; and what programs read: English.

`ALOVOICE_WRITE_GOLDENS=1` writes `tests/goldens/errors.*.txt` anew: read the difference before it is committed.
"""

import json
import os
from pathlib import Path

import pytest
from error_situations import SITUATIONS, Situation, cleared
from front_door import FrontDoor

from alovoice_cli.language import LANGUAGES

GOLDENS = Path(__file__).parent / "goldens"
OTHERS = [language for language in LANGUAGES if language != "en"]


def _golden(language: str) -> Path:
    return GOLDENS / f"errors.{language}.txt"


def _all(home: FrontDoor, language: str) -> str:
    blocks = []
    for situation in SITUATIONS:
        code, text = situation.run(cleared(home), language)
        blocks.append(f"## {situation.name}\n$ alovoice {situation.words}\n{text.rstrip()}\n[{code}]\n")
    return "\n".join(blocks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_are_worded_as_they_were_read_and_accepted(alovoice: FrontDoor, language: str) -> None:
    said = _all(alovoice, language)
    golden = _golden(language)
    if os.environ.get("ALOVOICE_WRITE_GOLDENS") == "1":
        GOLDENS.mkdir(exist_ok=True)
        golden.write_text(said, "utf-8")
    if not golden.exists():
        pytest.skip(f"the errors in {language} have not been accepted yet")
    assert said == golden.read_text("utf-8")


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: str(situation.name))
def test_the_exit_code_and_the_json_of_an_error_are_the_same_in_each_language(
    alovoice: FrontDoor, situation: Situation
) -> None:
    code, text = situation.run(alovoice, "en", "--json")
    assert code == situation.code, text
    english = _json_of(text)
    for language in OTHERS:
        code, text = situation.run(cleared(alovoice), language, "--json")
        assert (code, _json_of(text)) == (situation.code, english)


def _json_of(text: str) -> object:
    """Returns the JSON on stderr, which may stand behind a question; None for a check, whose findings are on stdout."""
    _, begin, rest = text.rpartition('{"error"')
    return json.loads(begin + rest) if begin else None

"""What a person sees is translated; what a program reads is English, whatever the language."""

import json
from pathlib import Path

import pytest
from documentation_sessions import two_days_of_calls
from front_door import FrontDoor, Stream
from small_catalogue import Messages, use_messages

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr, use_language
from alovoice_cli.masking import Masker
from alovoice_cli.output.display import Display
from alovoice_cli.output.listing import Column, Listing, Record
from alovoice_cli.output.options import GlobalOptions

COLUMNS = (Column("state", "State"), Column("reason", "Reason", value=lambda item: tr("no answer")))


@pytest.fixture
def russian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Russian, as far as these few messages go."""
    messages: Messages = {
        "error": "ошибка",
        "hint": "подсказка",
        "warning": "предупреждение",
        "no answer": "нет ответа",
        "column|State": "Состояние",
        "column|Reason": "Причина",
    }
    use_messages(tmp_path, monkeypatch, "ru", messages)
    use_language("ru")


def _shown(thing: Listing | Record, *, terminal: bool = False, **options: object) -> str:
    out = Stream(terminal)
    chosen = GlobalOptions(color="never", **options)  # type: ignore[arg-type] # any of the options
    Display(Stream(terminal), out, Stream(terminal), {"COLUMNS": "80"}, chosen, Masker()).show(thing)
    return out.content()


def _listing() -> Listing:
    return Listing([{"state": tr("no answer")}], COLUMNS)


@pytest.mark.usefixtures("russian")
def test_a_table_on_a_terminal_has_translated_headings_and_cells() -> None:
    out = _shown(_listing(), terminal=True)
    assert out.split() == ["Состояние", "Причина", *out.split()[2:3], "нет", "ответа", "нет", "ответа"]


@pytest.mark.usefixtures("russian")
def test_forms_for_programs_are_english_on_a_terminal_too() -> None:
    for terminal in (False, True):
        assert json.loads(_shown(_listing(), terminal=terminal, json=True)) == [{"state": "no answer"}]
        chosen = json.loads(_shown(_listing(), terminal=terminal, json=True, columns="reason"))
        assert chosen == [{"reason": "no answer"}]
        assert _shown(_listing(), terminal=terminal, csv=True) == "state,reason\nno answer,no answer\n"
        record = Record({"state": tr("no answer"), "all": [tr("no answer")]}, ours=True)
        assert json.loads(_shown(record, terminal=terminal, json=True)) == {"state": "no answer", "all": ["no answer"]}
    assert _shown(_listing()) == "state\treason\nno answer\tno answer\n"
    assert _shown(Record({"state": tr("no answer")})) == "field\tvalue\nstate\tno answer\n"


@pytest.mark.usefixtures("russian")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "ошибка: нет ответа\nподсказка: нет ответа\n"),
        ({"json": True}, '"message": "no answer", "hint": "no answer"'),
        ({"log_format": "json"}, '"message": "no answer (no answer)"'),
        ({"log_format": "text"}, " error: нет ответа (нет ответа)\n"),
    ],
)
def test_an_error_is_translated_for_people_and_english_in_json(options: dict[str, object], said: str) -> None:
    err = Stream(terminal=False)
    chosen = GlobalOptions(**options)  # type: ignore[arg-type] # any of the options
    display = Display(Stream(terminal=False), Stream(terminal=False), err, {}, chosen, Masker())
    display.error(UsageError(tr("no answer"), hint=tr("no answer")))
    assert said in err.content()


@pytest.mark.usefixtures("russian")
def test_an_error_of_the_front_door_has_a_translated_label(alovoice: FrontDoor) -> None:
    result = alovoice("trunks", "--lang", "ru")
    assert result.code == 3
    assert result.err.startswith("ошибка: ")
    assert "\nподсказка: " in result.err
    assert "error" in json.loads(alovoice("trunks", "--lang", "ru", "--json").err)


ANSWERS = {
    "en": ("[y/N]", ["y", "Y", "yes"], ["n", "", "ha", "h", "да", "д", "yep"]),
    "ru": ("[д/Н]", ["д", "Д", "да", "ДА", "y", "yes"], ["н", "", "нет", "ha", "n"]),
    "uz": ("[ha/YOʻQ]", ["ha", "h", "HA"], ["y", "yes", "Y", "yoʻq", "yoq", "", "да", "n"]),
}


@pytest.mark.parametrize("language", ANSWERS)
def test_a_question_takes_only_the_words_that_mean_yes_in_its_language(alovoice: FrontDoor, language: str) -> None:
    keys, yes, no = ANSWERS[language]
    for answer in [*yes, *no]:
        result = alovoice("sandbox", "reset", "--lang", language, terminal=True, stdin=f"{answer}\n")
        assert f" {keys} " in result.err
        assert result.code == (0 if answer in yes else 2), answer


def test_the_heading_of_groups_is_a_word_of_the_language(alovoice: FrontDoor) -> None:
    """As the other headings are: an extension is no `Peer`."""
    two_days_of_calls(alovoice)
    for group in ("hour", "day", "weekday", "line", "peer", "number", "status"):
        words = ("events", "stats", "--by", group, "--since", "all", "--lang", "ru")
        shown = alovoice(*words, terminal=True)
        heading = next(line for line in shown.out.splitlines() if line.strip())
        assert not heading.split()[0].isascii(), shown.out


def test_a_record_is_in_words_on_a_terminal_and_has_the_names_of_its_fields_in_a_pipe(alovoice: FrontDoor) -> None:
    out = ("-p", "sandbox", "call", "out", "--from", "2001", "--to", "901234567", "--night-ok")
    placed = alovoice(*out, "--lang", "ru", "--color", "never", terminal=True)
    assert [line.split()[1] for line in placed.out.splitlines()[2:5]] == ["Квитанция", "call_id", "Ответ"]
    piped = alovoice(*out, "--lang", "ru").out.splitlines()
    assert [line.split("\t")[0] for line in piped] == ["field", "receipt", "call_id", "answer"]
    receipt = piped[1].split("\t")[1]
    show = ("call", "receipts", "show", receipt)
    told = alovoice(*show, "--lang", "uz", "--color", "never", terminal=True).out
    assert [line.split()[-2] for line in told.splitlines() if "Yuborilgan" in line] == ["ha"]
    names = [line.split("\t")[0] for line in alovoice(*show, "--lang", "uz").out.splitlines()[1:]]
    assert names == list(json.loads(alovoice(*show, "--json").out))

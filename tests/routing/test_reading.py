"""A rules file is read whole or not at all, and each error is told where it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_cases import FALLBACK, ISSUE, errors_of, loaded_of, rules_texts
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.routing.reading import load

RULE = '[[rule]]\nname = "a"\n'
GOOD = FALLBACK + RULE + 'then = { queue = "1" }\n'


def test_the_page_of_the_issue_is_read_without_an_error() -> None:
    loaded = loaded_of(ISSUE)
    assert loaded.rules is not None
    assert [rule.name for rule in loaded.rules.rules][-1] == "night"
    assert loaded.findings == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "hint"),
    [
        (RULE + 'then = { queue = "1" }', 1, 1, "no-fallback", 'fallback = { queue = "6000" }'),
        (GOOD + "[lits]\n", 5, 2, "unknown-key", "did you mean lists?"),
        (GOOD + "wen = {}\n", 5, 1, "unknown-key", "did you mean when?"),
        (GOOD + 'when = { form = "1234567" }\n', 5, 10, "unknown-key", "did you mean from?"),
        (GOOD + 'when = { not = { hors = "x" } }\n', 5, 18, "unknown-key", "did you mean hours?"),
        (GOOD + 'when = { from = ["901234567", "abc"] }\n', 5, 31, "bad-value", "+998901234567"),
        (GOOD + 'when = { from = "@vpi" }\n[lists]\nvip = ["901234567"]\n', 5, 17, "unknown-name", "did you mean vip?"),
        (GOOD + 'when = { hours = "ofice" }\n[hours]\noffice = "Mon 09:00-18:00"\n', 5, 18, "unknown-name", "office"),
        (GOOD + '[hours]\noffice = ["Mon 09:00-18:00", "Mo 9-18"]\n', 6, 30, "bad-value", "Mon-Fri 09:00-18:00"),
        (GOOD + '[hours]\nholidays = "UX"\n', 6, 12, "unknown-name", "UZ"),
        (GOOD + '[hours]\nholidays = ["2026-13-01"]\n', 6, 13, "bad-value", "2026-12-31"),
        (GOOD + "when = { share = 100 }\n", 5, 18, "bad-value", "share = 20"),
        (GOOD + "when = { share = true }\n", 5, 18, "bad-value", "share = 20"),
        (GOOD + 'when = { spoke_within = "7 days" }\n', 5, 25, "bad-value", "7d"),
        (GOOD + 'when = { calls_within = { count = 0, window = "1h" } }\n', 5, 35, "bad-value", "1, 2"),
        (GOOD + "when = { calls_within = 3 }\n", 5, 25, "bad-value", "count = 3"),
        (GOOD + 'when = { direction = "in" }\n', 5, 22, "bad-value", '"inc"'),
        (GOOD + 'when = { queue = "sales" }\n', 5, 18, "bad-value", '"6000"'),
        (GOOD + 'when = { date = "31.12" }\n', 5, 17, "bad-value", "12-31"),
        (GOOD + "when = { any = [] }\n", 5, 16, "bad-value", "any = ["),
        (GOOD + "when = { not = {} }\n", 5, 16, "bad-value", "hours"),
        (GOOD + "when = { from = [] }\n", 5, 17, "bad-value", "leave the condition out"),
        (FALLBACK + RULE + 'then = { peer = "sales" }\n', 4, 17, "bad-action", '"2000"'),
        (FALLBACK + RULE + 'then = { peer = "1", queue = "2" }\n', 4, 8, "bad-action", "peer"),
        (FALLBACK + RULE + "then = {}\n", 4, 8, "bad-action", "peer"),
        (FALLBACK + RULE + "then = { hangup = false }\n", 4, 19, "bad-action", "hangup = true"),
        (FALLBACK + RULE + "then = { round_robin = [] }\n", 4, 24, "bad-action", "round_robin"),
        (FALLBACK + RULE + 'then = { round_robin = ["1", "x"] }\n', 4, 30, "bad-action", "2000"),
        (FALLBACK + RULE + 'then = { peer = "@last_pear" }\n', 4, 17, "unknown-name", "@last_peer"),
        (FALLBACK + RULE + 'then = { peer = "@last_peer" }\n', 4, 17, "bad-action", "spoke_within"),
        (FALLBACK + RULE, 2, 1, "bad-value", "then"),
        (FALLBACK + '[[rule]]\nthen = { queue = "1" }\n', 2, 1, "bad-value", "name"),
        (FALLBACK + '[[rule]]\nname = "Fallback"\nthen = { queue = "1" }\n', 3, 8, "bad-value", "another name"),
        (GOOD + RULE + 'then = { queue = "1" }\n', 6, 8, "same-name", "must differ"),
        (GOOD + '[[test]]\ngiven = { from = "1" }\nexpect = { queue = "1" }\nrule = "b"\n', 8, 8, "unknown-name", "a"),
        (GOOD + '[[test]]\ngiven = { at = "soon" }\nexpect = { queue = "1" }\n', 6, 16, "bad-value", "2026-11-23"),
        (GOOD + "[[test]]\n", 5, 1, "bad-value", "given"),
        ("fallback = { peer = 0.5 }\n" + RULE + 'then = { queue = "1" }', 1, 21, "bad-action", "peer"),
        ('timezone = "Asia/Taskent"\n' + GOOD, 1, 12, "bad-value", "Asia/Tashkent"),
        (GOOD + '[lists]\nvip = "nosuch.csv"\n', 6, 7, "list-file", "directory of the rules file"),
        (GOOD + '[lists]\nvip = { fil = "x" }\n', 6, 9, "unknown-key", "file"),
        (GOOD + "[lists]\nvip = 7\n", 6, 7, "bad-value", "vip.csv"),
        ("lists = 1\n" + GOOD, 1, 9, "bad-value", "[lists]"),
        ("rule = 1\n" + FALLBACK, 1, 1, "bad-value", "[[rule]]"),
    ],
)
def test_each_error_stands_where_it_is_and_says_what_to_write(
    text: str, line: int, column: int, code: str, hint: str
) -> None:
    found = errors_of(text)
    assert (line, column, code) in [(e.line, e.column, e.code) for e in found], [str(e) for e in found]
    assert any(hint in error.hint for error in found if error.code == code)


def test_one_run_tells_all_that_is_wrong() -> None:
    text = FALLBACK + RULE + 'when = { form = "1", share = 0 }\nthen = { peer = "x" }\n' + "[[test]]\nrule = 1\n"
    assert len(errors_of(text)) == 4


def test_numbers_without_quotes_are_taken_for_what_they_are() -> None:
    loaded = loaded_of("fallback = { queue = 6000 }\n" + RULE + "when = { line = 712037006 }\nthen = { peer = 2000 }\n")
    assert loaded.rules is not None
    assert (str(loaded.rules.fallback), str(loaded.rules.rules[0].action)) == ("queue:6000", "peer:2000")


_WORDS = st.sampled_from(
    [
        "fallback = ",
        "{ queue = ",
        '"6000"',
        " }",
        "\n",
        "[[rule]]\n",
        "[hours]\n",
        "[lists]\n",
        "name = ",
        "when = ",
        "{",
        "then = ",
        "from",
        " = ",
        '"@a"',
        "[",
        "]",
        ", ",
        "1",
        "true",
        "office",
        '"Mon 09:00-18:00"',
        "[[test]]\n",
        "given",
        "not",
        "any",
        "all",
        "2026-01-01",
        "round_robin",
        "holidays",
        "Ў",
        "\t",
        "#",
        "\x00",
        '"""',
    ]
)


@examples(125)
@given(st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=40).map("".join), rules_texts()), st.integers(0, 400))
def test_no_text_brings_the_reader_down_and_each_error_names_a_line(text: str, cut: int) -> None:
    for written in (text, text[:cut], text[:cut] + text[cut + 3 :]):
        loaded = loaded_of(written)
        lines = written.count("\n") + 1
        assert all(1 <= (found.line or 0) <= lines and (found.column or 0) >= 1 for found in loaded.findings)
        assert (loaded.rules is None) == any(found.severity == "error" for found in loaded.findings)


@examples(125)
@given(content=st.binary(max_size=300))
def test_no_bytes_bring_the_reader_down(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    assert load(path).rules is None  # nothing random names a fallback


def test_letters_of_another_encoding_are_told_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b'fallback = { queue = "1" }\n# ' + "правила".encode("cp1251"))
    (found,) = load(path).findings
    assert (found.code, found.line, found.column) == ("encoding", 2, 3)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "no.toml", tmp_path, tmp_path / "\0"):
        with pytest.raises(UsageError):
            load(path)

"""Speech: strange answers, dialogues against another tool, and texts folded."""

from importlib import import_module
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from strength import rounds


def test_any_answer_is_read_measured_and_shown() -> None:
    exports = import_module("speech.test_exports")
    _run(exports.test_any_stalk_and_tags_are_read_measured_and_shown, exports.ANSWER, 150)


def test_any_text_is_folded() -> None:
    _run(import_module("speech.test_folding").test_a_part_of_any_text_is_found_in_it, st.text(max_size=40), 1000)


def test_the_figures_agree_with_another_tool() -> None:
    for batch in range(rounds(4)):
        import_module("speech.test_measures").test_the_figures_agree_with_another_tool(batch)


def _run(test: Any, strategy: st.SearchStrategy[Any], count: int) -> None:
    """Runs a property of the suite with so many examples, times the size."""
    tried: Any = given(strategy)(test.hypothesis.inner_test)
    settings(max_examples=rounds(count), deadline=None)(tried)()

"""Speech at full strength: 5,000 strange answers, 2,000 dialogues against another tool, 20,000 texts folded.

By hand: `python tests/soak/speech.py`. The suite runs a small part of it.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st


def main() -> None:
    tests = Path(__file__).parents[1]
    sys.path.insert(0, str(tests))
    exports, folding, measures = (import_module(f"speech.test_{name}") for name in ("exports", "folding", "measures"))
    _run(exports.test_any_stalk_and_tags_are_read_measured_and_shown, exports.ANSWER, 5000)
    _run(folding.test_a_part_of_any_text_is_found_in_it, st.text(max_size=40), 20_000)
    for batch in range(100):
        measures.test_the_figures_agree_with_another_tool(batch)


def _run(test: Any, strategy: st.SearchStrategy[Any], examples: int) -> None:
    """Runs a property of the suite with so many examples."""
    tried: Any = given(strategy)(test.hypothesis.inner_test)
    settings(max_examples=examples, deadline=None)(tried)()


if __name__ == "__main__":
    main()

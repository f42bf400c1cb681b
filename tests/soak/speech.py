"""Speech at full strength: 5,000 strange answers, 2,000 dialogues against another tool, 20,000 texts folded.

By hand: `python tests/soak/speech.py`. The suite runs a small part of it.
"""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "speech")]
import test_exports  # noqa: E402 - the path comes first
import test_folding  # noqa: E402 - same
import test_measures  # noqa: E402 - same


def main() -> None:
    read = test_exports.test_any_stalk_and_tags_are_read_measured_and_shown.hypothesis.inner_test
    settings(max_examples=5000, deadline=None)(given(test_exports.ANSWER)(read))()
    folded = test_folding.test_a_part_of_any_text_is_found_in_it.hypothesis.inner_test
    settings(max_examples=20_000, deadline=None)(given(st.text(max_size=40))(folded))()
    for batch in range(100):
        test_measures.test_the_figures_agree_with_another_tool(batch)


if __name__ == "__main__":
    main()

"""The page on rules says what the program does."""

import re
from pathlib import Path

import pytest
from route_cases import NOON, loaded_of

from alovoice_cli.routing import clauses
from alovoice_cli.routing.lint import judge

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


@pytest.mark.floors
def test_the_example_is_read_and_passes_its_own_tests() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    checked = judge(loaded_of(example), NOON)
    assert checked.ok, [str(found) for found in checked.findings]
    assert checked.verdict.passed == 2
    assert [found.code for found in checked.findings] == ["gap"]


def test_each_condition_is_told() -> None:
    conditions = PAGE.partition("## Conditions")[2].partition("## Steps")[0]
    assert all(f"`{name} = " in conditions for name in clauses._READERS)

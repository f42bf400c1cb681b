"""The page on scores says what the program does."""

import re
from pathlib import Path

from alovoice_cli.speech.score_rules import _KINDS, MEASURES, load

PAGE = (Path(__file__).parents[2] / "docs" / "scores.md").read_text("utf-8")


def test_the_example_is_sound(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "qa.toml"
    path.write_text(example, "utf-8")
    loaded = load(path)
    assert loaded.findings == ()
    assert loaded.rules is not None
    assert len(loaded.rules.checks) == 5


def test_each_check_and_measure_is_told() -> None:
    checks, _, measures = PAGE.partition("## Checks")[2].partition("## Measures")
    assert re.findall(r"^\| `(\w+)`", checks, re.MULTILINE) == list(_KINDS)
    assert re.findall(r"^\| `(\w+)`", measures, re.MULTILINE) == list(MEASURES)

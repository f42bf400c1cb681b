"""What an index page says of the package: its links lead somewhere, and it claims no Python that was not tried."""

import re
import runpy
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
_TARGET = re.compile(r"\]\(([^)]*)\)")


@pytest.fixture
def without_relative_links(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The function of the build hook, whose backend need not be installed."""
    interface = ModuleType("interface")
    interface.MetadataHookInterface = object  # type: ignore[attr-defined] # a module made for the test
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    found: Callable[[str], str] = runpy.run_path(str(ROOT / "hatch_readme.py"))["without_relative_links"]
    return found


def test_every_relative_link_of_the_readme_leads_to_a_file() -> None:
    targets = [target.partition("#")[0] for target in _TARGET.findall(README)]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert relative
    assert [target for target in relative if not (ROOT / target).exists()] == []


def test_on_an_index_page_no_link_of_the_readme_is_relative(without_relative_links: Callable[[str], str]) -> None:
    shown = without_relative_links(README)
    assert [target for target in _TARGET.findall(shown) if not re.match(r"[a-z]+:|#", target)] == []
    text = "See [`a`](docs/a.md#b), ![a picture](x.svg), [c](#c), [d](https://d.uz/) and f[0](1)."
    assert without_relative_links(text) == "See `a`, a picture, [c](#c), [d](https://d.uz/) and f0."
    assert PROJECT["dynamic"] == ["version", "readme"]


def test_the_classifiers_say_how_far_it_is_and_which_pythons_were_tried() -> None:
    stated = PROJECT["classifiers"]
    assert sum(one.startswith("Development Status :: ") for one in stated) == 1
    pythons = {one.rpartition(" ")[2] for one in stated if re.search(r":: 3\.\d+$", one)}
    tried = re.search(r"Needs Python ([\d., ]+), pip", (ROOT / ".ci" / "run").read_text("utf-8"))
    assert tried is not None
    assert pythons == set(tried[1].split(", "))

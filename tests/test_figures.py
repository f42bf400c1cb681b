"""docs/figures.md is what the benches wrote, and no other page names a figure that somebody measured."""

import re
from pathlib import Path

import pytest
from documentation_sessions import PAGES, ROOT
from figures_page import MEASURED, PAGE, machine, renewed, rows, section, sections, table

BENCHES = ROOT / "tests" / "bench"
SECTIONS = sections(PAGE.read_text("utf-8"))
CHANGES = ROOT / "CHANGELOG.md"
_UNIT = re.compile(
    r"\d[\d.,]* ?(?:ms|µs|us|[kKMG]i?B|мс|мкс|[кМГ]Б)\b"
    r"|\d[\d.,]* (?:\w+ ){0,2}(?:a|per|each) second|\d+ (?:\w+ )?в секунду|sekundiga \d+"
    r"|\b(?:micro|milli)seconds?\b|\b(?:half|tenth) of a second"
    r"|\b(?:\d+|twice|two|three|four|five|ten)(?: times)? (?:as (?:fast|slow|long|much)|faster|slower|csv)\b"
)
LIMITS = {
    "operations.md": ["64 MB", "8 MB"],  # what a body may have, and a file system had
    "rules.md": ["700ms", "microseconds"],  # an option, and the unit of a key
    "CHANGELOG.md": ["1 MiB", "4 kB"],  # limits of an answer and of a file
}
"""What has a unit of speed or size on the pages and was not measured: options, limits, units."""


@pytest.mark.parametrize("page", [page for page in (*PAGES, CHANGES) if page != PAGE], ids=lambda page: page.name)
def test_a_page_names_limits_and_leaves_what_was_measured_to_the_page_of_figures(page: Path) -> None:
    text = page.read_text("utf-8")
    if page == CHANGES:
        text = "".join(text.partition("\n## ")[1:]).split("\n## ")[1]  # older versions tell of what was
    prose = re.sub(r"^ {4}.*$|<!--.*?-->", "", text, flags=re.MULTILINE)
    found = _UNIT.findall(" ".join(prose.split()))
    assert sorted(set(found) - set(LIMITS.get(page.name, []))) == []
    assert sorted(set(LIMITS.get(page.name, [])) - set(found)) == []


def test_what_was_measured_is_seen_in_a_text() -> None:
    claims = (
        "takes 20 to 45 MB",
        "answers within 12 ms",
        "3,000 events a second",
        "4 times csv",
        "a tenth of a second",
    )
    assert [claim for claim in claims if not _UNIT.search(claim)] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_a_link_to_figures_leads_to_a_section(page: Path) -> None:
    anchors = re.findall(r"figures\.md#([\w-]+)", page.read_text("utf-8"))
    assert set(anchors) <= {title.lower().replace(" ", "-") for title in SECTIONS}


def test_the_page_has_a_section_for_each_bench() -> None:
    modules = [path.read_text("utf-8") for path in BENCHES.glob("*.py")]
    titles = {found[1] for text in modules if (found := re.search(r'^TITLE = "(.+)"$', text, re.MULTILINE))}
    assert set(SECTIONS) == titles


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_says_when_and_where_and_has_a_full_table(title: str) -> None:
    assert MEASURED.match(SECTIONS[title].splitlines()[2])
    header, *lines = rows(SECTIONS[title])
    assert lines
    assert [line for line in lines if len(line) != len(header) or not all(line)] == []


def test_a_section_is_renewed_and_the_others_stay() -> None:
    page = "# Figures\n\nOld words\n\n## B\n\nb\n\n## A\n\nold\n"
    new = section("A", machine(), "What was run.", table(("X", "Y"), [("1", "2")]))
    found = sections(renewed(page, "A", new, ["A", "B", "C"]))
    assert list(found) == ["A", "B"]
    assert rows(found["A"]) == [["X", "Y"], ["1", "2"]]
    assert MEASURED.match(found["A"].splitlines()[2])
    assert found["B"] == "## B\n\nb\n"


def test_no_package_is_covered_below_90_percent() -> None:
    shares = {line[0]: float(line[-1].removesuffix(" %")) for line in rows(SECTIONS["Coverage"])[1:]}
    packages = {f"`{path.name}/`" for path in (ROOT / "alovoice_cli").iterdir() if any(path.glob("*.py"))}
    assert set(shares) == packages | {"modules beside them"}
    assert {name: share for name, share in shares.items() if share < 90} == {}

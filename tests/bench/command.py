"""`tests/bench/run [NAME …] [--quick | --size N]`: measures, prints the tables and writes them into docs/figures.md."""

import argparse
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Protocol, cast

import coverage_of_packages
from figures_page import PAGE, machine, renewed, section, table
from measuring import Row

_NAMES = ("startup", "lists", "rules", "batch", "listen", "events", "speech")
_HEADER = ("Figure", "Command", "Measured", "Floor", "Ratio")


class Bench(Protocol):
    """A module of this folder that measures."""

    TITLE: str
    ABOUT: str

    def rows(self, size: float) -> Iterator[Row]:
        """Measures, and yields the rows of the table as they come."""


def main(words: Sequence[str]) -> int:
    """Runs the named benches, or all but coverage, which runs every test; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures, and renews docs/figures.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_NAMES)} (default: these), coverage")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a tenth of the size; leaves the page as it is")
    sizes.add_argument("--size", type=float, default=1, metavar="N", help="N times the size")
    given = parser.parse_args(words)
    unknown = sorted({*given.names} - {*_NAMES, "coverage"})
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}")
    for name in given.names or _NAMES:
        if name == "coverage":
            _write(coverage_of_packages.TITLE, coverage_of_packages.measured())
        elif given.quick:
            _measured(_bench(name), 0.1)
        else:
            _write(_bench(name).TITLE, _measured(_bench(name), given.size))
    return 0


def _bench(name: str) -> Bench:
    return cast(Bench, importlib.import_module(name))


def _measured(bench: Bench, size: float) -> str:
    """Runs a bench, prints its rows as they come, and returns its section."""
    print(f"== {bench.TITLE}", flush=True)
    at, rows = machine(), list[tuple[str, ...]]()
    for row in bench.rows(size):
        rows.append(astuple(row))
        print("  ".join(rows[-1]), flush=True)
    return section(bench.TITLE, at, bench.ABOUT, table(_HEADER, rows))


def _write(title: str, text: str) -> None:
    order = [*(_bench(name).TITLE for name in _NAMES), coverage_of_packages.TITLE]
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    PAGE.write_text(renewed(page, title, text, order), "utf-8")

"""No test asserts that something took little time, for a machine may be busy. `waiting.py` waits for what must come."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "time", "monotonic_ns", "perf_counter_ns", "time_ns"}
"""The processor's time is not among them: a test may compare it with that of another work of the same run."""
NOT_LOOKED_AT = {"bench", "soak", "waiting.py"}


def _has_clock(node: ast.AST) -> bool:
    """Whether the expression reads a clock: `time.monotonic()`, or that less a moment."""
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and isinstance(part.func.value, ast.Name)
        and (part.func.value.id, part.func.attr in CLOCKS) == ("time", True)
        for part in ast.walk(node)
    )


def _is_clock(node: ast.AST, spans: set[str]) -> bool:
    """Whether the expression is a reading of the clock, a span of it, or the name of one."""
    if isinstance(node, ast.Name):
        return node.id in spans
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Sub) and (_is_clock(node.left, spans) or _is_clock(node.right, spans))
    return isinstance(node, ast.Call) and _has_clock(node)


def upper_bounds(source: str) -> Iterator[int]:
    """The lines that assert an upper bound of the clock, or of a span of it."""
    if not any(f"time.{clock}(" in source for clock in CLOCKS):  # parsing takes much longer
        return
    tree = ast.parse(source)
    spans = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _has_clock(node.value)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.op, ast.Sub)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            for compared in (part for part in ast.walk(node.test) if isinstance(part, ast.Compare)):
                sides = [compared.left, *compared.comparators]
                for left, operator, right in zip(sides, compared.ops, sides[1:], strict=False):
                    low = left if isinstance(operator, ast.Lt | ast.LtE) else right
                    if not isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and _is_clock(low, spans):
                        yield node.lineno


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("assert time.monotonic() - began < 30", True),
        ("assert 0.3 < time.perf_counter() - began < 30", True),
        ("assert 30 > time.monotonic() - began", True),
        ("took = time.monotonic() - began\nassert took <= 5", True),
        ("while True:\n    assert time.monotonic() < deadline, what", True),
        ("assert time.monotonic() - began > 0.3", False),
        ("assert began <= start <= time.time()", False),
        ("assert time.process_time() - began < 5 * floor", False),
        ("deadline = time.monotonic() + 60\nassert wait(deadline)", False),
    ],
)
def test_an_upper_bound_is_found_and_nothing_else(line: str, found: bool) -> None:
    assert bool(list(upper_bounds(line))) is found


def test_no_test_asserts_that_it_took_little_time() -> None:
    files = {path for path in TESTS.rglob("*.py") if path.relative_to(TESTS).parts[0] not in NOT_LOOKED_AT}
    assert [f"{path}:{line}" for path in sorted(files) for line in upper_bounds(path.read_text("utf-8"))] == []

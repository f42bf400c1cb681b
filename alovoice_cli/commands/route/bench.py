"""`alovoice route bench`: how fast a rules file decides."""

import time
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.output.listing import Record
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.lint import judge
from alovoice_cli.routing.live import served
from alovoice_cli.routing.reading import load
from alovoice_cli.routing.rules import Rules
from alovoice_cli.routing.sampling import sample_questions
from alovoice_cli.session import Session

try:
    import resource
except ImportError:  # not on Windows: there the memory is not told
    resource = None  # type: ignore[assignment] # so that one name tells both

EXAMPLES = examples("alovoice route bench rules.toml", "alovoice route bench rules.toml -n 1000 --json")


def measure_rules(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rules, such as rules.toml.", show_default=False)],
    decisions: Annotated[int, typer.Option("-n", "--decisions", min=1, metavar="N", help="How many.")] = 100_000,
) -> None:
    """Measure decisions a second, the time of one, and memory, with callers such as the file knows and strangers.

    The past is not asked: a rule with spoke_within costs what the event store costs on top. Rules with errors: 8.
    """
    session: Session = ctx.obj
    start = time.perf_counter()
    loaded = load(file)
    read_seconds = time.perf_counter() - start
    rules = served(judge(loaded, session.now()), file)
    took = _measure(rules, session, decisions)
    fields: dict[str, object] = {
        "rules": len(rules.rules),
        "numbers": sum(len(numbers) for numbers in rules.lists.values()),
        "decisions": decisions,
        "decisions_per_second": round(1e9 * decisions / max(sum(took), 1)),
        "p50_us": round(took[len(took) // 2] / 1000, 1),
        "p99_us": round(took[len(took) * 99 // 100] / 1000, 1),
        "slowest_us": round(took[-1] / 1000, 1),
        "read_ms": round(read_seconds * 1000),
        "memory_mb": _peak_megabytes(),
    }
    session.show(Record(fields, title=str(file), ours=True))


def _measure(rules: Rules, session: Session, decisions: int) -> list[int]:
    took = []
    clock = time.perf_counter_ns
    for question, now in sample_questions(rules, session.now(), decisions):
        start = clock()
        decide(rules, question, now)
        took.append(clock() - start)
    return sorted(took)


def _peak_megabytes() -> float | None:
    """The most that this process has held, None where the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if peak > 1 << 26 else 1e3), 1)  # kilobytes on Linux, bytes on macOS

"""What a forecast costs: 100,000 recipients x 200 runs, beside one run of the sandbox's own dialler.

By hand: `python tests/bench/forecast.py [RECIPIENTS]`.
"""

import resource
import statistics
import sys
import time
from datetime import date
from datetime import time as minute

from alovoice_cli.campaigns.dialer import DialPlan, finishes_at
from alovoice_cli.campaigns.forecast import forecast

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000


def main() -> None:
    plan = DialPlan(date(2026, 11, 24), date(2026, 11, 28), minute(10), minute(20, 59), lines=30)
    began = time.perf_counter()
    made = forecast(COUNT, plan)
    taken = time.perf_counter() - began
    assert made is not None
    print(f"{taken:8.1f} s  forecast of {COUNT} recipients x 200 runs on {plan.lines} lines")
    print(f"{made.calls * 200 / taken:,.0f} calls a second")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB at the most")
    numbers = [f"9989{number:08}" for number in range(COUNT)]
    began = time.perf_counter()
    ends = [finishes_at(numbers, plan, seed=seed) for seed in (11, 12, 13)]
    one = (time.perf_counter() - began) / len(ends)
    print(f"{one:8.2f} s  one run of the sandbox's dialler; 200 of them: {one * 200:.0f} s")
    start = next(plan.windows())[0]
    elapsed = statistics.median((end - start).total_seconds() for end in ends if end)
    told = (made.finish[1] - start).total_seconds() if made.finish[1] else float("nan")
    print(f"{told / elapsed - 1:+8.2%}  P50 against the dialler's own finish, seeds 11 to 13")


if __name__ == "__main__":
    main()

"""Five hundred cases against the sandbox and its faults: `python tests/soak/resolve_sandbox.py [COUNT]`."""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sandbox_calls import Judged, check, judge_case


def main(count: int) -> None:
    """Judges the cases; ends with the first that is not true."""
    said: Counter[str] = Counter()
    for seed in range(count):
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            environ = {"HOME": name, "PATH": os.environ.get("PATH", ""), "ALOVOICE_CONFIG_DIR": str(home / "config")}
            judged: list[Judged] = judge_case(seed, home, {**environ, "ALOVOICE_STATE_DIR": str(home / "state")})
        for call in judged:
            try:
                check(call)
            except AssertionError as error:
                raise SystemExit(f"seed {seed}: {call}") from error
            said[f"{call.outcome}, {'rang' if call.rang else 'did not ring'}: {call.after['answer']}"] += 1
    for line, times in sorted(said.items()):
        print(f"{times:5} {line}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

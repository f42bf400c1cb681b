"""Two machines on one batch, killed time and again: one kill for each five rows."""

import random
from pathlib import Path

from batch_server import (
    OUT,
    Exchange,
    account_of_shared,
    another_machine,
    point_at,
    slowly,
    work_with_kills,
    write_list,
)
from postgres_server import Cluster
from strength import rounds

SIZE = max(rounds(25), 20)
JOBS = 2
WORDS = (*OUT, "--shared", "--jobs", str(JOBS), "--confirm", str(SIZE))


def test_no_row_is_dialled_twice_and_none_forgotten(tmp_path: Path, postgres: Cluster) -> None:
    kills = SIZE // 5
    pbx, url = Exchange(slowly(0.4)), postgres.database()
    machines = another_machine(tmp_path / "a", url), another_machine(tmp_path / "b", url)
    for home in machines:
        point_at(home, pbx)
        called = write_list(home.home, SIZE)
    hits = work_with_kills(machines, pbx, WORDS, kills=kills, chance=random.Random(17))
    unknown = account_of_shared(machines, pbx, WORDS, called, most_unknown=JOBS * hits)
    pbx.stop()
    print(f"{SIZE} rows, {kills} kills ({hits} of a machine at work): {unknown} unknown, none twice, none forgotten")

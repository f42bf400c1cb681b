"""Reads strace's record of a batch: which files were on the disk before each connection to the PBX was opened."""

import re
import sys
from pathlib import Path

CALLS = "fdatasync,fsync,connect"
_LINE = re.compile(r"(?P<pid>\d+)\s+(?P<rest>.*)")
_SYNC = re.compile(r"f(?:data)?sync\(\d+<(?P<file>[^>]*)>")


def traced(trace: Path, words: list[str]) -> list[str]:
    """Returns the words that run the program with these words under strace."""
    return [
        "strace",
        "-f",
        "-y",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(trace),
        sys.executable,
        "-m",
        "alovoice_cli",
        *words,
    ]


def synced_before_each_connection(trace: Path) -> list[set[str]]:
    """Returns, for each connection to the PBX, `journal` and `ledger` if their sync ended since the connection before.

    A sync that has begun and not ended does not count.
    """
    begun: dict[str, str] = {}
    synced: set[str] = set()
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        pid, rest = match["pid"], match["rest"]
        if sync := _SYNC.match(rest):
            begun[pid] = sync["file"]
        if "sync" in rest and rest.endswith("= 0"):
            file = begun.pop(pid)
            synced |= {"journal"} if re.search(r"/batches/[^/]*\.db-wal$", file) else set()
            synced |= {"ledger"} if file.endswith("/ledger.db-wal") else set()
        if rest.startswith("connect(") and "AF_INET" in rest:
            found.append(synced)
            synced = set()
    return found

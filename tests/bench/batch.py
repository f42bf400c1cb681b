"""Calls a second: a batch with its journal, against the same loop with httpx alone and nothing written down.

By hand: `python tests/bench/batch.py [ROWS [ROUNDS]]`. Both talk to one bare server on loopback, a fresh connection a
call, by as many threads; start-up is taken off. The best round of each counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
JOBS = (1, 8, 32)

SERVER = """
import asyncio
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\ntrue"
async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
    await reader.readexactly(length)
    writer.write(ANSWER)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def bare(url: str, jobs: int) -> float:
    """Seconds for all rows with httpx alone."""
    client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    rows = iter(range(ROWS))

    def work() -> None:
        for row in rows:
            body = {"call_id": str(row), "inner_phone": 2424, "number": f"90{1_000_000 + row}"}
            assert client.post(f"{url}/outcall/token", json=body).text == "true"

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    lock, source = threading.Lock(), rows

    class Shared:
        def __iter__(self) -> "Shared":
            return self

        def __next__(self) -> int:
            with lock:
                return next(source)

    rows = Shared()  # an iterator that threads share
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    return time.perf_counter() - began


def ours(url: str, jobs: int, rows: int, home: Path) -> float:
    """Seconds for so many rows by the program, start-up included."""
    lines = [json.dumps({"number": f"90{1_000_000 + row}"}) for row in range(rows)]
    (home / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    environ = {
        **os.environ,
        "ALOVOICE_STATE_DIR": str(home / f"state-{time.monotonic_ns()}"),
        "ALOVOICE_CONFIG_DIR": str(home / "config"),
        "ALOVOICE_BASE_URL": url,
        "ALOVOICE_TOKEN": "cafe0000-dead-4eef-8bad-f00dfeed0042",
    }
    words = ["call", "out", "--batch", "rows.jsonl", "--inner-phone", "2424", "--night-ok", "--confirm", str(rows)]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "alovoice_cli", *words, "--jobs", str(jobs)],
        env=environ,
        cwd=home,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return time.perf_counter() - began


def again(home: Path, url: str, rows: int) -> tuple[float, float]:
    """Seconds of a resume of so many finished rows, and of the bare start-up."""
    ours(url, 32, rows, home)
    state = max(home.glob("state-*"), key=lambda path: path.stat().st_mtime_ns)
    environ = {**os.environ, "ALOVOICE_STATE_DIR": str(state), "ALOVOICE_CONFIG_DIR": str(home / "config")}
    environ |= {"ALOVOICE_BASE_URL": url, "ALOVOICE_TOKEN": "cafe0000-dead-4eef-8bad-f00dfeed0042"}
    times = []
    words = ["call", "out", "--batch", "rows.jsonl", "--inner-phone", "2424", "--night-ok", "--confirm", str(rows)]
    for line in (words, ["call", "receipts", "list", "--limit", "1"]):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "alovoice_cli", *line], env=environ, cwd=home, capture_output=True, check=True
        )
        times.append(time.perf_counter() - began)
    return times[0], times[1]


def main() -> None:
    """Prints calls a second and their ratio."""
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            for jobs in JOBS:
                theirs = min(bare(url, jobs) for _ in range(ROUNDS))
                start = min(ours(url, jobs, 1, home) for _ in range(ROUNDS))
                mine = min(ours(url, jobs, ROWS, home) for _ in range(ROUNDS)) - start
                rates = f"httpx alone {ROWS / theirs:6.0f}/s   batch {ROWS / mine:6.0f}/s"
                print(f"jobs {jobs:2}   {rates}   ratio {theirs / mine:.2f}")
            resumed, start = again(home, url, 10_000)
            print(f"resume of 10,000 finished rows: {resumed:.2f} s, start-up {start:.2f} s")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()

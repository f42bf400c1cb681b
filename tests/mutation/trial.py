"""Tries the mutants of one module: `tests/mutation/run` starts it, a process for each module.

The tests are collected once, in this process, which runs none of them. Each mutant gets a fork of it: the fork puts the
changed code into the function and runs the tests that reach the changed statement, quickest first, until one fails.
"""

import argparse
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
SURVIVED, KILLED = 0, 1
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


class Trial:
    """The pytest plugin that tries mutants where pytest would run the tests."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.path = ROOT / "alovoice_cli" / (given.module.replace(".", "/") + ".py")
        self.items: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}
        self.by_line: dict[int, list[str]] = {}
        self.functions: dict[tuple[str, int], list[types.FunctionType]] = {}

    def pytest_collection(self) -> None:
        """Has property tests stop at the first counterexample: nobody reads it."""
        from hypothesis import Phase, settings  # pytest has to load it first

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", derandomize=True, phases=phases, database=None, deadline=None)
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learns which test reaches which line, and tries every mutant."""
        begun = time.monotonic()
        without = self.given.without
        self.items = {item.nodeid: item for item in session.items if not any(name in item.nodeid for name in without)}
        self._learn()
        mutants = mutants_of(self.path)
        self._find_functions()
        results = self._try_all([mutant for mutant in mutants if self._is_wanted(mutant)])
        known = [[mutant.function, mutant.change] for mutant in mutants]
        found = {"results": results, "mutants": known, "seconds": round(time.monotonic() - begun)}
        Path(self.given.result).write_text(json.dumps(found))
        return True

    def _is_wanted(self, mutant: Mutant) -> bool:
        if self.given.function and self.given.function not in mutant.function:
            return False
        return not self.given.again or [mutant.function, mutant.change] in self.given.again

    def _learn(self) -> None:
        """Runs all tests once in a fork, and notes what each one reaches and takes."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            _be_quiet()
            with os.fdopen(writing, "w") as answer:
                json.dump(self._run_with_coverage(), answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        os.waitpid(pid, 0)
        learnt = json.loads(text)
        for name in learnt["failed"]:
            print(f"  not used, it fails without any change: {name}", file=sys.stderr)
        self.seconds = {name: took for name, took in learnt["seconds"].items() if name not in learnt["failed"]}
        self.by_line = {int(line): [n for n in names if n in self.seconds] for line, names in learnt["lines"].items()}
        for name in learnt["modules"]:  # so that no fork loads them again
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)

    def _run_with_coverage(self) -> dict[str, Any]:
        from coverage import Coverage

        coverage = Coverage(data_file=None, config_file=False, include=[str(self.path)])
        coverage.start()
        seconds, failed = {}, []
        items = list(self.items.values())
        for item, following in zip(items, [*items[1:], None], strict=True):
            coverage.switch_context(item.nodeid)
            begun = time.monotonic()
            if not _passes(item, following):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.monotonic() - begun
        coverage.stop()
        lines = coverage.get_data().contexts_by_lineno(str(self.path))
        modules = [name for name in sys.modules if "." not in name or not name.startswith(("tests.", "_"))]
        return {"seconds": seconds, "failed": failed, "lines": lines, "modules": modules}

    def _find_functions(self) -> None:
        importlib.import_module("alovoice_cli." + self.given.module)
        gc.unfreeze()  # what is frozen is not listed
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType) and thing.__code__.co_filename == str(self.path):
                code = thing.__code__
                self.functions.setdefault((code.co_qualname, code.co_firstlineno), []).append(thing)
        gc.collect()
        gc.freeze()

    def _try_all(self, mutants: list[Mutant]) -> list[list[str]]:
        """Tries the mutants, a few at once; returns function, change and verdict of each."""
        results: list[list[str]] = []
        running: dict[int, tuple[Mutant, float]] = {}
        todo = list(reversed(mutants))
        while todo or running:
            while todo and len(running) < self.given.jobs:
                mutant = todo.pop()
                tests = self._tests_of(mutant)
                if not tests:
                    results.append([mutant.function, mutant.change, "not reached"])
                    continue
                expected = sum(self.seconds[name] for name in tests)
                running[self._start(mutant, tests, expected)] = mutant, time.monotonic() + 30 + 10 * expected
            pid, verdict = _next_verdict(running)
            if pid:
                mutant = running.pop(pid)[0]
                results.append([mutant.function, mutant.change, verdict])
                if sys.stderr.isatty():
                    print(f"\r  {len(results)} of {len(mutants)} \r", end="", file=sys.stderr, flush=True)
        return results

    def _tests_of(self, mutant: Mutant) -> list[str]:
        names = {name for line in mutant.lines for name in self.by_line.get(line, ())}
        return sorted(names, key=lambda name: self.seconds[name])

    def _start(self, mutant: Mutant, tests: list[str], expected: float) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = KILLED
        try:
            os.setsid()
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            _be_quiet()
            processor = int(10 + 10 * expected)
            resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 5))
            code = self._judge(mutant, tests)
        finally:
            os._exit(code)

    def _judge(self, mutant: Mutant, tests: list[str]) -> int:
        changed = mutant.code(str(self.path))
        for function in self.functions[mutant.function, mutant.first_line]:
            function.__code__ = changed
        items = [self.items[name] for name in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            if not _passes(item, following):
                return KILLED
        return SURVIVED


def _passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _next_verdict(running: dict[int, tuple[Mutant, float]]) -> tuple[int, str]:
    """Waits for one of the forks for a moment; returns its number and verdict, or 0."""
    for pid, (_, limit) in running.items():
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _end_session(pid)
            if os.WIFSIGNALED(status):
                return pid, "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
            return pid, "survived" if os.WEXITSTATUS(status) == SURVIVED else "killed"
        if time.monotonic() > limit:
            _end_session(pid)
            os.waitpid(pid, 0)
            return pid, "timeout"
    time.sleep(0.005)
    return 0, ""


def _end_session(pid: int) -> None:
    """Ends whatever a fork has left running."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


def main() -> int:
    """Runs one module's trial and returns pytest's exit code."""
    read: Callable[[str], Any] = json.loads
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("result")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--function", default="")
    parser.add_argument("--again", type=read, default=None)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    os.chdir(ROOT)
    for name in ("ALOVOICE_CONFIG_DIR", "ALOVOICE_STATE_DIR"):
        os.environ.pop(name, None)
    options = ["-o", "addopts=", "-q", "-s", "-p", "no:xdist", "-p", "no:anyio", "-p", "no:cacheprovider"]
    return pytest.main([*options, "--import-mode=importlib", *given.tests], plugins=[Trial(given)])


if __name__ == "__main__":
    sys.exit(main())

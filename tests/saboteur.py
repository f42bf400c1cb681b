"""Breaks the program at one line of its own code, after a request that dials has left."""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from alovoice_cli.api.deadline import TransportAttempt
from alovoice_cli.api.reply import Reply

PACKAGE = str(Path(__file__).parents[1] / "alovoice_cli")


class Step(NamedTuple):
    """A line of the program that runs after the send, for the n-th time in this run."""

    file: str
    line: int
    turn: int = 1


class Saboteur:
    """Notes the lines that run after the first request has left; raises `trouble` once, at the `target` line.

    Lines that run before cost little: they are not traced.
    """

    def __init__(self, target: Step | None = None, trouble: BaseException | None = None) -> None:
        self.target, self.trouble = target, trouble
        self.steps: list[Step] = []
        self.requests: list[Any] = []
        self.struck = False
        self._main = threading.get_ident()
        self._turns: Counter[tuple[str, int]] = Counter()

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return None
        if code.co_name == "mark_left":
            return self._leaving
        return self._line if self.requests else None

    def _leaving(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "return" and frame.f_locals["request"].has_left:
            if frame.f_locals["request"] not in self.requests:  # broken before its first byte, it leaves a second time
                self.requests.append(frame.f_locals["request"])
            for around in (sys._current_frames()[self._main], frame):
                self._trace_callers(around)
        return self._leaving

    def _trace_callers(self, frame: FrameType | None) -> None:
        """Traces what already ran when the request left, in this thread and in the main one."""
        while frame is not None:
            if frame.f_code.co_filename.startswith(PACKAGE) and frame.f_trace is None:
                frame.f_trace = self._line
            frame = frame.f_back

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line" and not self.struck:
            place = frame.f_code.co_filename, frame.f_lineno
            self._turns[place] += 1
            step = Step(*place, self._turns[place])
            self.steps.append(step)
            if step == self.target:
                self.struck = True
                assert self.trouble is not None
                raise self.trouble
        return self._line

    def run(self, call: Callable[[], Any]) -> Any:
        """Returns what the call returns, traced in all of its threads from its first exchange with the PBX on."""
        exchange = TransportAttempt.run

        def traced(attempt: TransportAttempt) -> Reply:
            sys.settrace(self)
            return exchange(attempt)

        before = sys.gettrace()
        threading.settrace(self)
        TransportAttempt.run = traced  # type: ignore[method-assign, assignment] # the same, traced
        try:
            return call()
        finally:
            sys.settrace(before)
            threading.settrace(None)
            TransportAttempt.run = exchange  # type: ignore[method-assign] # as it was
            if self.trouble is not None:
                self.trouble.__traceback__ = None  # its frames hold locks and files open

"""What this machine can do: tests that need more say so by these marks, and are skipped elsewhere."""

import os
import shutil
import subprocess

import pytest


def _can_trace() -> bool:
    """Whether strace is here and may trace: a program that fails under it is then a failure of the program."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not _can_trace(), reason="strace is missing, or may not trace here")

"""Marks for tests that need a tool of this machine; they are skipped on other machines."""

import os
import shutil
import subprocess

import pytest


def _can_trace() -> bool:
    """Returns whether strace is installed and may trace: then a program that fails under it has a fault."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not _can_trace(), reason="strace is missing, or may not trace here")

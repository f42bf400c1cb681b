"""The lines that install the completion scripts, typed in an account that has nothing yet; then TAB in a new shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from front_door import FrontDoor

from alovoice_cli.reference import FILE_NAMES, INSTALLATION

from .conftest import Bash, Fish, Shell, Zsh

PAGE = (Path(__file__).parents[2] / "docs" / "operator.md").read_text("utf-8")
SHELLS: dict[str, type[Shell]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@pytest.mark.parametrize("name", SHELLS)
def test_after_the_lines_of_the_help_a_new_shell_completes(name: str, alovoice: FrontDoor, desk: Path) -> None:
    home = desk.parent
    shell = SHELLS[name](None, desk)
    printed = alovoice("completion", "--help").out
    assert all(f"$ {line}\n" in printed for line in INSTALLATION[name])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for line in INSTALLATION[name]:
        environ = {"HOME": str(home), "PATH": path, "TERM": "dumb"}
        subprocess.run([shell.path, "-c", line], env=environ, cwd=desk, timeout=60, check=True)
    there = home / "bin" / "alovoice"  # fish completes what it finds in PATH; TAB does not run it
    there.write_text("#!/bin/sh\nexit 1\n")
    there.chmod(0o755)
    complete = shell.complete
    assert complete("alovoice tru") == ["trunks"]
    assert complete("alovoice -p sandbox call ba") == ["batches"]
    assert complete("alovoice -p d") == ["default"]


def test_every_shell_has_its_lines_and_a_page_has_them_too() -> None:
    assert set(INSTALLATION) == set(FILE_NAMES)
    for lines in INSTALLATION.values():
        assert "".join(f"    {line}\n" for line in lines) in PAGE

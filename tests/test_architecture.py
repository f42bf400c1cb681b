"""The rules of the code, held: the import contracts of pyproject.toml, and what they cannot say."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "alovoice_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = ("batch", "campaigns", "events", "routing", "speech")
JOINING = {PACKAGE / "batch" / "run.py"}  # asks the session whether its output is a terminal
_LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_the_import_table_holds() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LINT, "--no-cache"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", PURE)
def test_the_pure_core_reads_no_environment_and_prints_nothing(room: str) -> None:
    for path in sorted({*(PACKAGE / room).rglob("*.py")} - JOINING):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"environ", "getenv", "stdout", "stderr"}, path
        assert "print" not in words, path


def test_no_room_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "base", "misc", "manager", "core"}
    assert [path for path in MODULES if path.stem in drawers] == []


def test_no_module_of_the_program_knows_the_tests() -> None:
    importing = re.compile(r"^\s*(?:from|import) +(?:pytest|tests)\b", re.MULTILINE)
    assert [path for path in MODULES if importing.search(path.read_text("utf-8"))] == []


def test_every_module_loads_where_unix_modules_are_missing() -> None:
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    hidden = ("fcntl", "termios", "pwd", "grp", "resource", "tty")
    # Libraries choose by sys.platform and may need these; only our own imports of them are refused.
    code = f"""
import builtins, importlib
real = builtins.__import__
def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    if name.split(".")[0] in {hidden!r} and (globals or {{}}).get("__name__", "").startswith("alovoice_cli"):
        raise ModuleNotFoundError(name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = guarded
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

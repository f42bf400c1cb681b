"""A configuration directory of its own."""

from pathlib import Path

import pytest

from alovoice_cli.config.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Directories that do not exist yet, under a home that does."""
    return Paths(config=tmp_path / "home" / "config", state=tmp_path / "home" / "state", home=tmp_path / "home")

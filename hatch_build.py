"""Compiles the catalogues of translations into the wheel, and into the checkout of an editable install."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg] # its type parameter is the builder's own
    """Makes the `.mo` files, which are not in Git."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before the files of the wheel are collected."""
        sys.path.insert(0, self.root)
        try:
            from alovoice_cli.catalogues import compile_catalogues  # noqa: PLC0415 - found by the line above
        finally:
            sys.path.remove(self.root)
        written = compile_catalogues(Path(self.root) / "alovoice_cli" / "locale")
        build_data["artifacts"] += [path.relative_to(self.root).as_posix() for path in written]

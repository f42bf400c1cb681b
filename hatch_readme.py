"""Build hook: in the package's metadata the README has no relative links, for an index page has no files beside it."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"!?\[([^\]]*)\]\((?![a-z]+:|#)[^)]*\)")


def without_relative_links(text: str) -> str:
    """Returns the Markdown with the text alone of each link to a file beside it, and of each such picture."""
    return _RELATIVE.sub(r"\1", text)


class ReadmeHook(MetadataHookInterface):
    """Sets the `readme` that pyproject.toml declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Sets the README's text."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_relative_links(text)}

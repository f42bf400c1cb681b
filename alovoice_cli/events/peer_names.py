"""The names of extensions, from the operator's file or from the PBX."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alovoice_cli.json_text import well_formed

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class PeerNames:
    """Extensions' names, by extension."""

    names: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def label(self, peer: str | None) -> str:
        """Returns the extension with its name (`101 Anvar`), or alone where its name is not known."""
        name = self.names.get(peer or "")
        return f"{peer} {name}" if name else peer or ""


def names_told(peers: Iterable[Mapping[str, object]], hide: Callable[[str], str]) -> PeerNames:
    """Returns the names in the PBX's extensions (getpeers); `hide` masks tokens in them.

    The document has no field for a name; `username` repeats the extension in its sample, and may be a person's name.
    """
    names = {}
    for peer in peers:
        number, told = peer.get("number"), peer.get("name") or peer.get("username")
        name = plain_name(hide(told)) if isinstance(told, str) else ""
        if isinstance(number, (int, str)) and name != str(number) and any(letter.isalpha() for letter in name):
            names[str(number)] = name[:LONGEST_NAME]
    return PeerNames(names)


def kept_text(names: PeerNames, server: str) -> str:
    """Returns the names from this server in the form in which they are stored between runs."""
    return json.dumps({"server": server, "names": dict(names.names)}, ensure_ascii=False) + "\n"


def names_kept(path: Path, server: str) -> PeerNames:
    """Returns the names that this server gave last; none if the file has nothing readable of this server."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["server"] == server:
            return PeerNames({str(peer): str(name) for peer, name in kept["names"].items()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # the next `alovoice peers` writes the file again
    return PeerNames()


def plain_name(text: str) -> str:
    """Returns the name as one line of text, without control characters."""
    shown = (letter if letter.isprintable() else " " for letter in well_formed(text))
    return " ".join("".join(shown).split())

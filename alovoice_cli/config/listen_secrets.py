"""The secret in the listener's URLs: 128 bits, made once per profile and kept, for the PBX's console knows the URLs."""

import re
import secrets
from pathlib import Path

import tomli_w

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.reading import parse_toml, read_text
from alovoice_cli.config.writing import locked, replace
from alovoice_cli.errors import BadConfigError, UsageError

_BYTES = 16
_FORM = re.compile(r"[A-Za-z0-9_-]{8,128}")


def check_secret(text: str) -> str:
    """A secret of the operator's own. Raises UsageError for what cannot stand in a path, or is soon guessed."""
    if not _FORM.fullmatch(text):
        raise UsageError(
            "a secret is 8 to 128 letters, digits, `-` and `_`", hint="`--secret auto` makes one, and keeps it"
        )
    return text


def listen_secret(paths: Paths, profile: str) -> str:
    """The profile's secret; made at the first asking. Raises BadConfigError when its file cannot be used."""
    kept = _read(paths).get(profile)
    if kept is not None:
        return kept
    with locked(paths):
        every = _read(paths)  # another process may have come first
        if profile not in every:
            every[profile] = secrets.token_hex(_BYTES)
            replace({_file(paths): tomli_w.dumps({"secrets": every}).encode()})
        return every[profile]


def _file(paths: Paths) -> Path:
    return paths.config / "listen.toml"


def _read(paths: Paths) -> dict[str, str]:
    path = _file(paths)
    text = read_text(path)
    found = {} if text is None else parse_toml(path, text).get("secrets", {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadConfigError(f"{path} is not as `alovoice listen` writes it", hint="move it aside: new URLs are made")
    return dict(found)

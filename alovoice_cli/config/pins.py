"""A project's `.alovoice.toml`: may say which profile is meant in this directory, and nothing else.

It comes with a checkout from anybody: a token or a base URL in it could send calls, or the token itself, elsewhere.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from alovoice_cli.config.profiles import is_profile_name
from alovoice_cli.config.reading import complain, parse_toml, read_text, shorten
from alovoice_cli.errors import BadConfigError

NAME = ".alovoice.toml"
_LARGEST_BYTES = 4096
_SAYS = 'a project says profile = "NAME" and nothing else'


@dataclass(frozen=True, slots=True)
class Pin:
    """The profile that a project names, and the file that does."""

    profile: str
    path: Path


def find_pin(cwd: Path, home: Path | None) -> Pin | None:
    """The nearest pin from `cwd` upwards; the search ends at the home directory, or at the root.

    Raises BadConfigError when it is larger than 4 kB, says anything but `profile = "NAME"`, or belongs to another user.
    """
    for directory in (cwd, *cwd.parents):
        path = directory / NAME
        text = read_text(path, largest=_LARGEST_BYTES, hint=_SAYS)
        if text is not None:
            return _read(path, text)
        if directory == home:
            break
    return None


def _read(path: Path, text: str) -> Pin:
    # In a directory that all may write to, such as /tmp, somebody else could choose which PBX is dialled.
    if hasattr(os, "geteuid") and path.stat().st_uid not in (0, os.geteuid()):
        raise BadConfigError(f"{path} belongs to another user", hint="name the profile with -p")
    table = parse_toml(path, text)
    for key in table:
        if key != "profile":
            raise complain(path, text, [key], f"{shorten(key)} has no place here", hint=_SAYS)
    profile = table.get("profile")
    if not isinstance(profile, str) or not is_profile_name(profile):
        raise complain(path, text, ["profile"], 'a project says profile = "NAME"')
    return Pin(profile, path)

"""How a shell script finds the names of the profiles without a TOML parser: by the headers of their tables."""

_TABLE = r"^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*"

SED_SCRIPTS = (
    _TABLE.join(("s/", r"\([A-Za-z0-9_-]\{1,\}\)[[:space:]]*[].].*/\1/p")),
    _TABLE.join(("s/", r'"\([^"\\]*\)"[[:space:]]*[].].*/\1/p')),
)
"""For `sed -n`: prints NAME of each `[profiles.NAME]` and `[profiles."NAME"]`, also where a table goes deeper."""

ALWAYS_THERE = "sandbox"
MAC_DIRECTORY = "$HOME/Library/Application Support"
"""Where macOS keeps what stands in ~/.config elsewhere; read too, where it exists."""

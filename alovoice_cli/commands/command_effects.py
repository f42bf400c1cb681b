"""The strongest effect of each command on the PBX of its profile, for programs that must know before they run it."""

from typing import Literal

CommandEffect = Literal["reads", "dials", "creates", "costs", "local"]

EFFECT_MEANINGS: dict[CommandEffect, str] = {
    "dials": "may ring people's telephones",
    "creates": "creates a campaign, which dials when its time comes",
    "costs": "starts speech analyses, which may cost money",
    "reads": "reads from the PBX, and changes nothing there",
    "local": "asks nothing of the PBX",
}

_COMMANDS: dict[CommandEffect, tuple[str, ...]] = {
    "reads": (
        *("autorule check", "autorule get", "autorule list", "autorule watch", "trunks", "peers"),
        *("ai result", "ai audio", "route check", "login", "status"),
    ),
    "creates": ("autorule create",),
    "dials": ("call conference", "call ivr", "call out", "call batches resume", "api"),
    "costs": ("ai send",),
    "local": (
        *("autorule export", "autorule report", "numbers check"),
        *("call resolve", "call batches list", "call batches show", "call batches forget"),
        *("call receipts list", "call receipts show"),
        *("events list", "events show", "events tail", "events stats", "events missed", "events gaps"),
        *("events export", "events import", "events prune", "events trigger", "events replay", "events certify"),
        *("events outbox list", "events outbox retry", "events outbox drop", "store check", "store copy", "day", "top"),
        *("route init", "route test", "route diff", "route override"),
        *("ai show", "ai list", "ai grep", "ai score", "ai report", "ai prune"),
        *("listen", "listen check", "notify test", "notify login", "notify logout", "logout"),
        *("config list", "config get", "config set", "config unset", "config use", "config path"),
        *("sandbox serve", "sandbox reset", "sandbox path", "sandbox sample", "demo"),
        *("help", "version", "skill", "completion", "store copy", "store check"),
    ),
}
COMMAND_EFFECTS: dict[str, CommandEffect] = {name: effect for effect, names in _COMMANDS.items() for name in names}
"""The effect of each command, by its words after `alovoice`; if options decide, the strongest one.

`api` sends any request, and `call batches resume` continues with calls or with analyses.
"""

UNKNOWN_OUTCOMES = frozenset(
    {name for name, effect in COMMAND_EFFECTS.items() if effect in ("creates", "dials", "costs")} | {"call resolve"}
)
"""The commands that may end with exit code 6. `call resolve` does where a call's outcome stays unknown."""

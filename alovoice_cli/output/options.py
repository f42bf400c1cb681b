"""The global options, as data."""

from dataclasses import dataclass


@dataclass(slots=True)
class Options:
    """The global options, folded from both sides of the verb: the later one wins."""

    profile: str | None = None
    base_url: str | None = None
    timeout: float | None = None
    json: bool = False
    csv: bool = False
    columns: str | None = None
    no_headers: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    yes: bool = False
    dry_run: bool = False
    no_permission_check: bool = False
    show_secrets: bool = False

"""Which analyses are wanted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """`since` and `until` are unix seconds of the call's beginning; tags go by name, in any spelling."""

    since: int | None = None
    until: int | None = None
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    peer: str | None = None
    call_ids: tuple[str, ...] = ()


EVERYTHING = Wanted()

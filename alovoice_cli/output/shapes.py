"""The shapes that the parts of a bar are drawn in, and what they stand for."""

from collections.abc import Sequence


def shapes_for(*, ascii_only: bool) -> str:
    """One shape a part, in the order of the parts."""
    return "#=-." if ascii_only else "█▒░·"


def legend(names: Sequence[str], *, ascii_only: bool) -> str:
    """What each shape stands for; one without a name is not used."""
    shapes = shapes_for(ascii_only=ascii_only)
    return ", ".join(f"{shape} {name}" for shape, name in zip(shapes, names, strict=False) if name)

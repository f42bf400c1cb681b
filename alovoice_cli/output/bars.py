"""A bar in a table's cell, its parts side by side: told apart by their shapes, where there is no colour too."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from alovoice_cli.output.shapes import shapes_for

_STYLES = (Style(color="green"), Style(color="red"), Style(color="yellow"), Style(dim=True))
_NARROWEST = 6


class Bar:
    """Parts of a whole, at most four; `longest` is the sum that fills the cell."""

    def __init__(self, parts: Sequence[int], longest: int) -> None:
        self._parts, self._longest = parts, max(longest, 1)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shapes = shapes_for(ascii_only=options.ascii_only)
        drawn = told = 0
        for part, shape, style in zip(self._parts, shapes, _STYLES, strict=False):
            told += part
            # Rounding the sums, not the parts, keeps the whole bar true; what is not nothing shows.
            end = max(round(options.max_width * told / self._longest), drawn + (part > 0))
            end = min(end, options.max_width)
            yield Segment(shape * (end - drawn), style)
            drawn = end
        yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_NARROWEST, options.max_width)

"""The edge to the PBX: the only package that imports httpx. `client.Client` is its front door."""

import sys

# `import httpx` also imports httpx's own command line (click, pygments, rich) wherever those are installed: 50 to 70 ms
# that nothing here needs. A None in sys.modules makes that one import fail, which httpx expects and handles.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None is the documented way to block an import

"""Files on their way out: opened once, measured once, read from disk while they are sent."""

import os
import re
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from alovoice_cli.errors import UsageError

_SEPARATORS = r"[/\\]"
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def wire_name(path: str) -> str:
    """The name that a file gets on the wire: the last component, whatever the separators (`C:\\Users\\x.mp3`).

    Control characters become `_`, so that no server has to guess how they were escaped.
    """
    return re.sub(_CONTROL, "_", re.split(_SEPARATORS, path)[-1]) or "file"


class FilePart(NamedTuple):
    """A file in a multipart body. `file` is open for binary reading and stays the caller's to close.

    `path` is where it lies on disk, for the curl that a dry run prints; empty when the content was made in memory.
    """

    filename: str
    content_type: str
    file: BinaryIO
    path: str = ""

    @property
    def size(self) -> int:
        """Bytes at this moment, by the descriptor and not by the name."""
        try:
            return os.fstat(self.file.fileno()).st_size
        except OSError:  # a BytesIO has no descriptor (io.UnsupportedOperation is an OSError)
            place = self.file.tell()
            size = self.file.seek(0, os.SEEK_END)
            self.file.seek(place)
            return size


class FileShrankError(Exception):
    """A file has become shorter than the Content-Length that was announced for it."""


class WatchedFile:
    """Reads exactly as many bytes as the file had when the request was made; tells how far it is.

    A file that grows meanwhile is cut at the announced size. One that shrinks raises FileShrankError before the body's
    last boundary, so that the server cannot take it for whole.
    """

    def __init__(self, part: FilePart, moved: Callable[[int], None]) -> None:
        self._part = part
        self._moved = moved
        self.size = part.size
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; empty at the announced end."""
        left = self.size - self._place
        want = left if size < 0 else min(size, left)
        if not want:
            return b""
        chunk = self._part.file.read(want)
        if not chunk:
            raise FileShrankError(self._part.filename)
        self._place += len(chunk)
        self._moved(len(chunk))
        return chunk

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """httpx asks for the end to learn the length, and for the start before it sends."""
        self._place = self.size if whence == os.SEEK_END else place
        self._part.file.seek(self._place)
        return self._place

    def tell(self) -> int:
        """The place in the file, in bytes."""
        return self._place


def check_unchanged(part: FilePart, size: int) -> None:
    """Raises UsageError when a file has another size than when it was looked at: nothing was sent yet."""
    if part.size != size:
        raise UsageError(f"{part.filename} changed while it was being read", hint="run again when it is finished")

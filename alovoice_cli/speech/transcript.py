"""An analysis as the lines of a conversation. The server's fields are kept; what is malformed is shown as it is."""

from collections.abc import Iterable, Mapping, Sequence


def read_transcript(answer: Mapping[str, object]) -> list[dict[str, object]] | None:
    """The fragments of `answer.stalk` in the order of their beginning, each with `time` (`0:04`) and its `tags` added.

    None while there is no `stalk`: then the analysis is not finished (the document is silent; our reading).
    """
    inner = _inner(answer)
    stalk = inner.get("stalk")
    if not isinstance(stalk, list):
        return None
    fragments: list[dict[str, object]] = [dict(part) for part in stalk if isinstance(part, dict)]
    tags = _tags(inner)
    for fragment in fragments:
        fragment["time"] = _clock(fragment.get("begin"))
        key = fragment.get("fragment_id")
        fragment["tags"] = _names(tag for tag in tags if key is not None and tag.get("fragment_id") == key)
    return sorted(fragments, key=lambda fragment: _milliseconds(fragment.get("begin")) or 0)


def tag_names(answer: Mapping[str, object]) -> list[str]:
    """The names of all tags of the call, each once, in the server's order."""
    return _names(_tags(_inner(answer)))


def recording_path(answer: Mapping[str, object]) -> str | None:
    """Where the server keeps the stereo recording (`stereoaudio`, such as `/stereo/CALL_ID`), or None."""
    path = _inner(answer).get("stereoaudio")
    return path if isinstance(path, str) and path else None


def _inner(answer: Mapping[str, object]) -> Mapping[str, object]:
    inner = answer.get("answer")
    return inner if isinstance(inner, dict) else answer


def _tags(inner: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    tags = inner.get("tags")
    return [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []


def _names(tags: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(str(tag["name"]) for tag in tags if tag.get("name")))


def _milliseconds(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _clock(value: object) -> str:
    milliseconds = _milliseconds(value)
    if milliseconds is None:
        return ""
    sign = "-" if milliseconds < 0 else ""
    minutes, seconds = divmod(int(abs(milliseconds)) // 1000, 60)
    return f"{sign}{minutes}:{seconds:02}"

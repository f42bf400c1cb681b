"""An analysis as the lines of a conversation. The server's fields are kept; what is malformed is shown as it is."""

from collections.abc import Iterable, Mapping

from alovoice_cli.speech.talk import clock, dicts, inner_answer, number


def read_transcript(answer: Mapping[str, object]) -> list[dict[str, object]] | None:
    """The fragments of `answer.stalk` in the order of their beginning, each with `time` (`0:04`) and its `tags` added.

    None while there is no `stalk`: then the analysis is not finished (the document is silent; our reading).
    """
    inner = inner_answer(answer)
    stalk = inner.get("stalk")
    if not isinstance(stalk, list):
        return None
    tags = _by_fragment(dicts(inner.get("tags")))
    fragments = [dict(part) for part in dicts(stalk)]
    for fragment in fragments:
        fragment["time"] = clock(number(fragment.get("begin")))
        fragment["tags"] = _names(tags.get(str(fragment.get("fragment_id")), ()))
    return sorted(fragments, key=lambda fragment: number(fragment.get("begin")) or 0)


def tag_names(answer: Mapping[str, object]) -> list[str]:
    """The names of all tags of the call, each once, in the server's order."""
    return _names(dicts(inner_answer(answer).get("tags")))


def recording_path(answer: Mapping[str, object]) -> str | None:
    """Where the server keeps the stereo recording (`stereoaudio`, such as `/stereo/CALL_ID`), or None."""
    path = inner_answer(answer).get("stereoaudio")
    return path if isinstance(path, str) and path else None


def _by_fragment(tags: Iterable[Mapping[str, object]]) -> dict[str, list[Mapping[str, object]]]:
    found: dict[str, list[Mapping[str, object]]] = {}
    for tag in tags:
        if tag.get("fragment_id") is not None:
            found.setdefault(str(tag["fragment_id"]), []).append(tag)
    return found


def _names(tags: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(str(tag["name"]) for tag in tags if tag.get("name")))

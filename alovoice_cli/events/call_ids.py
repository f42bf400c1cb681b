"""The ids of one call. Three parties count calls, and the id of each has a name of its own.

`event_call_id` is what a callstart is answered with: our id, or the CRM's where a CRM is asked. The PBX repeats it in
the callend, so it joins the events of a call. `crm_call_id` is the same value, where it is not ours. `pbx_call_id` is
the PBX's own id: it stands in the link to the recording, and is a result's `id`. It is the CALL_ID of `callsendai` and
`callgetaireresult` (API, section 8), and the `call_id` of `alovoice ai`.
"""

import re
from urllib.parse import parse_qsl, unquote

_LONGEST_LINK = 500
_STEREO = "stereo"
"""The folder of `/stereo/CALL_ID`, the one link of a recording whose form the document gives."""
_ANY_ID = r"[A-Za-z0-9](?:[A-Za-z0-9_:-]|\.(?!\.)){0,63}"
_LONGEST_NUMBER = 18
_UNIQUEID = r"[0-9]{9,11}\.[0-9]{1,9}"
"""Asterisk's id of a channel: unix seconds, a dot, a counter."""
_NAMED = rf"(?:.*[^0-9.])?({_UNIQUEID})"
"""A file's name that ends with such an id: `out-101-20240520-1716209468.1234`."""
_NO_ID = r"998[0-9]{9}|[0-9.]+[eE][0-9]+"
"""A phone number; a number as a spreadsheet rounds it, which a batch refuses."""
_ENDING = r"(?i)\.(?:mp3|wav|ogg|opus|m4a|gsm)$"
_QUERY_NAMES = frozenset({"call_id", "callid", "uniqueid"})
_OURS = r"[0-9A-HJKMNP-TV-Z]{26}"


def read_record_link(link: str | None) -> str | None:
    """Returns the PBX's id of the call whose recording has this link; None where the link does not tell it for sure.

    The document shows `/stereo/CALL_ID` alone. Of other links a number, or an id as Asterisk makes them, counts as the
    last part of the path or as the query's `call_id`; a hash, a name, a phone number do not.
    """
    if not link or len(link) > _LONGEST_LINK or not (link.isascii() and link.isprintable()):
        return None
    address, _, query = link.strip().partition("#")[0].partition("?")
    scheme, is_whole, rest = address.partition("://")
    if is_whole:
        address = rest[rest.find("/") :] if scheme.lower() in ("http", "https") and "/" in rest else ""
    if not address.startswith("/"):
        return None
    named = {text for name, text in parse_qsl(query) if name.lower() in _QUERY_NAMES} if query else set()
    if named:
        return _sure_id(named.pop()) if len(named) == 1 else None
    folder, _, name = address.rstrip("/").rpartition("/")
    name = unquote(name)
    if "." in name:
        name = re.sub(_ENDING, "", name)
    is_told = folder.rpartition("/")[2] == _STEREO and re.fullmatch(_ANY_ID, name)
    return name if is_told and not re.fullmatch(_NO_ID, name) else _sure_id(name)


def _sure_id(text: str) -> str | None:
    """Returns the text, or the id at its end, where it is a number or an id of Asterisk."""
    if text.isdigit() and text.isascii():
        return text if len(text) <= _LONGEST_NUMBER and not re.fullmatch(_NO_ID, text) else None
    found = re.fullmatch(_NAMED, text)
    return found.group(1) if found else None


def read_crm_id(event_call_id: str | None) -> str | None:
    """Returns the id that joins a call's events where the CRM gave it; None where it has the form of our own ids."""
    return None if event_call_id is None or re.fullmatch(_OURS, event_call_id) else event_call_id

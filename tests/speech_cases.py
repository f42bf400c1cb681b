"""Analyses for tests: the vendor's sample, one of the sandbox's dialogues, and composed answers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from front_door import FrontDoor

from alovoice_cli.sandbox.scenario import shipped
from alovoice_cli.stores.analyses import STORE_NAME, Analyses

BEGAN = 1_716_207_617  # 2024-05-20 17:20 in Tashkent
VENDOR = json.loads((Path(__file__).parent / "contract" / "callgetaireresult.json").read_text("utf-8"))["vendor_answer"]


def sandbox_answer(call_id: str = "903") -> dict[str, Any]:
    """Returns the sandbox's answer for this call, begun at a fixed time."""
    dialogue = shipped().dialogue_for(998, call_id)
    return {"answer": {"begin_time": BEGAN, **dialogue, "stereoaudio": f"/stereo/{call_id}"}}


def answer(*phrases: tuple[int, int, str, str], tags: tuple[Any, ...] = (), begun: int = BEGAN) -> dict[str, Any]:
    """Returns an answer with these phrases (begin and end in milliseconds, direction, text); a tag may be a name."""
    stalk = [
        {"begin": begin, "end": end, "direction": direction, "text": text, "fragment_id": f"f{place}"}
        for place, (begin, end, direction, text) in enumerate(phrases)
    ]
    named = [{"name": tag, "tag_type": "rule"} if isinstance(tag, str) else tag for tag in tags]
    return {"answer": {"begin_time": begun, "aicallid": "a", "stalk": stalk, "tags": named}}


def kept(door: FrontDoor, profile: str = "sandbox") -> Analyses:
    """Returns this home's store."""
    return Analyses(door.home / "state" / STORE_NAME, profile, lambda: datetime.now(UTC) + door.ahead)

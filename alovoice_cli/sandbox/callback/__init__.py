"""The simulated PBX calls its customer back: callstart, callend, results and route questions (API, sections 5, 6, 9).

handlers      where messages go, and what a handler answers
posting       one thread that leads all calls, the posts to the handlers, and what goes wrong on the way, as ordered
call_course   how a call goes: drawn by the seed
live_call     one call as it goes on, and the bytes that tell of it
visitors      who calls when: the calls of a day
requested     calls that the PBX was asked to make
switchboard   joins them
"""

from alovoice_cli.sandbox.callback.handlers import parse_handlers
from alovoice_cli.sandbox.callback.posting import parse_chaos
from alovoice_cli.sandbox.callback.switchboard import Callbacks, Switchboard
from alovoice_cli.sandbox.callback.visitors import ZONE, parse_day, parse_rate

__all__ = ["ZONE", "Callbacks", "Switchboard", "parse_chaos", "parse_day", "parse_handlers", "parse_rate"]

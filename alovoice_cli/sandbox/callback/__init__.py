"""The simulated PBX calls its customer back: callstart, callend, results and route questions (API, sections 5, 6, 9).

handlers, chaos       where messages go, and what goes wrong on the way, as ordered
arrivals, course      who calls when, and how a call goes: drawn by the seed
visitors, requested   calls of a day, and calls that the PBX was asked to make
live, wording         one call as it goes on, and the bytes that tell of it
replies, ways         what a handler answers, and where a call goes then
timetable, mailing    one thread that leads all calls, and the way to the handlers
switchboard           joins them
"""

from alovoice_cli.sandbox.callback.arrivals import ZONE, parse_day, parse_rate
from alovoice_cli.sandbox.callback.chaos import parse_chaos
from alovoice_cli.sandbox.callback.handlers import parse_handlers
from alovoice_cli.sandbox.callback.switchboard import Callbacks, Switchboard

__all__ = ["ZONE", "Callbacks", "Switchboard", "parse_chaos", "parse_day", "parse_handlers", "parse_rate"]

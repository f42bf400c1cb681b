"""The simulated PBX sends events to its customer: starts, ends, results, route questions (API, sections 5, 6, 9).

messages      where messages go, their bytes, and what a handler answers
posting       one thread that leads all calls, the posts to the handlers, and what goes wrong on the way, as ordered
day           who calls when, and how a call goes: drawn by the seed
live_call     one call as it goes on, and those that the PBX was asked to make
switchboard   leads the calls of a PBX from start to stop
"""

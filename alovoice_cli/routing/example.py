"""A commented rules file to start from, which passes `route check --strict`."""

import json
from collections.abc import Sequence

_EXAMPLE = """\
# Routing rules for a route of the type "API request": `alovoice listen --rules FILE` answers by them.
# They are tried from top to bottom, and the first that matches gives the step. After each change:
#     alovoice route check --strict FILE
#     alovoice route test FILE --from 901234567 --line @LINE@

timezone = @ZONE@              # of all hours, dates and tests
fallback = { queue = "6000" }          # what a caller gets where no rule matches: put your department's number here

[lists]
vip = ["900000001", "+998900000002"]   # or a file beside this one: vip = "vip.csv"
unwanted = ["+99871000*"]              # a star: all numbers that begin so

[hours]
office = ["Mon-Fri 09:00-18:00", "Sat 10:00-15:00"]
holidays = ["UZ"]                      # all hours are shut on the public holidays of Uzbekistan

[[rule]]
name = "unwanted"
when = { from = "@unwanted" }
then = { hangup = true }               # or the id of a sound file: { hangup = "123" }

[[rule]]
name = "VIP to their manager"
when = { from = "@vip", hours = "office" }
then = { peer = "2000" }               # an extension

[[rule]]
name = "back to whom they spoke with"
when = { spoke_within = "7d", hours = "office" }
then = { peer = "@last_peer" }

@LINES@
[[rule]]
name = "a line of its own"
when = { line = "@LINE@", hours = "office" }
then = { queue = "6001" }

[[rule]]
name = "closed"
when = { not = { hours = "office" } }
then = { ivr = "111" }                 # a voice menu

[[rule]]
name = "everybody else"
then = { queue = "6000" }

# `route check` runs the tests; rules that fail one are never served.
[[test]]
given = { from = "+998900000001", line = "@LINE@", at = "2027-02-01 12:00" }
expect = { peer = "2000" }
rule = "VIP to their manager"

[[test]]
given = { from = "900000007", line = "@LINE@", at = "2027-02-02 03:00" }
expect = { ivr = "111" }
rule = "closed"

[[test]]
given = { from = "998710001234", at = "2027-02-01 12:00" }
expect = { hangup = true }
"""
_ANY_LINE = "712037006"


def example_rules(lines: Sequence[str], zone: str) -> str:
    """Returns the file for a PBX with these lines in this zone; without lines it has one of the vendor's samples."""
    named = f"# Lines of this PBX: {', '.join(lines)}\n" if len(lines) > 1 else ""
    line = lines[0] if lines else _ANY_LINE
    return _EXAMPLE.replace("@LINE@", line).replace("@ZONE@", json.dumps(zone)).replace("@LINES@\n", named)

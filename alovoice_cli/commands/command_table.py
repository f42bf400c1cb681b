"""The command table: the module of each word, and the line of help for a command that is not loaded.

A command's module is imported when the words name the command (building all 84 commands costs about 30 ms more than
building one group); the others appear in the help as a line without a body. Tests keep table and modules in step.
"""

from importlib import import_module
from typing import Any, NamedTuple


class Subcommand(NamedTuple):
    """A command of a noun: `place` is its function as `module:function`, or `module:app` for a group of its own."""

    name: str
    help: str
    place: str
    command_class: str = ""


class Noun(NamedTuple):
    """One word after `alovoice`: a group with verbs, or the command or group `app` of its module."""

    name: str
    help: str
    panel: str
    verbs: tuple[Subcommand, ...] = ()
    group_class: str = ""

    @property
    def module(self) -> str:
        return f"alovoice_cli.commands.{self.name}"

    def find(self, place: str) -> Any:
        """Returns the object `module:name` in the noun's folder."""
        module, _, name = place.partition(":")
        return getattr(import_module(f"{self.module}.{module}".rstrip(".")), name)


_AUTORULE = (
    Subcommand("create", "Create an auto-dial campaign.", "create:create_campaign", "create:CreateCommand"),
    Subcommand(
        "check",
        "Check a campaign as `autorule create` does, without creating it.",
        "check:check_campaign",
        "check:CheckCommand",
    ),
    Subcommand("get", "Show a campaign: hours, lines, status, number of recipients.", "get:show_campaign"),
    Subcommand("list", "List the campaigns created from this computer, newest first.", "list:list_campaigns"),
    Subcommand("export", "Print the options and files of a campaign as TOML.", "export:export_campaign"),
    Subcommand("watch", "Watch campaigns: a live table, or JSON lines in a pipe.", "watch:watch_campaigns"),
    Subcommand("report", "Report the outcome of every row of a campaign's list.", "report:report_campaign"),
)

_NUMBERS = (Subcommand("check", "Check a list of phone numbers as `autorule create` does.", ":check_numbers"),)

_CALL = (
    Subcommand(
        "conference",
        "Call one person, then connect them to others or to a queue.",
        "placing:place_conference",
        "placing:PlacingCommand",
    ),
    Subcommand("ivr", "Call a number and play it a voice menu.", "placing:place_menu_call", "placing:PlacingCommand"),
    Subcommand(
        "out", "Call an extension and, when it answers, a number.", "placing:place_call", "placing:PlacingCommand"
    ),
    Subcommand(
        "resolve",
        "Find out from the received events whether a call rang.",
        "resolve:resolve_calls",
        ":CallWaitingCommand",
    ),
    Subcommand("batches", "Batches of calls: list, show, resume, forget.", "batches:app"),
    Subcommand("receipts", "Records of all requests that dial, create or cost money.", "receipts:app"),
)

_EVENTS = (
    Subcommand(
        "list", "List the events that the PBX sent, newest first.", "list:list_events", "selection:EventsCommand"
    ),
    Subcommand("show", "Show one call: its request, start, end and result.", "show:show_call"),
    Subcommand("tail", "Print the latest events, oldest first.", "tail:tail_events"),
    Subcommand("stats", "Count calls: answered, missed, unfinished; talk time.", "stats:show_statistics"),
    Subcommand("missed", "List missed inbound calls, newest first, with reasons.", "missed:list_missed"),
    Subcommand("gaps", "List the times without a listener, and calls without an end.", "gaps:list_gaps"),
    Subcommand(
        "export", "Print events as JSON lines or CSV, oldest first.", "export:export_events", "selection:EventsCommand"
    ),
    Subcommand("import", "Add events from another history.", "importing:import_events"),
    Subcommand("prune", "Delete old events and calls.", "prune:prune_events"),
    Subcommand("outbox", "Events that wait to be forwarded: list, retry, drop.", "outbox:app"),
    Subcommand("trigger", "Send test events to a handler, as the PBX would.", "trigger:trigger_event"),
    Subcommand("replay", "Send stored events to a handler again.", "replay:replay_events", "selection:EventsCommand"),
    Subcommand("certify", "Test a CRM's handler with everything that the PBX may send.", "certify:certify_handler"),
)

_STORE = (
    Subcommand("check", "Check an event store: version, size, age, integrity, what waits.", "check:check_store"),
    Subcommand("copy", "Copy an event store to a PostgreSQL server.", "copy:copy_store"),
)

_ROUTE = (
    Subcommand("init", "Write a commented rules file to start from.", "init:write_rules"),
    Subcommand("check", "Check a rules file.", "check:check_rules"),
    Subcommand("test", "Show the step that a caller would get.", "test:try_question"),
    Subcommand("diff", "Compare two rules files on the stored route questions.", "diff:compare_rules"),
    Subcommand("override", "Send every caller to one step for a limited time.", "override:override_rules"),
)

_AI = (
    Subcommand("send", "Start the speech analysis of recorded calls.", "send:send_calls", "send:SendingCommand"),
    Subcommand(
        "result", "Show the analysis of a call: who said what, and tags.", "result:show_result", "result:ResultCommand"
    ),
    Subcommand("show", "Show analyses that are stored on this computer.", "kept:show_stored"),
    Subcommand("list", "List the stored analyses, newest call first.", "kept:list_analyses"),
    Subcommand("grep", "Search the stored analyses for words.", "grep:grep_phrases"),
    Subcommand("score", "Score the stored calls from 0 to 100.", "score:score_calls"),
    Subcommand("report", "Summarize the stored calls by day, week, operator or tag.", "report:report_calls"),
    Subcommand("audio", "Save the stereo recordings of analysed calls.", "audio:save_audio"),
    Subcommand("prune", "Delete the analyses of old calls.", "kept:prune_analyses"),
)

_NOTIFY = (
    Subcommand("test", "Send a test message to each messenger.", ":send_test"),
    Subcommand("login", "Store the token of the profile's Telegram bot.", ":store_bot_token"),
    Subcommand("logout", "Delete the stored token of the profile's Telegram bot.", ":forget_bot_token"),
)
_CONFIG = (
    Subcommand("list", "List the profiles and where their tokens are.", ":list_profiles"),
    Subcommand("get", "Print the current value of a setting.", ":show_value"),
    Subcommand("set", "Change a setting of a profile.", ":set_key"),
    Subcommand("unset", "Reset a setting of a profile to its default.", ":unset_key"),
    Subcommand("use", "Choose the default profile.", ":use"),
    Subcommand("path", "Print the path of the configuration file.", ":print_path"),
)

_SANDBOX = (
    Subcommand("serve", "Serve the simulated PBX over HTTP until Ctrl-C.", ":serve_sandbox"),
    Subcommand("reset", "Reset the built-in simulated PBX.", ":reset_state"),
    Subcommand("path", "Print where the built-in simulated PBX keeps its state.", ":print_path"),
    Subcommand("sample", "Write sample files, and print commands that use them.", ":write_sample"),
)


_DIAL, _PAST, _LISTEN = "Call people", "See what happened", "Receive and route calls"
_PBX, _SET_UP, _LEARN = "The PBX", "Set up", "Try and learn"

NOUNS = (
    Noun("autorule", "Auto-dial campaigns: check, create, list, watch, report.", _DIAL, _AUTORULE, ":CampaignGroup"),
    Noun("numbers", "Lists of phone numbers: check and clean.", _DIAL, _NUMBERS),
    Noun("call", "Call one number, or every number of a list.", _DIAL, _CALL),
    Noun("events", "The history of calls and events that the PBX sent.", _PAST, _EVENTS),
    Noun("store", "An event store: check it, copy it to a server.", _PAST, _STORE),
    Noun("day", "Show a day: calls against targets, callers to call back.", _PAST),
    Noun("top", "Show the current day, live.", _PAST),
    Noun("ai", "Speech analysis of recorded calls: fetch, search, score.", _PAST, _AI),
    Noun("listen", "Receive calls, results and route questions from the PBX.", _LISTEN),
    Noun("route", "Routing rules: write, check, test, compare, override.", _LISTEN, _ROUTE),
    Noun("notify", "Messages about missed calls: the bot's token, a test.", _LISTEN, _NOTIFY),
    Noun("trunks", "List the lines of the PBX.", _PBX),
    Noun("peers", "List the extensions of the PBX.", _PBX),
    Noun("api", "Send any request to the PBX.", _PBX),
    Noun("login", "Store the token of a PBX under a profile.", _SET_UP),
    Noun("logout", "Delete the stored token of a profile.", _SET_UP),
    Noun("status", "Show profile, server and token, and whether they work.", _SET_UP),
    Noun("config", "Profiles and their settings.", _SET_UP, _CONFIG),
    Noun("demo", "Take a tour of the main tasks on a simulated PBX.", _LEARN),
    Noun("sandbox", "A simulated PBX with the same API.", _LEARN, _SANDBOX),
    Noun("help", "Show the help page of a command or a topic.", _LEARN),
    Noun("skill", "Print a page for AI agents about this program.", _LEARN),
    Noun("completion", "Print the completion script of a shell.", _LEARN),
    Noun("version", "Print the version.", _LEARN),
)

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
    Subcommand(
        "create",
        "Create an auto-dial campaign. What is wrong with files, days or lines is said before anything is sent.",
        "create:create_campaign",
        "create:CreateCommand",
    ),
    Subcommand(
        "check",
        "Check a campaign as `create` would, and send nothing: the list, the recording, days and hours, lines, limits.",
        "check:check_campaign",
        "check:CheckCommand",
    ),
    Subcommand(
        "get", "Show a campaign: its window, its lines, its status, how many recipients it has.", "get:show_campaign"
    ),
    Subcommand(
        "list",
        "List the campaigns that were created from here, the latest first, with the status that was last seen.",
        "list:list_campaigns",
    ),
    Subcommand(
        "export",
        "Print a campaign as TOML: its options, and the files that it was made of, by path and digest.",
        "export:export_campaign",
    ),
    Subcommand(
        "watch",
        "Watch campaigns: a table that is drawn over, or in a pipe one JSON line for each change.",
        "watch:watch_campaigns",
    ),
    Subcommand(
        "report",
        "Report what became of every row of a campaign's list, by the events that the listener received.",
        "report:report_campaign",
    ),
)

_NUMBERS = (
    Subcommand(
        "check",
        "Read a list of phone numbers as `autorule create` would: which rows are good, and what is "
        "wrong with the others.",
        ":check_numbers",
    ),
)

_CALL = (
    Subcommand(
        "conference",
        "Ring one person and, when they answer, connect them: to whoever of a list answers first, or to a queue.",
        "placing:place_conference",
        "placing:PlacingCommand",
    ),
    Subcommand(
        "ivr",
        "Ring somebody by one of the PBX's lines and play them a voice menu.",
        "placing:place_menu_call",
        "placing:PlacingCommand",
    ),
    Subcommand(
        "out",
        "Ring an extension and, when it answers, a number, as a click in a CRM does. Refused: exit code 1.",
        "placing:place_call",
        "placing:PlacingCommand",
    ),
    Subcommand(
        "resolve",
        "Did it ring? Looks for our own calls among what the PBX told the listener; sends nothing.",
        "resolve:resolve_calls",
        ":CallWaitingCommand",
    ),
    Subcommand("batches", "Many calls from one list: how far each batch has come.", "batches:app"),
    Subcommand("receipts", "What was asked of the PBX from this machine, and how it ended.", "receipts:app"),
)

_EVENTS = (
    Subcommand(
        "list",
        "List what the PBX sent, the latest first. The first column is for `events show`.",
        "list:list_events",
        "selection:EventsCommand",
    ),
    Subcommand(
        "show",
        "Show one call as it went: our own request, its start, end and result, joined by their ids.",
        "show:show_call",
    ),
    Subcommand(
        "tail",
        "Print the latest events, the oldest first: one JSON object a line, or a table that grows on a terminal.",
        "tail:tail_events",
    ),
    Subcommand(
        "stats",
        "Count calls: answered, missed by reason (inbound alone), otherwise without a talk, without an end; talk time.",
        "stats:show_statistics",
    ),
    Subcommand(
        "missed",
        "List missed inbound calls, the latest first, each with its reason; of seven days unless a period is given.",
        "missed:list_missed",
    ),
    Subcommand(
        "gaps",
        "List when no listener was there, and calls that began over two hours ago of which no end was told.",
        "gaps:list_gaps",
    ),
    Subcommand(
        "export",
        "Print the events, the oldest first (with --limit the latest N): whole, an object a line, for other programs.",
        "export:export_events",
        "selection:EventsCommand",
    ),
    Subcommand("import", "Add events of another history, each line once, marked.", "importing:import_events"),
    Subcommand(
        "prune",
        "Delete events and calls that are older, and give their room back; a listener goes on receiving meanwhile.",
        "prune:prune_events",
    ),
    Subcommand("outbox", "What waits to be forwarded, and what was given up: list, retry, drop.", "outbox:app"),
    Subcommand(
        "trigger",
        "Send a handler an event as the PBX would. Of several each has another number (or id), unless --set fixes it.",
        "trigger:trigger_event",
    ),
    Subcommand(
        "replay",
        "Send stored events to a handler again: the same bytes, in their order, one after another, marked as replays.",
        "replay:replay_events",
        "selection:EventsCommand",
    ),
    Subcommand(
        "certify",
        "Send a CRM's handler all that the PBX may send, and grade its answers. Exit 8 where a required case fails.",
        "certify:certify_handler",
    ),
)

_ROUTE = (
    Subcommand(
        "init",
        "Write a commented rules file to start from, with the lines and the time zone of the profile.",
        "init:write_rules",
    ),
    Subcommand("check", "Check a rules file before callers meet it.", "check:check_rules"),
    Subcommand("test", "Show the step that a caller would get.", "test:try_question"),
    Subcommand(
        "diff",
        "Ask two rules files the stored route questions, and show which callers would go elsewhere, by rule.",
        "diff:compare_rules",
    ),
    Subcommand(
        "override",
        "Send every caller to one step for a while: a panic switch. Without words: show what is in force.",
        "override:override_rules",
    ),
)

_AI = (
    Subcommand(
        "send",
        "Start the analysis of recorded calls, one request a call. It may cost: of each call it is asked for once.",
        "send:send_calls",
        "send:SendingCommand",
    ),
    Subcommand(
        "result",
        "Show the analysis of a call: who said what and when, and its tags. Not finished yet: exit code 9.",
        "result:show_result",
        "result:ResultCommand",
    ),
    Subcommand(
        "show", "Show analyses that are kept on this machine, as `ai result` does. Asks nobody.", "kept:show_stored"
    ),
    Subcommand(
        "list", "List the analyses that `ai result` kept, the latest call first. Asks nobody.", "kept:list_analyses"
    ),
    Subcommand(
        "grep", "Find what was said in the kept analyses, the latest call first. Asks nobody.", "grep:grep_phrases"
    ),
    Subcommand(
        "score",
        "Score the kept calls, 0 to 100: talk ratio, monologues, dead air, interruptions, phrases "
        "and tags, each weighted.",
        "score:score_calls",
    ),
    Subcommand(
        "report",
        "Count the kept calls by day, week, operator or tag: scores, the operators' share, silence; or a page.",
        "report:report_calls",
    ),
    Subcommand(
        "audio",
        "Save the stereo recordings of analysed calls. A file appears under its name only when it is whole.",
        "audio:save_audio",
    ),
    Subcommand(
        "prune",
        "Forget analyses of old calls, of the profile in force, for good. --dry-run counts them and forgets none.",
        "kept:prune_analyses",
    ),
)

_NOTIFY = (
    Subcommand("test", "Send a test message to each messenger, and say what came back.", ":send_test"),
    Subcommand(
        "login",
        "Store the token of a Telegram bot under the profile.",
        ":store_bot_token",
    ),
    Subcommand("logout", "Forget the stored token of the profile's Telegram bot.", ":forget_bot_token"),
)
_CONFIG = (
    Subcommand("list", "List the profiles, which of them is in use, and where their tokens are.", ":list_profiles"),
    Subcommand("get", "Print the value that is in force, whether set or by default.", ":show_value"),
    Subcommand(
        "set",
        "Set a setting of a profile, and keep the comments of the file. A profile that is new is made.",
        ":set_key",
    ),
    Subcommand("unset", "Remove a setting of a profile: its default holds again.", ":unset_key"),
    Subcommand("use", "Use a profile from now on, wherever neither -p nor ALOVOICE_PROFILE names another.", ":use"),
    Subcommand("path", "Print where the configuration file is, or would be.", ":print_path"),
)

_SANDBOX = (
    Subcommand(
        "serve",
        "Serve the simulated PBX over HTTP until Ctrl-C. Prints its URL and token when it is ready to answer.",
        ":serve_sandbox",
    ),
    Subcommand(
        "reset",
        "Make the embedded PBX as new: its campaigns, calls and analyses are gone, its token stays.",
        ":reset_state",
    ),
    Subcommand("path", "Print where the embedded PBX keeps its state.", ":print_path"),
    Subcommand(
        "sample",
        "Write a list, a recording, rules and scores to play with, and print commands that use them on the sandbox.",
        ":write_sample",
    ),
)


_WORK, _ACCOUNT, _TOOLS = "PBX", "Account", "Tools"

NOUNS = (
    Noun("autorule", "Auto-dial campaigns: check, create, list, watch.", _WORK, _AUTORULE, ":CampaignGroup"),
    Noun("numbers", "Lists of phone numbers: read, cleaned, explained.", _WORK, _NUMBERS),
    Noun("trunks", "The PBX's lines.", _WORK),
    Noun("peers", "The PBX's extensions.", _WORK),
    Noun("call", "Place one call, or many; read the receipts.", _WORK, _CALL),
    Noun("events", "What the PBX told the listener: the history of calls.", _WORK, _EVENTS),
    Noun("day", "One page: the day's calls against targets, and who is owed a call.", _WORK),
    Noun("top", "The running day, live.", _WORK),
    Noun("route", "Routing rules: check them, try them, compare them.", _WORK, _ROUTE),
    Noun("ai", "Speech analysis of recorded calls: fetched, searched, scored, reported.", _WORK, _AI),
    Noun("listen", "Receive what the PBX sends: calls, results, route questions.", _WORK),
    Noun("notify", "Telling people of missed calls: the bot's token, a test message.", _WORK, _NOTIFY),
    Noun("api", "Any request to the API, with the token in its place.", _WORK),
    Noun("login", "Store a PBX's token under a profile, after checking it.", _ACCOUNT),
    Noun("logout", "Forget a profile's token.", _ACCOUNT),
    Noun("status", "What is in force: profile, server, token; does it work?", _ACCOUNT),
    Noun("config", "Profiles and their settings.", _ACCOUNT, _CONFIG),
    Noun("sandbox", "A simulated PBX with the same API.", _TOOLS, _SANDBOX),
    Noun("demo", "A tour of the main job on the sandbox.", _TOOLS),
    Noun("completion", "The completion script of bash, zsh or fish.", _TOOLS),
)

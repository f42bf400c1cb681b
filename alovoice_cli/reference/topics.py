"""Texts about all commands: exit codes, environment variables, files; for the manual and `alovoice help`."""

from alovoice_cli.language import mark

EXIT_STATUS = (
    (0, mark("Done; for a batch: every row was accepted.")),
    (1, mark("The PBX understood the request and refused it: it was not carried out.")),
    (2, mark("Usage error: wrong words, a bad file or date, a lock that is held. Nothing was sent.")),
    (3, mark("The token is missing or refused.")),
    (4, mark("Not found.")),
    (5, mark("The PBX was not reached, and nothing was done: it is safe to run the same command again.")),
    (6, mark("Unknown outcome: a request that dials, creates or starts an analysis may have been carried out.")),
    (7, mark("Server error; for requests that read also 429 after the retries, or an unreadable response.")),
    (8, mark("A check found errors. Nothing was sent.")),
    (9, mark("Not ready in time.")),
    (130, mark("Interrupted with Ctrl-C.")),
    (141, mark("The reader of a stream, such as that of listen, has gone.")),
    (143, mark("Terminated with SIGTERM.")),
)
EXIT_WARNING = mark("Only 6 forbids running the same command again before you have checked what happened.")
ENVIRONMENT = (
    ("ALOVOICE_TOKEN", mark("Token of the PBX; it precedes the stored token.")),
    ("ALOVOICE_PROFILE", mark("Profile to use without `--profile`.")),
    ("ALOVOICE_BASE_URL", mark("URL of the PBX without `--base-url`.")),
    ("ALOVOICE_LANG", mark("Language of texts and help pages without `--lang`: en, ru or uz.")),
    ("ALOVOICE_CONFIG_DIR", mark("Directory of config.toml and tokens.toml.")),
    ("ALOVOICE_STATE_DIR", mark("Directory of receipts, events and the sandbox.")),
    ("ALOVOICE_READONLY", mark("1: refuse every request that dials, creates or costs money.")),
    ("ALOVOICE_LISTEN_NAME", mark("Option of `alovoice listen`: ALOVOICE_LISTEN_FORWARD is --forward.")),
    ("ALOVOICE_NO_PERMISSION_CHECK", mark("1: the same as `--no-permission-check`.")),
    ("ALOVOICE_DEBUG", mark("1: show a traceback with each error; tokens are masked.")),
    ("NO_COLOR", mark("If set: no colors.")),
    ("HTTPS_PROXY, NO_PROXY", mark("Proxy for the PBX, and hosts that need none.")),
    ("SSL_CERT_FILE", mark("Trusted certificate authorities (default: the system's).")),
)
ENVIRONMENT_NOTE = mark("An option of the command line precedes the environment; the environment precedes the profile.")
FILES = (
    ("~/.config/alovoice/config.toml", "Profiles and their settings. It contains no token."),
    ("~/.config/alovoice/tokens.toml", "Tokens; only their owner can read them."),
    (".alovoice.toml", "In a project directory: the name of the profile to use there."),
    ("~/.local/state/alovoice/", "Receipts of what was dialled, events, and the state of the sandbox."),
)

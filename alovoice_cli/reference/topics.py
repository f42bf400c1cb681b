"""What holds for every command: exit codes, environment variables, files. The manual and `alovoice help` show it."""

EXIT_STATUS = (
    (0, "Done; for a batch: every row was accepted."),
    (1, "The PBX understood the request and refused it: it was not carried out."),
    (2, "Usage error: wrong words, a bad file or date, a lock that is held. Nothing was sent."),
    (3, "The token is missing or refused."),
    (4, "Not found."),
    (5, "The PBX was not reached, and nothing was done: it is safe to run the same command again."),
    (6, "Unknown outcome: a request that dials, creates or starts an analysis may have been carried out."),
    (7, "Server error; for requests that read also 429 after the retries, or an unreadable response."),
    (8, "A check found errors. Nothing was sent."),
    (9, "Not ready in time."),
    (130, "Interrupted with Ctrl-C."),
    (141, "The reader of a stream, such as that of listen, has gone."),
    (143, "Terminated with SIGTERM."),
)
EXIT_WARNING = "Only 6 forbids running the same command again before you have checked what happened."
ENVIRONMENT = (
    ("ALOVOICE_TOKEN", "Token of the PBX; it precedes the stored token."),
    ("ALOVOICE_PROFILE", "Profile to use without `--profile`."),
    ("ALOVOICE_BASE_URL", "URL of the PBX without `--base-url`."),
    ("ALOVOICE_CONFIG_DIR", "Directory of config.toml and tokens.toml."),
    ("ALOVOICE_STATE_DIR", "Directory of receipts, events and the sandbox."),
    ("ALOVOICE_READONLY", "1: refuse every request that dials, creates or costs money."),
    ("ALOVOICE_LISTEN_NAME", "Option of `alovoice listen`: ALOVOICE_LISTEN_FORWARD is --forward."),
    ("ALOVOICE_NO_PERMISSION_CHECK", "1: the same as `--no-permission-check`."),
    ("ALOVOICE_DEBUG", "1: show a traceback with each error; tokens are masked."),
    ("NO_COLOR", "If set: no colors."),
    ("HTTPS_PROXY, NO_PROXY", "Proxy for the PBX, and hosts that need none."),
    ("SSL_CERT_FILE", "Trusted certificate authorities (default: the system's)."),
)
ENVIRONMENT_NOTE = "An option of the command line precedes the environment; the environment precedes the profile."
FILES = (
    ("~/.config/alovoice/config.toml", "Profiles and their settings. It contains no token."),
    ("~/.config/alovoice/tokens.toml", "Tokens; only their owner can read them."),
    (".alovoice.toml", "In a project directory: the name of the profile to use there."),
    ("~/.local/state/alovoice/", "Receipts of what was dialled, events, and the state of the sandbox."),
)

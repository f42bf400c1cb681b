"""What `login` keeps for a profile: a token with the server that it belongs to, or the command that prints it."""

from dataclasses import dataclass, field

from alovoice_cli.config.edits import with_profile
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import Config, configured_url, parse_config
from alovoice_cli.config.reading import read_text
from alovoice_cli.config.token_file import bound_tokens, tokens_text
from alovoice_cli.config.tokens import LONGEST_TOKEN, StoredToken, check_token
from alovoice_cli.config.urls import origin_of
from alovoice_cli.config.writing import locked, replace


@dataclass(frozen=True, slots=True)
class Login:
    """A profile, the base URL that takes its token, and whether this becomes the profile's `base_url`."""

    profile: str
    base_url: str
    changes_base_url: bool = False
    token_command: str | None = field(default=None, repr=False)

    def describe_place(self, paths: Paths) -> str:
        """Says where the token is about to be kept."""
        if self.token_command is not None:
            return f"the command, not the token, will be kept for profile {self.profile} in {paths.config_file}"
        return (
            f"the token of profile {self.profile} will be kept in {paths.tokens_file}, as plain text that only you"
            " can read; --token-command keeps it elsewhere"
        )


def check_place(paths: Paths, login: Login) -> None:
    """Makes sure that the login can be kept: directory, lock, links, disk space, files that can be understood.

    Raises BadConfigError and UsageError, as `keep_login` does.
    """
    _keep(paths, login, "x" * LONGEST_TOKEN, rehearse=True)


def keep_login(paths: Paths, login: Login, token: str) -> None:
    """Stores the token, or the command in place of a stored token; and the base URL where it changes: all, or nothing.

    Raises UsageError for a bad name or token, BadConfigError when a file is broken or cannot be written.
    """
    _keep(paths, login, check_token(token, "the input"), rehearse=False)


def _keep(paths: Paths, login: Login, token: str, *, rehearse: bool) -> None:
    with locked(paths):
        source = read_text(paths.config_file) or ""
        config = parse_config(paths.config_file, source)
        before = bound_tokens(paths, config)
        values: dict[str, str] = {}
        tokens = {name: stored for name, stored in before.items() if name != login.profile}
        if login.token_command is None:
            tokens[login.profile] = StoredToken(token, origin_of(login.base_url))
        else:
            values["token_command"] = login.token_command
        if login.changes_base_url or (login.token_command and _moves(config, login)):
            values["base_url"] = login.base_url
        contents = {paths.config_file: with_profile(paths, source, login.profile, values)}
        if contents[paths.config_file] == source.encode():
            contents = {}
        if login.token_command is None or tokens != before:
            contents = {paths.tokens_file: tokens_text(tokens), **contents}
        replace(contents, rehearse=rehearse)


def _moves(config: Config, login: Login) -> bool:
    """Whether the server is another than the profile's own, which is the only one that a command's token goes to."""
    return origin_of(configured_url(config, login.profile)) != origin_of(login.base_url)

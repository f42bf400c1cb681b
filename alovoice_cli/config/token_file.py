"""Changes tokens.toml, which keeps the tokens apart from the configuration that people edit and share."""

import tomli_w

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import NAME_FORM, is_profile_name
from alovoice_cli.config.tokens import check_token, read_all
from alovoice_cli.config.writing import locked, replace
from alovoice_cli.errors import UsageError


class TokenFile:
    """The stored tokens, for `login` and `logout`. Every change raises BadConfigError when it cannot be written."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def whither(self, profile: str, *, by_command: bool = False) -> str:
        """Says where `login` is about to keep the token, before it does."""
        if by_command:
            return f"the command, not the token, will be kept for profile {profile} in {self._paths.config_file}"
        return (
            f"the token of profile {profile} will be kept in {self._paths.tokens_file}, as plain text that only you"
            " can read; --token-command keeps it elsewhere"
        )

    def store(self, profile: str, token: str) -> None:
        """Keeps the profile's token. Raises UsageError for a bad name or token."""
        if not is_profile_name(profile):
            raise UsageError(f"no profile can be called {profile!r}", hint=NAME_FORM)
        token = check_token(token, "the input")
        with locked(self._paths):
            self._write({**read_all(self._paths), profile: token})

    def forget(self, profile: str) -> bool:
        """Removes the profile's token; False if there was none."""
        if profile not in read_all(self._paths):
            return False
        with locked(self._paths):
            self._write({name: token for name, token in read_all(self._paths).items() if name != profile})
        return True

    def _write(self, tokens: dict[str, str]) -> None:
        replace(self._paths.tokens_file, tomli_w.dumps({"tokens": tokens}).encode())

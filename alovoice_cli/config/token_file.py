"""Changes tokens.toml, which keeps the tokens apart from the configuration that people edit and share."""

from collections.abc import Mapping

import tomli_w

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import Config, configured_url, parse_config
from alovoice_cli.config.reading import read_text
from alovoice_cli.config.tokens import StoredToken, read_all
from alovoice_cli.config.urls import origin_of
from alovoice_cli.config.writing import locked, replace


def bound_tokens(paths: Paths, config: Config) -> dict[str, StoredToken]:
    """Every token with its origin: a token without one belongs to the base URL that its profile has in `config`.

    Raises BadConfigError when tokens.toml cannot be read.
    """
    return {
        name: StoredToken(token.value, token.origin or origin_of(configured_url(config, name)))
        for name, token in read_all(paths).items()
    }


def tokens_text(tokens: Mapping[str, StoredToken]) -> bytes:
    """The content of tokens.toml."""
    values = {name: token.value for name, token in tokens.items()}
    origins = {name: token.origin for name, token in tokens.items() if token.origin}
    return tomli_w.dumps({"tokens": values, "origins": origins} if origins else {"tokens": values}).encode()


def forget_token(paths: Paths, profile: str) -> bool:
    """Removes the profile's token; False if there was none. Raises BadConfigError when the file cannot be written."""
    if profile not in read_all(paths):
        return False
    with locked(paths):
        config = parse_config(paths.config_file, read_text(paths.config_file) or "")
        tokens = bound_tokens(paths, config)
        tokens.pop(profile, None)
        replace({paths.tokens_file: tokens_text(tokens)})
    return True

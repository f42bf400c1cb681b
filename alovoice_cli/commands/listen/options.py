"""The options of `listen` as one value, each from the first source that has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """The options from the command line, the environment and the profile; `alovoice listen --help` explains them."""

    host: str
    port: int
    store: str | None
    secret: str
    forward: tuple[str, ...]
    forward_timeout: float
    forward_header: tuple[str, ...]
    forward_json: bool
    sign_secret: str | None
    exec: tuple[str, ...]
    notify: tuple[str, ...]
    notify_on: str
    grace: str
    rules: str | None
    fallback: str | None
    deadline: str
    shadow: str | None
    allow_from: tuple[str, ...]
    trusted_proxy: tuple[str, ...]
    tls_cert: str | None
    tls_key: str | None
    no_dedupe: bool
    ready_file: str | None
    admin: str | None
    log_format: str | None

"""Which store a run reads: the flag, the profile's own word, or a file named after the profile."""

from pathlib import Path

import pytest
from front_door import FrontDoor

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.settings import Flags, Settings, resolve

CONFIG = """
[profiles.tashkent]
[profiles.samarkand]
store = "~/samarkand.db"
[profiles.bukhara]
store = "sqlite:////var/lib/bukhara.db"
"""


def _settings(home: Path, profile: str | None) -> Settings:
    paths = Paths(home / "config", home / "state", home)
    paths.config.mkdir(exist_ok=True)
    paths.config_file.write_text(CONFIG)
    return resolve(Flags(profile=profile), {}, paths, home)


@pytest.mark.parametrize(
    ("profile", "flag", "store"),
    [
        (None, None, "sqlite:///{home}/state/events.db"),
        ("default", None, "sqlite:///{home}/state/events.db"),
        ("sandbox", None, "sqlite:///{home}/state/events-sandbox.db"),
        ("tashkent", None, "sqlite:///{home}/state/events-tashkent.db"),
        ("samarkand", None, "{home}/samarkand.db"),
        ("bukhara", None, "sqlite:////var/lib/bukhara.db"),
        ("bukhara", "other.db", "other.db"),
        (None, "~/one.db", "{home}/one.db"),
    ],
)
def test_the_store_is_the_flags_or_the_profiles_or_named_after_it(
    tmp_path: Path, profile: str | None, flag: str | None, store: str
) -> None:
    assert _settings(tmp_path, profile).event_store_url(flag) == store.format(home=tmp_path)


def test_a_relative_store_is_refused_since_each_directory_would_have_its_own(alovoice: FrontDoor) -> None:
    result = alovoice("config", "set", "store", "events.db")
    assert result.code == 2
    assert "absolute path" in result.err
    assert alovoice("config", "set", "store", "/srv/events.db").code == 0
    assert alovoice("config", "get", "store").out == "/srv/events.db\n"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///:memory:",
        ":memory:",
        "sqlite://",
        "sqlite:///",
        "sqlite:///file:x?mode=memory",
        "sqlite:///file::memory:",
    ],
)
def test_a_store_in_memory_is_refused_with_a_sentence(url: str, alovoice: FrontDoor) -> None:
    result = alovoice("events", "list", "--store", url)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: an event store in memory is lost when the program ends")
    assert not list(alovoice.home.glob("*memory*"))

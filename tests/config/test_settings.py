"""What holds: flag, then environment, then profile, then default; and that nothing falls back to another PBX."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alovoice_cli.config.edits import Login, keep_login
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.settings import Flags, Settings, resolve, resolve_leniently
from alovoice_cli.errors import BadConfigError, TokenMissingError, UsageError

SERVER = "https://cld.alovoice.uz"
TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"
OTHER = "11111111-2222-3333-4444-555555555555"

CONFIG = """\
profile = "tashkent"

[profiles.tashkent]
base_url = "https://tashkent.example"
timeout = 5
encoding = "form"
timezone = "Asia/Tashkent"
trunks = ["712037006"]
require_profile = true

[profiles.samarkand]
base_url = "http://samarkand.example"
insecure = true
token_command = "echo from-command"

[profiles.open]
base_url = "http://open.example"
"""

Resolve = Callable[..., Settings]


def _token(settings: Settings) -> str | None:
    found = settings.find_token()
    return found.value if found else None


@pytest.fixture
def written(paths: Paths) -> Paths:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text(CONFIG)
    return paths


@pytest.fixture
def settle(paths: Paths) -> Resolve:
    def settle(
        environ: dict[str, str] | None = None, *, cwd: Path | None = None, new: bool = False, **flags: object
    ) -> Settings:
        where = cwd or paths.config.parent / "project"
        return resolve(Flags(**flags), environ or {}, paths, where, allow_new_profile=new)  # type: ignore[arg-type]

    return settle


def test_with_nothing_at_all_the_defaults_hold(settle: Resolve) -> None:
    settings = settle()
    assert (settings.profile, settings.base_url, settings.timeout) == ("default", "https://cld.alovoice.uz", 30.0)
    assert (settings.encoding, settings.timezone, settings.trunks) == ("json", "utc +5", ())
    assert (settings.insecure, settings.require_profile, settings.embedded) == (False, False, False)
    assert set(settings.origin.values()) == {"default"}
    assert settings.find_token() is None


def test_a_profiles_values_win_over_the_defaults(written: Paths, settle: Resolve) -> None:
    settings = settle()
    assert (settings.profile, settings.base_url, settings.timeout) == ("tashkent", "https://tashkent.example", 5.0)
    assert (settings.encoding, settings.timezone, settings.trunks) == ("form", "Asia/Tashkent", ("712037006",))
    assert settings.origin == {
        "profile": "config.toml",
        "base_url": "profile tashkent",
        "lang": "default",
        "timeout": "profile tashkent",
        "encoding": "profile tashkent",
        "timezone": "profile tashkent",
        "trunks": "profile tashkent",
        "peer_names": "default",
        "quiet_hours": "default",
        "max_recipients": "default",
        "allowed_prefixes": "default",
        "max_campaigns_per_day": "default",
        "confirm_above": "default",
        "max_calls_per_run": "default",
        "max_calls_per_day": "default",
        "trunk_lines": "default",
        "reserve_lines": "default",
        "service_seconds": "default",
        "short_abandon_seconds": "default",
        "duration_counts": "default",
        "target_service_level": "default",
        "target_answer_rate": "default",
        "target_abandon_rate": "default",
        "target_wait": "default",
        "target_owed": "default",
        "target_callback": "default",
        "ai_budget_per_day": "default",
        "store": "default",
        "insecure": "default",
        "require_profile": "profile tashkent",
    }


def test_the_environment_wins_over_the_profile_and_a_flag_over_both(written: Paths, settle: Resolve) -> None:
    environ = {"ALOVOICE_BASE_URL": "https://env.example/"}
    settings = settle(environ)
    assert (settings.base_url, settings.origin["base_url"]) == (
        "https://env.example",
        "environment ALOVOICE_BASE_URL",
    )
    settings = settle(environ, base_url="https://flag.example", timeout=9.0)
    assert (settings.base_url, settings.timeout) == ("https://flag.example", 9.0)
    assert [settings.origin[name] for name in ("base_url", "timeout")] == ["flag"] * 2


def test_the_profile_is_chosen_by_flag_then_environment_then_project_then_file(
    written: Paths, settle: Resolve, tmp_path: Path
) -> None:
    project = written.config.parent / "project" / "deep"
    project.mkdir(parents=True)
    pin = project.parent / ".alovoice.toml"
    pin.write_text('profile = "open"\n')
    environ = {"ALOVOICE_PROFILE": "samarkand"}
    settings = settle(environ, cwd=project, profile="tashkent")
    assert (settings.profile, settings.origin["profile"]) == ("tashkent", "flag")
    settings = settle(environ, cwd=project)
    assert (settings.profile, settings.origin["profile"]) == ("samarkand", "environment ALOVOICE_PROFILE")
    with pytest.raises(UsageError, match=r"profiles\.open\.base_url must be https"):
        settle(cwd=project)
    settings = settle(cwd=project, base_url="https://flag.example")
    assert (settings.profile, settings.origin["profile"]) == ("open", f"project {pin}")
    assert settle(cwd=written.config.parent).profile == "tashkent"


def test_an_empty_variable_says_nothing(written: Paths, settle: Resolve) -> None:
    settings = settle({"ALOVOICE_PROFILE": "", "ALOVOICE_BASE_URL": "", "ALOVOICE_TOKEN": ""})
    assert (settings.profile, settings.base_url, _token(settings)) == ("tashkent", "https://tashkent.example", None)


@pytest.mark.parametrize("how", ["flag", "environment", "project", "file"])
def test_an_unknown_profile_is_refused_with_the_list_and_the_nearest(
    written: Paths, settle: Resolve, tmp_path: Path, how: str
) -> None:
    environ, flags = {}, {}
    if how == "flag":
        flags["profile"] = "tashkend"
    elif how == "environment":
        environ["ALOVOICE_PROFILE"] = "tashkend"
    elif how == "project":
        (tmp_path / "home" / ".alovoice.toml").write_text('profile = "tashkend"')
    else:
        written.config_file.write_text(CONFIG.replace('profile = "tashkent"', 'profile = "tashkend"'))
    with pytest.raises(UsageError, match="no profile tashkend") as caught:
        settle(environ, **flags)
    assert "default, open, samarkand, sandbox, tashkent" in caught.value.message
    assert "did you mean tashkent?" in caught.value.hint
    named_by = {"flag": "", "environment": "ALOVOICE_PROFILE", "project": ".alovoice.toml", "file": "config.toml"}[how]
    assert named_by in caught.value.message


def test_a_new_profile_is_for_login_alone_and_known_once_it_has_a_token(paths: Paths, settle: Resolve) -> None:
    assert settle(profile="bukhara", new=True).profile == "bukhara"
    with pytest.raises(UsageError, match="a profile cannot have the name"):
        settle(profile="../x", new=True)
    with pytest.raises(UsageError, match="no profile bukhara"):
        settle(profile="bukhara")
    keep_login(paths, Login("bukhara", SERVER), TOKEN)
    assert _token(settle(profile="bukhara")) == TOKEN


def test_flag_and_environment_that_differ_are_told_in_one_line(written: Paths, settle: Resolve) -> None:
    environ = {"ALOVOICE_PROFILE": "samarkand"}
    told = settle(environ, profile="tashkent").profile_conflict
    assert told == "profile tashkent (from -p) has priority over samarkand (ALOVOICE_PROFILE)"
    assert settle(environ, profile="samarkand").profile_conflict == ""
    assert settle(environ).profile_conflict == settle(profile="tashkent").profile_conflict == ""


def test_require_profile_of_the_whole_file_yields_to_the_profiles_own(paths: Paths, settle: Resolve) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text("require_profile = true\n[profiles.a]\n[profiles.b]\nrequire_profile = false\n")
    assert (settle(profile="a").require_profile, settle(profile="b").require_profile) == (True, False)
    assert settle(profile="a").origin["require_profile"] == "config.toml"


def test_http_needs_loopback_or_the_profiles_consent(written: Paths, settle: Resolve) -> None:
    assert settle(profile="samarkand").base_url == "http://samarkand.example"
    assert settle(base_url="http://127.0.0.1:8080").base_url == "http://127.0.0.1:8080"
    with pytest.raises(UsageError, match="--base-url must be https"):
        settle(base_url="http://pbx.example")
    with pytest.raises(UsageError, match="ALOVOICE_BASE_URL must be https"):
        settle({"ALOVOICE_BASE_URL": "http://pbx.example"})


@pytest.mark.parametrize("flags", [{"timeout": 0.0}, {"timeout": float("nan")}])
def test_a_bad_flag_is_a_usage_error(settle: Resolve, flags: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(flags))} must be"):
        settle(**flags)


def test_the_sandbox_is_embedded_and_hears_nothing_of_a_real_pbx(paths: Paths, settle: Resolve) -> None:
    settings = settle({"ALOVOICE_TOKEN": TOKEN, "ALOVOICE_BASE_URL": "https://pbx.example"}, profile="sandbox")
    assert (settings.base_url, settings.embedded) == ("http://sandbox.localhost", True)
    assert settings.find_token() is None
    settings = settle(profile="sandbox", base_url="http://127.0.0.1:8080")
    assert (settings.base_url, settings.embedded) == ("http://127.0.0.1:8080", False)
    with pytest.raises(UsageError, match="simulated PBX"):
        settle(profile="sandbox", base_url="https://pbx.example")


def test_the_token_comes_from_the_environment_then_the_file_then_the_command(written: Paths, settle: Resolve) -> None:
    settings = settle(profile="samarkand")
    assert (settings.token_source(), _token(settings)) == ("token_command", "from-command")
    keep_login(written, Login("samarkand", "http://samarkand.example"), OTHER)
    assert (settings.token_source(), _token(settings)) == ("tokens.toml", OTHER)
    settings = settle({"ALOVOICE_TOKEN": f"{TOKEN}\n"}, profile="samarkand")
    assert (settings.token_source(), _token(settings)) == ("environment ALOVOICE_TOKEN", TOKEN)


def test_a_token_of_one_profile_is_never_anothers(written: Paths, settle: Resolve) -> None:
    keep_login(written, Login("samarkand", SERVER), OTHER)
    assert settle(profile="tashkent").find_token() is None


def test_a_token_command_that_fails_is_no_reason_to_go_on_without(written: Paths, settle: Resolve) -> None:
    written.config_file.write_text('[profiles.a]\ntoken_command = "false"\n')
    with pytest.raises(TokenMissingError):
        _token(settle(profile="a"))


def test_a_bad_variable_is_told_without_what_it_holds(settle: Resolve) -> None:
    with pytest.raises(UsageError, match="ALOVOICE_TOKEN") as caught:
        _token(settle({"ALOVOICE_TOKEN": "s3cr3t/x"}))
    assert "s3cr3t" not in str(caught.value.as_json())


def test_no_repr_holds_a_token(written: Paths, settle: Resolve) -> None:
    written.config_file.write_text(f'[profiles.a]\ntoken_command = "echo {TOKEN}"\n')
    settings = settle({"ALOVOICE_TOKEN": TOKEN}, profile="a")
    found = settings.find_token()
    assert found is not None
    assert TOKEN not in f"{settings!r} {settings} {found!r} {found}"
    assert str(found) == "••••0042"


def test_a_broken_file_is_refused_but_status_still_gets_settings(written: Paths, settle: Resolve) -> None:
    written.config_file.write_text("profile = \n")
    with pytest.raises(BadConfigError, match="line 1, column 11"):
        settle(profile="tashkent")
    settings, problem = resolve_leniently(Flags(profile="tashkent"), {}, written, written.config)
    assert (settings.profile, settings.base_url) == ("tashkent", "https://cld.alovoice.uz")
    assert problem is not None
    assert "line 1, column 11" in problem.message
    written.config_file.write_text(CONFIG)
    assert resolve_leniently(Flags(), {}, written, written.config)[1] is None

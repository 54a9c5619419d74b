"""Settings: the environment over a file, and mistakes told all together and without their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load

SECRET = "0123456789abcdef-secret"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("MPOPS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MPOPS_SECRET_KEY", SECRET)


def config(monkeypatch: pytest.MonkeyPatch, folder: Path, words: str) -> None:
    (folder / "mpops.toml").write_text(words)
    monkeypatch.setenv("MPOPS_CONFIG", str(folder / "mpops.toml"))


def wrong() -> str:
    with pytest.raises(SettingsError) as raised:
        load()
    return str(raised.value)


def test_what_holds_when_nothing_is_said() -> None:
    settings = load()
    assert settings.database_url == "sqlite:///var/mpops.db"
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.feishu.domain == "feishu"
    assert settings.secrets() == [SECRET]


def test_the_names_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "sqlite:///x.db", "FEISHU__APP_ID": "cli_1", "FEISHU__APP_SECRET": "s",
        "FEISHU__ENCRYPT_KEY": "e", "FEISHU__VERIFICATION_TOKEN": "v", "FEISHU__DOMAIN": "lark",
        "HTTP__HOST": "0.0.0.0", "HTTP__PORT": "9", "LOG_LEVEL": "DEBUG",
        "PREVIOUS_SECRET_KEYS": '["an older key, long enough"]',
    }.items():  # fmt: skip
        monkeypatch.setenv(f"MPOPS_{name}", value)
    settings = load()
    feishu = settings.feishu
    assert settings.database_url == "sqlite:///x.db"
    assert (feishu.app_id, feishu.app_secret.get_secret_value(), feishu.encrypt_key.get_secret_value()) == (
        "cli_1", "s", "e",
    )  # fmt: skip
    assert (feishu.verification_token.get_secret_value(), feishu.domain) == ("v", "lark")
    assert (settings.http.host, settings.http.port, settings.log_level) == ("0.0.0.0", 9, "DEBUG")
    assert settings.secrets() == [SECRET, "an older key, long enough"]


def test_the_environment_goes_over_the_file_key_by_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = (
        'log_level = "WARNING"\nexecutor = "w-7"\n[feishu]\napp_id = "from file"\ndomain = "lark"\n[http]\nport = 1\n'
    )
    config(monkeypatch, tmp_path, words)
    monkeypatch.setenv("MPOPS_FEISHU__APP_ID", "from environment")
    monkeypatch.setenv("MPOPS_LOG_LEVEL", "ERROR")
    settings = load()
    assert (settings.log_level, settings.executor, settings.http.port) == ("ERROR", "w-7", 1)
    assert (settings.feishu.app_id, settings.feishu.domain) == ("from environment", "lark")


def test_all_mistakes_are_told_at_once_by_name_and_without_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config(monkeypatch, tmp_path, 'colour = "magenta"\n[feishu]\napp_key = "hunter2-in-file"\n')
    monkeypatch.setenv("MPOPS_HTTP__PORT", "eighty-eighty")
    monkeypatch.setenv("MPOPS_HTTP__THREADS", "hunter2-in-environment")
    told = wrong()
    for name in ("MPOPS_HTTP__PORT", "MPOPS_HTTP__THREADS", "MPOPS_COLOUR", "MPOPS_FEISHU__APP_KEY"):
        assert name in told
    for value in ("eighty-eighty", "hunter2", "magenta", SECRET):
        assert value not in told


def test_a_file_that_is_not_there_or_not_toml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPOPS_CONFIG", str(tmp_path / "missing.toml"))
    assert "missing.toml, which is not a file" in wrong()
    config(monkeypatch, tmp_path, "secret_key = hunter2")
    told = wrong()
    assert "cannot be read" in told
    assert "hunter2" not in told


def test_a_variable_that_holds_no_json_where_a_list_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPOPS_PREVIOUS_SECRET_KEYS", "hunter2, hunter3")
    told = wrong()
    assert "hunter2" not in told


@pytest.mark.parametrize("secret", [None, "", "fifteen letters"])
def test_a_missing_or_short_secret_key_is_told_with_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    if secret is None:
        monkeypatch.delenv("MPOPS_SECRET_KEY")
    else:
        monkeypatch.setenv("MPOPS_SECRET_KEY", secret)
    told = wrong()
    assert "MPOPS_SECRET_KEY is missing or shorter than 16 characters" in told
    assert "openssl rand -base64 32" in told
    assert "backups" in told
    assert load(need_secret=False).database_url


def test_secrets_are_hidden_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPOPS_FEISHU__APP_SECRET", "hunter2")
    shown = f"{load()!r} {load()} {load().model_dump()}"
    assert "hunter2" not in shown
    assert SECRET not in shown


def test_settings_do_not_change_after_the_start() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.log_level = "DEBUG"
    assert isinstance(settings, Settings)
    assert settings.feishu.with_key("k").encrypt_key.get_secret_value() == "k"
    assert settings.feishu.encrypt_key.get_secret_value() == ""

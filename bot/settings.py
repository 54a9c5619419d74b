"""Settings: the environment (`MPOPS_…`, `__` for nesting) over a TOML file named by `MPOPS_CONFIG`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bot.secret_key import HOW_TO_MAKE_ONE


class SettingsError(Exception):
    """What is wrong with the settings, all of it, and no value of them."""


class FeishuSettings(BaseModel):
    """Credentials of the Feishu app; see the checklist in the README."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    app_id: str = ""
    app_secret: SecretStr = SecretStr("")
    encrypt_key: SecretStr = SecretStr("")
    verification_token: SecretStr = SecretStr("")
    encrypt_key_previous: SecretStr = SecretStr("")  # still taken, while they are changed in the console
    verification_token_previous: SecretStr = SecretStr("")
    domain: str = "feishu"  # "feishu", "lark", or the address of a sandbox

    def with_key(self, encrypt_key: str) -> FeishuSettings:
        return self.model_copy(update={"encrypt_key": SecretStr(encrypt_key)})


class HttpSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 8
    drain: float = Field(default=0.0, ge=0, le=300)  # seconds, when told to stop, for load balancers to leave
    public_url: str = ""  # https://ops.example.com, as the platforms reach us; for `doctor` and notification addresses


class UserRateSettings(BaseModel):
    """How much one person may ask: so many at once, and one more every so many seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    burst: int = Field(default=20, ge=0)  # 0: as much as they like
    seconds: float = Field(default=2.0, gt=0)


class MetricsSettings(BaseModel):
    """Where a worker, which has no web, tells its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)  # 0: nowhere


class OtelSettings(BaseModel):
    """Where traces go."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    endpoint: str = ""  # http://127.0.0.1:4318; empty: no traces


class Settings(BaseSettings):
    """Read once, in `app.py`; nobody else looks at the environment."""

    model_config = SettingsConfigDict(
        env_prefix="MPOPS_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )
    database_url: str = "sqlite:///var/mpops.db"
    database_wait: float = Field(default=60.0, ge=0, le=3600)  # seconds, at the start, for a server that is not up yet
    secret_key: SecretStr = SecretStr("")
    previous_secret_keys: tuple[SecretStr, ...] = ()  # still opened, for a change of the secret key
    allow_weak_secret_key: bool = False  # begin a new database with it all the same; see bot.secret_key
    feishu: FeishuSettings = FeishuSettings()
    http: HttpSettings = HttpSettings()
    turns: UserRateSettings = UserRateSettings()
    metrics: MetricsSettings = MetricsSettings()
    otel: OtelSettings = OtelSettings()
    log_level: str = "INFO"
    log_format: str = "auto"  # json, text, or auto: text on a terminal
    executor: str = "main-0"  # the name of this process among the replicas: stable, and never shared
    queue_poll: float | None = Field(default=None, gt=0, le=10)  # seconds; see bot.jobs.wakeups
    grace: float = Field(default=10.0, ge=1, le=300)  # seconds, when told to stop, for what is in hand
    zone: str = "Asia/Shanghai"  # for chats that declare none
    clock_offset_file: Path | None = None  # only for demos and tests: see bot.clock.OffsetClock

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get("MPOPS_CONFIG")
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if file:
            sources.append(TomlConfigSettingsSource(settings_cls, Path(file)))
        return tuple(sources)

    def secrets(self) -> list[str]:
        """The secret keys, current first."""
        return [self.secret_key.get_secret_value(), *(key.get_secret_value() for key in self.previous_secret_keys)]


def load(*, need_secret: bool = True) -> Settings:
    """Raises SettingsError naming every problem at once."""
    file = os.environ.get("MPOPS_CONFIG")
    if file and not Path(file).is_file():
        raise SettingsError(f"MPOPS_CONFIG names {file}, which is not a file.")
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"  {_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors(include_input=False)]
        raise SettingsError("These settings are wrong:\n" + "\n".join(lines)) from None
    except ValueError as error:  # the TOML file itself does not parse; its text is not repeated
        raise SettingsError(f"The settings cannot be read: {type(error).__name__}.") from None
    if need_secret and len(settings.secret_key.get_secret_value()) < 16:
        raise SettingsError(
            "MPOPS_SECRET_KEY is missing or shorter than 16 characters. It encrypts personal data; make one with\n"
            f"  {HOW_TO_MAKE_ONE}\nand keep a copy of it apart from your backups."
        )
    return settings


def unknown_variables(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that begin as ours and mean nothing, each with the one that was perhaps meant."""
    known = {"MPOPS_CONFIG"}
    for name, field in Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            known |= {_variable((name, each)) for each in inner.model_fields}
        known.add(_variable((name,)))
    found = [name for name in sorted(environment) if name.upper().startswith("MPOPS_") and name.upper() not in known]
    return [(name, next(iter(get_close_matches(name.upper(), known, 1, 0.7)), "")) for name in found]


def _variable(place: tuple[int | str, ...]) -> str:
    return "MPOPS_" + "__".join(str(part) for part in place).upper()

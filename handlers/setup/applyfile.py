"""The apply file: what the company declares, read and checked as a whole before anything changes."""

from __future__ import annotations

import re
import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from adapters.account import AccountConfig
from bot.permissions import ROLES, Permission

_SPAN = re.compile(r"(\d+)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SECRETS = (
    "private_key", "api_v3_key", "api_v3_key_previous", "platform_public_key", "old_private_keys",
    "platform_certificates",
)  # fmt: skip


class ApplyError(Exception):
    """What is wrong with an apply file, all of it; values of secrets are never repeated."""


def span(written: str) -> timedelta:
    """`4h`, `90m`, `2d 12h`."""
    parts = _SPAN.findall(written)
    if not parts or _SPAN.sub("", written).strip():
        raise ValueError("write it like 90m, 4h or 2d")
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AccountTable(BaseModel):
    """Besides the common keys, those that the channel's adapter knows."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    channel: Literal["wechat", "wechatpay", "alipay", "douyin", "backend"]
    mode: Literal["direct", "provider"] = "direct"

    @model_validator(mode="after")
    def known(self) -> AccountTable:
        unknown = sorted(set(self.model_extra or {}) - set(AccountConfig.model_fields))
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(unknown)}")
        return self


class ProgramTable(_Table):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    account: str
    name: str
    chat: str = Field(pattern=r"^oc_")
    owner: str | None = Field(default=None, pattern=r"^ou_")


class ChatTable(_Table):
    id: str = Field(pattern=r"^oc_")
    name: str = ""
    zone: str = "Asia/Shanghai"
    language: Literal["zh_cn", "en_us"] = "zh_cn"

    @field_validator("zone")
    @classmethod
    def zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; an example is Asia/Shanghai") from None
        return zone


class RoleTable(_Table):
    person: str = Field(pattern=r"^ou_")
    role: str
    scope: str = "*"
    name: str = ""


class CustomRoleTable(_Table):
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    permissions: tuple[Permission, ...]


class PolicyTable(_Table):
    action: Literal["refund.create"]
    scope: str = "*"
    quorum: int = Field(default=1, ge=1, le=20)
    approvers: str = Field(default="role:approver", pattern=r"^(role:[a-z][\w-]*|person:ou_.+|owner)$")
    deadline: str = "4h"
    escalate: str | None = Field(default=None, pattern=r"^(role:[a-z][\w-]*|person:ou_.+|owner)$")
    above_fen: int | None = Field(default=None, ge=0)
    quorum_above: int | None = Field(default=None, ge=1, le=20)

    @field_validator("deadline")
    @classmethod
    def readable(cls, deadline: str) -> str:
        if not timedelta(minutes=1) <= span(deadline) <= timedelta(days=60):
            raise ValueError("between 1m and 60d")
        return deadline


class RouteTable(_Table):
    account: str
    program: str
    chat: str = Field(default="", pattern=r"^(oc_.*)?$")


class TemplateTable(_Table):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: str = Field(max_length=40)
    text: str = Field(max_length=500)


class SubscriptionTable(_Table):
    chat: str = Field(pattern=r"^oc_")
    digest: Literal["daily"] = "daily"
    at: str = "09:00"

    @field_validator("at")
    @classmethod
    def readable(cls, at: str) -> str:
        try:
            time.fromisoformat(at)
        except ValueError:
            raise ValueError("write it like 09:00") from None  # the original repeats what was written
        return at


class ApplyFile(_Table):
    account: tuple[AccountTable, ...] = ()
    program: tuple[ProgramTable, ...] = ()
    chat: tuple[ChatTable, ...] = ()
    role: tuple[RoleTable, ...] = ()
    custom_role: tuple[CustomRoleTable, ...] = ()
    policy: tuple[PolicyTable, ...] = ()
    complaint_route: tuple[RouteTable, ...] = ()
    reply_template: tuple[TemplateTable, ...] = ()
    subscription: tuple[SubscriptionTable, ...] = ()

    @model_validator(mode="after")
    def whole(self) -> ApplyFile:
        """References lead somewhere, and nothing is declared twice."""
        problems: list[str] = []
        accounts = {account.key for account in self.account}
        programs = {program.key for program in self.program}
        roles = {*ROLES, *(role.name for role in self.custom_role)}
        for program in self.program:
            if program.account not in accounts:
                problems.append(f"program {program.key}: there is no account {program.account!r}")
        for role in self.role:
            if role.role not in roles:
                problems.append(f"role: {role.role!r} is not a role; known are {' '.join(sorted(roles))}")
            if role.scope != "*" and role.scope not in programs:
                problems.append(f"role {role.role}: there is no program {role.scope!r}")
        for custom in self.custom_role:
            if custom.name in ROLES:
                problems.append(f"custom_role {custom.name}: that name is taken")
        for policy in self.policy:
            if policy.scope != "*" and policy.scope not in programs:
                problems.append(f"policy {policy.action}: there is no program {policy.scope!r}")
        for route in self.complaint_route:
            if route.account not in accounts or route.program not in programs:
                problems.append(f"complaint_route {route.account}: no such account or program")
        for name, keys in (
            ("account", [account.key for account in self.account]),
            ("program", [program.key for program in self.program]),
            ("chat", [chat.id for chat in self.chat]),
            ("policy", [f"{policy.action} {policy.scope}" for policy in self.policy]),
            ("reply_template", [template.key for template in self.reply_template]),
            ("complaint_route", [route.account for route in self.complaint_route]),
            ("subscription", [f"{row.digest} {row.chat}" for row in self.subscription]),
        ):
            problems += [
                f"{name} {key}: declared twice" for key in sorted({key for key in keys if keys.count(key) > 1})
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def read(path: Path) -> ApplyFile:
    """Raises ApplyError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ApplyError(f"{path}: cannot be read ({type(error).__name__}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ApplyError(f"{path}: not valid TOML: {error}.") from None
    try:
        parsed = ApplyFile.model_validate(raw)
    except ValidationError as error:
        lines = [f"  {_place(problem['loc'])}: {problem['msg']}" for problem in error.errors(include_input=False)]
        raise ApplyError(f"{path}: nothing was changed, because\n" + "\n".join(lines)) from None
    _no_plain_secrets(parsed)
    return parsed


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in loc) or "file"


def _no_plain_secrets(parsed: ApplyFile) -> None:
    plain: list[str] = []
    for account in parsed.account:
        for name in _SECRETS:
            value: Any = (account.model_extra or {}).get(name)
            values = value if isinstance(value, list) else [value] if value else []
            if not all(str(each).startswith(("env:", "file:")) for each in values):
                plain.append(
                    f"account {account.key}: {name} must be a reference, env:NAME or file:PATH, not the value."
                )
    if plain:
        raise ApplyError("\n".join(plain))


def settings_of(account: AccountTable, folder: Path) -> dict[str, Any]:
    """What is stored of an account: references with absolute paths, so that every process finds the file."""

    def absolute(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("file:"):
            return f"file:{(folder / value[5:]).resolve()}"
        return [absolute(each) for each in value] if isinstance(value, list) else value

    return {name: absolute(value) for name, value in sorted((account.model_extra or {}).items())}

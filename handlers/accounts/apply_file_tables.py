"""What the apply file declares of accounts, programs and chats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.account import AccountConfig
from bot.area import Areas
from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table
from handlers.shared.apply_file_rows import account_keys, rows
from storage.areas.configuration import Account, Chat, Configuration, Program

_SECRETS = (
    "private_key", "api_v3_key", "api_v3_key_previous", "platform_public_key", "old_private_keys",
    "platform_certificates",
)  # fmt: skip


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


class ProgramTable(Table):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    account: str
    name: str
    chat: str = Field(pattern=r"^oc_")
    owner: str | None = Field(default=None, pattern=r"^ou_")


class ChatTable(Table):
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


def _no_plain_secrets(declared: Declared, areas: Areas) -> Iterator[str]:
    for account in declared["account"]:
        for name in _SECRETS:
            value: Any = (account.model_extra or {}).get(name)
            values = value if isinstance(value, list) else [value] if value else []
            if not all(str(each).startswith(("env:", "file:")) for each in values):
                yield f"account {account.key}: {name} must be a reference, env:NAME or file:PATH, not the value"


def _account_exists(declared: Declared, areas: Areas) -> Iterator[str]:
    accounts = account_keys(declared)
    for program in declared["program"]:
        if program.account not in accounts:
            yield f"program {program.key}: there is no account {program.account!r}"


def _settings_of(account: AccountTable, folder: Path) -> dict[str, Any]:
    """What is stored of an account: references with absolute paths, so that every process finds the file."""

    def absolute(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("file:"):
            return f"file:{(folder / value[5:]).resolve()}"
        return [absolute(each) for each in value] if isinstance(value, list) else value

    return {name: absolute(value) for name, value in sorted((account.model_extra or {}).items())}


def _accounts(applying: Applying, declared: Declared) -> list[Change]:
    return rows(
        applying.session, "account", Configuration(applying.session).accounts(), lambda row: row.key,
        {
            account.key: {
                "channel": account.channel, "mode": account.mode, "settings": _settings_of(account, applying.folder),
            }
            for account in declared["account"]
        },
        lambda key, values: Account(key=key, changed_at=applying.now, **values),
        touch=applying.now,
    )  # fmt: skip


def _programs(applying: Applying, declared: Declared) -> list[Change]:
    return rows(
        applying.session, "program", Configuration(applying.session).programs(), lambda row: row.key,
        {
            program.key: {
                "account_key": program.account, "name": program.name, "chat_id": program.chat, "owner": program.owner,
            }
            for program in declared["program"]
        },
        lambda key, values: Program(key=key, **values),
    )  # fmt: skip


def _chats(applying: Applying, declared: Declared) -> list[Change]:
    """Chats that are declared, and those that programs name."""
    chats = {
        program.chat: {"name": program.name, "zone": "Asia/Shanghai", "language": "zh_cn"}
        for program in declared["program"]
    }
    for chat in declared["chat"]:
        known = chats.get(chat.id, {"name": chat.id})
        chats[chat.id] = {"name": chat.name or known["name"], "zone": chat.zone, "language": chat.language}
    return rows(
        applying.session, "chat", Configuration(applying.session).chats(), lambda row: row.chat_id, chats,
        lambda key, values: Chat(chat_id=key, bot_present=True, **values),
    )  # fmt: skip


# The others refer to these, so they come first.
TABLES = (
    ConfigTable("account", AccountTable, _accounts, lambda row: str(row.key), _no_plain_secrets, place=-3),
    ConfigTable("program", ProgramTable, _programs, lambda row: str(row.key), _account_exists, place=-2),
    ConfigTable("chat", ChatTable, _chats, lambda row: str(row.id), place=-1),
)

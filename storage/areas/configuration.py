"""What the company declared: accounts, programs, chats, policies, reply templates, where complaints go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.areas.people import EVERYWHERE
from storage.base import Base, id_key, key_text, long_key, money, plain_json, sealed


class Account(Base):
    """Credentials on one channel. `settings` holds secrets only as references (`env:NAME`, `file:PATH`)."""

    __tablename__ = "account"
    key: Mapped[key_text] = mapped_column(primary_key=True)
    channel: Mapped[key_text]
    mode: Mapped[key_text]
    settings: Mapped[plain_json]
    changed_at: Mapped[datetime]


class Program(Base):
    """A mini-program or official account, with its operations group and owner."""

    __tablename__ = "program"
    key: Mapped[key_text] = mapped_column(primary_key=True)
    account_key: Mapped[key_text]
    name: Mapped[long_key]
    chat_id: Mapped[key_text]
    owner: Mapped[sealed | None]


class Chat(Base):
    """A group the bot works in; `zone` is its time zone."""

    __tablename__ = "chat"
    chat_id: Mapped[key_text] = mapped_column(primary_key=True)
    name: Mapped[long_key]
    zone: Mapped[key_text]
    language: Mapped[key_text]
    bot_present: Mapped[bool] = mapped_column(default=True)


class ComplaintRoute(Base):
    """The group and program that the complaints of an account belong to."""

    __tablename__ = "complaint_route"
    account_key: Mapped[key_text] = mapped_column(primary_key=True)
    program_key: Mapped[key_text]
    chat_id: Mapped[key_text]


class ReplyTemplate(Base):
    """A prepared answer to a customer."""

    __tablename__ = "reply_template"
    key: Mapped[key_text] = mapped_column(primary_key=True)
    title: Mapped[long_key]
    body: Mapped[sealed]
    place: Mapped[int]


class Policy(Base):
    """Who must approve an action, how many of them, and by when."""

    __tablename__ = "policy"
    id: Mapped[id_key]
    action: Mapped[key_text]
    scope: Mapped[key_text]
    quorum: Mapped[int]
    approvers: Mapped[sealed]
    deadline_seconds: Mapped[int]
    escalate: Mapped[sealed | None]
    above_fen: Mapped[money | None]
    quorum_above: Mapped[int | None]


class Configuration:
    def __init__(self, session: Session) -> None:
        self._session = session

    def account(self, key: str) -> Account | None:
        return self._session.get(Account, key)

    def accounts(self) -> list[Account]:
        return list(self._session.scalars(select(Account).order_by(Account.key)))

    def program(self, key: str) -> Program | None:
        return self._session.get(Program, key)

    def programs(self) -> list[Program]:
        return list(self._session.scalars(select(Program).order_by(Program.key)))

    def chat(self, chat_id: str) -> Chat | None:
        return self._session.get(Chat, chat_id)

    def chats(self) -> list[Chat]:
        return list(self._session.scalars(select(Chat).order_by(Chat.chat_id)))

    def templates(self) -> list[ReplyTemplate]:
        return list(self._session.scalars(select(ReplyTemplate).order_by(ReplyTemplate.place, ReplyTemplate.key)))

    def routes(self) -> list[ComplaintRoute]:
        return list(self._session.scalars(select(ComplaintRoute).order_by(ComplaintRoute.account_key)))

    def route(self, account_key: str) -> ComplaintRoute | None:
        """Where an account's complaints go: as declared, else the program on that account, else the only program."""
        declared = self._session.get(ComplaintRoute, account_key)
        if declared is not None:
            return declared
        programs = self.programs()
        fitting = [program for program in programs if program.account_key == account_key] or programs
        if len(fitting) != 1 and not any(program.account_key == account_key for program in fitting):
            return None
        program = fitting[0]
        return ComplaintRoute(account_key=account_key, program_key=program.key, chat_id=program.chat_id)

    def policies(self) -> list[Policy]:
        return list(self._session.scalars(select(Policy).order_by(Policy.action, Policy.scope)))

    def policy(self, action: str, scope: str) -> Policy | None:
        """The policy of that program, else the general one."""
        query = select(Policy).where(Policy.action == action, Policy.scope.in_((scope, EVERYWHERE)))
        found = list(self._session.scalars(query))
        return min(found, key=lambda policy: policy.scope == EVERYWHERE, default=None)

    def add(self, row: Base) -> None:
        self._session.add(row)

    def remove(self, row: Base) -> None:
        self._session.delete(row)

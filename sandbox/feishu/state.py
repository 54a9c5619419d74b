"""What the fake Feishu remembers: apps, people, chats, messages, uploads. All times are sandbox time, aware UTC."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TENANT = "tk_sandbox"
DEFAULT_SCOPES = (
    "im:message",
    "im:message:send_as_bot",
    "im:message:readonly",
    "im:message.group_at_msg:readonly",
    "im:message.p2p_msg:readonly",
    "im:message.urgent",
    "im:message.reactions:read",
    "im:chat",
    "im:chat:readonly",
    "im:chat.members:read",
    "im:chat.members:bot_access",
    "im:resource",
    "contact:contact.base:readonly",
    "contact:user.base:readonly",
    "contact:user.employee:readonly",
    "contact:user.employee_id:readonly",
    "contact:user.department:readonly",
    "contact:user.email:readonly",
    "contact:user.phone:readonly",
    "contact:user.id:readonly",
)
COLOURS = ("#3370ff", "#34c724", "#ff8800", "#7f3bf5", "#f54a45", "#00d6b9", "#e65bd3", "#2ea1fb")


def new_id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass
class App:
    """A self-built app with its bot, as set up in the developer console.

    `subscriptions` None means every event type; `availability` and `contact_scope` None mean the whole company. One
    address may serve for events and for card callbacks; "" means not configured.
    """

    app_id: str
    secret: str
    encrypt_key: str
    verification_token: str
    name: str
    bot_open_id: str
    event_url: str = ""
    card_url: str = ""
    scopes: set[str] = field(default_factory=lambda: set(DEFAULT_SCOPES))
    subscriptions: set[str] | None = None
    availability: set[str] | None = None
    contact_scope: set[str] | None = None
    ip_allow_list: list[str] = field(default_factory=list)

    def has(self, *scopes: str) -> bool:
        return any(scope in self.scopes for scope in scopes)

    def sees(self, open_id: str) -> bool:
        return self.contact_scope is None or open_id in self.contact_scope

    def serves(self, open_id: str) -> bool:
        return self.availability is None or open_id in self.availability


@dataclass
class User:
    open_id: str
    union_id: str
    user_id: str
    name: str
    en_name: str
    avatar: str  # a colour
    locale: str  # zh_cn en_us ...
    mobile: str = ""
    email: str = ""
    department_id: str = "0"
    frozen: bool = False
    resigned: bool = False
    activated: bool = True
    exited: bool = False

    def status(self) -> dict[str, bool]:
        return {
            "is_frozen": self.frozen,
            "is_resigned": self.resigned,
            "is_activated": self.activated,
            "is_exited": self.exited,
            "is_unjoin": False,
        }

    def ids(self, app: App) -> dict[str, str]:
        """The id object of events; `user_id` only for apps that may see it."""
        ids = {"union_id": self.union_id, "open_id": self.open_id}
        if app.has("contact:user.employee_id:readonly"):
            ids["user_id"] = self.user_id
        return ids


@dataclass
class Chat:
    chat_id: str
    name: str
    kind: str  # group p2p
    members: list[str]  # open ids
    bots: set[str]  # app ids
    description: str = ""
    owner: str = ""
    topic: bool = False
    dissolved: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    key: str  # @_user_1
    open_id: str
    name: str
    kind: str  # user bot


@dataclass
class Reaction:
    reaction_id: str
    emoji: str
    operator: str  # open id or app id
    operator_kind: str  # user app
    at: datetime


@dataclass
class Message:
    """`content` is the message as stored; for cards it is the card now shown, and `shown_to` limits who sees it."""

    message_id: str
    chat_id: str
    sender: str  # open id of a user, app id of a bot
    sender_kind: str  # user bot
    msg_type: str
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    number: int
    mentions: tuple[Mention, ...] = ()
    parent_id: str = ""
    root_id: str = ""
    thread_id: str = ""
    recalled: bool = False
    edits: int = 0
    updated: bool = False
    revision: int = 0  # grows with every change of the card
    shown_to: str = ""  # open id, for ephemeral cards
    urgent: set[str] = field(default_factory=set)  # open ids still reminded
    reactions: list[Reaction] = field(default_factory=list)

    @property
    def is_card(self) -> bool:
        return self.msg_type == "interactive"


@dataclass(frozen=True, slots=True)
class Upload:
    key: str
    owner: str  # app id or open id
    kind: str  # image file
    data: bytes
    name: str
    content_type: str
    file_type: str = ""


@dataclass
class Token:
    value: str
    app_id: str
    kind: str  # tenant app
    expires_at: datetime


@dataclass
class CardToken:
    """The `c-` token of one click: 30 minutes, 2 uses, and only after the click was answered."""

    value: str
    app_id: str
    message_id: str
    issued_at: datetime
    uses: int = 0
    answered: bool = False
    early_card: Mapping[str, Any] | None = None  # shown by this token before the click was answered


@dataclass(frozen=True, slots=True)
class ClickResult:
    """What the person at the client sees after a click.

    `code` 0 means answered well; else the client's own error code (200341 no answer in 3 s, 200671 not HTTP 200,
    200672 unreadable, 200673 bad card, 200830 from 2.0 back to 1.0, 200340/200342 not configured or not reachable).
    `card` is the card now shown; `confirm` is the question the client asked first.
    """

    code: int
    message: str
    toast: Mapping[str, Any] | None
    toast_text: str
    card: Mapping[str, Any] | None
    updated: bool
    elapsed_ms: int
    token: str
    confirm: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return self.code == 0

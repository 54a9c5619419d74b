"""What a bot may send: the check and the stored form of every message type. docs/platforms/feishu.md ("Messages")."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.feishu.cards import MOST_BYTES, check_card, is_v2
from sandbox.feishu.errors import Refused, bad_card
from sandbox.feishu.state import App, Mention
from sandbox.feishu.store import Store

MOST_TEXT_BYTES = 150 * 1024
AT = re.compile(r"<at\s+user_id=[\"']([^\"']+)[\"']\s*>(.*?)</at>", re.DOTALL)
FILE_KEYS = {"image": "image_key", "file": "file_key", "audio": "file_key", "media": "file_key", "sticker": "file_key"}
POST_TAGS = frozenset({"text", "a", "at", "img", "media", "emotion", "hr", "code_block", "md"})


def invalid(detail: str) -> Refused:
    return Refused(230001, f"Your request contains an invalid request parameter, ext={detail}")


def outgoing(store: Store, app: App, msg_type: object, content: object) -> tuple[dict[str, Any], tuple[Mention, ...]]:
    """The message as stored, and who it mentions. Raises Refused with the codes of docs/platforms/feishu.md."""
    if not isinstance(content, str) or not isinstance(msg_type, str):
        raise invalid("content is not a string in json format")
    size = len(content.encode())
    if size > (MOST_TEXT_BYTES if msg_type == "text" else MOST_BYTES):
        raise Refused(230025, "The length of the message content reaches its limit.")
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        if msg_type == "interactive":
            raise bad_card(200621, "parse card json err, please check whether the card json is correct") from None
        raise invalid("content is not a string in json format") from None
    if not isinstance(parsed, dict):
        raise invalid("content is not a string in json format")
    if msg_type == "text":
        return _text(store, parsed)
    if msg_type == "interactive":
        return card_content(store, parsed), ()
    if msg_type == "post":
        return _post(store, parsed)
    if msg_type in FILE_KEYS:
        return _upload(store, app, msg_type, parsed), ()
    if msg_type == "share_chat":
        if str(parsed.get("chat_id")) not in store.chats:
            raise invalid("invalid share chat id")
        return parsed, ()
    if msg_type == "share_user":
        if str(parsed.get("user_id")) not in store.users:
            raise invalid("invalid share user id")
        return parsed, ()
    raise invalid(f"invalid msg_type {msg_type}")


def card_content(store: Store, card: dict[str, Any]) -> dict[str, Any]:
    kind = card.get("type")
    if kind == "template" and "schema" not in card:
        raise bad_card(200380, "template does not exist")
    if kind == "card" and "schema" not in card:
        raise bad_card(200740, "card entity does not exist")
    check_card(card, store.person_known, store.image_known)
    return card


def changed_card(store: Store, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A card in place of another: a card once sent as 2.0 stays one."""
    if is_v2(before) and not is_v2(after):
        raise bad_card(200830, "a card of schema 2.0 cannot be updated to schema 1.0")
    return card_content(store, after)


def _text(store: Store, parsed: dict[str, Any]) -> tuple[dict[str, Any], tuple[Mention, ...]]:
    text = parsed.get("text")
    if not isinstance(text, str) or not text:
        raise invalid("text message content must not be empty")
    mentions: list[Mention] = []

    def keyed(found: re.Match[str]) -> str:
        if found[1] == "all":
            return "@_all"
        mention = _mention(store, found[1], len(mentions) + 1)
        if mention is None:
            return f"@{found[2]}"
        mentions.append(mention)
        return mention.key

    return {"text": AT.sub(keyed, text)}, tuple(mentions)


def _mention(store: Store, identity: str, number: int) -> Mention | None:
    bot = store.bot_by_open_id(identity)
    if bot is not None:
        return Mention(f"@_user_{number}", bot.bot_open_id, bot.name, "bot")
    user = store.users.get(identity) or store.find_user("user_id", identity) or store.find_user("union_id", identity)
    return Mention(f"@_user_{number}", user.open_id, user.name, "user") if user is not None else None


def _post(store: Store, parsed: dict[str, Any]) -> tuple[dict[str, Any], tuple[Mention, ...]]:
    mentions: list[Mention] = []
    if not parsed or not all(isinstance(version, dict) for version in parsed.values()):
        raise invalid("invalid post content")
    for version in parsed.values():
        for paragraph in version.get("content", []):
            if not isinstance(paragraph, list):
                raise invalid("invalid post content")
            for part in paragraph:
                if not isinstance(part, dict) or str(part.get("tag")) not in POST_TAGS:
                    raise invalid(f"unsupported post tag {part.get('tag') if isinstance(part, dict) else part}")
                if part["tag"] == "md" and len(paragraph) > 1:
                    raise invalid("md must be alone in its paragraph")
                if part["tag"] == "img" and not store.image_known(str(part.get("image_key"))):
                    raise invalid("invalid image_key")
                if part["tag"] == "at" and part.get("user_id") != "all":
                    mention = _mention(store, str(part.get("user_id")), len(mentions) + 1)
                    if mention is not None:
                        mentions.append(mention)
    return parsed, tuple(mentions)


def _upload(store: Store, app: App, msg_type: str, parsed: dict[str, Any]) -> dict[str, Any]:
    key = parsed.get(FILE_KEYS[msg_type])
    upload = store.uploads.get(key) if isinstance(key, str) else None
    if upload is None:
        raise invalid(f"invalid {FILE_KEYS[msg_type]}")
    if upload.owner != app.app_id:
        raise Refused(230017, "Bot is NOT the owner of the resource.")
    if (upload.kind == "image") != (msg_type == "image") or (msg_type == "audio" and upload.file_type != "opus"):
        raise Refused(230055, "The type of file upload does not match the type of message being sent.")
    return {**parsed, "file_name": upload.name} if msg_type != "image" else parsed

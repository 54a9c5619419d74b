"""What a person has in hand: the Feishu client, with what can be done in it and what it shows."""

from __future__ import annotations

from typing import Any

from sandbox.feishu.clicks import Clicks
from sandbox.feishu.people import People
from sandbox.feishu.snapshot import snapshot


class Client(People, Clicks):
    def snapshot(self, open_id: str) -> dict[str, Any]:
        """What this person's client shows now.

        {"me": person, "users": [person], "bots": [{app_id, open_id, name}],
         "chats": [{chat_id, name, kind: "group" | "p2p", members: [open_id], bots: [open_id], unread: int,
                    messages: [message]}]}
        person: {open_id, name, en_name, avatar (a colour), locale, resigned}
        message, oldest first: {message_id, number, sender: {kind: "user" | "bot", open_id, name}, msg_type,
         created_at, updated_at (ms), revision (grows when the card changes), recalled, edited, parent_id, root_id,
         only_for_me (ephemeral), urgent (this person is reminded), mentions: [{open_id, name}],
         reactions: [{emoji, by, mine}]} and, unless recalled, by type:
         text {text, with names in place of keys} · interactive {card: JSON 2.0, clickable} · image {image_key} ·
         file {file_key, file_name} · others {content}.
        Pictures: `store.uploads[key].data` and `.content_type`.
        """
        with self.world.lock:
            return snapshot(self.store, open_id)

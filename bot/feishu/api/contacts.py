"""People: names, whether they are still there, and whom the app may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.feishu import slim_import
from bot.feishu.api.base import Api, chunks, items_of, texts_of
from bot.feishu.errors import Unreachable
from bot.feishu.events import read_user
from bot.feishu.port import ContactRange
from bot.feishu.values import FeishuUser

_CONTACT = "lark_oapi.api.contact.v3"
_PEOPLE_AT_ONCE = 50


class LarkContacts(Api):
    """`ContactsPort` over lark-oapi."""

    def user(self, open_id: str) -> FeishuUser:
        def invoke(option: Any) -> Any:
            request = (
                slim_import.module(_CONTACT).GetUserRequest.builder().user_id(open_id).user_id_type("open_id").build()
            )
            return self._contact.user.get(request, option)

        raw = self._caller.call("user.get", invoke).data.get("user")
        if not isinstance(raw, Mapping):
            raise Unreachable("user.get", "the answer holds no user")
        return read_user(open_id, raw)

    def users(self, open_ids: Sequence[str]) -> tuple[FeishuUser, ...]:
        """Those of them whom the app may see, in any order."""

        def some(part: Sequence[str]) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = (
                    slim_import.module(_CONTACT).BatchUserRequest.builder().user_ids(list(part)).user_id_type("open_id")
                )
                return self._contact.user.batch(request.build(), option)

            return invoke

        found: list[FeishuUser] = []
        for part in chunks(list(dict.fromkeys(open_ids)), _PEOPLE_AT_ONCE):
            items = items_of(self._caller.call("user.batch", some(part)))
            found += [read_user(each["open_id"], each) for each in items if isinstance(each.get("open_id"), str)]
        return tuple(found)

    def contact_range(self) -> ContactRange:
        def invoke(option: Any) -> Any:
            request = slim_import.module(_CONTACT).ListScopeRequest.builder().user_id_type("open_id").page_size(100)
            return self._contact.scope.list(request.build(), option)

        data = self._caller.call("contact.range", invoke).data
        return ContactRange(texts_of(data.get("department_ids")), texts_of(data.get("user_ids")))

    @property
    def _contact(self) -> Any:
        return self._caller.service("lark_oapi.api.contact.v3.version", "V3")

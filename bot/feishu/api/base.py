"""What every API needs: the SDK's service, pages, and the parts of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.feishu.caller import Answer, Caller
from bot.feishu.errors import Unreachable

IM = "lark_oapi.api.im.v1"


class Api:
    """Calls of one app, all made by the same caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def _im(self) -> Any:
        return self._caller.service("lark_oapi.api.im.v1.version", "V1")

    def _pages(self, what: str, page: Callable[[str], Callable[[Any], Any]]) -> Iterator[Mapping[str, Any]]:
        token = ""
        for _ in range(1000):  # a bound, should Feishu ever hand out page tokens in a circle
            answer = self._caller.call(what, page(token))
            yield from items_of(answer)
            token = str(answer.data.get("page_token") or "")
            if answer.data.get("has_more") is not True or not token:
                return


def required(answer: Answer, key: str, what: str) -> str:
    value = answer.data.get(key)
    if not isinstance(value, str) or not value:
        raise Unreachable(what, f"the answer holds no {key}")
    return value


def items_of(answer: Answer) -> list[Mapping[str, Any]]:
    items = answer.data.get("items")
    return [each for each in items if isinstance(each, Mapping)] if isinstance(items, list) else []


def texts_of(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))

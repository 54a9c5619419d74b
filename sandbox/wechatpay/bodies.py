"""Reading a request body as strictly as the platform does. docs/platforms/wechatpay.md ("Requests and signatures")."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.wechatpay.refusals import UNKNOWN_KEYS, bad_request, wrong_field


class Body:
    """A JSON object of which every key is known; the readers refuse what is missing, of another type or too long."""

    def __init__(self, data: Mapping[str, object], known: set[str], pointer: str = "") -> None:
        self._data = data
        self._pointer = pointer
        for key in data:
            if key not in known:
                raise wrong_field(f"{pointer}/{key}", "参数中含有非法的额外参数", number=UNKNOWN_KEYS)

    @classmethod
    def parse(cls, raw: bytes, known: set[str]) -> Body:
        try:
            data = json.loads(raw)
        except ValueError:
            raise wrong_field("", "请求体不是合法的JSON") from None
        if not isinstance(data, dict):
            raise wrong_field("", "请求体必须是JSON对象")
        _refuse_null_and_wide(data, "")
        return cls(data, known)

    def text(self, key: str, most: int, *, required: bool = True) -> str:
        """The string, "" when it is optional and absent."""
        value = self._value(key, required)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise wrong_field(f"{self._pointer}/{key}", "输入源“/body”映射到值字段的类型不正确，应为字符串", value)
        if required and not value:
            raise wrong_field(f"{self._pointer}/{key}", f"{key} 不能为空")
        if len(value) > most:
            raise wrong_field(
                f"{self._pointer}/{key}", f"字符串长度不符合最大值规则，字段长度应小于等于{most}", value[:20]
            )
        return value

    def number(self, key: str, *, least: int, most: int = 2**31 - 1) -> int:
        value = self._value(key, required=True)
        if isinstance(value, bool) or not isinstance(value, int):  # 600.0 is the classic: refused
            raise wrong_field(f"{self._pointer}/{key}", "映射到数值字段的类型不正确，应为整数", value)
        if not least <= value <= most:
            raise wrong_field(f"{self._pointer}/{key}", f"数值应在{least}与{most}之间", value)
        return value

    def number_if_there(self, key: str, *, least: int, most: int) -> int | None:
        return self.number(key, least=least, most=most) if key in self._data else None

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        value = self._value(key, required=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise wrong_field(f"{self._pointer}/{key}", "应为字符串数组", value)
        if len(value) > most:
            raise wrong_field(f"{self._pointer}/{key}", f"数组元素个数应小于等于{most}", len(value))
        return tuple(value)

    def items(self, key: str, known: set[str], *, required: bool = False) -> list[Body]:
        value = self._value(key, required)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise wrong_field(f"{self._pointer}/{key}", "应为对象数组", value)
        return [Body(item, known, f"{self._pointer}/{key}/{at}") for at, item in enumerate(value)]

    def inner(self, key: str, known: set[str]) -> Body:
        value = self._value(key, required=True)
        if not isinstance(value, dict):
            raise wrong_field(f"{self._pointer}/{key}", "应为对象", value)
        return Body(value, known, f"{self._pointer}/{key}")

    def inner_if_there(self, key: str, known: set[str]) -> Body | None:
        return self.inner(key, known) if key in self._data else None

    def raw(self) -> Mapping[str, object]:
        return self._data

    def _value(self, key: str, required: bool) -> object:
        if key not in self._data and required:
            raise wrong_field(f"{self._pointer}/{key}", f"必填字段 {key} 缺失")
        return self._data.get(key)


def _refuse_null_and_wide(value: object, pointer: str) -> None:
    if value is None:
        raise wrong_field(pointer, "字段值不能为null")
    if isinstance(value, str):
        if any(ord(sign) > 0xFFFF or 0xD800 <= ord(sign) <= 0xDFFF for sign in value):
            raise wrong_field(pointer, "仅支持UTF-8编码的一到三个字节的字符")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_null_and_wide(key, f"{pointer}/{key}")
            _refuse_null_and_wide(inner, f"{pointer}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            _refuse_null_and_wide(inner, f"{pointer}/{at}")


def page_number(text: str | None, name: str, *, default: int, least: int, most: int) -> int:
    """A number of the query string."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise wrong_field(name, f"{name} 应为{least}到{most}之间的整数", text)
    return int(text)


def check_notify_url(url: str, most: int) -> None:
    """https and without a query, as the platform wants it; http only to loopback, where no certificate can be had."""
    secure = url.startswith("https://") or url.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
    if not secure or len(url) > most or "?" in url or not url.isascii():
        raise bad_request("通知地址不符合规则：须为https，且不能携带参数")

"""How WeChat Pay says no. docs/platforms/wechatpay.md ("Errors by code")."""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN_KEYS = 270924358  # the internal number that the platform gives for keys it does not know


class Refusal(Exception):
    """An error answer: HTTP status, `code`, `message`, optional `detail`, and the internal number of `Request-ID`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        detail: Mapping[str, object] | None = None,
        number: int = 268435456,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.number = number

    def body(self) -> dict[str, object]:
        told: dict[str, object] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            told["detail"] = dict(self.detail)
        return told


class WrongMoment(ValueError):
    """The person in the story cannot do this now, for example write in a complaint that is finished."""


def wrong_field(field: str, message: str, value: object = None, number: int = 268435456) -> Refusal:
    """400 PARAM_ERROR that names the field as the platform does, by JSON pointer."""
    detail: dict[str, object] = {"field": field, "issue": message, "location": "body"}
    if value is not None:
        detail["value"] = str(value)[:100]
    return Refusal(400, "PARAM_ERROR", message, detail=detail, number=number)


def bad_request(message: str) -> Refusal:
    return Refusal(400, "INVALID_REQUEST", message)


def no_right(message: str) -> Refusal:
    return Refusal(403, "NO_AUTH", message)


def bad_signature(message: str, information: Mapping[str, object] | None = None) -> Refusal:
    """401 SIGN_ERROR; `information` tells what the platform built from the request."""
    detail: dict[str, object] = {
        "detail": {"issue": "sign not match" if information else "invalid authorization"},
        "field": "signature" if information else "authorization",
        "location": "authorization",
    }
    if information is not None:
        detail["sign_information"] = dict(information)
    return Refusal(401, "SIGN_ERROR", message, detail=detail)

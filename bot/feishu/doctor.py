"""The check-up of a Feishu app's set-up: what is wrong and where to put it right.

See docs/platforms/feishu.md ("App set-up and scopes", "Challenge", "Directory and contacts").
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx

from bot.clock import Clock
from bot.feishu.envelope import MAX_AGE
from bot.feishu.errors import BadCredentials, FeishuError, Misconfigured, MissingScope, Retryable
from bot.feishu.lark import LarkFeishu
from bot.feishu.sealing import seal

CHALLENGE_SECONDS = 1.0

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "im:message:send_as_bot": "to send and update messages and cards",
        "im:message.p2p_msg:readonly": "to read what people write to the bot in private",
        "im:message.group_at_msg:readonly": "to read messages in groups that mention the bot",
        "im:message:readonly": "to learn that a message was recalled",
        "im:resource": "to show customers' pictures on cards",
        "im:chat:readonly": "to know the chats the bot is in and their members",
        "im:chat.members:bot_access": "to learn that the bot was added to a chat or removed",
        "contact:contact.base:readonly": "to learn that somebody left",
        "contact:user.base:readonly": "to show people's names",
        "contact:user.employee:readonly": "to tell whether somebody still works here",
    }
)
"""Each scope that is needed, and what for."""

_INSTEAD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "im:message:send_as_bot": ("im:message",),
        "im:message:readonly": ("im:message",),
        "im:chat:readonly": ("im:chat",),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` says what to do, "" when all is well."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """The address at which Feishu is to reach us, and the secrets that it proves itself by."""

    url: str
    encrypt_key: str
    verification_token: str


def examine(
    feishu: LarkFeishu, clock: Clock, *, chats: Iterable[str] = (), callback: Callback | None = None
) -> list[Finding]:
    """All findings, in the order in which to put things right. `chats` are the ids that the set-up names."""
    findings = _credentials(feishu, clock)
    if all(finding.ok for finding in findings if finding.check in ("credentials", "reach")):
        findings.append(_ask("scopes", lambda: _scopes(feishu)))
        findings.append(_ask("contacts", lambda: _contacts(feishu)))
        findings.append(_ask("chats", lambda: _chats(feishu, tuple(chats))))
    if callback is not None:
        findings.append(check_callback(callback, clock))
    return findings


def check_callback(callback: Callback, clock: Clock) -> Finding:
    """Ask the address what Feishu asks before it accepts it: the challenge back within 1 s."""
    check = "callback"
    if not callback.encrypt_key and not callback.verification_token:
        return Finding(
            check,
            False,
            "neither an encrypt key nor a verification token is set, so nothing that comes in can be proven",
            "Developer console, Events and callbacks, Encryption strategy: copy both into the settings.",
        )
    value = secrets.token_hex(16)
    plain = {"challenge": value, "token": callback.verification_token, "type": "url_verification"}
    headers, body = seal(json.dumps(plain).encode(), callback.encrypt_key, clock.now())
    try:
        local = urlsplit(callback.url).hostname in ("localhost", "127.0.0.1", "::1")
        with httpx.Client(timeout=10.0, trust_env=not local) as client:
            answer = client.post(callback.url, content=body, headers=headers)
        seconds = answer.elapsed.total_seconds()
        right = answer.status_code == 200 and answer.json() == {"challenge": value}
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"{callback.url} cannot be reached ({type(error).__name__})"
        return Finding(check, False, why, "Start the bot, and let the address lead to it.")
    except ValueError:
        seconds, right = 0.0, False
    if not right:
        return Finding(
            check,
            False,
            f"{callback.url} answered {answer.status_code}, and not with the challenge",
            "Compare the encrypt key and the verification token with the console; something else may answer there.",
        )
    if seconds > CHALLENGE_SECONDS:
        return Finding(
            check,
            False,
            f"{callback.url} took {seconds:.1f} s; Feishu waits 1 s",
            "Look for a slow proxy in between, or a machine without power to spare.",
        )
    return Finding(check, True, f"{callback.url} answers the challenge in {seconds * 1000:.0f} ms")


def _credentials(feishu: LarkFeishu, clock: Clock) -> list[Finding]:
    try:
        bot, date = feishu.bot()
    except BadCredentials as error:
        remedy = "Developer console, Credentials: copy App ID and App Secret, and publish a version of the app."
        return [Finding("credentials", False, f"Feishu refuses the app: {error.message} ({error.code})", remedy)]
    except Retryable as error:
        remedy = "Check the Feishu domain in the settings and this machine's way to the internet."
        return [Finding("reach", False, f"Feishu cannot be reached: {error.message}", remedy)]
    except FeishuError as error:
        return [Finding("credentials", True, "accepted"), _failed("bot", error)]
    findings = [Finding("credentials", True, "accepted")]
    remedy = "" if bot.active else "Developer console, Add features: Bot; then publish a version of the app."
    findings.append(Finding("bot", bot.active, f"{bot.name} ({bot.open_id})", remedy))
    if date is not None:
        skew = clock.now() - date
        fine = abs(skew) < MAX_AGE / 5
        remedy = "" if fine else "Set this machine's clock by NTP; events are refused when it is 5 min off."
        findings.append(Finding("clock", fine, f"{skew.total_seconds():+.0f} s from Feishu's", remedy))
    return findings


def _ask(check: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return ask()
    except FeishuError as error:
        return _failed(check, error)


def _failed(check: str, error: FeishuError) -> Finding:
    detail = f"{error.message} ({error.code}, log id {error.log_id or 'none'})"
    if isinstance(error, MissingScope):
        wanted = ", ".join(error.scopes) or "see the message"
        links = " ".join(error.helps)
        return Finding(check, False, detail, f"Apply for the scope ({wanted}) and publish a version. {links}".rstrip())
    if isinstance(error, Misconfigured):
        return Finding(
            check, False, detail, "Developer console: add the bot, publish a version, and allow this address."
        )
    return Finding(check, False, detail, "Try again; if it stays, ask Feishu's support with the log id.")


def _scopes(feishu: LarkFeishu) -> Finding:
    granted = feishu.granted_scopes()
    missing = [scope for scope in SCOPES if granted.isdisjoint({scope, *_INSTEAD.get(scope, ())})]
    if not missing:
        return Finding("scopes", True, f"all {len(SCOPES)} are granted")
    lacking = "; ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
    remedy = "Developer console, Permissions: apply for them, then publish a version of the app."
    return Finding("scopes", False, f"missing: {lacking}", remedy)


def _contacts(feishu: LarkFeishu) -> Finding:
    seen = feishu.contact_range()
    if "0" in seen.departments:
        return Finding("contacts", True, "the app sees the whole company")
    if not seen.departments and not seen.people:
        remedy = "Developer console, Permissions, Contacts range: choose those who work with the bot."
        return Finding("contacts", False, "the app sees nobody, so leavers are not noticed", remedy)
    return Finding("contacts", True, f"the app sees {len(seen.departments)} departments and {len(seen.people)} people")


def _chats(feishu: LarkFeishu, configured: tuple[str, ...]) -> Finding:
    inside = {chat.chat_id: chat.name for chat in feishu.chats()}
    missing = [chat_id for chat_id in dict.fromkeys(configured) if chat_id not in inside]
    if missing:
        remedy = "Add the bot to these groups (group settings, Bots), or correct the chat ids in the apply file."
        return Finding("chats", False, f"the bot is not in {', '.join(missing)}", remedy)
    names = ", ".join(inside.values())
    return Finding(
        "chats", True, f"the bot is in {len(inside)} chats: {names}" if inside else "the bot is in no chat yet"
    )

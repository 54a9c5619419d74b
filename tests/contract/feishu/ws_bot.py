"""A bot on the vendor's long-connection client, run as a process of its own: it prints what it gets, a JSON a line.

Its client captures the event loop at import and cannot be stopped, so nothing else may share its process.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lark_oapi as lark
    from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def on_message(event: Any) -> None:
    text = json.loads(event.event.message.content)["text"]
    say(kind="message", id=event.event.message.message_id, text=text)


def on_click(click: Any) -> Any:
    say(kind="click", value=click.event.action.value)
    return P2CardActionTriggerResponse({"toast": {"type": "success", "content": "收到"}})


def main(app_id: str, secret: str, domain: str) -> None:
    builder = lark.EventDispatcherHandler.builder("", "")
    builder.register_p2_im_message_receive_v1(on_message).register_p2_card_action_trigger(on_click)
    client = lark.ws.Client(
        app_id, secret, event_handler=builder.build(), domain=domain, log_level=lark.LogLevel.CRITICAL
    )
    client.start()


if __name__ == "__main__":
    main(*sys.argv[1:])

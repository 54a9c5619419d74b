"""The vendor's own event handler in Flask on the same server with the same threads; it stores nothing."""

from __future__ import annotations

import logging
import os

import lark_oapi
import waitress
from flask import Flask, Response
from lark_oapi.adapter.flask import parse_req, parse_resp


def main() -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as ours: a line an event would be what is measured
    handler = (
        lark_oapi.EventDispatcherHandler.builder(
            os.environ["MPOPS_FEISHU__ENCRYPT_KEY"],
            os.environ["MPOPS_FEISHU__VERIFICATION_TOKEN"],
            lark_oapi.LogLevel.ERROR,
        )
        .register_p2_im_message_receive_v1(lambda event: None)
        .build()
    )
    web = Flask("sdk")

    @web.post("/feishu/events")
    def events() -> Response:
        answer: Response = parse_resp(handler.do(parse_req()))
        return answer

    @web.get("/readyz")
    def ready() -> str:
        return "ready"

    waitress.serve(web, host="127.0.0.1", port=int(os.environ["MPOPS_HTTP__PORT"]), threads=8, ident=None)


if __name__ == "__main__":
    main()

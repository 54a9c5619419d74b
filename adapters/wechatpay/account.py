"""Puts the ports of one WeChat Pay account together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from adapters.account import AccountConfig
from adapters.ports.complaints import ComplaintsPort
from adapters.ports.diagnosis import DiagnosisPort
from adapters.ports.pushes import CallbacksPort, InboundPort
from adapters.ports.refunds import RefundsPort
from adapters.ports.upkeep import UpkeepPort
from adapters.transport import Transport, Watch, nobody_watches
from adapters.wechatpay.callbacks import WeChatPayCallbacks
from adapters.wechatpay.client import Client, Patience
from adapters.wechatpay.complaints import WeChatPayComplaints
from adapters.wechatpay.credentials import CHANNEL, Credentials
from adapters.wechatpay.doctor import WeChatPayDiagnosis
from adapters.wechatpay.notifications import WeChatPayInbound
from adapters.wechatpay.pictures import Pictures
from adapters.wechatpay.refunds import WeChatPayRefunds

OFFICIAL_BASE = "https://api.mch.weixin.qq.com"
# What operations are called by in paths; the rest are numbers of complaints and refunds.
_WORDS = frozenset(
    {
        "v3", "merchant-service", "complaints-v2", "negotiation-historys", "response", "response-immediate-service",
        "complete", "update-refund-progress", "complaint-notifications", "images", "refund", "domestic", "refunds",
        "certificates",
    }
)  # fmt: skip


class KeyCare:
    """The port `UpkeepPort`: keeps the platform's certificates fresh."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def refresh(self) -> None:
        self._client.keys.refresh()


def assemble(
    config: AccountConfig,
    clock: Callable[[], datetime],
    patience: Patience = Patience(),
    *,
    watch: Watch = nobody_watches,
) -> tuple[Mapping[type, object], Callable[[], None]]:
    """The ports by type, and what closes the connections. Raises Misconfigured for missing credentials."""
    credentials = Credentials(config)
    transport = Transport(
        channel=CHANNEL,
        account=config.key,
        base_url=config.base_url or OFFICIAL_BASE,
        timeout=config.timeout_seconds,
        request_id_header="Request-ID",
        path_words=_WORDS,
        watch=watch,
    )
    fetches = config.fetch_certificates
    client = Client(
        credentials,
        transport,
        clock=clock,
        fetches_certificates=not config.platform_public_key if fetches is None else fetches,
        patience=patience,
    )
    complaints: ComplaintsPort = WeChatPayComplaints(client, Pictures(client))
    refunds: RefundsPort = WeChatPayRefunds(
        client, provider=config.mode == "provider", notify_url=config.refund_notify_url
    )
    inbound: InboundPort = WeChatPayInbound(credentials, client.keys, clock)
    callbacks: CallbacksPort = WeChatPayCallbacks(client)
    upkeep: UpkeepPort = KeyCare(client)
    diagnosis: DiagnosisPort = WeChatPayDiagnosis(client, config)
    ports: dict[type, object] = {
        ComplaintsPort: complaints,
        RefundsPort: refunds,
        InboundPort: inbound,
        CallbacksPort: callbacks,
        UpkeepPort: upkeep,
        DiagnosisPort: diagnosis,
    }
    return ports, transport.close

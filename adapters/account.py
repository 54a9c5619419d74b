"""The credentials of one account on one channel, with secrets already resolved to text."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AccountConfig(BaseModel):
    """One account. Which fields are needed depends on the channel; `adapters.channel.build` says what is missing.

    Secrets appear neither in `repr` nor in validation errors. PEM fields hold the text, not a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: str = Field(min_length=1)  # our own name of the account, also the end of /notify/<account>
    channel: str = Field(min_length=1)
    mode: str = "direct"
    base_url: str = ""  # empty: the platform's own address
    timeout_seconds: float = Field(default=8.0, gt=0)  # how long to wait for each piece of an answer
    merchant_id: str = ""
    merchant_serial: str = ""  # of the merchant API certificate, 40 hex digits
    merchant_certificate: str = ""  # optional PEM, lets doctor see its expiry
    private_key: str = Field(default="", repr=False)
    old_private_keys: tuple[str, ...] = Field(default=(), repr=False)  # still read what was encrypted before a renewal
    api_v3_key: str = Field(default="", repr=False)
    api_v3_key_previous: str = Field(default="", repr=False)  # while it is changed: opens what was sealed with it
    platform_public_key_id: str = ""
    platform_public_key: str = ""
    platform_certificates: tuple[str, ...] = ()
    fetch_certificates: bool | None = None  # None: only when no public key is set; true while switching to one
    refund_notify_url: str = ""  # empty: what the merchant console says

"""What a channel says it can do, it can; and how one is built."""

from __future__ import annotations

import inspect

import pytest
from merchant_kit import NOW, config, private_pem
from pydantic import ValidationError

from adapters.abilities import METHODS, Capability, Support
from adapters.ability_matrix import ABILITIES, ability
from adapters.account import AccountConfig
from adapters.channel import KINDS, Channel, build
from adapters.errors import Misconfigured, Unsupported
from adapters.ports.complaints import ComplaintsPort
from adapters.ports.diagnosis import DiagnosisPort
from adapters.ports.pushes import CallbacksPort, InboundPort
from adapters.ports.refunds import RefundsPort
from adapters.ports.upkeep import UpkeepPort
from adapters.values import ComplaintNotice


def channel(**changes: object) -> Channel:
    return build(config(**changes), clock=lambda: NOW)


@pytest.mark.parametrize(("kind", "mode"), sorted(ABILITIES))
@pytest.mark.parametrize("capability", list(Capability))
def test_each_capability_is_ours_exactly_where_a_port_has_it(kind: str, mode: str, capability: Capability) -> None:
    found = channel(channel=kind, mode=mode)
    known = found.ability(capability)
    if known.ours:
        port, method = METHODS[capability]
        assert callable(getattr(found.ports[port], method))
    if known.support is Support.CONSOLE:
        assert known.console_path, "the manual task needs its path"
        assert capability not in METHODS
    assert found.can(capability) is known.ours
    assert ability(kind, mode, capability) == known


@pytest.mark.parametrize(("kind", "mode"), sorted(ABILITIES))
def test_every_capability_is_told(kind: str, mode: str) -> None:
    assert set(ABILITIES[kind, mode]) == set(Capability)
    assert kind in KINDS


def test_nobody_has_looked() -> None:
    assert ability("wechatpay", "sideways", Capability.REFUND_CREATE).support is Support.UNKNOWN
    assert not ability("carrier pigeon", "direct", Capability.REFUND_CREATE).ours


@pytest.mark.parametrize("port", [ComplaintsPort, RefundsPort, InboundPort, CallbacksPort, UpkeepPort, DiagnosisPort])
def test_ports_answer_to_their_protocol(port: type) -> None:
    found = channel().get(port)
    assert isinstance(found, port)
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if not name.startswith("_"):
            told = inspect.signature(getattr(type(found), name))
            assert str(told) == str(inspect.signature(method)), f"{name} differs from its port"


def test_a_port_that_is_not_there() -> None:
    bare = Channel("k", "wechatpay", "direct", "微信支付", {}, {})
    assert bare.get(ComplaintsPort) is None
    with pytest.raises(Unsupported, match="offers no complaints in mode"):
        bare.require(ComplaintsPort)
    assert bare.ability(Capability.COMPLAINT_LIST).support is Support.UNKNOWN


def test_unknown_channels_and_modes_name_the_known_ones() -> None:
    with pytest.raises(Unsupported, match="known are: wechatpay"):
        channel(channel="wechatpya")
    with pytest.raises(Unsupported, match="known are: direct, provider"):
        channel(mode="both")


@pytest.mark.parametrize("missing", ["merchant_id", "merchant_serial", "private_key", "api_v3_key"])
def test_missing_credentials_are_named(missing: str) -> None:
    with pytest.raises(Misconfigured, match=missing) as caught:
        channel(**{missing: ""})
    assert "pay-main" in caught.value.message


def test_a_public_key_comes_with_its_id() -> None:
    with pytest.raises(Misconfigured, match="platform_public_key_id"):
        channel(platform_public_key_id="")
    with pytest.raises(Misconfigured, match=r"platform_public_key$"):
        channel(platform_public_key="")


def test_secrets_show_neither_in_repr_nor_in_errors() -> None:
    shown = repr(config(old_private_keys=(private_pem("old"),))) + repr(channel())
    assert "PRIVATE KEY" not in shown
    assert "0123456789abcdef" not in shown
    with pytest.raises(ValidationError) as caught:
        AccountConfig(key="k", channel="wechatpay", private_key=["top secret"], api_v3_keys="top secret")  # type: ignore[arg-type,call-arg]  # what is wrong is the point
    assert "top secret" not in str(caught.value)


def test_broken_keys_do_not_stop_the_build() -> None:
    """One account with a broken key must not keep the bot from starting."""
    broken = channel(private_key="not a key")
    findings = broken.require(DiagnosisPort).examine()
    assert [finding.check for finding in findings if not finding.ok] == ["private_key"]
    broken.close()


def test_a_stored_notification_reads_again() -> None:
    found = channel()
    notice = found.require(InboundPort).read("COMPLAINT.NEW_EVENT", {"complaint_id": "1", "action_type": "NEW_ACTION"})
    assert notice == ComplaintNotice("1", "NEW_ACTION")
    assert found.require(InboundPort).read("BRAND.NEW", {"anything": 1}) is None
    found.close()

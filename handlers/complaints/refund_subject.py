"""What refunds ask of a complaint: the payment it is about, and whether this person may ask."""

from __future__ import annotations

from sqlalchemy.orm import Session

from adapters.channel import Channel
from adapters.ports.complaints import ComplaintsPort
from bot.contributions.routing import Clicked
from bot.unit import Unit, Units
from handlers.complaints.cards import CARD
from handlers.complaints.jobs import ask_sync
from handlers.complaints.service import Service
from handlers.shared.contributions.refund_subjects import Payment, RefundSubject
from handlers.shared.events import RefundMoved, RefundPaid
from handlers.shared.phrases import masked_phone
from storage.areas.complaints import Complaint, Complaints

_WANTS_REFUND = "REFUND"  # WeChat Pay, 查询投诉单详情 (problem_type)


def subject(service: Service) -> RefundSubject:
    def handle(unit: Unit, clicked: Clicked) -> Payment:
        return _payment(service.mine(unit, clicked))

    return RefundSubject(CARD, _find, handle, _announce)


def _find(session: Session, id: int, lock: bool) -> Payment | None:
    complaint = Complaints(session).get(id, lock=lock)
    return _payment(complaint) if complaint is not None else None


def _payment(complaint: Complaint) -> Payment:
    return Payment(
        kind=CARD,
        item_id=complaint.id,
        version=complaint.row_version,
        number=complaint.number,
        is_open=complaint.is_open,
        program_key=complaint.program_key,
        chat_id=complaint.chat_id,
        account_key=complaint.account_key,
        merchant_id=complaint.merchant_id,
        transaction_id=complaint.transaction_id,
        out_trade_no=complaint.out_trade_no,
        amount_fen=complaint.amount_fen,
        wanted_fen=complaint.requested_refund_fen,
        fully_refunded=complaint.fully_refunded,
        words=complaint.words,
        said_at=complaint.complained_at,
        phone=masked_phone(complaint.phone),
    )


def _announce(units: Units, channel: Channel, id: int) -> None:
    """For a complaint that asks for a refund, say that it is coming."""
    with units.read() as session:
        complaint = Complaints(session).get(id)
    port = channel.get(ComplaintsPort)
    if port is None or complaint is None or complaint.problem_type != _WANTS_REFUND or not complaint.is_open:
        return
    port.approve_refund(complaint.external_id, complaint.merchant_id)


def on_moved(unit: Unit, event: RefundMoved) -> None:
    kind, _, id = event.subject.partition(":")
    if kind == CARD:
        unit.refresh(CARD, id)


def on_paid(unit: Unit, event: RefundPaid) -> None:
    """A complaint that asked for a refund finishes by itself when the money arrives (WeChat Pay, 更新退款审批结果)."""
    kind, _, id = event.subject.partition(":")
    complaint = unit.of(Complaints).get(int(id)) if kind == CARD else None
    if complaint is not None:
        ask_sync(unit, complaint.account_key, complaint.external_id, event.cause)

"""Amounts as people type them, the tables by which items move, and the words of a countdown."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.texts import Left
from handlers.complaints import states as complaints
from handlers.refunds import states as refunds
from handlers.refunds.service import fen
from handlers.shared.due_times import REMINDERS, countdown, next_reminder, until_changed
from handlers.shared.intents import states as approvals
from storage.areas.approvals import RequestState
from storage.areas.complaints import OPEN, Progress
from storage.areas.refunds import COUNTS_AS_SPENT, RefundProgress

# --- amounts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("68", 6800), ("68.5", 6850), ("68.50", 6850), ("0.01", 1), ("¥68", 6800), ("￥68.00", 6800), ("68元", 6800),
        ("¥ 1,234.50", 123450), ("1,234,567.89", 123456789), ("６８．５０", 6850), ("￥１，２３４．５", 123450),
        (" 68 ", 6800), ("0", 0), ("0068", 6800), ("999999999.99", 99999999999), ("　68　", 6800),
    ],
)  # fmt: skip
def test_amounts_are_read_to_the_fen(typed: str, amount: int) -> None:
    assert fen(typed) == amount


@pytest.mark.parametrize(
    "typed",
    ["", " ", "元", "-68", "+68", "68.", ".5", "68.505", "0.1+0.2", "1e3", "6 8x", "68,5", "1,23", "12,34.5", "六十八",
     "68.5.0", "0x44", "NaN", "inf", "٦٨", "৬৮", "68分", "¥¥68", "1" * 30, "68\n00\x00", "１２。５", "½", "68%"],
)  # fmt: skip
def test_what_could_mean_something_else_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as raised:
        fen(typed)
    assert raised.value.reason.key == "refund.amount_unreadable"


@given(st.integers(0, 99_999_999_999), st.booleans(), st.booleans())
def test_every_amount_survives_being_typed(amount: int, commas: bool, wide: bool) -> None:
    yuan, rest = divmod(amount, 100)
    typed = f"¥{yuan:,}.{rest:02d}" if commas else f"{yuan}.{rest:02d}"
    if wide:
        typed = typed.translate(str.maketrans("0123456789.,", "０１２３４５６７８９．，"))
    assert fen(typed) == amount


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789.,¥￥元 +-eE０１．，"), st.characters()), max_size=15))
def test_any_text_is_an_amount_or_refused_and_never_rounded(typed: str) -> None:
    try:
        amount = fen(typed)
    except Refused:
        return
    assert 0 <= amount <= 99_999_999_999
    digits = "".join(str(int(character)) for character in typed if character.isdigit())
    assert str(amount).rstrip("0") == digits.lstrip("0").rstrip("0"), "every digit that was typed counts"


# --- tables ------------------------------------------------------------------------------------

P, E = RefundProgress, refunds.Event
REFUND_MOVES = {
    (P.ASKED, E.APPROVED): P.APPROVED,
    (P.ASKED, E.DROPPED): P.DROPPED,
    (P.APPROVED, E.SENT): P.SENDING,
    (P.SENDING, E.SENT): P.SENDING,
    (P.FAILED, E.TRIED_AGAIN): P.APPROVED,
    **{(source, E.TAKEN): P.PROCESSING for source in (P.APPROVED, P.SENDING, P.ABNORMAL, P.FAILED)},
    **{(source, E.PAID): P.PAID for source in (P.APPROVED, P.SENDING, P.PROCESSING, P.ABNORMAL, P.FAILED)},
    **{(source, E.REFUSED): P.FAILED for source in (P.APPROVED, P.SENDING, P.PROCESSING)},
    **{(source, E.STUCK): P.ABNORMAL for source in (P.APPROVED, P.SENDING, P.PROCESSING, P.FAILED)},
}


@pytest.mark.parametrize("progress", list(RefundProgress))
@pytest.mark.parametrize("event", list(refunds.Event))
def test_each_move_of_a_refund(progress: RefundProgress, event: refunds.Event) -> None:
    assert refunds.advance(progress, event) == REFUND_MOVES.get((progress, event))


def test_money_that_may_have_moved_is_never_forgotten() -> None:
    """From the call on, only the channel itself may say that nothing moved."""
    may_have_moved = {P.SENDING, P.PROCESSING, P.PAID, P.ABNORMAL}
    none_did = set(P) - may_have_moved
    for progress, event in itertools.product(may_have_moved, refunds.Event):
        target = refunds.advance(progress, event)
        assert target not in none_did or (event, target) == (E.REFUSED, P.FAILED), (progress, event)
    assert all(refunds.advance(P.PAID, event) is None for event in refunds.Event), "paid is the end"
    assert all(refunds.advance(P.DROPPED, event) is None for event in refunds.Event), "and so is dropped"
    assert may_have_moved < set(COUNTS_AS_SPENT)


C, F = Progress, complaints.Event
COMPLAINT_MOVES = {
    (C.WAITING, F.REPLIED): C.ANSWERED,
    (C.ANSWERED, F.REPLIED): C.ANSWERED,
    (C.ANSWERED, F.FINISH_ASKED): C.FINISHING,
    (C.FINISHING, F.FINISH_REFUSED): C.ANSWERED,
    **{(source, F.FINISHED): C.FINISHED for source in OPEN},
    **{(source, F.CONTINUED): C.WAITING for source in Progress},
    (C.FINISHED, F.REOPENED): C.ANSWERED,
}


@pytest.mark.parametrize("progress", list(Progress))
@pytest.mark.parametrize("event", list(complaints.Event))
def test_each_move_of_a_complaint(progress: Progress, event: complaints.Event) -> None:
    assert complaints.advance(progress, event) == COMPLAINT_MOVES.get((progress, event))


@pytest.mark.parametrize("state", list(RequestState))
@pytest.mark.parametrize("event", list(approvals.Event))
def test_each_move_of_a_request_and_that_a_decision_is_final(state: RequestState, event: approvals.Event) -> None:
    ends = {
        approvals.Event.QUORUM: RequestState.APPROVED,
        approvals.Event.REJECTED: RequestState.REJECTED,
        approvals.Event.WITHDRAWN: RequestState.WITHDRAWN,
        approvals.Event.EXPIRED: RequestState.EXPIRED,
    }
    assert approvals.advance(state, event) == (ends[event] if state is RequestState.PENDING else None)


# --- countdown ---------------------------------------------------------------------------------

DUE = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
SPANS = st.timedeltas(timedelta(days=-4), timedelta(days=4))


def told(now: datetime) -> tuple[bool, timedelta]:
    words, _ = countdown(DUE, now)
    shown = words.params["span"]
    assert isinstance(shown, Left)
    return words.key == "complaint.overdue_by", shown.span


@given(SPANS, st.floats(0, 1))
def test_the_words_stay_true_until_they_are_drawn_again(left: timedelta, part: float) -> None:
    now = DUE - left
    _, until = countdown(DUE, now)
    assert until > now
    late, shown = told(now)
    moment = now + (until - now) * part
    really = DUE - moment
    error = abs(really + shown if late else really - shown)
    step = 60 if abs(left) > timedelta(hours=2) else 10 if abs(left) > timedelta(minutes=20) else 1
    assert error <= timedelta(minutes=step) / 2 + timedelta(seconds=60), (late, shown)


@given(SPANS)
def test_late_is_said_when_it_is_late_and_nothing_is_zero(left: timedelta) -> None:
    late, shown = told(DUE - left)
    assert late == (left < timedelta(0))
    assert shown >= timedelta(minutes=1)


@given(SPANS)
def test_following_the_redraws_comes_to_an_end_without_hurry(left: timedelta) -> None:
    moment, drawn = DUE - left, 0
    end = DUE + timedelta(days=1)
    while moment < end and drawn < 1000:
        following = until_changed(DUE, moment)
        assert following > moment
        moment, drawn = following, drawn + 1
    assert drawn < 300, "every redraw is a call to Feishu"


def test_a_redraw_comes_exactly_when_the_colour_changes() -> None:
    for before in REMINDERS:
        just = DUE - before - timedelta(seconds=1)
        assert until_changed(DUE, just) <= DUE - before


def test_reminders_come_in_order_and_end_with_the_due_time() -> None:
    now, told_at = DUE - timedelta(hours=24), []
    while (following := next_reminder(DUE, now)) is not None:
        told_at.append(DUE - following)
        now = following
    assert told_at == [timedelta(hours=4), timedelta(hours=1), timedelta(0)]
    assert next_reminder(DUE, DUE - timedelta(minutes=30)) == DUE, "what was missed is not told late"
    assert next_reminder(DUE, DUE) is None

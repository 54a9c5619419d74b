"""Failures on demand: what goes wrong with the next calls to the sandbox, or with its next pushes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum


class CallFault(StrEnum):
    """What may happen to a call that a client makes to the sandbox."""

    DROP_ANSWER = "drop_answer"  # the call takes effect, then the connection breaks without an answer
    LATE = "late"  # the call takes effect, the answer comes `seconds` later
    TOO_MANY = "too_many"  # 429 of the platform, no effect
    SERVER_ERROR = "server_error"  # 500 of the platform, no effect
    ERROR_AFTER = "error_after"  # 500 of the platform, although the call took effect
    DOWN = "down"  # the connection breaks before anything is read, no effect
    BAD_SIGNATURE = "bad_signature"  # the answer is right but wrongly signed (where the platform signs)


class PushFault(StrEnum):
    """What may happen to an event that the sandbox pushes."""

    REPEAT = "repeat"  # delivered twice
    REORDER = "reorder"  # held back until the next one was delivered
    LOSE = "lose"  # never delivered
    DELAY = "delay"  # delivered `seconds` of sandbox time later
    TAMPER = "tamper"  # delivered once with a wrong signature, then correctly by the retry ladder


@dataclass
class Fault:
    platform: str  # by its name
    kind: CallFault | PushFault
    path: str = ""  # a part of the path for calls, of the event type for pushes; empty means any
    method: str = ""
    times: int = 1  # how often it still strikes; -1 means until cleared
    seconds: float = 0.0
    struck: int = field(default=0)


class Faults:
    """The list of failures that are switched on. Thread-safe."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self, platform: str = "") -> None:
        with self._lock:
            self._faults = [fault for fault in self._faults if platform and fault.platform != platform]

    def active(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def for_call(self, platform: str, method: str, path: str) -> Fault | None:
        return self._take(platform, CallFault, method, path)

    def for_push(self, platform: str, event_type: str) -> Fault | None:
        return self._take(platform, PushFault, "", event_type)

    def _take(self, platform: str, kind: type[CallFault] | type[PushFault], method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.platform != platform or not isinstance(fault.kind, kind) or fault.path not in path:
                    continue
                if fault.method and fault.method != method:
                    continue
                fault.struck += 1
                if fault.times > 0:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None

"""A small company to play with: people, a group, a merchant with payments. Ids are fixed: a file can name them."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

from sandbox.platform import Platform, united

GROUP = "oc_pay_complaints"
MERCHANT = "1900000109"


class Company(SimpleNamespace):
    """What the platforms made for it, under the names that they give: `operator`, `group`, `merchant` and so on."""


def found(platforms: Iterable[Platform]) -> Company:
    """Fill an empty sandbox."""
    return Company(**united("name in the company", [platform.found_company() for platform in platforms]))

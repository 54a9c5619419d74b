"""Where the platform pushes complaints: the port `CallbacksPort`. docs/platforms/wechatpay.md ("Notifications")."""

from __future__ import annotations

from adapters.errors import NotFound
from adapters.wechatpay.client import Client

PATH = "/v3/merchant-service/complaint-notifications"


class WeChatPayCallbacks:
    """One address per merchant."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def address(self) -> str | None:
        try:
            url = self._client.get(PATH).get("url")
        except NotFound:
            return None
        return url if isinstance(url, str) and url else None

    def set_address(self, url: str) -> None:
        """Looks first, because creating and replacing are different calls."""
        present = self.address()
        if present != url:
            self._client.write("PUT" if present else "POST", PATH, {"url": url})

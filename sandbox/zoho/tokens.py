"""The accounts server: refresh tokens in, access tokens out, and its limits."""

from __future__ import annotations

import secrets
from collections import Counter, deque

from aiohttp import web

from sandbox.zoho.wire import Row, respond
from sandbox.zoho.world import Organization, World

LIFETIME = 3600
MOST_REFRESHES, REFRESH_WINDOW = 10, 600
MOST_LIVE = 30
FULL_ACCESS = {"ZohoInventory": "ZohoInventory.FullAccess.all", "ZohoBooks": "ZohoBooks.fullaccess.all"}


class Accounts:
    """Issues access tokens of 3600 s: ten per refresh token in ten minutes, the newest thirty stay alive."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.clear()

    def clear(self) -> None:
        """Forgets who refreshed when."""
        self._refreshes: dict[str, deque[float]] = {}
        self._live: dict[str, deque[str]] = {}

    def organizations(self, access_token: str) -> list[Organization]:
        """The organisations an access token opens; none for an expired or unknown one."""
        row = self._world.token_rows.get(access_token)
        if row is None or self._world.now() >= row["expires_at"]:
            return []
        return [
            org for org in self._world.organizations.values() if org.settings["refresh_token"] == row["refresh_token"]
        ]

    def revoke_all(self) -> None:
        """Ends every access token at once, as a password change does."""
        self._world.token_rows.clear()

    def answer(self, form: dict[str, str], *, data_center: str, host: str) -> web.Response:
        """What POST /oauth/v2/token says. `data_center` is "" where the address names none."""
        result, status = self._decide(form, data_center, host)
        self.calls[str(result.get("error", "issued"))] += 1
        if "error" in result and status == 400 and result["error"] != "Access Denied":
            status = 200 if self._world.switches.token_errors_as_200 else 400
        return respond(result, status)

    @property
    def calls(self) -> Counter[str]:
        """How many answers of each kind were given."""
        return self._world.token_calls

    def _decide(self, form: dict[str, str], data_center: str, host: str) -> tuple[Row, int]:
        if form.get("grant_type") != "refresh_token":
            return {"error": "unsupported_grant_type"}, 400
        refresh = form.get("refresh_token", "")
        client = [
            org.settings
            for org in self._world.organizations.values()
            if org.settings["client_id"] == form.get("client_id")
            and org.settings["client_secret"] == form.get("client_secret")
            and data_center in ("", org.settings["data_center"])
        ]
        if not client:
            return {"error": "invalid_client"}, 400
        if not any(settings["refresh_token"] == refresh for settings in client):
            return {"error": "invalid_code"}, 400
        if self._throttled(refresh):
            return {
                "error": "Access Denied",
                "error_description": "You have made too many requests continuously. Please try again after some time.",
                "status": "failure",
            }, 400
        return self._issue(refresh, host), 200

    def _throttled(self, refresh: str) -> bool:
        now = self._world.now()
        recent = self._refreshes.setdefault(refresh, deque())
        while recent and recent[0] <= now - REFRESH_WINDOW:
            recent.popleft()
        if len(recent) >= MOST_REFRESHES:
            return True
        recent.append(now)
        return False

    def _issue(self, refresh: str, host: str) -> Row:
        token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        rows = self._world.token_rows
        rows[token] = {"refresh_token": refresh, "expires_at": self._world.now() + LIFETIME}
        live = self._live.setdefault(refresh, deque())
        live.append(token)
        if len(live) > MOST_LIVE:
            rows.pop(live.popleft(), None)
        return {"access_token": token, "api_domain": host, "token_type": "Bearer", "expires_in": LIFETIME}

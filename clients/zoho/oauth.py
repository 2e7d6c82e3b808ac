"""The token endpoint without a socket: its request, and what its answers mean."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from clients.errors import TokenRefused, TryLater
from clients.zoho.codec import Answer, JsonObject, decode

# Zoho grants ten access tokens per refresh token in ten minutes, then none for the rest of them.
WINDOW = timedelta(minutes=10)


class Credentials(BaseModel):
    """A self client's id and secret, and the refresh token that does not expire."""

    model_config = ConfigDict(frozen=True)

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr

    def form(self) -> dict[str, str]:
        """The body of a refresh: holds secrets."""
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "refresh_token": self.refresh_token.get_secret_value(),
        }


class Grant(BaseModel):
    """A new access token, good for `lifetime`."""

    model_config = ConfigDict(frozen=True)

    access_token: str = Field(min_length=1, repr=False)
    lifetime: timedelta
    api_domain: str = ""


def read_grant(answer: Answer) -> Grant:
    """The token in an answer of the token endpoint. A 200 without one is a refusal too.

    TokenRefused where Zoho refused (with the rest of its window to wait where it throttles); TryLater where
    the answer cannot be read, so that a token may have been granted.
    """
    body = decode(answer.content) or {}
    token = body.get("access_token")
    if answer.status < 300 and isinstance(token, str) and token:
        return Grant(
            access_token=token,
            lifetime=timedelta(seconds=_lifetime(body)),
            api_domain=_text(body, "api_domain"),
        )
    error = _text(body, "error")
    if answer.status >= 500 or not error:
        raise TryLater("zoho", "token refresh: no clear answer", status=answer.status)
    raise _refusal(error, _text(body, "error_description"), answer.status)


def _refusal(error: str, description: str, status: int) -> TokenRefused:
    cures = {
        "invalid_code": "the refresh token is wrong, revoked, or of another data centre",
        "invalid_client": "client id or secret is wrong, or the client lives in another data centre",
        "Access Denied": "too many refreshes; Zoho grants ten in ten minutes",
    }
    pause = WINDOW.total_seconds() if error == "Access Denied" else None
    cure = cures.get(error, description or "no reason given")
    return TokenRefused("zoho", f"token refresh: {cure}", code=error, status=status, retry_after=pause)


def _lifetime(body: JsonObject) -> int:
    seconds = body.get("expires_in", body.get("expires_in_sec"))
    return seconds if isinstance(seconds, int) and seconds > 0 else 3600


def _text(body: JsonObject, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""

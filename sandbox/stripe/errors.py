"""Stripe's refusals, as exceptions that know their HTTP answer."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal with Stripe's error body.

    `stored` says whether an idempotency key remembers it: refusals of what was asked happen before the key counts.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        stored: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.stored = status, stored
        self.error: dict[str, Any] = {"message": message, "type": kind, **(extra or {})}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param

    def body(self) -> dict[str, Any]:
        """What is answered."""
        return {"error": self.error}


def missing_resource(kind: str, name: str, param: str = "id", status: int = 404) -> ApiError:
    """No such object in this account; 404 where the path names it, 400 where a parameter does."""
    return ApiError(f"No such {kind}: '{name}'", status=status, code="resource_missing", param=param)


def unknown_parameter(param: str) -> ApiError:
    """A parameter that this endpoint does not have (or that this sandbox does not simulate)."""
    return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing_parameter(param: str) -> ApiError:
    """A parameter that has to be there."""
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unauthorized(key: str) -> ApiError:
    """A key of no account; it is answered masked, as Stripe does."""
    shown = f"{key[:8]}{'*' * 12}{key[-4:]}" if len(key) > 16 else "****"
    return ApiError(f"Invalid API Key provided: {shown}", status=401)


def lacks_right(resource: str, level: str) -> ApiError:
    """A restricted key that may not do this."""
    message = f"The provided key does not have the required permissions for this endpoint: {resource}, {level}."
    return ApiError(message, status=403)


def rate_limited() -> ApiError:
    """More requests a second than the endpoint takes."""
    message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
    return ApiError(message, status=429, code="rate_limit")


def server_error() -> ApiError:
    """Stripe's own fault."""
    message = "An unknown error occurred. Our team has been notified."
    return ApiError(message, status=500, kind="api_error", stored=True)

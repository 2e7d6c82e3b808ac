"""Whether a port can be had, asked before a program is started on it."""

from __future__ import annotations

import random
import socket

from cli.exits import CannotStart

_QUIET = range(20_000, 32_000)  # ports that no system hands out by itself


class PortBusy(CannotStart):
    """A port is in use; the message names the port, what it was for and the option that changes it."""


def ensure_free(host: str, port: int, *, what: str, option: str) -> None:
    """PortBusy where nobody could listen on `port`; port 0 is always free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortBusy(
                f"Port {port} on {host} cannot be used for {what} ({error.strerror}). "
                f"Stop the program that holds it, or choose another port: {option} NUMBER "
                f'(with make: ARGS="{option} NUMBER").'
            ) from error


def quiet_port(host: str = "127.0.0.1") -> int:
    """A free port that stays free while who listens on it is away: other sockets of the machine never get it."""
    for port in random.sample(_QUIET, len(_QUIET)):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise PortBusy(f"No port from {_QUIET.start} to {_QUIET.stop - 1} on {host} is free.")

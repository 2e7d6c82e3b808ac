"""What an install is told: `THROUGHLINE_*` variables over an optional TOML file over defaults."""

from __future__ import annotations

import difflib
import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from clients.errors import SettingsError
from clients.keys import KeyRing
from clients.signing import SigningRing

PREFIX = "THROUGHLINE_"
CONFIG_VARIABLE = "THROUGHLINE_CONFIG"
CONFIG_FILE = Path("throughline.toml")
STORE_DRIVERS = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")


class Settings(BaseSettings):
    """One install's settings; secrets show as stars. Made by `load_settings`, which explains what is wrong.

    `store_url` "" means a SQLite file in `home` (see `database_url`); `worker_metrics_port` 0 means none, and the
    business' own numbers are counted anew every `worker_metrics_seconds`.
    `keys` is `id:base64[,id:base64]`, each 32 bytes, the first one current; `keys_file` holds the same text.
    `signing_keys`, `signing_keys_file`: the same for the keys that certificates are signed with.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True
    )

    home: Path = Path(".throughline")
    store_url: str = Field(default="", repr=False)
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_profile: str = ""
    keys: SecretStr = SecretStr("")
    keys_file: Path | None = None
    signing_keys: SecretStr = SecretStr("")
    signing_keys_file: Path | None = None
    encrypt_payloads: bool = False
    ingress_host: str = "127.0.0.1"
    ingress_port: int = Field(default=8080, ge=0, le=65535)
    worker_metrics_port: int = Field(default=0, ge=0, le=65535)
    connections_file: Path = Path("connections.toml")
    worker_metrics_seconds: float = Field(default=30, gt=0)
    log_format: Literal["text", "json"] = "text"
    traces: Literal["off", "file", "otlp"] = "off"
    traces_file: Path | None = None
    traces_endpoint: str = "http://127.0.0.1:4318/v1/traces"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("store_url")
    @classmethod
    def _driver(cls, url: str) -> str:
        if url and not url.startswith(STORE_DRIVERS):
            raise ValueError(f"write an address that starts with {' or '.join(STORE_DRIVERS)}")
        return url

    @field_validator("temporal_address")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("write it as host:port, such as 127.0.0.1:7233")
        return address

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    def database_url(self) -> str:
        """The store's address, with its password if it has one: never log it."""
        return self.store_url or f"sqlite+aiosqlite:///{self.home.absolute()}/store.db"

    def traces_path(self) -> Path:
        """Where traces go that are kept in a file."""
        return self.traces_file or self.home / "traces.jsonl"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file; no .env file, which others may have written."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_config_file())


def load_settings(**given: Any) -> Settings:
    """Settings from arguments, environment and file, in this order; SettingsError names fault and cure."""
    _refuse_misspelt_variables(os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(f"settings: {explain(error, Settings)}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{_config_file()} is not valid TOML: {error}") from None


def _config_file() -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {named}, which is no file: correct the path or unset it")
    return Path(named) if named else CONFIG_FILE


def _refuse_misspelt_variables(environ: Mapping[str, str]) -> None:
    """Only near misses are refused: other variables may carry our prefix, such as a connection's secrets."""
    known = [CONFIG_VARIABLE, *(PREFIX + name.upper() for name in Settings.model_fields)]
    for name in environ:
        near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.88)
        if name.startswith(PREFIX) and near and name.upper() not in known:
            raise SettingsError(f"the environment has {name}, which is no setting: did you mean {near[0]}?")


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The faults of `model`'s input in one line, each by its dotted name, without any of the values."""
    return "; ".join(_sentence(fault["loc"], fault["type"], fault["msg"], model) for fault in error.errors())


def _sentence(where: tuple[int | str, ...], kind: str, message: str, model: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in where)
    if kind == "extra_forbidden":
        return f"{name} is no setting{hint(str(where[-1]), _fields(model, where[:-1]))}"
    if kind == "missing":
        return f"{name} is missing: set it"
    return f"{name or 'it'}: {message.removeprefix('Value error, ')}"


def _fields(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The names that exist at `path` inside `model`."""
    for part in path:
        field = model.model_fields.get(str(part))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def hint(name: str, known: Iterable[str]) -> str:
    """`, did you mean …?` for the nearest of `known`, or the whole list where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, 1)
    if near:
        return f": did you mean {near[0]}?"
    return f": there are {', '.join(names)}" if names else ""


def read_keys(settings: Settings) -> KeyRing:
    """The keys these settings name, else those of `<home>/keys`, made on first use (see `ensure_keys`)."""
    if inline := settings.keys.get_secret_value():
        return KeyRing.from_text(inline)
    path = settings.keys_file or ensure_keys(settings.home)
    try:
        return KeyRing.from_text(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"keys_file: {path} cannot be read; correct the path or its owner") from None


def read_signing_keys(settings: Settings) -> SigningRing:
    """The keys of certificates these settings name, else those of `<home>/signing-keys`, made on first use."""
    if inline := settings.signing_keys.get_secret_value():
        return SigningRing.from_text(inline)
    path = settings.signing_keys_file or _ensure(settings.home, "signing-keys", SigningRing.generate().to_text())
    try:
        return SigningRing.from_text(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"signing_keys_file: {path} cannot be read; correct the path or its owner") from None


def ensure_keys(home: Path) -> Path:
    """`<home>/keys`, with a new random key (mode 0600) if there was none; two processes at once make one."""
    return _ensure(home, "keys", KeyRing.generate().to_text())


def _ensure(home: Path, name: str, text: str) -> Path:
    """The file `name` of `home`, with `text` if there was none."""
    path = home / name
    if path.exists():
        return path
    home.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=home, prefix=f"{name}-")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first: its key is the one
    finally:
        os.unlink(fresh)
    return path

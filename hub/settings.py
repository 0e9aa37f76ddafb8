"""Settings: from the environment (`SHUNIU_…`), else from one file, else a default. `shuniu doctor` shows which."""

from __future__ import annotations

import os
import secrets
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hub.core.errors import Misconfigured
from hub.crypto import Seal


class Settings(BaseSettings):
    """Everything that can be set. Every field is documented here and printed by `shuniu doctor`."""

    model_config = SettingsConfigDict(env_prefix="SHUNIU_", extra="forbid")
    config_file: ClassVar[Path | None] = None

    home: Path = Field(default=Path("~/.shuniu"), description="Folder of the embedded database, the key and the log")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in the home folder")
    bus_url: str = Field(default="", description="amqp://… of RabbitMQ; empty: the embedded bus over the database")
    bus_prefix: str = Field(default="", description="Put before every exchange and queue name, to share a broker")
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that seal secrets, newest first, comma-separated; empty: made once in the home folder",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8700, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    public_url: str = Field(default="", description="Address under which vendors reach the hub; empty: http://host:port")
    api_token: SecretStr = Field(default=SecretStr(""), description="Bearer token of the API; empty: only loopback may call it")
    tenant: str = Field(default="main", description="The tenant that addresses without a tenant mean")
    tenant_name: str = Field(default="Shuniu", description="Its name")
    zone: str = Field(default="Asia/Shanghai", description="Its time zone")
    egress_allow: tuple[str, ...] = Field(
        default=(), description="Networks and hosts beyond the public internet that every connection may call"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="How much is logged")
    log_format: Literal["text", "json"] = Field(default="text", description="For people or for machines")
    action_threads: int = Field(default=8, ge=1, le=64, description="How many vendors are called at the same time")
    shards: int = Field(default=1, ge=1, le=16, description="Parts that each subscriber's queue is cut into")
    max_body: int = Field(default=1_048_576, ge=1024, description="Largest webhook body in bytes")
    hook_rate: float = Field(default=0.0, ge=0, description="Webhooks that one connection may send in a second; 0: any number")
    stale_after: float = Field(default=3600.0, gt=0, description="Seconds after which stock figures are called stale")
    watch_folder: str = Field(
        default="",
        description="Folder whose files are taken in, for any connection, or for the one that a folder in it is named as; empty: none",
    )
    watch_every: float = Field(default=5.0, gt=0, description="Seconds between two looks; a file is taken when both saw the same")
    auto_limit: str = Field(default="", description="Largest amount that is posted without a person; empty: no limit")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = cls.config_file or _default_file()
        from_file = () if file is None else (TomlConfigSettingsSource(settings_cls, file),)
        return (init_settings, env_settings, *from_file)

    @property
    def embedded(self) -> bool:
        """One process with its own database and bus."""
        return not self.database_url or self.database_url.startswith("sqlite")

    def resolved(self) -> Settings:
        """The same with empty fields filled in: home made, database and key in it, public address."""
        home = self.home.expanduser()
        filled: dict[str, Any] = {"home": home}
        if not self.database_url:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            filled["database_url"] = f"sqlite:///{home / 'hub.sqlite'}"
        if not self.secret_key.get_secret_value():
            if not self.embedded:
                raise Misconfigured(
                    happened="a hub of several processes needs a key that they share",
                    next="set it, for example to a new one: python -c 'from hub.crypto import Seal; print(Seal.generate_key())'",
                    setting="SHUNIU_SECRET_KEY",
                )
            filled["secret_key"] = SecretStr(_own_key(home))
        if not self.embedded and not self.bus_url:
            raise Misconfigured(
                happened="a PostgreSQL database needs a RabbitMQ beside it",
                next="set it to amqp://user:password@host:5672//",
                setting="SHUNIU_BUS_URL",
            )
        if not self.public_url:
            host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
            filled["public_url"] = f"http://{host}:{self.port}"
        return self.model_copy(update=filled)


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings in force; raises `Misconfigured` naming the setting that cannot be used."""
    Settings.config_file = file
    try:
        return Settings(**given).resolved()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "SHUNIU_" + "_".join(str(part) for part in first["loc"]).upper()
        raise Misconfigured(
            happened=f"a setting cannot be used: {first['msg']}", next="correct or remove it", setting=name
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(
            happened=f"the settings file cannot be read: {error}", next="correct the line", file=str(file or _default_file())
        ) from None


def where_from(settings: Settings) -> list[tuple[str, str, str]]:
    """For every setting its name, its value (secrets masked) and where it came from."""
    file = Settings.config_file or _default_file()
    in_file = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    told = []
    for name in Settings.model_fields:
        variable = f"SHUNIU_{name.upper()}"
        origin = "environment" if variable in os.environ else f"file {file}" if name in in_file else "default"
        told.append((variable, str(getattr(settings, name)), origin))
    return told


def _default_file() -> Path | None:
    named = os.environ.get("SHUNIU_CONFIG")
    file = Path(named) if named else Path(os.environ.get("SHUNIU_HOME", "~/.shuniu")).expanduser() / "shuniu.toml"
    return file if file.is_file() else None


def _own_key(home: Path) -> str:
    """The embedded hub's own key, made at the first start and readable by its owner only."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = home / "secret.key"
    if not file.exists():
        draft = home / f".secret.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(Seal.generate_key() + "\n", encoding="ascii")
        try:
            os.link(draft, file)  # another process may have been faster: its key counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(encoding="ascii").strip()

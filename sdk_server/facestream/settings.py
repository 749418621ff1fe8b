"""Settings of the server: defaults, a TOML file, `FACESTREAM_*` variables, arguments; each beats the one before.

    FACESTREAM_PORT=50100 facestream serve --config server.toml

Unknown keys are refused wherever they stand: a misspelt limit that is silently ignored is found in production.
"""

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from facestream.errors import InvalidValue

ENV_PREFIX = "FACESTREAM_"

_VIEWER_PORT = 8080

EngineName = Literal["auto", "onnx", "cuda", "tensorrt"]


class Settings(BaseSettings):
    """Everything that can be set. Times in seconds, sizes in the unit of the name."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    # Where
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0 for every interface")
    port: int = Field(50051, ge=0, le=65535, description="0 takes a free one")
    tls_certificate: Path | None = Field(None, description="PEM chain; needs tls_key")
    tls_key: Path | None = Field(None, description="PEM private key; needs tls_certificate")
    tokens: tuple[SecretStr, ...] = Field((), description="bearer tokens accepted; none means no check")
    send_targets: tuple[str, ...] = Field(
        (), description="where streams may have frames sent beside their own caller: HOST, HOST:PORT or NETWORK/BITS"
    )

    # Browsers and engines without gRPC
    websocket_port: int | None = Field(None, ge=0, le=65535, description="WebSocket, HTTP; none means no such port")
    websocket_origins: tuple[str, ...] = Field((), description="other sites whose pages may connect; * for any")
    websocket_connections: int = Field(256, ge=1, le=65536, description="WebSockets open at once")
    viewer: bool = Field(False, description="serves the viewer page, on port 8080 unless websocket_port is set")

    # What
    model: str = Field("live", min_length=1, description="name of a shipped bundle or path of a bundle folder")
    also: tuple[str, ...] = Field((), description="more models, named alike; clients ask for them by name")
    engine: EngineName = Field("auto", description="auto takes a GPU where one works, else ONNX Runtime on the CPU")
    precision: Literal["fp32", "fp16", "int8"] = Field("fp32", description="fp16 is TensorRT's, int8 the CPU's")
    engine_cache: Path | None = Field(None, description="folder for built engines; none means the user's own cache")
    engine_process: bool = Field(True, description="models of the family live compute in a process of their own")
    engine_threads: int = Field(1, ge=1, le=256, description="threads inside one engine step")

    # How much
    front_processes: int = Field(1, ge=1, le=64, description="that serve clients; several share the engine (Linux)")
    max_streams: int = Field(64, ge=1, le=4096, description="live streams at once")
    max_clips: int = Field(4, ge=0, le=4096, description="clips at once, beside the live streams")
    max_message_bytes: int = Field(256 * 1024, ge=4096, le=64 * 1024 * 1024, description="largest request message")
    input_bound_s: float = Field(2.0, ge=0.5, le=60, description="audio taken ahead of the engine, a stream")
    outbox_bound_s: float = Field(2.0, ge=0.1, le=60, description="unsent frames kept, a stream")

    # NVIDIA's interface (docs/ace.md)
    ace_port: int | None = Field(None, ge=0, le=65535, description="a second port; clients of it expect 52000")
    ace_model: str = Field("", description="name of the model that its calls get; empty means the first")
    ace_frame_rate: int = Field(30, ge=24, le=60, description="of its answers; Maya-ACE and Unreal count on 30")
    ace_clip_bound_s: float = Field(300.0, gt=0, le=4 * 3600, description="longest call, in seconds of audio")
    ace_upload_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="audio of all its calls that waits unread")
    ace_pace: float | None = Field(None, gt=0, le=1000, description="answers at so many times real time; none: at once")
    ace_rests_at_end: bool = Field(False, description="300 ms of frames and silence behind the audio lead to rest")

    # How long
    start_timeout_s: float = Field(5.0, gt=0, le=3600, description="until the first message of a call")
    idle_timeout_s: float = Field(30.0, gt=0, le=86400, description="without audio")
    max_age_s: float | None = Field(4 * 3600.0, gt=0, description="of a call; none means no limit")
    going_away_notice_s: float = Field(30.0, ge=0, le=3600, description="notice before a call reaches max_age_s")
    drain_grace_s: float = Field(10.0, ge=0, le=3600, description="for streams to finish after SIGTERM")
    stuck_after_s: float = Field(2.0, ge=0.1, le=600, description="an engine step longer than this is given up")

    # What can be seen
    reflection: bool = Field(False, description="lets tools such as grpcurl list the services")
    channelz: bool = Field(False, description="gRPC's own view of its connections; needs grpcio-channelz")
    log_format: Literal["json", "text"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: set both or none")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """All that are served, the default one first."""
        return tuple(dict.fromkeys((self.model, *self.also)))

    @property
    def web_port(self) -> int | None:
        """Where WebSockets and pages are served, if they are."""
        return _VIEWER_PORT if self.viewer and self.websocket_port is None else self.websocket_port

    @classmethod
    def load(cls, config: Path | None = None, **overrides: Any) -> Self:
        """Read everything; raise `InvalidValue` naming the key, the value and what is allowed.

        Overrides that are `None` are left out, so that unset command-line options do not hide the file.
        """
        _refuse_unknown_variables(cls)
        source = type(cls.__name__, (cls,), {"model_config": {**cls.model_config, "toml_file": _readable(config)}})
        try:
            loaded: Self = source(**{key: value for key, value in overrides.items() if value is not None})
        except ValidationError as error:
            raise _first_problem(cls, error) from None
        return loaded

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _readable(config: Path | None) -> Path | None:
    if config is None:
        return None
    try:
        tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValue("config", str(config), f"a readable TOML file ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("config", str(config), f"a TOML file; {error}") from None
    return config


def _refuse_unknown_variables(settings: type[Settings]) -> None:
    known = {ENV_PREFIX + name.upper() for name in settings.model_fields}
    for variable in os.environ:
        if variable.upper().startswith(ENV_PREFIX) and variable.upper() not in known:
            raise InvalidValue(variable, "an unknown variable", _suggestion(variable.upper(), known))


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(sorted(known))}"


def _first_problem(settings: type[Settings], error: ValidationError) -> InvalidValue:
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"]) or "settings"
    if problem["type"] == "extra_forbidden":
        return InvalidValue(name, "an unknown key", _suggestion(name, set(settings.model_fields)))
    received = "the whole" if name == "settings" else repr(problem["input"])
    return InvalidValue(name, received, problem["msg"].removeprefix("Value error, "))

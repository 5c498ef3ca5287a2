"""The configuration: read from the environment and `.env`, checked as a whole before anything starts.

Every setting of the platform is a field here, and each field's description is the text of the table in
docs/configuration.md (`manage.py config_table` writes it), so there is one place to look and none to forget.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]


class ConfigurationInvalid(Exception):
    """The environment holds settings the platform can't start with; the text lists every fault at once."""


class EmbeddedServices(PydanticBaseSettingsSource):
    """Addresses of the services that `manage.py run` started, for commands typed in another terminal.

    The launcher writes `services.json` into the data folder; a variable in the environment always wins.
    """

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        data_dir = Path(self.current_state.get("data_dir") or ROOT / ".data")
        try:
            found = json.loads((data_dir / "services.json").read_text())
        except (OSError, ValueError):
            return {}
        return {name: value for name, value in found.items() if name in self.settings_cls.model_fields}


class Config(BaseSettings):
    """One value of the whole configuration. Build it with `load_config()`, which reports every fault at once."""

    model_config = SettingsConfigDict(
        env_file=os.environ.get("SWITCHBOARD_ENV_FILE", ROOT / ".env"), extra="ignore", env_ignore_empty=True
    )

    database_url: str = Field(
        description="PostgreSQL ≥ 16 with pgvector ≥ 0.8, `postgres://user:password@host:port/name`. "
        "Unset: an embedded PostgreSQL in `DATA_DIR`.",
        default="",
    )
    redis_url: str = Field(
        description="Redis ≥ 6.2 or Valkey, `redis://host:port/0`. Unset: an embedded Redis in `DATA_DIR`.", default=""
    )
    embeddings_url: str = Field(
        description="An OpenAI-compatible base URL whose `/embeddings` returns 384 dimensions. "
        "Unset: the embedder process that `make run` starts.",
        default="",
    )
    embeddings_api_key: SecretStr = Field(
        description="Bearer key for `EMBEDDINGS_URL`, if it wants one.", default=SecretStr("")
    )
    embeddings_model: str = Field(description="Model name sent to `EMBEDDINGS_URL`.", default="all-MiniLM-L6-v2")
    speech_url: str = Field(
        description="Base URL of the speech server that hears and speaks for runtime configs which name no endpoint. "
        "Unset: the one that `make run` starts, which is small and knows English only. Better where a model hub can be "
        "reached: any OpenAI-compatible server, such as speaches with faster-whisper and kokoro, "
        "`http://host:8000/v1`, with its models in `SPEECH_HEARING_MODEL` and `SPEECH_SPEAKING_MODEL`.",
        default="",
    )
    speech_api_key: SecretStr = Field(description="Bearer key for it, if it wants one.", default=SecretStr(""))
    speech_hearing_model: str = Field(
        description="Model that an OpenAI-compatible `SPEECH_URL` transcribes with, such as "
        "`Systran/faster-whisper-small`. Unset: the server is one of ours.",
        default="",
    )
    speech_speaking_model: str = Field(
        description="Model that it speaks with, such as `speaches-ai/Kokoro-82M-v1.0-ONNX`.", default=""
    )
    speech_voice: str = Field(description="Voice that it speaks with, such as `af_heart`.", default="")
    speech_streams: int = Field(
        description="Streams that the speech server started by `make run` hears at once, a process each.",
        default=12,
        ge=1,
        le=256,
    )
    openai_api_key: SecretStr = Field(
        description="The platform's key at OpenAI, for tenants' endpoints without a key of their own. "
        "Sent to the provider's own address alone.",
        default=SecretStr(""),
    )
    anthropic_api_key: SecretStr = Field(description="The same at Anthropic.", default=SecretStr(""))
    google_api_key: SecretStr = Field(description="The same at Google (Gemini API).", default=SecretStr(""))
    groq_api_key: SecretStr = Field(description="The same at Groq.", default=SecretStr(""))
    deepgram_api_key: SecretStr = Field(description="The same at Deepgram.", default=SecretStr(""))
    cartesia_api_key: SecretStr = Field(description="The same at Cartesia.", default=SecretStr(""))
    elevenlabs_api_key: SecretStr = Field(description="The same at ElevenLabs.", default=SecretStr(""))
    rime_api_key: SecretStr = Field(description="The same at Rime.", default=SecretStr(""))
    premium_voices: Annotated[list[str], NoDecode] = Field(
        description="Voices that only premium tenants may use, comma-separated: `rime`, `elevenlabs` (all voices of a "
        "provider), `cartesia:<voice>` (one). Rime's are premium in any case.",
        default=[],
    )
    tenant_requests_per_minute: int = Field(
        description="Model calls that one tenant may make in a minute. 0: as many as it likes. "
        "The limit `model_requests_per_minute` of a tenant overrides it.",
        default=6000,
        ge=0,
        le=1_000_000,
    )
    tenant_tokens_per_minute: int = Field(
        description="The same in tokens, sent and received; the limit `model_tokens_per_minute` overrides it.",
        default=10_000_000,
        ge=0,
        le=1_000_000_000,
    )
    tenant_calls_at_once: int = Field(
        description="Model calls of one tenant that may be under way at once; `model_calls_at_once` overrides it.",
        default=1000,
        ge=0,
        le=100_000,
    )
    tenant_voice_sessions: int = Field(
        description="Voice conversations of one tenant at once, in rooms and over audio websockets alike. 0: as many "
        "as it likes. The limit `voice_sessions_at_once` of a tenant overrides it.",
        default=50,
        ge=0,
        le=100_000,
    )
    data_dir: Path = Field(
        description="Where embedded services, uploads and generated secrets live.", default=ROOT / ".data"
    )
    secret_key: SecretStr = Field(
        description="Signs sessions and links. Unset: generated once into `DATA_DIR/secret_key`.", default=SecretStr("")
    )
    encryption_keys: Annotated[list[SecretStr], NoDecode] = Field(
        description="Comma-separated Fernet keys, newest first, for stored credentials. "
        "Unset: one is generated into `DATA_DIR/encryption_key`.",
        default=[],
    )
    debug: bool = Field(description="Django's debug mode. Never on a machine others can reach.", default=False)
    host: str = Field(description="Address the web server listens on.", default="127.0.0.1")
    port: int = Field(description="Port the web server listens on.", default=8000, ge=1, le=65535)
    platform_host: str = Field(
        description="Hostname of the operators' admin; demo tenants are subdomains of it.", default="localhost"
    )
    web_processes: int = Field(description="Web server processes.", default=1, ge=1, le=64)
    audio_streams: int = Field(
        description="Voice conversations over audio websockets at once, in one web process.", default=20, ge=0, le=1000
    )
    audio_stream_minutes: int = Field(
        description="Longest voice conversation over an audio websocket.", default=60, ge=1, le=24 * 60
    )
    audio_stream_idle_seconds: int = Field(
        description="An audio websocket whose client sends nothing for so long is closed.", default=60, ge=1, le=3600
    )
    audio_stream_preload: bool = Field(
        description="Load the voice libraries (100 MB) when a web process starts, rather than with its first talk.",
        default=False,
    )
    worker_threads: int = Field(description="Concurrent Celery tasks per worker.", default=4, ge=1, le=128)
    database_pool: int = Field(description="Most database connections one process holds.", default=10, ge=2, le=200)
    database_wait_seconds: float = Field(
        description="How long work waits for a database that is away before it fails; in a call it is 3, for there "
        "somebody listens.",
        default=20.0,
        gt=0,
        le=300,
    )
    egress_allow: Annotated[list[str], NoDecode] = Field(
        description="Comma-separated `host:port` or CIDR that agents may reach although they are private, such as an "
        "Ollama on `127.0.0.1:11434`. Everything private is refused otherwise.",
        default=[],
    )
    storage: Literal["local", "s3"] = Field(description="Where uploaded files are kept.", default="local")
    mcp_hosts: Annotated[list[str], NoDecode] = Field(
        description="Hosts at which tenants' tools may use MCP servers, comma-separated: `mcp.example.com`, "
        "`*.example.com`, or `*` for any public one. Unset: none.",
        default_factory=list,
    )
    s3_bucket: str = Field(description="Bucket for `STORAGE=s3`.", default="")
    s3_endpoint_url: str = Field(description="Endpoint for S3 servers other than AWS.", default="")
    livekit_url: str = Field(
        description="A LiveKit server or LiveKit Cloud, `ws://host:7880` or `wss://…`, for meetings. "
        "Unset: there are no meetings; the audio websocket needs none.",
        default="",
    )
    livekit_public_url: str = Field(
        description="The same as browsers reach it, where that is another address.", default=""
    )
    livekit_api_key: str = Field(description="The key at LiveKit.", default="")
    livekit_api_secret: SecretStr = Field(description="The key's secret.", default=SecretStr(""))
    livekit_agent_name: str = Field(
        description="The name under which voice workers register at LiveKit. Platforms that share a LiveKit server "
        "need one each.",
        default="switchboard",
        pattern=r"^[A-Za-z0-9_.-]{1,60}$",
    )
    voice_idle_processes: int = Field(
        description="Processes that a voice worker keeps ready, so that a call is answered at once.",
        default=2,
        ge=0,
        le=64,
    )
    voice_most_load: float = Field(
        description="A voice worker takes no further calls above this share of its processors or memory; 1: it takes "
        "all.",
        default=0.7,
        gt=0,
        le=1,
    )
    voice_most_calls: int = Field(
        description="Most calls of one voice worker at a time; 0: as many as its load allows.", default=0, ge=0
    )
    voice_job_memory_mb: int = Field(
        description="A call whose process takes more memory than this (MB) is ended.", default=1500, ge=200
    )
    voice_return_seconds: int = Field(
        description="How long an agent waits alone in its room for whoever has left, or was cut off, to come back.",
        default=30,
        ge=1,
        le=600,
    )
    voice_call_minutes: int = Field(
        description="Longest call in a room: an agent says goodbye then, and leaves.", default=120, ge=1, le=24 * 60
    )
    voice_drain_seconds: int = Field(
        description="How long a voice worker that is asked to stop lets its calls go on.", default=3600, ge=0
    )
    voice_health_host: str = Field(description="Where a voice worker tells its health.", default="127.0.0.1")
    voice_health_port: int = Field(
        description="`/healthz`: it lives; `/readyz`: it takes calls; `/worker`: how many it has.",
        default=8081,
        ge=1,
        le=65535,
    )
    voice_prometheus_port: int = Field(
        description="Where a voice worker shows its metrics at `/metrics`; 0: nowhere.", default=0, ge=0, le=65535
    )
    upload_limit_mb: int = Field(description="Largest upload, in megabytes.", default=50, ge=1, le=2048)
    login_attempts: int = Field(
        description="Failed sign-ins after which an account is locked for `LOGIN_LOCK_MINUTES`.",
        default=8,
        ge=1,
        le=100,
    )
    login_attempts_per_address: int = Field(
        description="The same for a network address, whatever accounts it tries.", default=50, ge=1, le=10_000
    )
    login_lock_minutes: int = Field(description="How long a lock lasts.", default=15, ge=1, le=24 * 60)
    smtp_host: str = Field(
        description="Mail server for invitations and forgotten passwords. Unset: mails are written to `DATA_DIR/mail`.",
        default="",
    )
    smtp_port: int = Field(description="Its port.", default=587, ge=1, le=65535)
    smtp_user: str = Field(description="User at the mail server, if it wants one.", default="")
    smtp_password: SecretStr = Field(description="Password at the mail server.", default=SecretStr(""))
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        description="How the connection to the mail server is secured.", default="starttls"
    )
    mail_from: str = Field(description="Sender of mails, `Name <address>`.", default="")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        description="Least severe log line kept.", default="INFO"
    )
    log_format: Literal["console", "json"] = Field(
        description="Log lines for people or for machines.", default="console"
    )
    trusted_proxies: int = Field(
        description="Reverse proxies in front whose `X-Forwarded-Proto` and additions to `X-Forwarded-For` "
        "are believed. 0: none.",
        default=0,
        ge=0,
        le=5,
    )

    @field_validator("encryption_keys", "egress_allow", "mcp_hosts", "premium_voices", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgres://", "postgresql://")):
            raise ValueError("must begin with postgres:// or postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("livekit_url", "livekit_public_url")
    @classmethod
    def _is_livekit(cls, value: str) -> str:
        if value and not value.startswith(("ws://", "wss://", "http://", "https://")):
            raise ValueError("must begin with ws://, wss://, http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _livekit_is_whole(self) -> Config:
        if self.livekit_url and not (self.livekit_api_key and self.livekit_api_secret.get_secret_value()):
            raise ValueError("LIVEKIT_URL needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, EmbeddedServices(settings_cls)


def describe_faults(error: ValidationError) -> str:
    """All faults of a configuration, a line each, under the names the environment uses."""
    lines = [
        f"  {'.'.join(str(part) for part in fault['loc']).upper()}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return "The configuration can't be used:\n" + "\n".join(lines) + "\nSee docs/configuration.md and .env.example."


@lru_cache(maxsize=1)
def load_config() -> Config:
    """Read and check the configuration once per process.

    Raises:
        ConfigurationInvalid: with every fault in its text.
    """
    try:
        return Config()
    except ValidationError as error:
        raise ConfigurationInvalid(describe_faults(error)) from None

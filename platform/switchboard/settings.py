"""Django's settings, made from the one checked configuration (`switchboard.config`)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django_stubs_ext

from switchboard.config import ROOT, ConfigurationInvalid, load_config
from switchboard.generated_secrets import encryption_keys, secret_key
from switchboard.launcher.postgres_binaries import embedded_program
from switchboard.logs import logging_settings
from switchboard.process_name import process_name
from switchboard.unfold import UNFOLD, UNFOLD_OPERATORS  # noqa: F401

django_stubs_ext.monkeypatch()

config = load_config()
if not config.database_url or not config.redis_url:
    raise ConfigurationInvalid(
        "There is no database or no Redis: `make run` isn't running here, and DATABASE_URL or REDIS_URL isn't set.\n"
        "Start `make run` first, or set both."
    )

DATA_DIR: Path = config.data_dir
DEBUG = config.debug
SECRET_KEY = secret_key(config)
ENCRYPTION_KEYS = encryption_keys(config)
PLATFORM_HOST = config.platform_host.lower()
# The tenant middleware refuses every hostname that isn't in the directory, which is the stricter check.
ALLOWED_HOSTS = ["*"]
PORT = config.port
DATABASE_POOL = config.database_pool
TRUSTED_PROXIES = config.trusted_proxies

# --- apps -------------------------------------------------------------------------------------------------------------
# A model's table stands in the public schema, in every tenant's, or in both; tests/guards/test_model_homes.py holds the
# list of intents.
_BOTH = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "tenants.staff",
    "tenants.flags",
    "tenants.audit",
]
# `tenants` before django_tenants: its commands win. contenttypes is shared only: Django caches its ids for the
# whole process.
SHARED_APPS = [
    "tenants",
    "django_tenants",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "voice_worker.directory",
    *_BOTH,
]
TENANT_APPS = [
    *_BOTH,
    "tenants.vault",
    "tenants.tokens",
    "tenants.origins",
    "billing",
    "knowledge",
    "agents",
    "conversations",
    "conversations.desk",
    "voice_worker",
]
INSTALLED_APPS = [
    # Its `runserver` speaks ASGI. No other process needs it, and with it come Twisted and Autobahn.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    *SHARED_APPS,
    *[app for app in TENANT_APPS if app not in SHARED_APPS],
    "channels",
    "rest_framework",
    "drf_spectacular",
    "ninja",
    "switchboard",
]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
AUTH_USER_MODEL = "staff.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database ---------------------------------------------------------------------------------------------------------
_database = urlsplit(config.database_url)
DATABASES = {
    "default": {
        "ENGINE": "tenants.postgresql",
        "HOST": _database.hostname or "",
        "PORT": str(_database.port or ""),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "NAME": unquote(_database.path.lstrip("/")),
        "CONN_MAX_AGE": 0,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": process_name(sys.argv),
            "options": "-c hnsw.iterative_scan=relaxed_order -c hnsw.ef_search=100",
            "pool": {
                "min_size": 1,
                "max_size": config.database_pool,
                "timeout": config.database_wait_seconds,
                "max_idle": 120,
            },
        },
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
PG_DUMP = embedded_program("pg_dump") or shutil.which("pg_dump") or "pg_dump"

# --- requests ---------------------------------------------------------------------------------------------------------
MIDDLEWARE = [
    "switchboard.middleware.request_ids",
    "switchboard.middleware.page_policies",
    "tenants.origins.middleware.CorsMiddleware",
    "tenants.middleware.TenantMiddleware",
    "tenants.signed_calls.SignedCallMiddleware",
    "switchboard.middleware.method_refusals",
    "switchboard.middleware.WhiteNoiseMiddleware",
    "switchboard.middleware.SecurityMiddleware",
    "switchboard.middleware.SessionMiddleware",
    "switchboard.middleware.CommonMiddleware",
    "switchboard.middleware.CsrfViewMiddleware",
    "switchboard.middleware.AuthenticationMiddleware",
    "tenants.audit.middleware.ActorMiddleware",
    "switchboard.middleware.MessageMiddleware",
    "switchboard.middleware.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "switchboard.urls"
PUBLIC_SCHEMA_URLCONF = "switchboard.urls_public"
ASGI_APPLICATION = "switchboard.asgi.application"
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
UPLOAD_LIMIT_BYTES = config.upload_limit_mb * 1024 * 1024
MESSAGE_LIMIT_BYTES = 32 * 1024
AUDIO_STREAMS = config.audio_streams
AUDIO_STREAM_MINUTES = config.audio_stream_minutes
AUDIO_STREAM_IDLE_SECONDS = config.audio_stream_idle_seconds
AUDIO_STREAM_PRELOAD = config.audio_stream_preload
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if config.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 30 * 24 * 3600

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "platform" / "switchboard" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

# --- sign-in ----------------------------------------------------------------------------------------------------------
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",  # Argon2id; what is stored otherwise is hashed anew at sign-in
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_ATTEMPTS = config.login_attempts
LOGIN_ATTEMPTS_PER_ADDRESS = config.login_attempts_per_address
LOGIN_LOCK_SECONDS = config.login_lock_minutes * 60
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_ADAPTER = "tenants.staff.signin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# Failed sign-ins are counted by tenants.staff.lockout, which counts many at once as well.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
SOCIALACCOUNT_ADAPTER = "tenants.staff.signin.oidc.SsoAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "tenants.staff.signin.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- mail -------------------------------------------------------------------------------------------------------------
EMAIL_HOST = config.smtp_host
EMAIL_PORT = config.smtp_port
EMAIL_HOST_USER = config.smtp_user
EMAIL_HOST_PASSWORD = config.smtp_password.get_secret_value()
EMAIL_USE_TLS = config.smtp_security == "starttls"
EMAIL_USE_SSL = config.smtp_security == "tls"
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
DEFAULT_FROM_EMAIL = config.mail_from or f"Switchboard <no-reply@{PLATFORM_HOST}>"

# --- Redis, Celery ----------------------------------------------------------------------------------------------------
REDIS_URL = config.redis_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "tenants.cache.tenant_cache_key",
        "OPTIONS": {"socket_timeout": 10, "socket_connect_timeout": 2},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 3600
# Longer than the longest task: Redis hands a task that isn't acknowledged by then to a second worker.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT, "socket_timeout": 20}

# --- files ------------------------------------------------------------------------------------------------------------
if config.storage == "s3":
    _default_storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": config.s3_bucket, "endpoint_url": config.s3_endpoint_url or None},
    }
else:
    _default_storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files", "file_permissions_mode": 0o600},
    }
STORAGES = {
    "default": _default_storage,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- models and embeddings --------------------------------------------------------------------------------------------
EMBEDDINGS_URL = config.embeddings_url
EMBEDDINGS_API_KEY = config.embeddings_api_key.get_secret_value()
EMBEDDINGS_MODEL = config.embeddings_model
SPEECH_URL = config.speech_url
SPEECH_API_KEY = config.speech_api_key.get_secret_value()
SPEECH_HEARING_MODEL = config.speech_hearing_model
SPEECH_SPEAKING_MODEL = config.speech_speaking_model
SPEECH_VOICE = config.speech_voice
EGRESS_ALLOW = config.egress_allow
MCP_HOSTS = config.mcp_hosts
OPENAI_API_KEY = config.openai_api_key.get_secret_value()
ANTHROPIC_API_KEY = config.anthropic_api_key.get_secret_value()
GOOGLE_API_KEY = config.google_api_key.get_secret_value()
GROQ_API_KEY = config.groq_api_key.get_secret_value()
DEEPGRAM_API_KEY = config.deepgram_api_key.get_secret_value()
CARTESIA_API_KEY = config.cartesia_api_key.get_secret_value()
ELEVENLABS_API_KEY = config.elevenlabs_api_key.get_secret_value()
RIME_API_KEY = config.rime_api_key.get_secret_value()
PREMIUM_VOICES = config.premium_voices
TENANT_REQUESTS_PER_MINUTE = config.tenant_requests_per_minute
TENANT_TOKENS_PER_MINUTE = config.tenant_tokens_per_minute
TENANT_CALLS_AT_ONCE = config.tenant_calls_at_once
TENANT_VOICE_SESSIONS = config.tenant_voice_sessions

# --- LiveKit ----------------------------------------------------------------------------------------------------------
LIVEKIT_URL = config.livekit_url
LIVEKIT_PUBLIC_URL = config.livekit_public_url or config.livekit_url
LIVEKIT_API_KEY = config.livekit_api_key
LIVEKIT_API_SECRET = config.livekit_api_secret.get_secret_value()
LIVEKIT_AGENT_NAME = config.livekit_agent_name
VOICE_IDLE_PROCESSES = config.voice_idle_processes
VOICE_MOST_LOAD = config.voice_most_load
VOICE_MOST_CALLS = config.voice_most_calls
VOICE_JOB_MEMORY_MB = config.voice_job_memory_mb
VOICE_RETURN_SECONDS = config.voice_return_seconds
VOICE_CALL_MINUTES = config.voice_call_minutes
VOICE_DRAIN_SECONDS = config.voice_drain_seconds
VOICE_HEALTH_HOST = config.voice_health_host
VOICE_HEALTH_PORT = config.voice_health_port
VOICE_PROMETHEUS_PORT = config.voice_prometheus_port

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.permissions.DeclaredPermissions"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["switchboard.kernel.parsers.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "switchboard.kernel.pagination.NewestFirst",
    "EXCEPTION_HANDLER": "switchboard.kernel.rest.problem_handler",
    "DEFAULT_METADATA_CLASS": None,  # the OpenAPI document says what there is; OPTIONS is for CORS
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Switchboard",
    "VERSION": "1",
    "DESCRIPTION": "Agents, what they know, and the conversations they hold. Errors are RFC 9457 problem details.",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "AgentStatus": "agents.models.Agent.Status",
        "ApiKeyKind": "tenants.models.ApiKey.Kind",
        "ChangeKind": "agents.api.diffs.KINDS",
        "LeadStatus": "conversations.desk.models.Lead.Status",
        "ReservationStatus": "conversations.desk.models.Reservation.Status",
        "DocumentStatus": "knowledge.models.Document.Status",
        "SecretKind": "tenants.vault.models.Secret.Kind",
        "SegmentSide": "agents.api.diffs.SIDES",
    },
}

# --- logs -------------------------------------------------------------------------------------------------------------
LOGGING = logging_settings(level=config.log_level, style=config.log_format)

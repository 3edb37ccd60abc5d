"""Settings, all from the environment: helpers first, then Django's, then the libraries', our own names last.

Every variable is explained in docs/settings.md. A bad value of ours fails as a system check (jobs/running/checks.py).
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import environ

from mattingsite.admin_theme import UNFOLD  # noqa: F401  read by django-unfold
from mattingsite.environment import broker_socket, optional, read_or_create_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Django ---------------------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env("MATTING_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env("SECRET_KEY", default="") or read_or_create_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "mattingsite.urls"
ASGI_APPLICATION = "mattingsite.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "jobs",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "mattingsite.apps.KeylineAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_rq",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "lucide",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
]
MIDDLEWARE = [
    "webserver.parking.ParkingMiddleware",  # first, so that all others see the final answer
    "jobs.api.body_limits.BodyLimitsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jobs.web.context.site",
            ]
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'keyline.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at the start, so that two writers queue up rather than fail half-way.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a database that was restarted meanwhile costs no request

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first, so that who is locked out is not even compared
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Mail -----------------------------------------------------------------------------------------------------------------
EMAIL_IS_CONFIGURED = bool(env("EMAIL_URL", default=""))
if EMAIL_IS_CONFIGURED:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("DEFAULT_FROM_EMAIL", default="keyline@localhost")

# Accounts -------------------------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "jobs.teams.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*" if EMAIL_IS_CONFIGURED else "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_IS_CONFIGURED else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if env.bool("MATTING_HTTPS", default=False) else "http"
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Keyline"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_IS_CONFIGURED  # without mail nothing can be verified
AXES_FAILURE_LIMIT = env.int("MATTING_SIGN_IN_FAILURES", default=5)
_LOCKOUT_MINUTES = env.int("MATTING_LOCKOUT_MINUTES", default=15)
AXES_COOLOFF_TIME = dt.timedelta(minutes=_LOCKOUT_MINUTES)
# Wrong codes of the second factor, by person; axes counts wrong passwords (see jobs.teams.sign_in.AccountAdapter).
ACCOUNT_RATE_LIMITS = {"login_failed": f"{AXES_FAILURE_LIMIT}/{_LOCKOUT_MINUTES}m/key"}
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # by name alone, a stranger could lock anybody out
AXES_USERNAME_CALLABLE = "jobs.teams.sign_in.name_tried"
AXES_CLIENT_IP_CALLABLE = "jobs.teams.caller.client_address"
AXES_LOCKOUT_CALLABLE = "jobs.teams.sign_in.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # the audit trail records sign-ins
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Files ----------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(
    env("MATTING_MEDIA_DIR", default=str(BASE_DIR / "media" if DATA_DIR == BASE_DIR / "var" else DATA_DIR / "media"))
).resolve()
S3_BUCKET = env("MATTING_S3_BUCKET", default="")
_S3_OPTIONS = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env("MATTING_S3_ENDPOINT", default=None),
    "region_name": env("MATTING_S3_REGION", default=None),
    "default_acl": "private",
    "querystring_auth": True,
    "file_overwrite": True,
}
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _S3_OPTIONS}
    if S3_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT, "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_HANDLERS = [
    "jobs.api.body_limits.FileCap",  # before those that keep what it lets pass
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20

# Security -------------------------------------------------------------------------------------------------------------
HTTPS = env.bool("MATTING_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("MATTING_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Queue ----------------------------------------------------------------------------------------------------------------
BROKER_SOCKET = broker_socket(DATA_DIR)
REDIS_URL = env("REDIS_URL", default=f"unix://{BROKER_SOCKET}")
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": env.int("MATTING_PICTURE_TIMEOUT_S", default=180)}
    for name in (
        *("interactive", "default", "batch"),
        *("interactive-downloads", "default-downloads", "batch-downloads"),
        *("webhooks", "slow-webhooks", "upkeep"),
    )
}
CACHES = {
    "default": {
        "BACKEND": "jobs.running.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "keyline:cache",
    }
}
RQ = {"DEFAULT_RESULT_TTL": 0, "FAILURE_TTL": 3600}

# API ------------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["jobs.api.auth.KeyAuthentication", "jobs.api.auth.BrowserSession"],
    "DEFAULT_PERMISSION_CLASSES": ["jobs.api.auth.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Keyline",
    "DESCRIPTION": "Cuts subjects out of pictures: the native API and four published dialects.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # No hook that moves choices into shared components, where they need names: they stay where they are used.
    "POSTPROCESSING_HOOKS": ["jobs.api.schema.problems_named"],
}

# Ours -----------------------------------------------------------------------------------------------------------------
MATTING_MAX_IMAGE_BYTES = env.int("MATTING_MAX_IMAGE_BYTES", default=20 * 2**20)
MATTING_MAX_IMAGE_PIXELS = env.int("MATTING_MAX_IMAGE_PIXELS", default=50_000_000)
MATTING_MAX_IMAGES_PER_JOB = env.int("MATTING_MAX_IMAGES_PER_JOB", default=500)
DATA_UPLOAD_MAX_NUMBER_FILES = MATTING_MAX_IMAGES_PER_JOB + 1  # so that one too many is refused in our own words
MATTING_MAX_ARCHIVE_BYTES = env.int("MATTING_MAX_ARCHIVE_BYTES", default=512 * 2**20)
MATTING_MAX_WAIT_S = env.int("MATTING_MAX_WAIT_S", default=60)
MATTING_RETENTION_HOURS = env.int("MATTING_RETENTION_HOURS", default=24 * 30)
MATTING_LINK_TTL_S = env.int("MATTING_LINK_TTL_S", default=3600)
MATTING_LEASE_S = env.float("MATTING_LEASE_S", default=8.0)
MATTING_SWEEP_INTERVAL_S = env.float("MATTING_SWEEP_INTERVAL_S", default=2.0)
MATTING_MAX_DELIVERIES = env.int("MATTING_MAX_DELIVERIES", default=3)
MATTING_WORKERS = env.int("MATTING_WORKERS", default=max(1, (os.cpu_count() or 2) // 4))
MATTING_DOWNLOADERS = env.int("MATTING_DOWNLOADERS", default=2)
MATTING_PIXEL_PROCESSES = env.bool("MATTING_PIXEL_PROCESSES", default=True)
MATTING_WEIGHTS = env("MATTING_WEIGHTS", default=str(BASE_DIR / "weights" / "keyline-small.safetensors"))
MATTING_WEIGHTS_DIR = Path(env("MATTING_WEIGHTS_DIR", default=str(BASE_DIR / "weights"))).resolve()
MATTING_RUNTIME = env("MATTING_RUNTIME", default="auto")
MATTING_INPUT_ROOTS = env.list("MATTING_INPUT_ROOTS", default=[str(MEDIA_ROOT / "inputs")])
MATTING_OUTPUT_ROOTS = env.list("MATTING_OUTPUT_ROOTS", default=[str(MEDIA_ROOT / "outputs")])
MATTING_FETCH_ALLOW = env.list("MATTING_FETCH_ALLOW", default=[])
MATTING_FETCH_TIMEOUT_S = env.float("MATTING_FETCH_TIMEOUT_S", default=20.0)
MATTING_SIGNUP_OPEN = env.bool("MATTING_SIGNUP_OPEN", default=True)

# What a team may use until the admin gives it a quota of its own; empty means no limit.
MATTING_QUOTA = {
    "images_per_day": optional("MATTING_QUOTA_IMAGES_PER_DAY", int),
    "images_per_month": optional("MATTING_QUOTA_IMAGES_PER_MONTH", int),
    "requests_per_second": optional("MATTING_QUOTA_REQUESTS_PER_SECOND", int, 200),
    "running_tasks": optional("MATTING_QUOTA_RUNNING_TASKS", int),
    "pending_tasks": optional("MATTING_QUOTA_PENDING_TASKS", int),
    "stored_bytes": optional("MATTING_QUOTA_STORED_BYTES", int),
    "max_image_bytes": optional("MATTING_QUOTA_MAX_IMAGE_BYTES", int),
    "max_image_megapixels": optional("MATTING_QUOTA_MAX_IMAGE_MEGAPIXELS", float),
    "retention_hours": optional("MATTING_QUOTA_RETENTION_HOURS", int),
}

# Logs -----------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        # A 503 of /health while the model warms up is an answer, not an error: only exceptions are logged as errors.
        "with_exception": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)}
    },
    "formatters": {"line": {"format": "{asctime} {levelname:7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "rq.worker": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR", "filters": ["with_exception"]},
    },
}

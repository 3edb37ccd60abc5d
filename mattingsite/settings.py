"""Django settings, read from environment variables. Most of Keyline's own variables start with MATTING_.

docs/settings.md explains the variables. jobs/running/checks.py checks values that depend on files or other settings.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
from pathlib import Path

from botocore.config import Config

from jobs.telemetry.logs import FORMATS, logging_settings
from mattingsite.admin_theme import UNFOLD  # noqa: F401  read by django-unfold
from mattingsite.api_libraries import (  # noqa: F401  read by the libraries
    CORS_ALLOW_HEADERS,
    CORS_EXPOSE_HEADERS,
    CORS_PREFLIGHT_MAX_AGE,
    CORS_URLS_REGEX,
    REST_FRAMEWORK,
    SPECTACULAR_SETTINGS,
)
from mattingsite.data_folder import broker_socket, read_or_create_secret
from mattingsite.environment import read_environment
from mattingsite.origins import bucket_origins, origin_of
from mattingsite.packages import is_installed
from mattingsite.sign_on import group_attributes, ldap_apps, ldap_directory, oidc_apps, saml_apps, sign_in_pages
from segmentation.cpus import default_workers
from segmentation.options import Quality
from segmentation.runtimes import MAY_USE_GPUS, RUNTIMES

BASE_DIR = Path(__file__).resolve().parent.parent
env = read_environment()

# Django ---------------------------------------------------------------------------------------------------------------
DEBUG = env.switch("DEBUG", False)
HTTPS = env.switch("MATTING_HTTPS", False)
DATA_DIR = Path(env("MATTING_DATA_DIR", str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env("SECRET_KEY") or read_or_create_secret(DATA_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS", [])  # earlier keys, whose signatures stay valid
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "mattingsite.urls"
ASGI_APPLICATION = "mattingsite.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "jobs",
    "corsheaders",
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
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "lucide",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "jobs.teams.directory",
    "axes",
]
MIDDLEWARE = [
    "webserver.parking.ParkingMiddleware",  # first, so that all other middleware sees the final response
    "jobs.telemetry.requests.RequestsMiddleware",  # sees every response
    "corsheaders.middleware.CorsMiddleware",
    "jobs.api.health.ProbesMiddleware",
    "jobs.api.delivered.DeliveredMiddleware",
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
    "jobs.teams.provider_outage.ProviderOutageMiddleware",
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

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'keyline.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
if str(DATABASES["default"]["ENGINE"]).endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "mattingsite.sqlite3"
    # IMMEDIATE takes the write lock at the start, so that two writers wait instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5} | dict(DATABASES["default"].get("OPTIONS", {}))
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # so that a restart of the database fails no request

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "mattingsite.formats"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_TZ = True

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first, so that the password of a locked account is not compared
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
_MAIL_SERVER = env.email("EMAIL_URL")
EMAIL_IS_CONFIGURED = bool(_MAIL_SERVER)
vars().update(_MAIL_SERVER)
# Requests write mail to the outbox; a worker sends it with the backend that EMAIL_URL names.
MAIL_DELIVERY_BACKEND = _MAIL_SERVER.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_BACKEND = "jobs.mail.backend.Outbox" if EMAIL_IS_CONFIGURED else MAIL_DELIVERY_BACKEND
EMAIL_TIMEOUT = env.number("MATTING_MAIL_TIMEOUT_S", 10.0, minimum=0.1)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.sender("DEFAULT_FROM_EMAIL", "keyline@localhost")

# Accounts -------------------------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "jobs.teams.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*" if EMAIL_IS_CONFIGURED else "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_IS_CONFIGURED else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Keyline"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_IS_CONFIGURED  # without mail no address can be verified
# Single sign-on: a person's groups, as the provider or the directory names them, decide about teams and roles.
LDAP_DIRECTORY = ldap_directory(env)
_OIDC_APPS, _SAML_APPS = oidc_apps(env), saml_apps(env)
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"APPS": _OIDC_APPS},
    "saml": {"APPS": _SAML_APPS},
    "ldap": {"APPS": ldap_apps(env, LDAP_DIRECTORY)},
}
SIGN_ON_GROUPS = group_attributes(env)
GROUP_TEAMS = env.items("MATTING_GROUP_TEAMS", [])
GROUP_STAFF = env.items("MATTING_GROUP_STAFF", [])
if LDAP_DIRECTORY:  # after the others, so that a password of this site keeps working without the directory
    AUTHENTICATION_BACKENDS.append("jobs.teams.directory.backend.DirectoryBackend")
if _SAML_APPS and is_installed("onelogin"):  # the system checks report that the package is missing
    INSTALLED_APPS.append("allauth.socialaccount.providers.saml")
SOCIALACCOUNT_ADAPTER = "jobs.teams.single_sign_on.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"  # the provider has verified it; otherwise no account is connected by it
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
AXES_FAILURE_LIMIT = env.integer("MATTING_SIGN_IN_FAILURES", 5, minimum=1)
_LOCKOUT_MINUTES = env.integer("MATTING_LOCKOUT_MINUTES", 15, minimum=1)
AXES_COOLOFF_TIME = dt.timedelta(minutes=_LOCKOUT_MINUTES)
# Wrong codes of the second factor, per user; axes counts wrong passwords (see jobs.teams.sign_in).
ACCOUNT_RATE_LIMITS = {"login_failed": f"{AXES_FAILURE_LIMIT}/{_LOCKOUT_MINUTES}m/key"}
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # by name alone, anyone could lock any account
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
    env("MATTING_MEDIA_DIR", str(BASE_DIR / "media" if DATA_DIR == BASE_DIR / "var" else DATA_DIR / "media"))
).resolve()
env.export("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # boto3 reads variables, but no files
S3_BUCKET = env.bucket("MATTING_S3_BUCKET")
S3_OPTIONS = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env.url("MATTING_S3_ENDPOINT", "", schemes=("http", "https")) or None,
    "region_name": env("MATTING_S3_REGION") or None,
    "default_acl": None,  # sent without an ACL, files are private; new buckets refuse requests with one
    "querystring_auth": True,
    "file_overwrite": True,
    "client_config": Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2}),
}
# Only the site's own user reads pictures; a web server that sends files itself (X-Accel-Redirect) needs its group.
MEDIA_GROUP_READABLE = env.switch("MATTING_MEDIA_GROUP_READABLE", False)
_FILE_MODES = {
    "file_permissions_mode": 0o640 if MEDIA_GROUP_READABLE else 0o600,
    "directory_permissions_mode": 0o750 if MEDIA_GROUP_READABLE else 0o700,
}
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": S3_OPTIONS}
    if S3_BUCKET
    else {
        "BACKEND": "jobs.results.folder_storage.FolderStorage",
        "OPTIONS": {"location": MEDIA_ROOT, "allow_overwrite": True, **_FILE_MODES},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
SEND_FILES = env.choice("MATTING_SEND_FILES", "direct", ("direct", "nginx", "bucket"))
FILE_UPLOAD_HANDLERS = [
    "jobs.api.body_limits.FileCap",  # first, so that the others store only files that it accepts
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20

# Security -------------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.integer("MATTING_HSTS_SECONDS", 31_536_000) * HTTPS
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.switch("MATTING_HSTS_SUBDOMAINS", True) and HTTPS
SECURE_HSTS_PRELOAD = env.switch("MATTING_HSTS_PRELOAD", True) and HTTPS
BEHIND_PROXY = env.switch("MATTING_BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# With MATTING_SEND_FILES=bucket the pages' pictures come from the bucket's origin.
_FILE_ORIGINS = bucket_origins(S3_OPTIONS) if SEND_FILES == "bucket" else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *_FILE_ORIGINS],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", *_FILE_ORIGINS],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'", *map(origin_of, sign_in_pages(_SAML_APPS, _OIDC_APPS))],  # redirects there
        "frame-ancestors": ["'none'"],
    }
}

# Queue ----------------------------------------------------------------------------------------------------------------
BROKER_SOCKET = broker_socket(DATA_DIR)
REDIS_URL = env.url("REDIS_URL", f"unix://{BROKER_SOCKET}", schemes=("redis", "rediss", "unix"))
_PICTURE_TIMEOUT_S = env.integer("MATTING_PICTURE_TIMEOUT_S", 180, minimum=1)
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": _PICTURE_TIMEOUT_S}
    for name in (
        *("interactive", "default", "batch"),
        *("interactive-downloads", "default-downloads", "batch-downloads"),
        *("webhooks", "slow-webhooks", "mail", "upkeep"),
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
# Origins whose pages may call the APIs with a key and read signed links. Cookies are not sent along.
CORS_ALLOWED_ORIGINS = env.origins("MATTING_CORS_ORIGINS", [])

# Keyline -------------------------------------------------------------------------------------------------------------
MATTING_MAX_IMAGE_BYTES = env.integer("MATTING_MAX_IMAGE_BYTES", 20 * 2**20, minimum=1)
MATTING_MAX_IMAGE_PIXELS = env.integer("MATTING_MAX_IMAGE_PIXELS", 50_000_000, minimum=1)
MATTING_MAX_IMAGES_PER_JOB = env.integer("MATTING_MAX_IMAGES_PER_JOB", 500, minimum=1)
DATA_UPLOAD_MAX_NUMBER_FILES = MATTING_MAX_IMAGES_PER_JOB + 1  # one more, so that Keyline's own check fails first
MATTING_MAX_ARCHIVE_BYTES = env.integer("MATTING_MAX_ARCHIVE_BYTES", 512 * 2**20, minimum=1)
MATTING_MAX_WAIT_S = env.integer("MATTING_MAX_WAIT_S", 60, minimum=1)
MATTING_DISK_RESERVE_BYTES = env.integer("MATTING_DISK_RESERVE_BYTES", 64 * 2**20, minimum=0)
MATTING_RETENTION_HOURS = env.integer("MATTING_RETENTION_HOURS", 24 * 30, minimum=1)
MATTING_LINK_TTL_S = env.integer("MATTING_LINK_TTL_S", 3600, minimum=1)
MATTING_LEASE_S = env.number("MATTING_LEASE_S", 8.0, minimum=2)
MATTING_QUEUE_PICTURES = env.integer("MATTING_QUEUE_PICTURES", 20_000, minimum=1)
MATTING_QUEUE_PICTURES_PER_TEAM = env.integer("MATTING_QUEUE_PICTURES_PER_TEAM", 10_000, minimum=1)
MATTING_QUEUE_WAIT_S = env.number("MATTING_QUEUE_WAIT_S", 30.0, minimum=1.0)
MATTING_FREE_CORRECTIONS = env.integer("MATTING_FREE_CORRECTIONS", 20, minimum=0)
MATTING_TEAM_WINDOW = env.integer("MATTING_TEAM_WINDOW", 2, minimum=1)
MATTING_REPEAT_WINDOW_S = env.number("MATTING_REPEAT_WINDOW_S", 600, minimum=0)
MATTING_SWEEP_INTERVAL_S = env.number("MATTING_SWEEP_INTERVAL_S", 2.0, minimum=0.1)
MATTING_MAX_DELIVERIES = env.integer("MATTING_MAX_DELIVERIES", 3, minimum=1)
MATTING_RUNTIME = env.choice("MATTING_RUNTIME", "auto", RUNTIMES)
MATTING_WORKERS = env.integer(
    "MATTING_WORKERS", default_workers(may_use_gpus=MATTING_RUNTIME in MAY_USE_GPUS), minimum=1
)
MATTING_GPU_PICTURES = env.integer("MATTING_GPU_PICTURES", 4, minimum=1)
MATTING_DOWNLOADERS = env.integer("MATTING_DOWNLOADERS", 2, minimum=1)
MATTING_PIXEL_PROCESSES = env.switch("MATTING_PIXEL_PROCESSES", True)
SHIPPED_WEIGHTS = str(BASE_DIR / "weights" / "keyline-small.safetensors")
MATTING_WEIGHTS = env("MATTING_WEIGHTS", SHIPPED_WEIGHTS)
MATTING_WEIGHTS_DIR = Path(env("MATTING_WEIGHTS_DIR", str(BASE_DIR / "weights"))).resolve()
MATTING_MODEL_THREADS = env.integer("MATTING_MODEL_THREADS", 0, minimum=0)
MATTING_HOST = env("MATTING_HOST", "")
MATTING_QUALITY = env.choice("MATTING_QUALITY", "fast", tuple(Quality))
MATTING_QUALITY_UNITS = env.counts("MATTING_QUALITY_UNITS", tuple(Quality))
MATTING_AUTO_ABOVE = env.number("MATTING_AUTO_ABOVE", 0.2, minimum=0)
MATTING_AUTO_SHARE = env.number("MATTING_AUTO_SHARE", 0.35, minimum=0)
MATTING_AUTO_MAX_S = env.number("MATTING_AUTO_MAX_S", 20.0, minimum=0)
MATTING_MODEL_MEMORY_MB = env.integer("MATTING_MODEL_MEMORY_MB", 0, minimum=0)
MATTING_ACTIVATION_WAIT_S = env.integer("MATTING_ACTIVATION_WAIT_S", 300, minimum=1)
MATTING_MODEL_IDLE_S = env.number("MATTING_MODEL_IDLE_S", 600.0, minimum=1)
MATTING_WORKER_MAX_MB = env.integer("MATTING_WORKER_MAX_MB", 6000, minimum=0)
MATTING_INPUT_ROOTS = env.folders("MATTING_INPUT_ROOTS", [str(MEDIA_ROOT / "inputs")])
MATTING_OUTPUT_ROOTS = env.folders("MATTING_OUTPUT_ROOTS", [str(MEDIA_ROOT / "outputs")])
MATTING_FETCH_ALLOW = env.items("MATTING_FETCH_ALLOW", [])
MATTING_FETCH_TIMEOUT_S = env.number("MATTING_FETCH_TIMEOUT_S", 20.0, minimum=0.1)
MATTING_OPEN_TO = env.items("MATTING_OPEN_TO", [])
MATTING_CONTENT_CHECK = env("MATTING_CONTENT_CHECK")
MATTING_TRIAL_CUTOUTS_PER_HOUR = env.integer("MATTING_TRIAL_CUTOUTS_PER_HOUR", 0, minimum=0)
MATTING_TRIAL_CUTOUTS_PER_ADDRESS = env.integer("MATTING_TRIAL_CUTOUTS_PER_ADDRESS", 1, minimum=1)
MATTING_SIGNUP_OPEN = env.switch("MATTING_SIGNUP_OPEN", True)

# Limits of a team without its own quota; empty means no limit.
MATTING_QUOTA = {
    "images_per_day": env.limit("MATTING_QUOTA_IMAGES_PER_DAY", int),
    "images_per_month": env.limit("MATTING_QUOTA_IMAGES_PER_MONTH", int),
    "requests_per_second": env.limit("MATTING_QUOTA_REQUESTS_PER_SECOND", int, 200, minimum=1),
    "running_tasks": env.limit("MATTING_QUOTA_RUNNING_TASKS", int, minimum=1),
    "pending_tasks": env.limit("MATTING_QUOTA_PENDING_TASKS", int),
    "stored_bytes": env.limit("MATTING_QUOTA_STORED_BYTES", int),
    "max_image_bytes": env.limit("MATTING_QUOTA_MAX_IMAGE_BYTES", int, minimum=1),
    "max_image_megapixels": env.limit("MATTING_QUOTA_MAX_IMAGE_MEGAPIXELS", float, minimum=0.01),
    "retention_hours": env.limit("MATTING_QUOTA_RETENTION_HOURS", int, minimum=1),
}
# Limits of a team that is created by a sign-up; empty means the value of MATTING_QUOTA.
MATTING_SIGNUP_QUOTA = {
    "images_per_day": env.limit("MATTING_SIGNUP_IMAGES_PER_DAY", int, 200),
    "stored_bytes": env.limit("MATTING_SIGNUP_STORED_BYTES", int, 2 * 2**30),
}

# Observation ----------------------------------------------------------------------------------------------------------
LOGGING = logging_settings(
    log_format=env.choice("MATTING_LOG_FORMAT", "text", FORMATS),
    level=env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
)
# The web processes of a host store their metrics in files of this folder; prometheus_client reads the variable when it
# is imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(DATA_DIR / "metrics" / socket.gethostname()))
MATTING_METRICS_TOKEN = env("MATTING_METRICS_TOKEN")
MATTING_METRICS_NETWORKS = env.networks("MATTING_METRICS_NETWORKS")
OTLP_ENDPOINT = env.url("MATTING_OTLP_ENDPOINT", "", schemes=("http", "https"))
TRACE_SHARE = env.number("MATTING_TRACE_SHARE", 1.0, maximum=1.0)
SENTRY_DSN = env.url("MATTING_SENTRY_DSN", "", schemes=("http", "https"))

env.finish()

"""Settings of the API libraries that do not depend on environment variables. mattingsite.settings imports them."""

from mattingsite import __version__

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "jobs.api.auth.KeyAuthentication",
        "jobs.api.auth.BrowserSession",
        "jobs.api.auth.NetworkAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["jobs.api.auth.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "jobs.api.bodies.MarkedJson",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

CORS_URLS_REGEX = r"^/(?!admin/|accounts/|i18n/)"
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "content-disposition", "idempotency-key", "x-api-key"),
    *("if-none-match", "if-range", "range"),  # a dialect registers the headers that only its clients send
]
CORS_EXPOSE_HEADERS = [
    *("Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit"),
    *("RateLimit-Policy", "Retry-After", "Server-Timing", "Accept-Ranges", "Keyline-Notes"),
    *("Keyline-Notes-Translated", "X-Ignored-Fields", "X-Queue-Length", "X-Queue-Seconds", "X-Request-Id"),
]
CORS_PREFLIGHT_MAX_AGE = 3600

SPECTACULAR_SETTINGS = {
    "TITLE": "Keyline",
    "DESCRIPTION": "Cuts subjects out of pictures: the native API and published dialects.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The hook that moves choices into shared components is omitted: choices then need no names.
    "POSTPROCESSING_HOOKS": ["jobs.api.schema.problems_named", "jobs.api.schema_additions.document_completed"],
}

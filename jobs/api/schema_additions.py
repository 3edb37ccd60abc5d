"""Add the health checks and the headers that many responses share to the OpenAPI document.

No view describes these parts of the document.
"""

from __future__ import annotations

from typing import Any

_HEADERS = {
    "X-Request-Id": "Finds the request in the site's logs.",
    "RateLimit": 'What is left of each limit, and the seconds until its window ends: `"requests";r=199;t=1`.',
    "RateLimit-Policy": 'The limits and their windows in seconds: `"requests";q=200;w=1`.',
    "Retry-After": "Seconds until a repetition can succeed; with 429 and 503.",
    "Location": "URL of the job.",
    "Link": "The first, previous, next and last page (RFC 8288).",
    "ETag": "Changes with the content; for If-None-Match.",
    "Idempotent-Replayed": "`true`: the response is made from the job of an earlier request with this Idempotency-Key.",
}
_PROBES = {
    "/health": ("The whole site works, a worker with a loaded model included", True),
    "/health/ready": ("The site can take submissions: database, queue and storage are available", True),
    "/health/live": ("The web server runs", False),
}
_CHECKS = {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "failed"]}}
_HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "degraded"]},
        "checks": _CHECKS,
        "problems": {"type": "object", "additionalProperties": {"type": "string"}},
        "workers": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
        "open_to": {"type": "array", "items": {"type": "string"}},
    },
}


def document_completed(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """Add the health checks and the shared headers to the OpenAPI document `result`, and return the document.

    The schema generator calls this function as a hook.
    """
    components = result["components"]
    components["schemas"]["Health"] = _HEALTH
    components["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                names = _headers_of(operation, status)
                response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    result["paths"] |= {path: {"get": _probe(path, text, fails=fails)} for path, (text, fails) in _PROBES.items()}
    return result


def _headers_of(operation: dict[str, Any], status: str) -> list[str]:
    """Return the names of the shared headers that a response of an API operation has."""
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    headers = ["X-Request-Id"]
    if any(operation.get("security", ())) and operation["operationId"] != "file_get":
        headers += ["RateLimit", "RateLimit-Policy"]
    if status[0] in "45":
        headers.append("Retry-After")
    elif "Idempotency-Key" in parameters:
        headers.append("Idempotent-Replayed")
    if status == "202" and "Idempotency-Key" in parameters:
        headers.append("Location")
    if status == "200" and "page" in parameters:
        headers.append("Link")
    if operation["operationId"] in ("jobs_get", "file_get") and status[0] in "23":
        headers.append("ETag")
    return headers


def _probe(path: str, text: str, *, fails: bool) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Health"}}}
    responses = {"200": {"description": "It does.", "content": content}}
    if fails:
        responses["503"] = {"description": "It does not; `problems` has the reasons.", "content": content}
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "summary": text,
        "tags": ["Health"],
        "security": [{}],
        "responses": responses,
    }

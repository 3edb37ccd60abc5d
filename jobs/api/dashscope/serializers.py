"""DashScope-compatible API: convert request fields to a source, and describe the responses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from jobs.api.dashscope.upload_grants import upload_id_of
from jobs.api.fields import Choice
from jobs.api.links import source_of_url
from jobs.errors import DownloadFailed, NotFound, UrlMalformed
from jobs.intake.selectors import upload_get
from jobs.intake.sources import Source, accept_stored, default_limits
from jobs.teams.actor import Actor
from segmentation.errors import ImageMissing, InvalidParameter
from segmentation.image import Limits
from segmentation.options import CutoutOptions, Method, Output

from .render import MAX_FILE_BYTES, MODEL, TASK_STATUS

UPLOAD_SCHEME = "oss://"
OPTIONS = CutoutOptions(method=Method.INSTANCES, outputs=(Output.MASK, Output.VISUALIZATION))
# The SDK uploads `file://` URLs only from its own arguments, which are sent under these names.
_URL_FIELDS = ("image_url", "base_image_url", "ref_img", "sketch_image_url")
_MOMENT = r"^(19|20)[0-9]{12}$"
_STATUS = {word: status for status, word in TASK_STATUS.items()}


def limits() -> Limits:
    """Return the DashScope-compatible API's limits for a picture: file size, side lengths and formats.

    A worker checks the picture against these limits.
    """
    return default_limits(
        max_bytes=MAX_FILE_BYTES,
        min_side_px=512,
        max_side_px=4096,
        formats=frozenset({"jpeg", "png", "bmp", "webp", "heic"}),
    )


def upload_limits() -> Limits:
    """Return the limits of an upload: the maximum file size. Other limits are checked when a task uses the upload."""
    return default_limits(max_bytes=MAX_FILE_BYTES)


class DashScopeSubmitInputSerializer(serializers.Serializer):
    """The request field `input`, which contains the URL of the picture. The `prompt` that the SDK adds is ignored."""

    also_read = (*_URL_FIELDS, "images")

    image_url = serializers.CharField(help_text="http, https, or the oss:// URL of an upload.")

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            raise InvalidParameter("input must be an object", field="input")
        images = data.get("images")
        found = [data[name] for name in _URL_FIELDS if data.get(name)]
        found += images[:1] if isinstance(images, list) else []
        if not found:
            raise ImageMissing("input.image_url is missing", field="image_url")
        return super().to_internal_value({"image_url": found[0]})


class DashScopeSubmitSerializer(serializers.Serializer):
    """The request fields to submit a task."""

    model = Choice(choices=[MODEL])
    input = DashScopeSubmitInputSerializer()
    parameters = serializers.DictField(required=False, allow_null=True, help_text="This model has none.")

    def to_source(self, actor: Actor) -> Source:
        """Return the source of the picture: the picture at a URL, or the upload that an oss:// URL names.

        Only checks that need no network are made here. Raise UrlMalformed if the URL is not valid, and DownloadFailed
        if the upload does not exist.
        """
        url = self.validated_data["input"]["image_url"].strip()
        if url.startswith(UPLOAD_SCHEME):
            return _uploaded(actor, url.removeprefix(UPLOAD_SCHEME))
        if not url.isascii():
            raise UrlMalformed("The URL holds characters that are not ASCII; percent-encode them.", field="image_url")
        if not url.lower().startswith(("http://", "https://")):
            raise UrlMalformed("The URL begins with none of http://, https:// and oss://.", field="image_url")
        return source_of_url(url)


class DashScopeTaskFilterSerializer(serializers.Serializer):
    """The filters and the page of the list of tasks. Times have the form YYYYMMDDhhmmss, in the site's time zone."""

    page_no = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=10)
    start_time = serializers.RegexField(_MOMENT, required=False)
    end_time = serializers.RegexField(_MOMENT, required=False)
    model_name = serializers.CharField(required=False)
    api_key_id = serializers.CharField(required=False)
    status = Choice(choices=[*TASK_STATUS.values()], required=False)

    def to_filters(self) -> dict[str, Any]:
        """Return the filters by status and time, with the names that `jobs_kept` uses. A missing filter is None."""
        values = self.validated_data
        end = _moment(values.get("end_time"))
        return {
            "status": _STATUS.get(values.get("status", "")),
            "created_after": _moment(values.get("start_time")),
            # The second that `end_time` names is included.
            "created_before": end and end + dt.timedelta(seconds=1),
        }


class DashScopeUploadFormSerializer(serializers.Serializer):
    """The form fields of an upload, with the names that object stores use. Other fields are ignored."""

    policy = serializers.CharField(default="", allow_blank=True)
    Signature = serializers.CharField(default="", allow_blank=True)
    key = serializers.CharField(default="", allow_blank=True, help_text="upload_dir/file-name")
    file = serializers.FileField(required=False, allow_empty_file=True)


class DashScopeTaskMetricsSerializer(serializers.Serializer):
    TOTAL = serializers.IntegerField()
    SUCCEEDED = serializers.IntegerField()
    FAILED = serializers.IntegerField()


class DashScopeInstanceSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text="The value of this person's pixels in the mask.")
    box = serializers.ListField(child=serializers.IntegerField(), help_text="left, top, right, bottom")
    score = serializers.FloatField()
    area = serializers.IntegerField(help_text="Pixels.")


class DashScopeTaskOutputSerializer(serializers.Serializer):
    task_id = serializers.CharField()
    task_status = Choice(choices=[*TASK_STATUS.values(), "UNKNOWN"])
    submit_time = serializers.CharField(required=False)
    scheduled_time = serializers.CharField(required=False)
    end_time = serializers.CharField(required=False)
    output_image_url = serializers.CharField(required=False)
    output_vis_image_url = serializers.CharField(required=False)
    people = serializers.IntegerField(required=False)
    instances = DashScopeInstanceSerializer(many=True, required=False)
    code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    task_metrics = DashScopeTaskMetricsSerializer(required=False)


class DashScopeUsageSerializer(serializers.Serializer):
    image_count = serializers.IntegerField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Succeeded",
            {
                "request_id": "b67df059-ca6a-9d51-afcd-9b3c4456b1e2",
                "output": {
                    "task_id": "d76ec1e8-ea27-4038-8913-235c88ef0f70",
                    "task_status": "SUCCEEDED",
                    "submit_time": "2024-05-16 13:50:01.247",
                    "scheduled_time": "2024-05-16 13:50:01.354",
                    "end_time": "2024-05-16 13:50:02.795",
                    "output_image_url": "http://localhost:8000/files/…",
                    "output_vis_image_url": "http://localhost:8000/files/…",
                    "people": 1,
                    "instances": [{"id": 1, "box": [14, 60, 230, 512], "score": 0.94, "area": 48210}],
                    "task_metrics": {"TOTAL": 1, "SUCCEEDED": 1, "FAILED": 0},
                },
                "usage": {"image_count": 1},
            },
        ),
        OpenApiExample(
            "Failed",
            {
                "request_id": "dccfdf23-b38e-97a6-a07b-f35118c1ada6",
                "output": {
                    "task_id": "4cbabbdf-2c1f-43f4-b983-c2cc47f4c115",
                    "task_status": "FAILED",
                    "submit_time": "2024-05-16 14:15:14.103",
                    "scheduled_time": "2024-05-16 14:15:14.154",
                    "end_time": "2024-05-16 14:15:14.694",
                    "code": "InvalidParameter.FileDownload",
                    "message": "download for input_image error",
                    "task_metrics": {"TOTAL": 1, "SUCCEEDED": 0, "FAILED": 1},
                },
            },
        ),
    ]
)
class DashScopeTaskSerializer(serializers.Serializer):
    request_id = serializers.CharField()
    output = DashScopeTaskOutputSerializer()
    usage = DashScopeUsageSerializer(required=False)


class DashScopeListedTaskSerializer(serializers.Serializer):
    task_id = serializers.CharField()
    status = serializers.CharField()
    model_name = serializers.CharField()
    gmt_create = serializers.IntegerField()
    start_time = serializers.IntegerField(allow_null=True)
    end_time = serializers.IntegerField(allow_null=True)
    api_key_id = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)


class DashScopeTaskPageSerializer(serializers.Serializer):
    request_id = serializers.CharField()
    total = serializers.IntegerField()
    total_page = serializers.IntegerField()
    page_no = serializers.IntegerField()
    page_size = serializers.IntegerField()
    data = DashScopeListedTaskSerializer(many=True)  # type: ignore[assignment]  # the name in the API's JSON


class DashScopeAcknowledgedSerializer(serializers.Serializer):
    request_id = serializers.CharField()


class DashScopePolicyQuerySerializer(serializers.Serializer):
    action = Choice(choices=["getPolicy"])
    model = serializers.CharField(required=False)


class DashScopePolicyDataSerializer(serializers.Serializer):
    policy = serializers.CharField()
    signature = serializers.CharField()
    upload_dir = serializers.CharField()
    upload_host = serializers.CharField()
    expire_in_seconds = serializers.IntegerField()
    max_file_size_mb = serializers.IntegerField()
    capacity_limit_mb = serializers.IntegerField()
    oss_access_key_id = serializers.CharField()
    x_oss_object_acl = serializers.CharField()
    x_oss_forbid_overwrite = serializers.CharField()


class DashScopePolicySerializer(serializers.Serializer):
    request_id = serializers.CharField()
    data = DashScopePolicyDataSerializer()  # type: ignore[assignment]  # the name in the API's JSON


class DashScopeErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    request_id = serializers.CharField()


def _uploaded(actor: Actor, name: str) -> Source:
    """Return the source of the team's upload with this name. Raise DownloadFailed if there is no such upload.

    The worker checks the limits of the DashScope-compatible API later.
    """
    try:
        upload = upload_get(actor, upload_id_of(name))
        return accept_stored(upload.key, name=upload.name)
    except NotFound:
        raise DownloadFailed("There is no such upload, or it has expired.", field="image_url") from None


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        return timezone.make_aware(dt.datetime.strptime(text, "%Y%m%d%H%M%S"))  # noqa: DTZ007  made aware at once
    except ValueError:
        raise InvalidParameter(f"{text} is not a moment as YYYYMMDDhhmmss") from None

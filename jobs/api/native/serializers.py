"""Native API: the fields of requests, read into CutoutOptions, and the JSON of jobs, which is also its schema."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.http import QueryDict
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from jobs.api.fields import Choice, KnownFieldsOnly, ShareOptionField, SwitchField, WholeOptionField
from jobs.errors import ParameterWithoutEffect
from jobs.models import Artifact, Job, JobImage, Status
from jobs.models.dialects import dialect_choices
from jobs.results import storage
from jobs.sentences import explained
from segmentation.errors import InvalidParameter
from segmentation.options import (
    AlphaMode,
    Box,
    CutoutOptions,
    Format,
    Metadata,
    Method,
    Output,
    Point,
    Quality,
    Subject,
)

IMAGES_SHOWN, MAX_IMAGES_SHOWN = 100, 500  # pictures of one job in an answer
LISTED_IMAGES = 20  # of each job in a list
_OPTION_NAMES = tuple(CutoutOptions.__dataclass_fields__)


class BoxesField(serializers.ListField):
    """Accept `[[left, top, right, bottom], …]`; in a form, the same as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Box]:
        if not isinstance(data, list):
            raise InvalidParameter("boxes: a list of [left, top, right, bottom]", field="boxes")
        return [Box.parse(box) for box in data]


class PointsField(serializers.ListField):
    """Take `[[x, y, 1], [x, y, 0], …]`, 1 to keep and 0 to remove; in a form the same as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Point]:
        if not isinstance(data, list):
            raise InvalidParameter("points: a list of [x, y, 1] or [x, y, 0]", field="points")
        return [Point.parse(point) for point in data]


def json_in(name: str | None, dictionary: Any) -> Any:
    """Return a field as sent, read as JSON where a form sent it as text; raise InvalidParameter for bad JSON."""
    value = dictionary.get(name, serializers.empty)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise InvalidParameter(f"{name}: not valid JSON", field=str(name)) from None
    return value


class OutputsField(serializers.ListField):
    """Accept a list, or in a form one comma-separated string."""

    child = Choice(choices=list(Output))

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class PeopleField(serializers.ListField):
    """Accept a list of ids; a form repeats the field or sends one comma-separated string, empty for no ids."""

    child = serializers.IntegerField(min_value=1, max_value=255)

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            value = ",".join(dictionary.getlist(self.field_name))
        else:
            value = dictionary.get(self.field_name, serializers.empty)
        if isinstance(value, str):
            return value.split(",") if value.strip() else []
        return value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class CutoutOptionsSerializer(serializers.Serializer):
    """Describe the options of a cutout; defaults and ranges come from CutoutOptions."""

    method = Choice(choices=list(Method), required=False, help_text="auto finds the subject.")
    boxes = BoxesField(required=False, help_text="Pixels of the upright picture: [left, top, right, bottom] each.")
    points = PointsField(
        required=False,
        help_text="Pixels of the upright picture: [x, y, 1] keeps what lies there, [x, y, 0] removes it. Alone they "
        "select the subject; with method `auto` or with boxes they correct what these find.",
    )
    subject = Choice(choices=list(Subject), required=False)
    quality = Choice(
        choices=list(Quality),
        required=False,
        help_text="Which model answers; without it the default of the team. auto: fine where fast is uncertain.",
    )
    alpha_mode = Choice(choices=list(AlphaMode), required=False)
    threshold = WholeOptionField("threshold", required=False)
    erosion = WholeOptionField("erosion", required=False)
    feathering = SwitchField(required=False)
    decontaminate = SwitchField(required=False)
    refine = SwitchField(required=False)
    outputs = OutputsField(required=False)
    format = Choice(choices=list(Format), required=False)
    metadata = Choice(
        choices=list(Metadata), required=False, help_text="keep: EXIF without the place; keep_gps: with it."
    )
    background = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=20)
    crop = SwitchField(required=False)
    crop_margin = ShareOptionField("crop_margin", required=False)

    def to_options(self) -> CutoutOptions:
        """Build the options from the validated fields."""
        values = {name: value for name, value in self.validated_data.items() if name in _OPTION_NAMES}
        values["background"] = values.get("background") or None
        for name in ("outputs", "boxes"):
            if name in values:
                values[name] = tuple(values[name])
        if "method" not in values and values.get("boxes"):
            values["method"] = Method.BOXES
        elif "method" not in values and values.get("points"):
            values["method"] = Method.POINTS
        return CutoutOptions(**values)


class JobRequestSerializer(KnownFieldsOnly, CutoutOptionsSerializer):
    """Describe `POST /api/jobs/`: pictures as files (`image`, repeatable) or as base64, and the options."""

    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        write_only=True,
        help_text="One or many files (multipart).",
    )
    zip = serializers.FileField(
        required=False, allow_empty_file=True, write_only=True, help_text="Pictures in one .zip (multipart)."
    )
    image_base64 = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False),
        required=False,
        help_text="One or many pictures in base64 (JSON); a single string is accepted too.",
    )
    image_url = serializers.ListField(
        child=serializers.CharField(max_length=2048), required=False, help_text="One or many URLs of pictures."
    )
    upload = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Ids of pictures sent to /api/uploads/ before."
    )
    callback_url = serializers.CharField(max_length=2048, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which rejects it with a message
        values = {name: data[name] for name in data}
        if hasattr(data, "getlist"):
            for name in ("image", "image_base64", "image_url", "upload"):
                if name in data:
                    values[name] = data.getlist(name)
        for name in ("image_base64", "image_url", "upload"):
            if isinstance(values.get(name), str):
                values[name] = [values[name]]
        return super().to_internal_value(values)


class JobFormSerializer(JobRequestSerializer):
    """Describe `POST /api/jobs/` as a form; for the OpenAPI document."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        del fields["image_base64"]
        fields |= {
            "image_url": serializers.CharField(required=False, help_text="URL of a picture; may be repeated."),
            "upload": serializers.UUIDField(required=False, help_text="Id from /api/uploads/; may be repeated."),
            "boxes": serializers.CharField(required=False, help_text="[[left, top, right, bottom], …] as JSON."),
            "outputs": serializers.CharField(required=False, help_text=f"Comma-separated: {', '.join(Output)}."),
        }
        return fields


class JobJsonSerializer(JobRequestSerializer):
    """Describe `POST /api/jobs/` as JSON; for the OpenAPI document."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        del fields["image"], fields["zip"]
        return fields


class AgainRequestSerializer(KnownFieldsOnly, CutoutOptionsSerializer):
    """Describe a new run of the model on a stored picture."""

    position = serializers.IntegerField(
        min_value=0, required=False, help_text="Which picture of the job, from 0; by default the first that is left."
    )


class VariantRequestSerializer(AgainRequestSerializer):
    """Describe a new rendering of a finished picture; the model does not run again."""

    keep = SwitchField(default=False, help_text="Store the rendering and answer its link.")
    brush = serializers.FileField(
        required=False, help_text="A gray PNG drawn over the alpha: 0 erases, 255 restores, 128 keeps."
    )
    for_screen = SwitchField(default=False, help_text="Render at screen size, faster; not for downloads.")
    people = PeopleField(required=False, help_text="Which people of an `instances` job to keep, by id.")

    def require_effect(self, submitted: CutoutOptions) -> None:
        """Raise ParameterWithoutEffect for a changed option that only a new run of the model can apply."""
        values = self.validated_data
        for name in ("boxes", "method", "subject", "refine"):
            if name in values and _plain(values[name]) != _plain(getattr(submitted, name)):
                raise ParameterWithoutEffect(
                    f"{name}: a variant cannot change it; send it to `again`, which runs the model",
                    field=name,
                )


class JobFilterSerializer(KnownFieldsOnly, serializers.Serializer):
    """Describe the filters and the page of `GET /api/jobs/`."""

    status = Choice(choices=Status.choices, required=False)
    dialect = Choice(choices=dialect_choices(), required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    uncertainty_from = serializers.FloatField(
        required=False, min_value=0, max_value=1, help_text="Jobs with a picture at least this uncertain."
    )
    order = serializers.ChoiceField(
        choices=["newest", "uncertain"], default="newest", help_text="uncertain: review these first."
    )
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)


def with_query(request: Request, *, without: tuple[str, ...] = ()) -> Any:
    """Return the body's fields, and those that only the query has; a body that is not an object is left as it is."""
    query = {name: value for name, value in request.query_params.items() if name not in without}
    data = request.data
    if not query or not isinstance(data, Mapping):
        return data
    if isinstance(data, QueryDict):
        merged = data.copy()
        for name, value in query.items():
            if name not in merged:
                merged[name] = str(value)
        return merged
    return query | dict(data)


def in_format(body: CutoutOptionsSerializer, preferred: Format | None) -> CutoutOptions:
    """Return the options of a request, in the format that Accept prefers unless the request names one."""
    options = body.to_options()
    if preferred is None or "format" in body.validated_data:
        return options
    return replace(options, format=preferred)


# Answers --------------------------------------------------------------------------------------------------------------


class MomentField(serializers.DateTimeField):
    """Write a moment in UTC, whatever the site's time zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=dt.UTC, **options)


class FileSerializer(serializers.ModelSerializer):
    """Describe one stored file; `url` is a signed link that opens it until it expires."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Artifact
        fields = ["kind", "url", "content_type", "bytes", "width", "height"]

    def get_url(self, artifact: Artifact) -> str:
        context = self.context
        return storage.link_to(artifact, base_url=context.get("base_url", ""), ttl_s=context.get("link_ttl_s"))


class ErrorSerializer(serializers.Serializer):
    """Describe the error that a job or a picture ended with; null without one."""

    code = serializers.CharField(source="error_code")
    detail = serializers.SerializerMethodField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"source": "*", "read_only": True, "allow_null": True, **options})

    def get_detail(self, failed: Any) -> str:
        return explained(failed.error_code, failed.error_message)

    def to_representation(self, failed: Any) -> Any:
        return super().to_representation(failed) if failed.error_code else None


class ImageSerializer(serializers.Serializer):
    """Describe one picture of a job, with its files."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Status.choices)
    error = ErrorSerializer()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    foreground = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="[left, top, right, bottom] of the subject."
    )
    subject = serializers.CharField(allow_blank=True)
    uncertainty = serializers.FloatField(
        allow_null=True, help_text="0..1, the undecided share of the subject: review high ones first."
    )
    instances = serializers.ListField(child=serializers.DictField())
    notes = serializers.ListField(child=serializers.CharField())
    timings_ms = serializers.DictField(child=serializers.FloatField())
    model = serializers.CharField(source="model_version", allow_blank=True)
    tier = serializers.CharField(allow_blank=True, help_text="fast, fine or trial.")
    model_reason = serializers.CharField(
        allow_blank=True, help_text="quality, certain, uncertain, share, time, memory, missing or trial."
    )
    files = FileSerializer(source="artifacts", many=True)


class JobSerializer(serializers.Serializer):
    """Describe a job with its pictures."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    dialect = serializers.CharField()
    options = serializers.DictField()
    error = ErrorSerializer()
    created_at = MomentField()
    started_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)
    expires_at = MomentField(allow_null=True)
    images_total = serializers.IntegerField()
    images_succeeded = serializers.IntegerField()
    images_failed = serializers.IntegerField()
    images = ImageSerializer(source="shown", many=True)
    images_next = serializers.CharField(
        allow_null=True, read_only=True, help_text="URL of the job with its next pictures; null: these are the last."
    )


class JobPageSerializer(serializers.Serializer):
    """Describe one page of the list of jobs."""

    count = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = JobSerializer(many=True)


class ImagePageSerializer(KnownFieldsOnly, serializers.Serializer):
    """Describe which pictures of a job are shown."""

    also_known = ("wait",)

    images_page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    images_page_size = serializers.IntegerField(min_value=1, max_value=MAX_IMAGES_SHOWN, default=IMAGES_SHOWN)


def job_document(
    job: Job,
    *,
    base_url: str,
    page: int = 1,
    page_size: int = IMAGES_SHOWN,
    images: Sequence[JobImage] | None = None,
) -> dict[str, Any]:
    """Build the JSON of a job with one page of its pictures, or with `images`, and links that open their files."""
    if images is not None:
        context = {"base_url": base_url}
        serializer = JobSerializer(job, context=context)
        del serializer.fields["images"]
        del serializer.fields["images_next"]
        shown = ImageSerializer(images, many=True, context=context).data
        return {**serializer.data, "images": shown, "images_next": None}
    return job_documents([job], base_url=base_url, page=page, page_size=page_size)[0]


def job_documents(
    jobs: Sequence[Job], *, base_url: str, page: int = 1, page_size: int = IMAGES_SHOWN
) -> list[dict[str, Any]]:
    """Build the JSON of several jobs, each with one page of its pictures; the queries do not grow with their number."""
    first = (page - 1) * page_size
    shown = JobImage.objects.order_by("position")[first : first + page_size + 1]
    prefetch_related_objects(jobs, Prefetch("images", shown, to_attr="shown"), "shown__artifacts")
    documents = []
    for job in jobs:
        pictures: list[JobImage] = getattr(job, "shown")  # noqa: B009  the prefetch adds it
        query = urlencode({"images_page": page + 1, "images_page_size": page_size})
        after = f"{base_url}{reverse('job', kwargs={'job_id': job.pk})}?{query}"
        setattr(job, "images_next", after if len(pictures) > page_size else None)  # noqa: B010
        del pictures[page_size:]
        documents.append(dict(JobSerializer(job, context={"base_url": base_url}).data))
    return documents


def file_document(artifact: Artifact, *, base_url: str, link_ttl_s: int | None = None) -> dict[str, Any]:
    """Build the JSON of one stored file, with a signed link."""
    return dict(FileSerializer(artifact, context={"base_url": base_url, "link_ttl_s": link_ttl_s}).data)

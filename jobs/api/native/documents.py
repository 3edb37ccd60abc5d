"""Native API: build the JSON of jobs, files and versions, and describe it for the OpenAPI document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from rest_framework import serializers

from jobs.api.fields import KnownFieldsOnly
from jobs.models import Artifact, Job, JobImage, Status, Version
from jobs.results import storage
from jobs.sentences import explained
from jobs.versions.corrections import corrections_left
from jobs.versions.selectors import FIRST, thumbnail_of, versions_of

IMAGES_SHOWN, MAX_IMAGES_SHOWN = 20, 500  # pictures of one job in a response


class MomentField(serializers.DateTimeField):
    """Field for a time. The output is in UTC and does not depend on the site's time zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=dt.UTC, **options)


class FileSerializer(serializers.ModelSerializer):
    """One stored file. `url` is a signed link to the file. The link is valid for a limited time."""

    url = serializers.SerializerMethodField()

    name = serializers.CharField(source="file_name", help_text="The file's name; of a recipe's file as it chose it.")

    class Meta:
        model = Artifact
        fields = ["kind", "name", "url", "content_type", "bytes", "width", "height"]

    def get_url(self, artifact: Artifact) -> str:
        context = self.context
        return storage.link_to(artifact, base_url=context.get("base_url", ""), ttl_s=context.get("link_ttl_s"))


class ErrorSerializer(serializers.Serializer):
    """The error of a failed job or picture; null if there is none."""

    code = serializers.CharField(source="error_code")
    detail = serializers.SerializerMethodField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"source": "*", "read_only": True, "allow_null": True, **options})

    def get_detail(self, failed: Any) -> str:
        return explained(failed.error_code, failed.error_message)

    def to_representation(self, failed: Any) -> Any:
        return super().to_representation(failed) if failed.error_code else None


class ImageSerializer(serializers.Serializer):
    """One picture of a job, with its result files."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Status.choices)
    error = ErrorSerializer()
    settings = serializers.DictField(help_text="Options of this picture that differ from its job's.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    foreground = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="[left, top, right, bottom] of the subject."
    )
    subject = serializers.CharField(allow_blank=True)
    uncertainty = serializers.FloatField(
        allow_null=True,
        help_text="0..1, how undecided the alpha is, or how little was found: review high first.",
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


class UsedRecipeSerializer(serializers.Serializer):
    """A recipe (rules that finish a picture) that a job uses."""

    name = serializers.CharField()
    version = serializers.IntegerField()


class JobSerializer(serializers.Serializer):
    """A job with its pictures."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    dialect = serializers.CharField()
    options = serializers.DictField()
    corrects = serializers.UUIDField(
        source="corrects_id", allow_null=True, help_text="The picture that this job is another version of."
    )
    recipes = UsedRecipeSerializer(many=True)
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


class VersionSerializer(serializers.Serializer):
    """One version of a picture: the first result (number 1), a later run of the model, or a saved edit."""

    number = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    created_at = MomentField()
    is_shown = serializers.BooleanField(help_text="Whether it stands for the picture in lists and zips.")
    is_saved_by_hand = serializers.BooleanField(help_text="false: a run of the model.")
    job = serializers.UUIDField(help_text="The job whose result it is made from.")
    method = serializers.CharField(help_text="How that job found the subject.")
    thumbnail = serializers.CharField(allow_blank=True, help_text="Signed link to a small picture.")
    file = FileSerializer(allow_null=True, help_text="The saved rendering; null for a run of the model.")


class OpenedVersionSerializer(VersionSerializer):
    """One version of a picture, with the saved edit and the job that the editor needs to show the version."""

    edit = serializers.DictField(help_text="Settings, people left out and strokes, as they were saved.")
    result = JobSerializer(help_text="The job that it is made from, with this picture alone.")


class VersionsSerializer(serializers.Serializer):
    """All versions of a picture: the first result, later runs of the model, and saved edits."""

    free_corrections_left = serializers.IntegerField(help_text="How many more runs of the model cost nothing.")
    versions = VersionSerializer(many=True)


class JobPageSerializer(serializers.Serializer):
    """One page of the list of jobs."""

    count = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = JobSerializer(many=True)


class ImagePageSerializer(KnownFieldsOnly, serializers.Serializer):
    """Query parameters that select one page of a job's pictures."""

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
    """Return the JSON of a job with links to its files.

    The JSON contains one page of the job's pictures, or the pictures in `images` if they are given.

    base_url: the site's URL, which is the beginning of each link.
    page: the number of the page, from 1.
    """
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
    """Return the JSON of several jobs, each with one page of its pictures.

    The number of database queries does not depend on the number of jobs.

    base_url: the site's URL, which is the beginning of each link.
    page: the number of the page, from 1.
    """
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
    """Return a JSON object that describes one stored file: kind, name, type, size and a signed link.

    base_url: the site's URL, which is the beginning of the link.
    link_ttl_s: for how many seconds the link is valid; None: for MATTING_LINK_TTL_S seconds.
    """
    return dict(FileSerializer(artifact, context={"base_url": base_url, "link_ttl_s": link_ttl_s}).data)


def versions_document(image: JobImage, *, base_url: str) -> dict[str, Any]:
    """Return the JSON of all versions of a picture, including the first result.

    base_url: the site's URL, which is the beginning of each link.
    """
    versions: list[Version | None] = [None, *versions_of(image)]
    shown = [version_document(image, version, base_url=base_url) for version in versions]
    return {"free_corrections_left": corrections_left(image), "versions": shown}


def version_document(image: JobImage, version: Version | None, *, base_url: str) -> dict[str, Any]:
    """Return the JSON of one version of a picture.

    version: None means the first result of the picture.
    base_url: the site's URL, which is the beginning of each link.
    """
    job = (version and version.run) or image.job
    thumbnail = thumbnail_of(image, version)
    file = version.file if version is not None else None
    return {
        "number": version.number if version else FIRST,
        "name": version.name if version else "",
        "created_at": MomentField().to_representation(version.created_at if version else image.job.created_at),
        "is_shown": image.shown_version_id == (version.pk if version else None),
        "is_saved_by_hand": version is not None and version.is_saved_by_hand,
        "job": str(job.pk),
        "method": job.options.get("method", ""),
        "thumbnail": storage.link_to(thumbnail, base_url=base_url) if thumbnail else "",
        "file": file_document(file, base_url=base_url) if file else None,
    }

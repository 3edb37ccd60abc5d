"""UNet matting API: convert request fields to CutoutOptions and sources, and describe the responses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers

from jobs.api.fields import Choice, SwitchField, WholeOptionField
from jobs.intake import archives
from jobs.intake.sources import Source, accept_or_refuse, accept_upload, check_count
from segmentation.errors import ImageMissing, InvalidParameter
from segmentation.image import Limits
from segmentation.options import AlphaMode, Color, CutoutOptions, Format, Output


class UNetOptionsSerializer(serializers.Serializer):
    """The request fields that single pictures and batches have in common."""

    bg_color = serializers.CharField(default="#ffffff", max_length=20, help_text="Used only with jpeg.")
    output_format = Choice(choices=["png", "jpeg"], default="png")
    save_alpha = SwitchField(default=False, help_text="Also write the alpha mask as its own file.")
    alpha_threshold = WholeOptionField("threshold", default=10)
    edge_feathering = SwitchField(default=True)
    edge_erosion = WholeOptionField("erosion", default=1)
    alpha_mode = Choice(choices=["binary", "soft"], default="binary", help_text="soft keeps hair.")

    def to_options(self) -> CutoutOptions:
        """Return the options of the cutout. A JPEG has the background colour `bg_color`; a PNG is transparent."""
        values = self.validated_data
        color = Color.parse(values["bg_color"], field_name="bg_color")
        is_jpeg = values["output_format"] == "jpeg"
        is_soft = values["alpha_mode"] == "soft"
        return CutoutOptions(
            alpha_mode=AlphaMode(values["alpha_mode"]),
            threshold=values["alpha_threshold"],
            erosion=values["edge_erosion"],
            feathering=values["edge_feathering"],
            decontaminate=is_soft,
            format=Format.JPEG if is_jpeg else Format.PNG,
            background=color if is_jpeg else None,
            outputs=(Output.CUTOUT, Output.MASK) if values["save_alpha"] else (Output.CUTOUT,),
        )


class UNetSingleSerializer(UNetOptionsSerializer):
    """The request fields of `POST /api/matting/single`."""

    image = serializers.FileField(required=False, allow_empty_file=True, help_text="JPG, PNG, WebP, BMP or TIFF.")

    def to_source(self) -> Source:
        return accept_upload(self.validated_data.get("image"))


class UNetBatchSerializer(UNetOptionsSerializer):
    """The request fields of every batch, whether its pictures are uploaded or in a folder of the server."""

    keep_names = SwitchField(default=False, help_text="Name the results after their pictures.")


class UNetFolderSerializer(UNetBatchSerializer):
    """The request fields of `POST /api/matting/batch` as JSON. The pictures are in a folder of the server."""

    input_dir = serializers.CharField(max_length=1024, trim_whitespace=False, help_text="Under an allowed input root.")
    output_dir = serializers.CharField(
        max_length=1024, trim_whitespace=False, help_text="Under an allowed output root; created when missing."
    )


class UNetUploadSerializer(UNetBatchSerializer):
    """The request fields of `POST /api/matting/batch` as a multipart form with many pictures or one zip of pictures."""

    images = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, help_text="Many files, or one .zip."
    )
    zip = serializers.FileField(required=False, allow_empty_file=True, help_text="Pictures in one .zip.")

    def to_sources(self, limits: Limits) -> list[Source]:
        """Return the sources of the pictures.

        A file that is not a picture or exceeds `limits` becomes a RefusedSource, which is a failed picture of the job.
        Raise ImageMissing if there is no file. Raise InvalidParameter for an invalid zip, and for a zip together with
        other files.
        """
        files = [*self.validated_data.get("images", [])]
        if "zip" in self.validated_data:
            files.append(self.validated_data["zip"])
        bundled = [file for file in files if _is_zip(file)]
        if "zip" in self.validated_data and not _is_zip(self.validated_data["zip"]):
            raise InvalidParameter("zip: not a zip archive", field="zip")
        if bundled and len(files) > 1:
            raise InvalidParameter("images: send pictures or one .zip, not both", field="images")
        if bundled:
            return archives.sources_in(
                bundled[0].file,
                limits=limits,
                archive_limits=archives.archive_limits(),
                field="zip" if "zip" in self.validated_data else "images",
            )
        if not files:
            raise ImageMissing(field="images")
        check_count(len(files))
        return list(_checked(files, limits))


def _checked(files: Iterable[UploadedFile], limits: Limits) -> Iterable[Source]:
    for file in files:
        yield accept_or_refuse(partial(accept_upload, file, limits=limits), name=file.name or "")


def _is_zip(file: UploadedFile) -> bool:
    file.seek(0)
    head = file.read(len(archives.SIGNATURE))
    file.seek(0)
    return head in (archives.SIGNATURE, archives.EMPTY_SIGNATURE)


class UNetReloadSerializer(serializers.Serializer):
    """The request fields of `POST /api/model/reload`."""

    model_path = serializers.CharField(max_length=1024, trim_whitespace=False, help_text="Inside the weights folder.")


# Responses ------------------------------------------------------------------------------------------------------------


class SizeField(serializers.ListField):
    """The size of a picture in pixels, as `[width, height]`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.IntegerField(), min_length=2, max_length=2, **options)


class UNetSingleResultSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["success"])
    result_path = serializers.CharField(help_text="Under the mounted output folder, or under the media root.")
    alpha_path = serializers.CharField(required=False, help_text="With save_alpha.")
    processing_time_ms = serializers.IntegerField()
    original_size = SizeField(help_text="[width, height]")
    output_size = SizeField(help_text="[width, height]")
    result_url = serializers.CharField(help_text="Opens the file until the link expires.")
    alpha_url = serializers.CharField(required=False)
    notes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Where nothing was found: says so."
    )


class UNetRawAlphaSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["success"])
    alpha_map_base64 = serializers.CharField(help_text="Little-endian float32, C order, 0..1.")
    shape = SizeField(help_text="[height, width]")
    dtype = serializers.ChoiceField(choices=["float32"])
    processing_time_ms = serializers.IntegerField()
    notes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Where nothing was found: says so."
    )


class UNetSubmittedSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["submitted"])
    task_id = serializers.CharField()
    input_count = serializers.IntegerField()
    estimated_time_sec = serializers.IntegerField()
    output_dir = serializers.CharField()


class UNetFileSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="As it was sent.")
    status = serializers.ChoiceField(choices=["submitted", "processing", "completed", "failed"])
    result_path = serializers.CharField(required=False)
    alpha_path = serializers.CharField(required=False)
    error = serializers.CharField(required=False)
    code = serializers.CharField(required=False)


class UNetTaskSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["submitted", "processing", "completed", "failed"])
    processed = serializers.IntegerField(help_text="Pictures that succeeded so far.")
    failed = serializers.IntegerField(help_text="Pictures that failed so far.")
    output_dir = serializers.CharField()
    zip_path = serializers.CharField(required=False, help_text="When completed.")
    zip_url = serializers.CharField(required=False, help_text="Opens the zip until the link expires.")
    total_time_ms = serializers.IntegerField(required=False, help_text="From submission to end.")
    error = serializers.CharField(required=False, help_text="When failed.")
    code = serializers.CharField(required=False)
    files = UNetFileSerializer(many=True)


class UNetModelSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["success"])
    model_path = serializers.CharField(help_text="Inside the weights folder.")
    model = serializers.CharField()
    sha256 = serializers.CharField()
    previous = serializers.CharField(allow_null=True, help_text="The file that served before, null for the built-in.")


class UNetErrorSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["error"])
    error = serializers.CharField()
    code = serializers.CharField()

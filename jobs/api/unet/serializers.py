"""Stage 2, parameters: the UNet dialect's fields, from the wire to CutoutOptions."""

from __future__ import annotations

from rest_framework import serializers

from segmentation.options import AlphaMode, Color, CutoutOptions, Format, Output


class UNetOptionsSerializer(serializers.Serializer):
    """Describe the fields that `single` and `batch` share; booleans arrive as words in any case, or as 1 and 0."""

    bg_color = serializers.CharField(default="#ffffff", max_length=20, help_text="Used only with jpeg.")
    output_format = serializers.ChoiceField(choices=["png", "jpeg"], default="png")
    save_alpha = serializers.BooleanField(default=False)
    alpha_threshold = serializers.IntegerField(min_value=0, max_value=50, default=10)
    edge_feathering = serializers.BooleanField(default=True)
    edge_erosion = serializers.IntegerField(min_value=0, max_value=5, default=1)
    alpha_mode = serializers.ChoiceField(choices=["binary", "soft"], default="binary")

    def to_options(self) -> CutoutOptions:
        """Build the options; JPEG is drawn on `bg_color`, PNG keeps the photo's own colour with the alpha."""
        values = self.validated_data
        color = Color.parse(values["bg_color"], field_name="bg_color")
        is_jpeg = values["output_format"] == "jpeg"
        soft = values["alpha_mode"] == "soft"
        return CutoutOptions(
            alpha_mode=AlphaMode(values["alpha_mode"]),
            threshold=values["alpha_threshold"],
            erosion=values["edge_erosion"],
            feathering=values["edge_feathering"],
            decontaminate=soft,
            format=Format.JPEG if is_jpeg else Format.PNG,
            background=color if is_jpeg else None,
            outputs=(Output.CUTOUT, Output.MASK) if values["save_alpha"] else (Output.CUTOUT,),
        )


class UNetSingleSerializer(UNetOptionsSerializer):
    """Describe `POST /api/matting/single`."""

    image = serializers.FileField(required=False, allow_empty_file=True, help_text="JPG, PNG, WebP, BMP or TIFF.")


class UNetSingleResultSerializer(serializers.Serializer):
    status = serializers.CharField()
    result_path = serializers.CharField(required=False)
    alpha_path = serializers.CharField(required=False)
    result_url = serializers.CharField(required=False)
    alpha_url = serializers.CharField(required=False)
    processing_time_ms = serializers.IntegerField()
    original_size = serializers.ListField(child=serializers.IntegerField(), required=False)
    output_size = serializers.ListField(child=serializers.IntegerField(), required=False)
    alpha_map_base64 = serializers.CharField(required=False)
    shape = serializers.ListField(child=serializers.IntegerField(), required=False)
    dtype = serializers.CharField(required=False)


class UNetErrorSerializer(serializers.Serializer):
    status = serializers.CharField()
    error = serializers.CharField()
    code = serializers.CharField()

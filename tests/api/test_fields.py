"""Tests of the serializer fields that several APIs share."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from rest_framework import serializers

from jobs.api.fields import BlankAsDefault, SwitchField
from jobs.api.native.serializers import CutoutOptionsSerializer
from segmentation.options import CutoutOptions


class Switched(BlankAsDefault, serializers.Serializer):
    on = SwitchField(default=True)
    level = serializers.IntegerField(default=7)


def read(data: object) -> dict[str, object]:
    serializer = Switched(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", " True "])
def test_what_means_on(value: object) -> None:
    assert read({"on": value})["on"] is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "FALSE"])
def test_what_means_off(value: object) -> None:
    assert read({"on": value})["on"] is False


@pytest.mark.parametrize("value", [2, "yes", "t", [], {}, 1.0, -1])
def test_what_means_nothing(value: object) -> None:
    assert not Switched(data={"on": value}).is_valid()


@pytest.mark.parametrize("data", ["", "on=&level=", "level="])
def test_a_form_that_leaves_a_field_out_or_empty_gets_its_default(data: str) -> None:
    assert read(QueryDict(data)) == {"on": True, "level": 7}


def test_null_means_the_default_too() -> None:
    assert read({"on": None, "level": None}) == {"on": True, "level": 7}


def test_a_form_that_names_no_switch_asks_for_the_products_own_defaults() -> None:
    serializer = CutoutOptionsSerializer(data=QueryDict("erosion=0"))
    serializer.is_valid(raise_exception=True)

    assert serializer.to_options() == CutoutOptions()

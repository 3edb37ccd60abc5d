import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.errors import BoxInvalid, InvalidParameter
from segmentation.options import AlphaMode, Box, Color, CutoutOptions, Format, Metadata, Method, Output, Point, Subject

coordinates = st.integers(-1000, 1000)
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    coordinates,
    coordinates,
    st.integers(2, 500),
    st.integers(2, 500),
)
colors = st.builds(Color, st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))


def _points(draw, method):
    """Generate points that the method allows. The method `points` needs at least one keep point (a part to keep)."""
    if method is not Method.POINTS:
        return ()
    spot = st.integers(0, 60)
    points = draw(st.lists(st.builds(Point, spot, spot, st.booleans()), max_size=19))
    return (*points, Point(3, 4))


@st.composite
def cutout_options(draw: st.DrawFn) -> CutoutOptions:
    method = draw(st.sampled_from(Method))
    return CutoutOptions(
        method=method,
        boxes=tuple(draw(st.lists(boxes, min_size=1, max_size=20))) if method is Method.BOXES else (),
        points=_points(draw, method),
        subject=draw(
            st.sampled_from(Subject).filter(lambda it: method is not Method.POINTS or it is not Subject.STAMP)
        ),
        alpha_mode=draw(st.sampled_from(AlphaMode)),
        threshold=draw(st.integers(0, 50)),
        erosion=draw(st.integers(0, 5)),
        feathering=draw(st.booleans()),
        decontaminate=draw(st.booleans()),
        refine=draw(st.booleans()),
        outputs=tuple(draw(st.sets(st.sampled_from(Output), min_size=1))),
        format=draw(st.sampled_from(Format)),
        background=draw(st.none() | colors),
        crop=draw(st.booleans()),
        crop_margin=draw(st.floats(0, 0.5)),
        metadata=draw(st.sampled_from(Metadata)),
    )


@given(cutout_options())
def test_options_come_back_equal_through_json(options):
    assert CutoutOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


@given(colors)
def test_a_colour_comes_back_equal_through_its_text(color):
    assert Color.parse(str(color)) == color


@pytest.mark.parametrize("text", ["#fff", "fff", "#FFFFFF", " ffffff "])
def test_every_usual_spelling_of_a_colour_is_read(text):
    assert Color.parse(text) == Color(255, 255, 255)


@pytest.mark.parametrize("text", ["", "white", "#ffff", "#ggg", "#fffffff", "1,2,3"])
def test_a_bad_colour_is_refused_by_the_name_of_its_field(text):
    with pytest.raises(InvalidParameter, match="bg_color") as caught:
        Color.parse(text, field_name="bg_color")
    assert caught.value.field == "bg_color"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", -1),
        ("threshold", 51),
        ("threshold", 2.5),
        ("threshold", True),
        ("erosion", 6),
        ("feathering", 1),
        ("refine", "yes"),
        ("crop_margin", 0.51),
        ("crop_margin", float("nan")),
        ("method", "magic"),
        ("subject", "cat"),
        ("format", "gif"),
        ("alpha_mode", ""),
        ("outputs", ()),
        ("outputs", "cutout"),
        ("outputs", ("cutout", "zip")),
        ("background", "blue"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_field(name, value):
    with pytest.raises(InvalidParameter) as caught:
        CutoutOptions(**{name: value})
    assert caught.value.field == name
    assert name in caught.value.message


def test_a_name_that_is_no_parameter_is_refused():
    with pytest.raises(InvalidParameter, match="sharpen"):
        CutoutOptions.from_json({"sharpen": 3})


def test_the_method_boxes_needs_a_box():
    with pytest.raises(InvalidParameter, match="needs at least one"):
        CutoutOptions(method="boxes")


def test_boxes_without_the_method_boxes_are_refused():
    with pytest.raises(InvalidParameter, match="only method boxes"):
        CutoutOptions(boxes=((0, 0, 10, 10),))


def test_more_than_twenty_boxes_are_refused():
    with pytest.raises(BoxInvalid, match="21"):
        CutoutOptions(method="boxes", boxes=((0, 0, 10, 10),) * 21)


@pytest.mark.parametrize("value", ["1,2,30,40", [1, 2, 30, 40], {"left": 1, "top": 2, "right": 30, "bottom": 40}])
def test_every_spelling_of_a_box_is_read(value):
    assert Box.parse(value) == Box(1, 2, 30, 40)


@pytest.mark.parametrize(
    "value",
    ["1,2,3", "a,b,c,d", [1, 2, 3], None, 7, [5, 5, 5, 9], [9, 0, 1, 9], [0, 0, float("nan"), 9], [0, 0, 1e9, 9]],
)
def test_a_bad_box_is_refused(value):
    with pytest.raises(BoxInvalid):
        Box.parse(value)


def test_a_box_is_cut_to_the_picture():
    assert Box(-10, -10, 50, 50).clipped(40, 30) == Box(0, 0, 40, 30)


def test_a_box_beside_the_picture_is_refused():
    with pytest.raises(BoxInvalid, match="40x30"):
        Box(41, 0, 60, 30).clipped(40, 30)


def test_outputs_lose_repeats_and_take_the_fixed_order():
    options = CutoutOptions(outputs=("mask", "cutout", "mask"))
    assert options.outputs == (Output.CUTOUT, Output.MASK)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"points": "1,2,1"}, "a list of"),
        ({"points": ((1, 2),)}, "each point is"),
        ({"points": ((1, 2, 2),)}, "each point is"),
        ({"points": (("a", 2, 1),)}, "x must be a number"),
        ({"points": ((float("nan"), 2, 1),)}, "x must be a number"),
        ({"points": ((1, 2_000_000, 1),)}, "off any picture"),
        ({"points": ((1, 2, 1),) * 21}, "more than 20"),
        ({"method": "points"}, "at least one to keep"),
        ({"method": "points", "points": ((1, 2, 0),)}, "at least one to keep"),
        ({"method": "instances", "points": ((1, 2, 1),)}, "instances does not take them"),
        ({"subject": "stamp", "points": ((1, 2, 1),)}, "stamp is not selected"),
    ],
)
def test_points_that_ask_nothing_sensible_are_refused(changes, said):
    with pytest.raises(InvalidParameter, match=said) as refused:
        CutoutOptions(**changes)
    assert refused.value.field == "points"


def test_points_keep_the_pixel_that_they_lie_on():
    options = CutoutOptions(points=[[1.9, 2.2, 1], [0, 0, 0]])
    assert options.points == (Point(1, 2), Point(0, 0, keep=False))
    assert CutoutOptions.from_json(options.to_json()) == options

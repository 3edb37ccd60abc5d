// Boxes, views and ID photos as numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  areSameBoxes,
  boxBetween,
  boxInMiddle,
  copied,
  grown,
  hasSides,
  MIN_SIDE_PX,
  moved,
  resized,
} from "../../static/js/editor/box_geometry.js";
import { pixels, sheetLayout, withResolution } from "../../static/js/editor/id_photo_layout.js";
import { fitted, keptInSight, pinchBetween, scaledAround, seenPart } from "../../static/js/editor/view_geometry.js";

const SIZE = [200, 100];

test("a drawn box is whole pixels from left top to right bottom, whatever the direction, inside the picture", () => {
  assert.deepEqual(boxBetween([50.4, 60.6], [10, 20], SIZE), [10, 20, 50, 61]);
  assert.deepEqual(boxBetween([-5, -5], [500, 500], SIZE), [0, 0, 200, 100]);
});

test("a box keeps its size when it is moved against an edge", () => {
  assert.deepEqual(moved([10, 10, 30, 40], [-50, 500], SIZE), [0, 70, 20, 100]);
});

test("each handle moves only its own edges, and a side never gets too short", () => {
  const box = [50, 20, 100, 60];

  assert.deepEqual(resized(box, "se", [120, 90], SIZE), [50, 20, 120, 90]);
  assert.deepEqual(resized(box, "w", [60, 90], SIZE), [60, 20, 100, 60]);
  assert.deepEqual(resized(box, "n", [0, 59], SIZE), [50, 60 - MIN_SIDE_PX, 100, 60]);
  assert.deepEqual(resized(box, "e", [0, 0], SIZE), [50, 20, 50 + MIN_SIDE_PX, 60]);
  assert.deepEqual(resized(box, "sw", [190, 0], SIZE), [100 - MIN_SIDE_PX, 20, 100, 20 + MIN_SIDE_PX]);
});

test("the keyboard grows a box to the right and downwards, as far as the picture goes", () => {
  assert.deepEqual(grown([10, 10, 30, 40], [10, 1], SIZE), [10, 10, 40, 41]);
  assert.deepEqual(grown([10, 10, 30, 40], [-100, 500], SIZE), [10, 10, 10 + MIN_SIDE_PX, 100]);
});

test("an added box is half of what is in sight, in its middle, and never smaller than a box may be", () => {
  assert.deepEqual(boxInMiddle([0, 0, 200, 100], SIZE), [50, 25, 150, 75]);
  assert.deepEqual(boxInMiddle([198, 98, 200, 100], SIZE), [192, 92, 200, 100]);
});

test("boxes are compared by their numbers, and copies change alone", () => {
  const boxes = [[1, 2, 30, 40]];
  const copies = copied(boxes);

  assert.ok(areSameBoxes(boxes, copies));
  copies[0][0] = 9;
  assert.equal(boxes[0][0], 1);
  assert.ok(hasSides([0, 0, 8, 8], 8) && !hasSides([0, 0, 8, 7], 8));
});

test("a fitted picture stands in the middle of its pane, and a small one is not blown up without end", () => {
  assert.deepEqual(fitted([424, 424], [200, 100]), { scale: 2, offset: [12, 112] });
  assert.equal(fitted([4000, 4000], [10, 10]).scale, 4);
});

test("zooming keeps the picture under the pointer where it is", () => {
  const view = scaledAround({ scale: 1, offset: [10, 20] }, 2, [110, 70]);

  assert.deepEqual(view, { scale: 2, offset: [-90, -30] });
});

test("a picture that is panned away keeps a corner in sight", () => {
  const pane = [300, 300];

  assert.deepEqual(keptInSight({ scale: 1, offset: [9999, -9999] }, pane, SIZE), [240, -50]);
  assert.deepEqual(keptInSight({ scale: 1, offset: [5, 6] }, pane, SIZE), [5, 6]);
});

test("what is in sight ends at the picture's edges", () => {
  assert.deepEqual(seenPart({ scale: 2, offset: [-100, 50] }, [200, 200], SIZE), [50, 0, 150, 75]);
});

test("two fingers pan by their middle and zoom by their distance", () => {
  const before = [
    [0, 0],
    [10, 0],
  ];
  const after = [
    [0, 10],
    [20, 10],
  ];

  assert.deepEqual(pinchBetween(before, after), { from: [5, 0], to: [10, 10], factor: 2 });
});

test("a sheet of ID photos is measured in pixels at 300 dpi", () => {
  assert.equal(pixels(25.4), 300);
});

test("a sheet holds as many photos as fit without touching", () => {
  const photo = [295, 413];
  const { size, corners } = sheetLayout(photo);

  assert.deepEqual(size, [1795, 1205]);
  assert.equal(corners.length, 10);
  assert.ok(corners.every(([x, y]) => x > 0 && y > 0 && x + photo[0] < size[0] && y + photo[1] < size[1]));
  assert.ok(corners[1][0] - corners[0][0] > photo[0]);
});

test("the resolution is written where a JPEG has it", () => {
  const bytes = withResolution(new Uint8Array(20));

  assert.deepEqual([...bytes.slice(12, 19)], [0, 1, 1, 44, 1, 44, 0]);
});

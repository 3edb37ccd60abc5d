// The finish of a picture: its geometry, which must be the server's, its recipe, and the requests that follow a drag.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { backgroundName, canvasOf, pictureTitle } from "../../static/js/editor/finish_controls.js";
import {
  cssAngle,
  enlarged,
  layerMove,
  moved,
  pictureEnlarged,
  pictureFrame,
  pictureMoved,
} from "../../static/js/editor/finish_geometry.js";
import {
  blurRecipe,
  canvasShape,
  handOf,
  isFinished,
  noFinish,
  onCanvas,
  recipeOf,
  storedFinish,
  subjectRecipe,
  withHand,
} from "../../static/js/editor/finish_recipe.js";
import { Following } from "../../static/js/editor/following.js";
import { createState, editOf, restore, stepOf, takeEdit } from "../../static/js/editor/state.js";
import { job } from "./jobs.js";

// tests/segmentation/finish checks the same numbers against the pixels that the server draws.
const BY_HAND = JSON.parse(readFileSync(new URL("../segmentation/finish/by_hand.json", import.meta.url), "utf8"));
const UNMOVED = { zoom: 1, shift: [0, 0] };

function assertNear(actual, expected) {
  for (const [index, value] of expected.entries()) assert.ok(Math.abs(actual[index] - value) < 1e-3, `${actual}`);
}

/** Return where a point of a layer is seen. */
function onCanvasAt(point, { scale, move }) {
  return point.map((value, axis) => value * scale + move[axis]);
}

for (const { zoom, shift, before, after } of BY_HAND.placements) {
  test(`a layer is shown where the server draws it: zoom ${zoom}, shift ${shift}`, () => {
    const hand = { zoom, shift };
    assertNear(onCanvasAt(before, layerMove(UNMOVED, hand)), after);
    assertNear(onCanvasAt(after, layerMove(hand, UNMOVED)), before);
  });
}

for (const { picture, canvas, focus, zoom, frame } of BY_HAND.pictures) {
  test(`a background picture is shown where the server draws it: ${picture} on ${canvas}, zoom ${zoom}`, () => {
    const { left, top, width, height } = pictureFrame(picture, canvas, { focus, zoom });
    assertNear([left, top, width, height], frame);
  });
}

test("the point under the pointer stays while the subject is enlarged there", () => {
  const at = [0.3, -0.2];
  const from = { zoom: 1, shift: [0.1, 0.1] };
  const to = enlarged(from, 1.5, at);

  assert.equal(to.zoom, 1.5);
  assertNear(onCanvasAt(at, layerMove(from, to)), at);
});

test("the slider enlarges the subject where it is", () => {
  assert.deepEqual(enlarged({ zoom: 1, shift: [0.2, 0.1] }, 2), { zoom: 2, shift: [0.2, 0.1] });
});

test("a subject is neither lost beside the canvas nor enlarged without end", () => {
  assert.deepEqual(moved(UNMOVED, [50, -50]), { zoom: 1, shift: [0.9, -0.9] });
  assert.equal(enlarged(UNMOVED, 1000).zoom, 8);
  assert.equal(enlarged(UNMOVED, 0.0001).zoom, 0.05);
});

test("a dragged background follows the pointer and leaves no gap", () => {
  const [picture, canvas] = [
    [300, 100],
    [200, 200],
  ];
  const view = { focus: [0.5, 0.5], zoom: 1 };
  const left = (each) => pictureFrame(picture, canvas, each).left;

  const right = pictureMoved(view, picture, canvas, [0.25, 0.4]);
  assertNear([left(right)], [left(view) + 0.25]);
  assert.equal(pictureFrame(picture, canvas, right).top, 0); // it covers this side exactly
  assert.ok(Math.abs(left(pictureMoved(view, picture, canvas, [50, 0]))) < 1e-3);
  const back = pictureMoved(pictureMoved(view, picture, canvas, [50, 0]), picture, canvas, [-0.25, 0]);
  assertNear([left(back)], [-0.25]); // without a dead zone after the end was reached
});

test("a background is enlarged at the pointer, and never smaller than the canvas", () => {
  const [picture, canvas] = [
    [300, 300],
    [200, 200],
  ];
  const view = pictureEnlarged({ focus: [0.5, 0.5], zoom: 1 }, picture, canvas, 2, [0.25, 0]);
  const frame = pictureFrame(picture, canvas, view);

  assert.equal(view.zoom, 2);
  assertNear([(0.25 + 0.5 - frame.left) / frame.width], [0.75]); // the same point of the picture as before
  assert.equal(pictureEnlarged(view, picture, canvas, 0.1).zoom, 1);
});

test("a gradient of the page has the server's colours in the corners", () => {
  for (const [angle, canvas] of [
    [0, [100, 200]],
    [90, [100, 200]],
    [45, [100, 200]],
    [200, [300, 100]],
  ]) {
    const radians = (angle * Math.PI) / 180;
    const [across, down] = [Math.sin(radians), Math.cos(radians)];
    const css = (cssAngle(angle, canvas) * Math.PI) / 180;
    const length = Math.abs(canvas[0] * Math.sin(css)) + Math.abs(canvas[1] * Math.cos(css));
    for (const [x, y] of [
      [-0.5, -0.5],
      [0.5, -0.5],
      [0.2, 0.3],
    ]) {
      const server = (x * across + y * down) / (Math.abs(across) + Math.abs(down)) + 0.5;
      const page = (x * canvas[0] * Math.sin(css) - y * canvas[1] * Math.cos(css)) / length + 0.5;
      assertNear([page], [server]);
    }
  }
});

test("what changes nothing is no finish, and is not kept", () => {
  assert.ok(!isFinished(noFinish()));
  assert.equal(storedFinish(noFinish()), null);
  assert.ok(isFinished(withHand(noFinish(), { zoom: 2, shift: [0, 0] })));
  assert.ok(!isFinished(withHand(withHand(noFinish(), { zoom: 2, shift: [0, 0] }), UNMOVED)));
});

test("another canvas puts the subject back in its place", () => {
  const dragged = withHand(noFinish(), { zoom: 2, shift: [0.1, 0] });

  assert.deepEqual(onCanvas(dragged, canvasOf("2000x1500"), 0.88), {
    ...noFinish(),
    canvas: { width_px: 2000, height_px: 1500 },
    placement: { fill: 0.88 },
  });
  assert.deepEqual(onCanvas(dragged, canvasOf("9:16")).canvas, { aspect: "9:16" });
  assert.deepEqual(onCanvas(dragged, canvasOf("")), noFinish());
});

test("moving by hand keeps the subject's share of the canvas", () => {
  const square = withHand(onCanvas(noFinish(), canvasOf("1:1"), 0.7), { zoom: 1.2, shift: [0, 0.1] });

  assert.deepEqual(square.placement, { fill: 0.7, zoom: 1.2, shift: [0, 0.1] });
  assert.deepEqual(handOf(square), { zoom: 1.2, shift: [0, 0.1] });
});

test("the canvas has the shape of its size, or that of the photo", () => {
  const shape = (value) => canvasShape(onCanvas(noFinish(), canvasOf(value)), [640, 480]);

  assert.deepEqual(
    [shape(""), shape("4:5"), shape("1080x1920")],
    [
      [640, 480],
      [4, 5],
      [1080, 1920],
    ],
  );
});

test("a recipe has the colour of the settings unless something else is behind the subject", () => {
  const blurred = { ...noFinish(), background: { type: "blur", strength: 0.02 } };

  assert.deepEqual(recipeOf(noFinish(), { background: "#ff0000" }).background, { type: "color", color: "#ff0000" });
  assert.deepEqual(recipeOf(noFinish(), {}).background, { type: "transparent" });
  assert.deepEqual(recipeOf(blurred, { background: "#ff0000" }).background, { type: "blur", strength: 0.02 });
});

test("JPEG becomes PNG only where the picture is transparent", () => {
  const format = (values) => recipeOf(noFinish(), values).outputs[0].format;

  assert.deepEqual(
    [
      format({ format: "jpeg" }),
      format({ format: "jpeg", background: "#fff" }),
      format({ format: "webp" }),
      format({}),
    ],
    ["png", "jpeg", "webp", "png"],
  );
});

test("the layers are the subject without a background, and the blurred photo without the subject", () => {
  const finish = {
    ...withHand(onCanvas(noFinish(), canvasOf("1:1"), 0.7), { zoom: 2, shift: [0.1, 0] }),
    background: { type: "blur", strength: 0.05 },
    shadow: { type: "drop", strength: 0.5, softness: 0.4 },
  };

  assert.deepEqual(subjectRecipe(finish), {
    canvas: { aspect: "1:1" },
    placement: { fill: 0.7, zoom: 2, shift: [0.1, 0] },
    background: { type: "transparent" },
    shadow: finish.shadow,
    outputs: [{ format: "png" }],
  });
  const still = blurRecipe(finish);
  assert.deepEqual([still.background, still.shadow, still.placement.fill], [finish.background, undefined, 0.7]);
  assert.deepEqual(still, blurRecipe(withHand(finish, UNMOVED)), "it stays where it is while the subject is dragged");
});

test("an edit keeps the finish, and an edit without one brings none", () => {
  const state = createState(job(), "image");
  state.finish = onCanvas(noFinish(), canvasOf("1:1"), 0.7);

  const kept = editOf(state, {});
  takeEdit(state, {});
  assert.deepEqual([state.finish, "finish" in editOf(state, {})], [noFinish(), false]);
  takeEdit(state, JSON.parse(JSON.stringify(kept)));
  assert.deepEqual(state.finish.placement, { fill: 0.7 });
});

test("undo brings the finish back", () => {
  const state = createState(job(), "image");
  const before = stepOf(state, {});
  state.finish = onCanvas(noFinish(), canvasOf("1:1"));

  restore(state, before);

  assert.deepEqual(state.finish, noFinish());
});

test("the name of a background picture is that of its file, and safe in an address", () => {
  const file = { name: "../a/b?.JPG", size: 35, lastModified: 36 };

  assert.equal(backgroundName(file), "-a-b- z-10");
  assert.equal(pictureTitle(backgroundName(file)), "-a-b-");
  assert.ok(backgroundName({ ...file, name: `${"长".repeat(200)}.png` }).length <= 80);
});

test("while one answer is awaited, only the newest wish waits", async () => {
  const asked = [];
  const shown = [];
  const answers = [];
  const following = new Following({
    get: (wish) => {
      asked.push(wish);
      return new Promise((resolve) => answers.push(() => resolve(wish)));
    },
    show: (value) => void shown.push(value),
    onError: assert.fail,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  for (const wish of ["a", "b", "b", "c"]) following.want(wish, wish);
  await settled();
  answers.shift()();
  await settled();
  answers.shift()();
  await settled();
  following.want("c", "c");
  await settled();

  assert.deepEqual(
    [asked, shown],
    [
      ["a", "c"],
      ["a", "c"],
    ],
  );
});

test("a wish that fails is told, and asked for again when it is wanted again", async () => {
  const errors = [];
  const shown = [];
  const following = new Following({
    get: async (wish) => {
      if (wish === "bad") throw new Error(wish);
      return wish;
    },
    show: (value) => void shown.push(value),
    onError: (error) => errors.push(error.message),
  });

  for (const wish of ["bad", "bad", "good"]) {
    following.want(wish, wish);
    await new Promise((resolve) => setImmediate(resolve));
  }

  assert.deepEqual([errors, shown], [["bad", "bad"], ["good"]]);
});

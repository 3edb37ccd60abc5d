// The recipe form's values: a recipe survives the way through the form, and each kind sends its own fields only.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { freeName, recipeOf, valuesOf } from "../../static/js/recipes/values.js";

const WHOLE = {
  title: "Shop",
  canvas: { width_px: 1200, height_px: 900, aspect: null, min_side_px: 16, max_side_px: 8192 },
  placement: { fill: 0.85, fill_by: "box", align: "ground", margin: 0.04, ground: 0.92, max_enlargement: 4 },
  background: { type: "gradient", start: "#ffffff", end: "#d9dde3", angle: 90 },
  shadow: {
    type: "cast",
    strength: 0.45,
    softness: 0.4,
    color: "#000000",
    direction: 215,
    elevation: 40,
    distance: 0.03,
  },
  outline: { width: 0.012, color: "#ff0000" },
  edges: { key: false, despill: true, light_wrap: 0.3, match_grain: true },
  holes: "cut",
  outputs: [
    {
      format: "jpeg",
      quality: 90,
      dpi: 72,
      color_profile: "srgb",
      max_bytes: 307200,
      name: "{name}.{ext}",
      shadow_layer: false,
    },
    {
      format: "psd",
      quality: 90,
      dpi: 300,
      color_profile: "none",
      max_bytes: null,
      name: "{name}.{ext}",
      shadow_layer: false,
    },
  ],
  rules: { min_fill: 0.8 },
};

test("a recipe survives the way through the form", () => {
  const { values, outputs } = valuesOf(WHOLE);

  assert.deepEqual(recipeOf(values, outputs, WHOLE), WHOLE);
});

test("every built-in recipe keeps what the form has no field for", async () => {
  const file = new URL("../../jobs/recipes/builtin.json", import.meta.url);
  for (const recipe of Object.values(JSON.parse(await readFile(file, "utf8")))) {
    const whole = { ...WHOLE, shadow: null, outline: null, ...recipe };
    whole.placement = { ...WHOLE.placement, fill: null, ...recipe.placement };
    whole.canvas = { ...WHOLE.canvas, width_px: null, height_px: null, ...recipe.canvas };
    whole.outputs = recipe.outputs.map((output) => ({ ...WHOLE.outputs[0], max_bytes: null, ...output }));
    const { values, outputs } = valuesOf(whole);
    const again = recipeOf(values, outputs, whole);
    assert.deepEqual(again.rules, whole.rules);
    assert.deepEqual(again.placement.head, whole.placement.head);
    assert.equal(again.placement.fill, whole.placement.fill);
  }
});

test("another kind of background leaves the fields of the first one out", () => {
  const { values, outputs } = valuesOf(WHOLE);

  const plain = recipeOf(
    { ...values, "background.type": "color", "background.color": "#112233", "shadow.type": "none" },
    outputs,
    WHOLE,
  );

  assert.deepEqual(plain.background, { type: "color", color: "#112233" });
  assert.equal(plain.shadow, null);
});

test("a canvas is pixels, a ratio or the photo's frame", () => {
  const { values, outputs } = valuesOf(WHOLE);
  const canvas = (kind) => recipeOf({ ...values, "canvas.kind": kind }, outputs, WHOLE).canvas;

  assert.equal(canvas("pixels").width_px, 1200);
  assert.deepEqual([canvas("aspect").width_px, canvas("aspect").aspect], [null, "1:1"]);
  assert.deepEqual([canvas("frame").width_px, canvas("frame").aspect], [null, null]);
});

test("a copy gets a name that is free", () => {
  assert.equal(freeName("ebay", ["ebay", "ebay-2"]), "ebay-3");
});

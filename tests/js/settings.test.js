// What a settings form holds, and what the API gets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFields, writeFields } from "../../static/js/settings/fields.js";
import {
  haveSameOutline,
  isWholeAndTransparent,
  optionsForStage,
  optionsToRender,
  optionsToSubmit,
  ownOptions,
  ticksOf,
} from "../../static/js/settings/options.js";
import { qualityFor, showQualitiesFor } from "../../static/js/settings/quality.js";

test("a run uses the shown quality only in a role that has a fine model", () => {
  assert.equal(qualityFor("fine", "auto", ["subject"]), "fine");
  assert.equal(qualityFor("fine", "boxes", ["subject"]), "fast");
  assert.equal(qualityFor("auto", "instances", ["subject", "people"]), "auto");
});

test("the list of qualities follows the method, and what is not offered is not chosen", () => {
  const option = (value, roles) => ({ value, dataset: { roles }, disabled: false });
  const select = { value: "fine", options: [option("fast", "subject prompts people"), option("fine", "subject")] };

  showQualitiesFor(select, "instances");
  assert.equal(select.value, "fast");
  assert.equal(select.options[1].disabled, true);

  showQualitiesFor(select, "auto");
  assert.equal(select.options[1].disabled, false);
});

function formWith(fields) {
  return { elements: { namedItem: (name) => fields[name] ?? null } };
}

const panel = () => ({
  background: { value: "" },
  alpha_mode: { value: "soft" },
  threshold: { value: "10" },
  feathering: { checked: false },
  crop_margin: { value: "0.05" },
});

test("a form gives the options of the fields that it has, in the API's types", () => {
  assert.deepEqual(readFields(formWith(panel())), {
    background: null,
    alpha_mode: "soft",
    threshold: 10,
    feathering: false,
    crop_margin: 0.05,
  });
});

test("a picture's own options are those that differ, without what is asked of the model", () => {
  const common = { threshold: 0, format: "png", background: null, quality: "fast" };

  assert.deepEqual(ownOptions({ ...common, threshold: 20, quality: "fine" }, common), { threshold: 20 });
  assert.deepEqual(ownOptions(common, common), {});
});

test("options are written into the fields that a form has, and others are left out", () => {
  const fields = panel();

  writeFields(formWith(fields), { background: "#ffffff", feathering: true, crop: true, boxes: [[1, 2, 3, 4]] });

  assert.equal(fields.background.value, "#ffffff");
  assert.equal(fields.feathering.checked, true);
  assert.equal(fields.threshold.value, "10");
});

test("what is written is read again", () => {
  const form = formWith(panel());
  const options = { background: "#ff0000", alpha_mode: "binary", threshold: 25, feathering: true, crop_margin: 0.2 };

  writeFields(form, options);

  assert.deepEqual(readFields(form), options);
});

test("a transparent background empties its field", () => {
  const fields = { background: { value: "#ffffff" } };

  writeFields(formWith(fields), { background: null });

  assert.deepEqual(readFields(formWith(fields)), { background: null });
});

test("the ticks for masks and people become outputs, and come back from them", () => {
  for (const ticks of [
    { mask: false, people: false },
    { mask: true, people: false },
    { mask: false, people: true },
  ]) {
    assert.deepEqual(ticksOf(optionsToSubmit({}, ticks)), ticks);
  }
  assert.equal(optionsToSubmit({}, { mask: true, people: true }).method, "instances");
});

test("a rendering keeps JPEG only on a colour, and WebP always", () => {
  const formatOf = (format, background) => optionsToRender({ background }, { format }).format;

  assert.deepEqual([formatOf("jpeg", "#ffffff"), formatOf("jpeg", null)], ["jpeg", "png"]);
  assert.deepEqual([formatOf("webp", null), formatOf("png", "#ffffff")], ["webp", "png"]);
});

test("the stage is rendered whole and transparent, whatever the panel says", () => {
  const options = optionsForStage({ crop: true, background: "#ffffff", format: "jpeg", threshold: 20 });

  assert.ok(isWholeAndTransparent(options));
  assert.equal(options.threshold, 20);
  assert.ok(!isWholeAndTransparent({ crop: true }) && !isWholeAndTransparent({ format: "jpeg" }));
});

test("colour and crop leave the outline alone, the threshold does not", () => {
  const options = { alpha_mode: "soft", threshold: 10, erosion: 0, feathering: false, decontaminate: true };

  assert.ok(haveSameOutline(options, { ...options, crop: true, background: "#000000" }));
  assert.ok(!haveSameOutline(options, { ...options, threshold: 11 }));
});

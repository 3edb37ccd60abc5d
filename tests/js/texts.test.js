// Texts with places for values, without a catalogue: in English.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, gettext, ngettext } from "../../static/js/page/texts.js";

test("without a catalogue the texts are English", () => {
  assert.equal(gettext("Copied"), "Copied");
  assert.deepEqual(
    [1, 0, 2].map((count) => ngettext("one", "many", count)),
    ["one", "many", "many"],
  );
});

test("values take their places, and what looks like a place in a value stays", () => {
  assert.equal(fill("{count} of {limit}", { count: 3, limit: "{count}" }), "3 of {count}");
  assert.equal(fill("{unknown}", {}), "{unknown}");
});

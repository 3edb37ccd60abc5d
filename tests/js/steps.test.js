// What the editor can undo, what clicks ask for, and what Crop leaves.
import assert from "node:assert/strict";
import { test } from "node:test";

import { cropFrame } from "../../static/js/editor/crop.js";
import { getDraft } from "../../static/js/editor/draft.js";
import { sharedPage } from "../../static/js/editor/files.js";
import { History } from "../../static/js/editor/history.js";
import { changedOptions, createState, pointsWish, restore, stepOf, withResult } from "../../static/js/editor/state.js";
import { linkToOriginal } from "../../static/js/api/job.js";
import { spanOf } from "../../static/js/page/span.js";
import { file, image, job } from "./jobs.js";

test("undo and redo walk the steps, and a new step drops those that were undone", () => {
  const history = new History("first");
  history.record("second");
  history.record("third");

  assert.equal(history.undo(), "second");
  assert.equal(history.undo(), "first");
  assert.equal(history.undo(), null);
  assert.equal(history.redo(), "second");
  history.record("other");
  assert.equal(history.redo(), null);
  assert.equal(history.undo(), "second");
});

test("the steps of one slider are undone at once, those of two are not", () => {
  const history = new History(0);
  history.record(1, "erosion");
  history.record(2, "erosion");
  history.record(3, "threshold");

  assert.equal(history.undo(), 2);
  assert.equal(history.undo(), 0);
});

test("a step restores boxes, clicks, strokes and people, and no longer waits for a run", () => {
  const state = createState(job(), "image");
  Object.assign(state, { boxes: [[0, 0, 9, 9]], points: [[1, 2, 1]], dropped: new Set([2]) });
  const step = stepOf(state, {});
  Object.assign(state, { boxes: [], points: [], dropped: new Set() });
  const { turn } = state.run;

  restore(state, step);

  assert.deepEqual([state.boxes, state.points, [...state.dropped]], [[[0, 0, 9, 9]], [[1, 2, 1]], [2]]);
  assert.ok(state.run.turn > turn);
});

test("the first result is put into the steps that were made before it", () => {
  const history = new History("waiting");
  history.record("waiting, moved");

  history.amendAll((step) => step.replace("waiting", "ended"));

  assert.equal(history.undo(), "ended");
  assert.equal(history.redo(), "ended, moved");
});

test("a draft is waited for until it comes or there is none", async () => {
  const { signal } = new AbortController();
  const wait = (...statuses) => {
    const urls = [];
    const get = async (url) => {
      urls.push(url);
      const status = statuses.shift();
      if (!status) throw new TypeError("lost");
      return new Response(status === 200 ? "webp" : null, { status });
    };
    const pause = async (pauseMs) => urls.push(pauseMs);
    return getDraft(job(), image(), { signal, waitSeconds: 7, get, pause }).then((draft) => [
      draft?.size ?? null,
      urls,
    ]);
  };

  const url = "/jobs/job/0/draft?wait=7";
  assert.deepEqual(await wait(202, 202, 200), [4, [url, 500, url, 500, url]]);
  assert.deepEqual(await wait(204), [null, [url]]);
  assert.deepEqual(await wait(), [null, [url]]);
});

test("a result that arrives during a drag is added to the last step, and the drag is not", () => {
  const state = createState(job(), "image");
  const before = stepOf(state, { erosion: 0 });
  Object.assign(state, { job: job({ id: "another" }), version: 2, boxes: [[0, 0, 5, 5]] }); // half of a new box

  const step = withResult(before, state);

  assert.deepEqual([step.job.id, step.version, step.boxes, step.options], ["another", 2, [], { erosion: 0 }]);
});

test("clicks correct what was found, and select by themselves only when that is asked for", () => {
  const state = createState(job(), "image");
  state.points = [[5, 6, 0]];
  assert.deepEqual(pointsWish(state), { method: "auto", points: [[5, 6, 0]] });

  state.points = [[5, 6, 1]];
  state.startsAfresh = true;
  assert.deepEqual(pointsWish(state), { method: "points", points: [[5, 6, 1]] });

  const boxed = createState(job({ options: { method: "boxes", boxes: [[0, 0, 9, 9]] } }), "image");
  boxed.points = [[1, 1, 0]];
  assert.deepEqual(pointsWish(boxed), { method: "boxes", boxes: [[0, 0, 9, 9]], points: [[1, 1, 0]] });
});

test("the clicks of the shown job ask for nothing", () => {
  const state = createState(job({ options: { method: "points", points: [[1, 2, 1]] } }), "image");
  state.points = [[1, 2, 1]];

  assert.equal(pointsWish(state), null);
});

test("the frame of Crop is the foreground grown by the margin of its longer side, within the picture", () => {
  const options = { crop: true, crop_margin: 0.1 };

  assert.deepEqual(cropFrame([20, 10, 60, 30], options, [100, 32]), [16, 6, 64, 32]);
  assert.equal(cropFrame([20, 10, 60, 30], { ...options, crop: false }, [100, 32]), null);
  assert.equal(cropFrame(null, options, [100, 32]), null);
});

test("the original is shown by its preview where there is one, because browsers read no HEIC", () => {
  const heic = { ...file("source", "/files/1/photo.heic"), content_type: "image/heic" };
  const jpeg = { ...file("source", "/files/1/photo.jpg"), content_type: "image/jpeg" };

  assert.equal(linkToOriginal(image({ files: [heic, file("preview", "/files/2/p.jpg")] })), "/files/2/p.jpg");
  assert.equal(linkToOriginal(image({ files: [jpeg] })), jpeg.url);
  assert.equal(linkToOriginal(image({ id: "8", width: 4000, height: 3000, files: [jpeg] })), "/gallery/original/8");
  assert.equal(linkToOriginal(image({ id: "7", files: [heic] })), "/gallery/original/7");
  assert.equal(linkToOriginal(image({ files: [] })), "");
});

test("only options that differ are named", () => {
  assert.deepEqual(changedOptions({ erosion: 1, crop: false }, { erosion: 2, crop: false }), ["erosion"]);
});

test("Shift selects from the one to the other in either direction", () => {
  assert.deepEqual(spanOf([1, 2, 3, 4], 4, 2), [2, 3, 4]);
  assert.deepEqual(spanOf([1, 2], 9, 1), []);
});

test("a shared link leads to a page with the signature of the file", () => {
  const url = "https://site.test/files/0a1b-2c/cutout.png?until=1&signature=x";

  assert.equal(sharedPage(url), "https://site.test/shared/0a1b-2c/?until=1&signature=x");
});

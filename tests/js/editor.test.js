// The editor's state, its waiting, and the names and options of what leaves it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../static/js/api/request.js";
import { downloadOptions, expiryOf, fileName } from "../../static/js/editor/files.js";
import { formOf } from "../../static/js/editor/renderings.js";
import { complaintOf } from "../../static/js/editor/runs.js";
import {
  boxesWish,
  createState,
  goBack,
  isStoredCutoutShown,
  keptPeople,
  mayCancel,
  mayRetry,
  remember,
  setJob,
  shownImage,
  startRun,
} from "../../static/js/editor/state.js";
import { waitForEnd } from "../../static/js/editor/waiting.js";
import { file, image, job } from "./jobs.js";

const PEOPLE = [
  { id: 1, box: [0, 0, 9, 9], score: 0.9 },
  { id: 2, box: [9, 9, 20, 20], score: 0.8 },
];

function stateOf(values, id = "image") {
  return createState(job(values), id);
}

test("a new run's picture is shown, with the original of the one before where it has none", () => {
  const state = stateOf({ images: [image({ files: [file("source", "/original")] })] });

  setJob(state, job({ id: "new", images: [image({ id: "other" })] }));

  assert.deepEqual([state.job.id, shownImage(state).id, state.source], ["new", "other", "/original"]);
});

test("no list of people is sent while all are kept", () => {
  const state = stateOf({ options: { method: "instances" }, images: [image({ instances: PEOPLE })] });
  assert.equal(keptPeople(state), null);

  state.dropped.add(1);
  assert.deepEqual(keptPeople(state), [2]);
  state.dropped.add(2);
  assert.deepEqual(keptPeople(state), []);
});

test("the stored cutout is shown until something changes what is seen", () => {
  const files = [file("cutout", "/cutout")];
  const outline = { alpha_mode: "soft", threshold: 10, erosion: 0, feathering: false, decontaminate: true };
  const state = stateOf({ options: outline, images: [image({ files })] });

  assert.ok(isStoredCutoutShown(state, { ...outline, crop: true }));
  assert.ok(!isStoredCutoutShown(state, { ...outline, erosion: 3 }));
  assert.ok(!isStoredCutoutShown(stateOf({ options: outline }), outline), "no cutout is stored");
  assert.ok(
    !isStoredCutoutShown(stateOf({ options: { ...outline, crop: true }, images: [image({ files })] }), outline),
  );
  state.strokes.push({ mode: "erase", width: 1, points: [[0, 0]] });
  assert.ok(!isStoredCutoutShown(state, outline));
});

test("each run has a turn of its own and forgets what was waited for", () => {
  const state = stateOf({});
  state.run.awaited = state.job;

  const turns = [startRun(state, "{}"), startRun(state, null)];

  assert.deepEqual(turns, [1, 2]);
  assert.deepEqual([state.run.wish, state.run.awaited], [null, null]);
});

test("the way back restores a result with its people and strokes, and is not kept for failures", () => {
  const state = stateOf({ id: "first" });
  state.dropped.add(2);
  remember(state, { threshold: 20 });
  setJob(state, job({ id: "second" }));
  state.dropped = new Set();

  const before = goBack(state);

  assert.deepEqual([state.job.id, [...state.dropped], before.version], ["first", [2], 1]);
  assert.deepEqual(before.options, { threshold: 20 });
  assert.equal(goBack(state), null);
  remember(stateOf({ images: [image({ status: "failed" })] }), {});
  assert.deepEqual(state.earlier, []);
});

test("boxes ask for a run only when they differ from those of the shown job", () => {
  const boxes = [[1, 2, 30, 40]];
  const state = stateOf({ options: { method: "boxes", boxes } });

  assert.deepEqual(boxesWish({ ...state, boxes: [] }), { method: "auto" });
  assert.equal(boxesWish({ ...state, boxes: [[1, 2, 30, 40]] }), null);
  assert.deepEqual(boxesWish({ ...state, boxes: [[0, 0, 9, 9]] }), { method: "boxes", boxes: [[0, 0, 9, 9]] });
});

test("a picture of a batch is neither cancelled nor tried again on its own page", () => {
  const failed = [image({ status: "failed" })];
  const [single, batch] = [stateOf({ images: failed }), stateOf({ images: failed, images_total: 2 })];
  assert.deepEqual([mayRetry(single), mayRetry(batch)], [true, false]);

  for (const state of [single, batch]) state.run.awaited = state.job;
  assert.deepEqual([mayCancel(single), mayCancel(batch)], [true, false]);
});

test("a complaint says why there is no result", () => {
  assert.match(complaintOf(image({ status: "canceled" })), /cancelled/);
  assert.equal(complaintOf(image({ status: "failed", error: { code: "x", detail: "Too small." } })), "Too small.");
  assert.match(complaintOf(image({ status: "failed" })), /could not be cut out/);
});

function waitWith(answers, isWanted = () => true) {
  const log = [];
  const ended = waitForEnd(job({ images: [image({ status: "queued" })] }), "image", {
    waitSeconds: 20,
    isWanted,
    onWait: (awaited) => log.push(awaited.images[0].status),
    onLost: () => log.push("lost"),
    get: async (url) => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      assert.equal(url, "/api/jobs/job/?wait=20");
      return job({ images: [image({ status: answer })] });
    },
    pause: async (pauseMs) => log.push(pauseMs),
  });
  return { ended, log };
}

test("a job is waited for until its picture has ended", async () => {
  const { ended, log } = waitWith(["running", "succeeded"]);

  assert.equal((await ended).images[0].status, "succeeded");
  assert.deepEqual(log, ["queued", "running"]);
});

test("a lost connection is tried again after pauses that double", async () => {
  const { ended, log } = waitWith([
    new ApiError("lost"),
    new TypeError("odd"),
    "running",
    new ApiError("lost"),
    "failed",
  ]);

  assert.equal((await ended).images[0].status, "failed");
  assert.deepEqual(log.filter(Number), [500, 1000, 500]);
});

test("a server that is down is waited for, and one that refuses is not", async () => {
  assert.ok(await waitWith([new ApiError("down", { status: 503 }), "succeeded"]).ended);
  await assert.rejects(waitWith([new ApiError("gone", { status: 404 })]).ended, /gone/);
});

test("an answer that is no longer wanted is not taken", async () => {
  assert.equal(await waitWith(["succeeded"], () => false).ended, null);
  assert.equal(await waitWith([new ApiError("gone", { status: 404 })], () => false).ended, null);
});

test("a download is named after its picture, what it is and its type", () => {
  assert.equal(fileName("cat.photo.jpg", "cutout", "image/png"), "cat.photo-cutout.png");
  assert.equal(fileName("", "mask", "image/jpeg"), "picture-mask.jpg");
});

test("each kind of download changes only what it is about", () => {
  const options = { format: "webp", background: null, outputs: ["cutout"] };

  assert.deepEqual(downloadOptions(options, ""), options);
  assert.deepEqual(downloadOptions(options, "mask"), { ...options, outputs: ["mask"] });
  assert.deepEqual(downloadOptions(options, "jpeg"), { ...options, format: "jpeg", background: "#ffffff" });
  assert.equal(downloadOptions({ ...options, background: "#000000" }, "jpeg").background, "#000000");
});

test("a signed link says when it expires", () => {
  assert.equal(expiryOf("https://site.example/files/1/a.png?until=1700000000&signature=x").getTime(), 1.7e12);
});

test("values become form fields: lists with commas, empty lists empty, null left out", () => {
  const form = formOf({ threshold: 10, crop: false, background: null, outputs: ["cutout", "mask"], people: [] });

  assert.deepEqual(
    [...form.entries()],
    [
      ["threshold", "10"],
      ["crop", "false"],
      ["outputs", "cutout,mask"],
      ["people", ""],
    ],
  );
});

// The chosen files, and how they are sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../static/js/api/request.js";
import { picturesIn } from "../../static/js/upload/dropping.js";
import { countItems, mayBePicture, megabytes, newItem, ownSettings, uploadIds } from "../../static/js/upload/items.js";
import { afterError, nextPause } from "../../static/js/upload/retrying.js";
import { Sending } from "../../static/js/upload/sending.js";

/** Let the promises that are ready run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function sendingOf(count, send) {
  const items = new Set(Array.from({ length: count }, () => newItem(new Blob(["x"]))));
  const pauses = [];
  const sending = new Sending("/api/uploads/", items, {
    onItem: () => {},
    onPause: (seconds) => pauses.push(seconds),
    send,
  });
  return { sending, items: [...items], pauses };
}

test("all files are sent but those that their type or name declares to be something else", () => {
  assert.ok(mayBePicture({ type: "image/png", name: "a" }));
  assert.ok(mayBePicture({ type: "", name: "PHOTO.HEIC" }));
  assert.ok(mayBePicture({ type: "", name: "scan" }));
  assert.ok(mayBePicture({ type: "application/octet-stream", name: "photo.jpg.tmp" }));
  assert.ok(!mayBePicture({ type: "text/plain", name: "notes.txt" }));
  assert.ok(!mayBePicture({ type: "", name: ".DS_Store" }));
  assert.ok(!mayBePicture({ type: "video/mp4", name: "clip" }));
});

test("sizes are said in whole megabytes", () => {
  assert.equal(megabytes(20 * 2 ** 20), "20 MB");
});

test("only uploads that have arrived and differ have settings of their own", () => {
  const items = [
    { id: "a", settings: {} },
    { id: "b", settings: { format: "webp" } },
    { id: null, settings: { format: "webp" } },
  ];

  assert.deepEqual(ownSettings(items), { b: { format: "webp" } });
});

test("the items are counted for the buttons", () => {
  const items = ["waiting", "sending", "ready", "failed", "failed", "refused"].map((state) => ({ state }));

  assert.deepEqual(countItems(items), { good: 3, failed: 2, unsent: 2 });
});

test("only what has arrived is submitted, in the order of choosing", () => {
  assert.deepEqual(uploadIds([{ id: "b" }, { id: null }, { id: "a" }]), ["b", "a"]);
});

test("an error refuses a file, pauses the sending or stops it", () => {
  const verdicts = [
    [413, 0],
    [422, 0],
    [0, 0],
    [429, 30],
    [503, 0],
    [401, 0],
    [429, 3600],
  ].map(([status, retryAfterSeconds]) => afterError({ status, retryAfterSeconds }));

  assert.deepEqual(verdicts, ["refuse", "refuse", "pause", "pause", "pause", "stop", "stop"]);
});

test("pauses double up to a minute, unless the server asks for more", () => {
  assert.deepEqual(
    [nextPause(0, 0), nextPause(2, 0), nextPause(40, 0), nextPause(60, 0), nextPause(2, 50)],
    [2, 4, 60, 60, 50],
  );
});

test("three files are sent at once, and the next when one has arrived", async () => {
  const arrive = [];
  const { sending, items } = sendingOf(5, () => new Promise((resolve) => arrive.push(resolve)));
  sending.next();
  assert.equal(arrive.length, 3);

  arrive[0]({ id: "first" });
  await settle();

  assert.equal(arrive.length, 4);
  assert.deepEqual([items[0].state, items[0].id], ["ready", "first"]);
});

test("a lost connection pauses the sending, and all files wait", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let isLost = true;
  const { sending, items, pauses } = sendingOf(4, async () => {
    if (isLost) throw new ApiError("lost");
    return { id: "id" };
  });
  sending.next();
  await settle();
  assert.ok(sending.isPaused);
  assert.deepEqual(pauses, [2]);
  assert.ok(items.every(({ state }) => state === "waiting"));

  isLost = false;
  context.mock.timers.tick(2000);
  await settle();
  await settle();

  assert.ok(items.every(({ state }) => state === "ready"));
  assert.deepEqual(pauses, [2, 0]);
});

test("a quota that is used up fails what waits, until it is tried again", async () => {
  let isFull = true;
  const { sending, items } = sendingOf(5, async () => {
    if (isFull) throw new ApiError("full", { status: 429, retryAfterSeconds: 3600 });
    return { id: "id" };
  });
  sending.next();
  await settle();
  assert.deepEqual([...new Set(items.map(({ state, error }) => `${state}: ${error}`))], ["failed: full"]);

  isFull = false;
  sending.goOn({ failed: true });
  await settle();
  await settle();

  assert.ok(items.every(({ state }) => state === "ready"));
});

test("a file that is refused does not stop the others", async () => {
  const { sending, items } = sendingOf(2, async (_url, form) => {
    if (form.get("image").size > 1) throw new ApiError("too large", { status: 413 });
    return { id: "id" };
  });
  items[0].file = new Blob(["large"]);

  sending.next();
  await settle();

  assert.deepEqual([items[0].state, items[0].error, items[1].state], ["refused", "too large", "ready"]);
});

test("folders are searched to the bottom, in as many parts as they come, for pictures only", async () => {
  const fileEntry = (name) => ({ isFile: true, file: (resolve) => resolve({ name, type: "" }) });
  const folder = (name, ...parts) => ({
    isFile: false,
    name,
    createReader: () => ({ readEntries: (resolve) => resolve(parts.shift() ?? []) }),
  });
  const inner = folder("inner", [fileEntry("c.tiff")]);

  const found = await picturesIn([
    folder("outer", [fileEntry("a.heic")], [fileEntry("notes.txt"), inner]),
    fileEntry("b.bmp"),
  ]);

  assert.deepEqual(
    found.map(({ file, folder: path }) => [path, file.name]),
    [
      ["outer", "a.heic"],
      ["outer/inner", "c.tiff"],
      ["", "b.bmp"],
    ],
  );
});

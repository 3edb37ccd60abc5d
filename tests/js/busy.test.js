// The mark of operations in progress.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BUSY_AFTER_MS, Busy } from "../../static/js/page/busy.js";

/** Return a promise and the functions that end it. */
function pending() {
  let end, fail;
  const promise = new Promise((resolve, reject) => ([end, fail] = [resolve, reject]));
  return { promise, end, fail };
}

test("a long operation is marked until it ends, a short one never", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const mark = { hidden: true };
  const busy = new Busy(mark);

  const long = pending();
  const work = busy.during(long.promise);
  context.mock.timers.tick(BUSY_AFTER_MS - 1);
  assert.equal(mark.hidden, true);
  context.mock.timers.tick(1);
  assert.equal(mark.hidden, false);
  long.end("done");
  assert.equal(await work, "done");
  assert.equal(mark.hidden, true);

  await busy.during(Promise.resolve());
  context.mock.timers.tick(BUSY_AFTER_MS);
  assert.equal(mark.hidden, true);
});

test("of two operations the last one to end removes the mark, also if it fails", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const mark = { hidden: true };
  const busy = new Busy(mark);
  const [first, second] = [pending(), pending()];
  const works = [busy.during(first.promise), busy.during(second.promise)];
  context.mock.timers.tick(BUSY_AFTER_MS);

  first.end();
  await works[0];
  assert.equal(mark.hidden, false);

  second.fail(new Error("no answer"));
  await assert.rejects(works[1], /no answer/);
  assert.equal(mark.hidden, true);
});

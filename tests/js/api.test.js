// A job as the API writes it, and the errors of its answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesOf, hasEnded, imageIn, jobUrl, linkTo, peopleIn } from "../../static/js/api/job.js";
import { answered, ApiError, errorOf } from "../../static/js/api/request.js";
import { file, image, job } from "./jobs.js";

test("a picture is found by its id, and the first one stands in for an unknown one", () => {
  const two = job({ images: [image({ id: "a" }), image({ id: "b" })] });

  assert.equal(imageIn(two, "b").id, "b");
  assert.equal(imageIn(two, "gone").id, "a");
});

test("only the last three statuses are an end", () => {
  const ended = ["queued", "running", "succeeded", "failed", "canceled"].map((status) => hasEnded({ status }));

  assert.deepEqual(ended, [false, false, true, true, true]);
});

test("the link of the newest file of a kind is taken", () => {
  const shown = image({ files: [file("cutout", "/old"), file("mask", "/mask"), file("cutout", "/new")] });

  assert.equal(linkTo(shown, "cutout"), "/new");
  assert.equal(linkTo(shown, "source"), "");
});

test("a job's actions stand below its URL", () => {
  assert.equal(jobUrl(job({ id: "1" })), "/api/jobs/1/");
  assert.equal(jobUrl(job({ id: "1" }), "again"), "/api/jobs/1/again");
});

test("people and boxes belong to the method that asked for them", () => {
  const person = { id: 1, box: [0, 0, 9, 9], score: 0.9 };
  const shown = image({ instances: [person] });
  const boxes = [[1, 2, 3, 4]];

  assert.equal(peopleIn(job({ options: { method: "auto" } }), shown), null);
  assert.deepEqual(peopleIn(job({ options: { method: "instances" } }), shown), [person]);
  assert.deepEqual(boxesOf(job({ options: { method: "auto", boxes } })), []);
  assert.deepEqual(boxesOf(job({ options: { method: "boxes", boxes } })), boxes);
});

test("an error says what the problem document details, and knows when to try again", () => {
  const error = errorOf(429, { title: "Slow down", detail: "The quota is used up.", code: "quota_exceeded" }, "30");

  assert.equal(error.message, "The quota is used up.");
  assert.deepEqual([error.status, error.code, error.retryAfterSeconds], [429, "quota_exceeded", 30]);
});

test("an error without a problem document is its status, and one of a lost session says how to go on", () => {
  assert.equal(errorOf(502, null, null).message, "502");
  assert.match(errorOf(401, { detail: "A valid API key is needed." }, null).message, /signed out/);
});

test("a lost connection becomes an API error, and other errors stay what they are", async () => {
  await assert.rejects(answered(Promise.reject(new TypeError("Failed to fetch"))), (error) => {
    return error instanceof ApiError && error.status === 0 && error.code === "connection_lost";
  });
  const abort = new DOMException("stopped", "AbortError");
  await assert.rejects(answered(Promise.reject(abort)), (error) => error === abort);
});

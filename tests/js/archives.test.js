import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { isArchive, picturesInArchive } from "../../static/js/upload/archives.js";

const LIMITS = { maxFiles: 10, maxBytes: 1000 };

/**
 * Build a zip as a File. Each part is [name as bytes or text, content, flags].
 * @param {[string | Buffer, string, number?][]} parts
 */
function zipOf(parts, { deflates = true } = {}) {
  const bodies = [];
  const entries = [];
  let offset = 0;
  for (const [name, content, flags = 0x800] of parts) {
    const raw = Buffer.from(name);
    const plain = Buffer.from(content);
    const packed = deflates ? deflateRawSync(plain) : plain;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(raw.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(deflates ? 8 : 0, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(plain.length, 24);
    entry.writeUInt16LE(raw.length, 28);
    entry.writeUInt32LE(offset, 42);
    bodies.push(local, raw, packed);
    entries.push(entry, raw);
    offset += 30 + raw.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt32LE(Buffer.concat(entries).length, 12);
  end.writeUInt32LE(offset, 16);
  return new File([Buffer.concat([...bodies, ...entries, end])], "pictures.zip");
}

/** @param {{ file: File, folder: string }[]} found */
const listed = (found) => found.map(({ file, folder }) => [folder, file.name]);

for (const deflates of [true, false]) {
  test(`pictures are unpacked with their folders, ${deflates ? "deflated" : "stored"}`, async () => {
    const zip = zipOf(
      [
        ["pets/cat.jpg", "meow"],
        ["__MACOSX/._cat.jpg", "x"],
        ["pets/notes.txt", "x"],
        ["rocket.jpg", "whoosh"],
      ],
      { deflates },
    );

    const found = await picturesInArchive(zip, LIMITS);

    assert.deepEqual(listed(found), [
      ["pets", "cat.jpg"],
      ["", "rocket.jpg"],
    ]);
    assert.equal(await found[0].file.text(), "meow");
  });
}

test("names of a Chinese Windows are read", async () => {
  const name = Buffer.concat([Buffer.from([0xb0, 0xd7, 0xc3, 0xa8]), Buffer.from(".jpg")]); // 白猫 in GBK

  assert.deepEqual(listed(await picturesInArchive(zipOf([[name, "x", 0]]), LIMITS)), [["", "白猫.jpg"]]);
});

test("what is no zip, encrypted or too large is not unpacked", async () => {
  await assert.rejects(picturesInArchive(new File(["no zip"], "a.zip"), LIMITS));
  await assert.rejects(picturesInArchive(zipOf([["a.jpg", "x", 0x1]]), LIMITS));
  assert.deepEqual(await picturesInArchive(zipOf([["a.jpg", "x".repeat(2000)]]), LIMITS), []);
});

test("a directory that is wrong about a size is found out", async () => {
  const zip = Buffer.from(await zipOf([["a.jpg", "x".repeat(5000)]]).arrayBuffer());
  const entry = zip.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
  zip.writeUInt32LE(10, entry + 24);

  await assert.rejects(picturesInArchive(new File([zip], "a.zip"), LIMITS));
});

test("zips are known by their name or type", () => {
  assert.ok(isArchive({ name: "a.ZIP", type: "" }));
  assert.ok(isArchive({ name: "a", type: "application/zip" }));
  assert.ok(!isArchive({ name: "a.jpg", type: "image/jpeg" }));
});

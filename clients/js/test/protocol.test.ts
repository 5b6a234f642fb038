import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the type of an envelope has the keys that the protocol has, in its order", () => {
  const page = readFileSync("../../docs/protocol.md", "utf8");
  const table = page.slice(page.indexOf("| Key | If absent |"), page.indexOf("`token` is read as an object"));
  const keys = [...table.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1]);
  assert.ok(keys.length >= 13, String(keys));
  const source = readFileSync("src/protocol.ts", "utf8");
  const type = source.slice(source.indexOf("export interface Envelope {")).split("\n}")[0]!;
  assert.deepEqual([...type.matchAll(/^ {2}(\w+): /gm)].map((line) => line[1]), keys);
});

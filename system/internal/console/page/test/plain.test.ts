import assert from "node:assert/strict";
import test from "node:test";
import { bytes, count, moment, plural, pretty, rate, short, span, value } from "../src/format";
import { History } from "../src/history";
import { add, most, none } from "../src/loglines";
import type { LogRecord, Pulse, TreeNode } from "../src/protocol";
import { address, parse } from "../src/route";
import { flatten, move } from "../src/treelist";

test("numbers", () => {
  assert.deepEqual([0, 999, 1234567].map(count), ["0", "999", "1,234,567"]);
  assert.equal(count(undefined), "–");
  assert.deepEqual([0, 0.04, 3.25, 99.94, 99.95, 1234.5].map(rate), ["0", "0.0", "3.3", "99.9", "100", "1,235"]);
  assert.deepEqual([0, 1023, 1024, 10 * 1024, 1023.6 * 1024, 5 * 1024 ** 3].map(bytes), ["0 B", "1,023 B", "1.0 KiB", "10 KiB", "1.0 MiB", "5.0 GiB"]);
  assert.deepEqual([plural(1, "restart"), plural(2, "restart")], ["1 restart", "2 restarts"]);
});

test("times", () => {
  assert.deepEqual([-5, 0, 999, 1000, 61_000, 120_000, 3_660_000, 90_000_000, NaN].map(span), ["0 ms", "0 ms", "999 ms", "1 s", "1 min 1 s", "2 min", "1 h 1 min", "1 d 1 h", "–"]);
  assert.deepEqual([0, 0.25, 3.14, 250, 2500].map(short), ["0 ms", "250 µs", "3.1 ms", "250 ms", "2.5 s"]);
  const noon = new Date(2026, 10, 29, 12, 0, 5).getTime();
  assert.equal(moment(noon, noon), "12:00:05");
  assert.equal(moment(noon, noon + 86_400_000), "2026-11-29 12:00:05");
  assert.equal(moment("nonsense"), "–");
});

test("text", () => {
  assert.equal(value("a b"), "a b");
  assert.equal(value({ a: 1 }), '{"a":1}');
  assert.equal(pretty('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(pretty("{cut"), "{cut");
});

test("addresses", () => {
  assert.equal(parse("").path, "overview");
  assert.equal(parse("#/nothing").path, "overview");
  const at = parse(address("connections", { service: "a b&c", role: "" }));
  assert.deepEqual([at.path, at.args.get("service"), at.args.has("role")], ["connections", "a b&c", false]);
});

function sample(at_ms: number, connections: number): Pulse {
  return { at_ms, revision: { tree: 0, dead_letters: 0, log: 0, audit: 0 }, sample: { connections } as Pulse["sample"] };
}

test("the history goes on with the pulses, and does not draw over what is not known", () => {
  const h = new History();
  h.load({ every_ms: 5000, at_ms: [1000, 6000, 60_000], series: { connections: [1, 2, 3] } });
  h.add(sample(61_000, 4));
  h.add(sample(60_500, 9)); // older than what is there
  assert.deepEqual(h.window(3600, ["connections"]), [[1, 6, 6.001, 60, 61], [1, 2, null, 3, 4]]);
  assert.deepEqual(h.window(2, ["connections", "cpu"]), [[60, 61], [3, 4], [null, null]]);
  h.add(sample(90_000, 5));
  assert.deepEqual(h.window(29, ["connections"])[1], [4, null, 5]);
});

test("the history keeps an hour", () => {
  const h = new History();
  for (let s = 0; s < 4000; s++) h.add(sample(s * 1000, s));
  const [at] = h.window(1e9, ["connections"]);
  assert.ok(at.length >= 3600 && at.length <= 3670, String(at.length));
});

function line(number: number): LogRecord {
  return { number, at: "", level: "INFO", message: String(number) };
}

test("lines of the log come once, and not too many are kept", () => {
  let lines = add(none, { first: 1, last: 2, dropped: false, rows: [line(1), line(2)] });
  lines = add(lines, { first: 1, last: 3, dropped: false, rows: [line(2), line(3)] });
  assert.deepEqual(lines.rows.map((r) => r.number), [1, 2, 3]);
  assert.equal(add(lines, { first: 1, last: 3, dropped: false, rows: [] }), lines);
  assert.equal(add(lines, { first: 1, last: 203, dropped: false, rows: Array.from({ length: 200 }, (_, i) => line(i + 4)) }).missed, true);
  assert.equal(add(lines, { first: 1, last: 4, dropped: false, rows: [line(4)] }).missed, false);
  const many = add(lines, { first: 4, last: 2003, dropped: true, rows: Array.from({ length: 2000 }, (_, i) => line(i + 4)) });
  assert.deepEqual([many.rows.length, many.rows.at(-1)?.number, many.missed], [most, 2003, true]);
  const anew = add(many, { first: 1, last: 1, dropped: false, rows: [line(1)] });
  assert.deepEqual([anew.rows.length, anew.last], [1, 1]);
});

function node(name: string, ...children: TreeNode[]): TreeNode {
  return { name, kind: "k", state: "running", children };
}

test("keys move in the tree as they do in trees everywhere", () => {
  const root = node("root", node("a", node("x"), node("x")), node("b"));
  const items = flatten(root, new Set());
  assert.deepEqual(items.map((i) => [i.path, i.level, i.position, i.size]), [
    ["root", 1, 1, 1], ["root/a", 2, 1, 2], ["root/a/x", 3, 1, 2], ["root/a/x#2", 3, 2, 2], ["root/b", 2, 2, 2]]);
  const at = (path: string) => items.find((i) => i.path === path)!;
  assert.deepEqual(move(items, at("root/a"), "ArrowDown"), { path: "root/a/x" });
  assert.deepEqual(move(items, at("root"), "ArrowUp"), { path: "root" });
  assert.deepEqual(move(items, at("root/a"), "ArrowLeft"), { open: false });
  assert.deepEqual(move(items, at("root/a/x"), "ArrowLeft"), { path: "root/a" });
  assert.deepEqual(move(items, at("root"), "End"), { path: "root/b" });
  assert.deepEqual(move(items, at("root/b"), "ArrowRight"), {});
  assert.equal(move(items, at("root"), "x"), null);
  const shut = flatten(root, new Set(["root/a"]));
  assert.deepEqual(shut.map((i) => i.path), ["root", "root/a", "root/b"]);
  assert.deepEqual(move(shut, shut[1]!, "ArrowRight"), { open: true });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

test("the script is small, and what is built depends on nothing", () => {
  const dist = mkdtempSync(join(tmpdir(), "strowger-client-"));
  try {
    execFileSync(process.execPath, ["build.mjs"], { env: { ...process.env, CLIENT_DIST: dist }, stdio: "inherit" });
    const size = gzipSync(readFileSync(join(dist, "strowger.js")), { level: 9 }).length;
    assert.ok(size < 6 * 1024, `strowger.js has ${size} bytes after gzip`);
    for (const [name, peers] of [["index", []], ["react", ["react"]], ["vue", ["vue"]]] as const) {
      const code = readFileSync(join(dist, `${name}.js`), "utf8");
      assert.deepEqual([...code.matchAll(/^import .* from "(.*)";$/gm)].map((match) => match[1]), peers);
    }
  } finally {
    rmSync(dist, { recursive: true });
  }
});

test("the package asks for nothing at run time", () => {
  const { dependencies, peerDependenciesMeta } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.equal(dependencies, undefined);
  assert.deepEqual(peerDependenciesMeta, { react: { optional: true }, vue: { optional: true } });
});

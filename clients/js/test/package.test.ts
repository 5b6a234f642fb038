import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const description = JSON.parse(readFileSync("package.json", "utf8"));

test("what is published is what is built, the README and the licence", () => {
  const [packed] = Object.values(JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }))) as { files: { path: string }[] }[];
  const files = packed!.files.map(({ path }) => path);
  assert.deepEqual(files.filter((path) => !path.startsWith("dist/")).sort(), ["LICENSE", "README.md", "package.json"]);
  for (const path of files) assert.match(path, /^(LICENSE|README\.md|package\.json|dist\/\w+(\.d\.ts|\.js))$/);
  assert.equal(readFileSync("LICENSE", "utf8"), readFileSync("../../LICENSE", "utf8"));
  // Each address that package.json names is published, and so are the types of each module.
  const named = JSON.stringify([description.exports, description.main, description.types, description.unpkg, description.jsdelivr, description.sideEffects]).match(/\.\/[\w./]+/g)!;
  const entries = named.filter((path) => path.includes("dist/") || path === "./package.json");
  assert.ok(entries.length >= 10, String(entries));
  for (const path of entries) assert.ok(files.includes(path.slice(2)), `${path} is not published`);
  for (const [name, entry] of Object.entries<{ types?: string; default?: string }>(description.exports)) {
    if (typeof entry === "string") continue;
    assert.deepEqual(Object.keys(entry), ["types", "default"], name); // the order counts
    assert.equal(entry.types!.replace(".d.ts", ".js"), entry.default);
  }
});

test("the package says what it is", () => {
  const { name, version, license, type, engines, sideEffects } = description;
  assert.deepEqual([name, license, type, engines], ["strowger", "Apache-2.0", "module", { node: ">=20.19" }]);
  assert.match(version, /^\d+\.\d+\.\d+$/);
  // The script is there for what it does: it defines a global.
  assert.deepEqual(sideEffects, ["./dist/strowger.js"]);
});

test("what is built runs where there is nothing of Node", async () => {
  // What browsers, workers, Deno and Node have alike, and no more.
  const { setTimeout, clearTimeout, queueMicrotask, AbortController, TextEncoder } = globalThis;
  const sent: string[] = [];
  class Socket {
    onmessage: ((event: { data: string }) => void) | undefined;
    onclose: unknown;
    onerror: unknown;
    constructor() {
      const say = (envelope: object) => queueMicrotask(() => this.onmessage?.({ data: JSON.stringify({ request_id: "", ...envelope }) }));
      say({ service_name: "authentication", status_code: 407 });
      this.send = (text) => {
        sent.push(text);
        const { service, request_id } = JSON.parse(text);
        say(service === "authentication" ? { service_name: service, status_code: 200 } : { service_name: service, request_id, status_code: 200, payload: "answer" });
      };
    }
    send: (text: string) => void;
    close() {}
  }
  const bare = createContext({ setTimeout, clearTimeout, queueMicrotask, AbortController, TextEncoder, WebSocket: Socket });
  for (const name of ["strowger", "index"]) {
    // A module of one file without imports is a script, but for what it exports.
    const code = readFileSync(`dist/${name}.js`, "utf8").replace(/\nexport \{[^}]*\};\s*$/, "\nvar Strowger = { connect };");
    assert.doesNotMatch(code, /^import |^export /m);
    runInContext(name === "index" ? `(() => {${code}\nglobalThis.Strowger = Strowger;})()` : code, bare);
    const answer = await runInContext(`(async () => {
      const client = Strowger.connect("ws://router.test/", { token: () => ({ name: "n", hash: "h" }) });
      await client.ready();
      const answer = await client.request("weather", "today");
      client.close();
      return answer;
    })()`, bare);
    assert.deepEqual([answer, sent.splice(0).length], ["answer", 2]);
  }
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { afterClose, connect, CloseCode, StrowgerError } from "../src/index.js";
import { FakeSocket, Lab, settle } from "./fake.js";

test("a client authenticates when it is asked to", async () => {
  const lab = new Lab();
  await settle();
  assert.equal(lab.client.state, "connecting");
  assert.deepEqual(lab.socket.sent, []);
  lab.socket.greet();
  lab.socket.greet(); // the answer to a message that crossed the token
  assert.deepEqual(lab.socket.sent, [{ service: "authentication", token: { name: "name1", hash: "hash" }, payload: { history: {}, gaps: true } }]);
  lab.socket.say({ service_name: "authentication", status_code: 200, topic: "authenticated" });
  assert.equal(lab.client.state, "online");
  assert.equal(lab.names(), "connecting online");
  assert.equal(lab.states[1]?.again, false);
  await lab.client.ready();
});

// What the client does after each close code, as the table of the protocol says it. The row "none" is a lost network.
const rules: [code: number, pause: number | undefined, sameToken: boolean][] = [
  [1000, 500, true], [1005, 500, true], [1006, 500, true], [4099, 500, true],
  [1001, 500, true],
  [1002, undefined, false],
  [1007, undefined, false],
  [1009, 500, false],
  [1011, 500, true],
  [1013, 5500, true],
  [4001, 500, false],
  [4002, 500, false],
  [4003, 500, false],
  [4005, 500, true],
  [4006, 500, false],
];

for (const [code, pause, sameToken] of rules) {
  test(`after close code ${code} the client ${pause === undefined ? "does not come back" : "comes back"}`, async () => {
    const lab = new Lab();
    const socket = await lab.online();
    socket.drop(code, "why");
    if (pause === undefined) {
      assert.equal(lab.client.state, "closed");
      assert.equal(lab.client.status.error?.kind, "protocol");
      assert.equal(lab.client.status.error?.closeCode, code);
      await lab.pass(1e6);
      assert.equal(lab.sockets, 1);
      return;
    }
    assert.equal(socket.closed, "without a code");
    assert.equal(lab.client.state, "offline");
    assert.equal(lab.client.status.retryIn, pause);
    assert.equal(lab.client.status.error?.closeCode, code);
    await lab.pass(pause - 1);
    assert.equal(lab.sockets, 1);
    await lab.pass(1);
    assert.equal(lab.sockets, 2);
    assert.deepEqual(lab.tokens[1], { previous: sameToken ? { name: "name1", hash: "hash" } : undefined, failures: 1 });
    await lab.online();
    assert.equal(lab.names(), "connecting online offline connecting online");
    assert.equal(lab.client.status.again, true);
  });
}

test("each close code of the protocol has a rule that is tested", () => {
  const page = readFileSync("../../docs/protocol.md", "utf8");
  const table = page.slice(page.indexOf("## 8. Close codes"), page.indexOf("## 9."));
  const codes = [...table.matchAll(/^\| (\d{4}) \|/gm)].map((row) => Number(row[1]));
  assert.ok(codes.length >= 10, String(codes));
  assert.deepEqual(codes, Object.values(CloseCode));
  for (const code of codes) assert.ok(rules.some(([known]) => known === code), `${code} is in no test`);
  assert.equal(afterClose(1013).back, "later");
});

test("pauses grow at random, and begin anew after a connection that lasted", async () => {
  const lab = new Lab({ reconnect: { min: 100, max: 1000 } }, 0.5);
  const pauses: (number | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    await lab.online(); // being admitted is not enough
    lab.socket.drop(1006);
    pauses.push(lab.client.status.retryIn);
    await lab.pass(1000);
  }
  assert.deepEqual(pauses, [50, 100, 200, 400, 500, 500]);
  await lab.online();
  await lab.pass(1000);
  lab.socket.drop(1006);
  assert.equal(lab.client.status.retryIn, 50);
});

test("a socket that tells an error and no end is given up", async () => {
  const lab = new Lab();
  await settle();
  lab.socket.onerror?.({});
  await lab.pass(100);
  assert.equal(lab.client.state, "offline");
  assert.equal(lab.client.status.error?.closeCode, 1006);
  await lab.pass(500);
  lab.socket.onerror?.({});
  lab.socket.drop(1013);
  await lab.pass(100);
  assert.equal(lab.client.status.error?.closeCode, 1013);
  assert.equal(lab.sockets, 2);
  await lab.pass(6500);
  lab.socket.drop(0);
  assert.equal(lab.client.status.error?.closeCode, 1006);
});

test("the network's return ends a pause", async () => {
  const listeners: Record<string, () => void> = {};
  const was = globalThis.addEventListener;
  globalThis.addEventListener = ((name: string, f: () => void) => void (listeners[name] = f)) as typeof was;
  try {
    const lab = new Lab();
    await settle();
    lab.socket.drop(1006);
    listeners["online"]?.();
    await settle();
    assert.equal(lab.sockets, 2);
    listeners["online"]?.(); // nothing waits
    await settle();
    assert.equal(lab.sockets, 2);
  } finally {
    globalThis.addEventListener = was;
  }
});

test("a token that is used again and refused is followed by a fresh one at once", async () => {
  const lab = new Lab();
  (await lab.online()).drop(1006);
  await lab.pass(500);
  lab.socket.refuse();
  await settle();
  assert.equal(lab.sockets, 3);
  assert.equal(lab.tokens[2]?.previous, undefined);
  await lab.online();
  assert.equal(lab.client.state, "online");
});

test("a client gives up after some fresh tokens were refused", async () => {
  const lab = new Lab({ reconnect: { refusals: 3, min: 1, max: 1 } });
  for (let i = 0; i < 3; i++) {
    await settle();
    lab.socket.refuse();
    await lab.pass(1);
  }
  assert.equal(lab.client.state, "closed");
  assert.equal(lab.client.status.error?.status, 401);
  assert.equal(lab.sockets, 3);
  await assert.rejects(lab.client.ready(), (error: StrowgerError) => error.kind === "closed" && error.status === 401);
});

test("a token callback that fails is called again", async () => {
  let calls = 0;
  const lab = new Lab({
    token: async () => {
      if (++calls === 1) throw new Error("the session is over");
      if (calls === 2) return null as never;
      return { name: "n", hash: "h" };
    },
  });
  await settle();
  assert.equal(lab.client.status.error?.kind, "token");
  assert.match(lab.client.status.error.message, /the session is over/);
  await lab.pass(500);
  assert.match(lab.client.status.error?.message ?? "", /returned no token/);
  await lab.pass(1000);
  await lab.online();
  assert.equal(lab.client.state, "online");
});

test("an attempt has a time limit, and what comes after it is not heard", async () => {
  let aborted = false;
  const lab = new Lab({
    connectTimeout: 100,
    token: ({ signal }) => new Promise(() => signal.addEventListener("abort", () => (aborted = true))),
  });
  await lab.pass(100);
  assert.equal(lab.client.status.error?.kind, "timeout");
  assert.ok(aborted);
  const late = new Lab({ connectTimeout: 100 });
  await settle();
  const { socket } = late;
  const { onmessage } = socket;
  await late.pass(100);
  assert.equal(socket.closed, "without a code");
  socket.onmessage = onmessage;
  late.client.close();
  assert.equal(late.client.state, "closed");
});

test("a silent router is asked for a sign of life, and given up without one", async () => {
  const lab = new Lab({ heartbeat: 1000 });
  const first = await lab.online();
  await lab.pass(1000); // the token's answer came in this time
  assert.equal(first.requests.length, 0);
  await lab.pass(1000);
  assert.deepEqual(first.requests.map((m) => [m["service"], m["topic"]]), [["strowger", "offered"]]);
  first.answer(first.requests[0], { offered: false });
  await lab.pass(1000);
  assert.equal(lab.client.state, "online");
  await lab.pass(1000);
  assert.equal(first.requests.length, 2);
  await lab.pass(1000);
  assert.equal(lab.client.state, "offline");
  // With a code the router would take it for a goodbye, and the token could not be used again.
  assert.equal(first.closed, "without a code");
  assert.equal(lab.tokens.length, 1);
  await lab.pass(500);
  assert.deepEqual(lab.tokens[1]?.previous, { name: "name1", hash: "hash" });
});

test("close says goodbye and ends everything", async () => {
  const lab = new Lab({ heartbeat: 10 });
  const socket = await lab.online();
  lab.client.close();
  lab.client.close();
  assert.equal(socket.closed, 1000);
  assert.equal(lab.names(), "connecting online closed");
  assert.equal(lab.client.status.error, undefined);
  await lab.pass(1e6);
  assert.equal(lab.sockets, 1);
  const early = new Lab();
  early.client.close();
  await lab.pass(1e6);
  assert.equal(early.sockets, 0);
});

test("a listener may close the client at any state", async () => {
  for (const at of ["connecting", "online", "offline"]) {
    const lab = new Lab();
    lab.client.on("state", ({ state }) => {
      if (state === at) lab.client.close();
    });
    await settle();
    if (at !== "connecting") (await lab.online()).drop(1006);
    await lab.pass(1e6);
    assert.equal(lab.client.state, "closed", at);
    assert.ok(lab.sockets <= 1, at);
  }
});

test("wrong arguments are refused", async () => {
  assert.throws(() => connect("ws://x/", {} as never), /options.token/);
  const was = (globalThis as any).WebSocket;
  delete (globalThis as any).WebSocket;
  try {
    assert.throws(() => connect("ws://x/", { token: () => ({ name: "", hash: "" }) }), /no WebSocket/);
  } finally {
    if (was) (globalThis as any).WebSocket = was;
  }
  class Wrong extends FakeSocket {
    constructor(url: string) {
      super(url);
      throw new SyntaxError("wrong address");
    }
  }
  const lab = new Lab({ WebSocket: Wrong });
  await settle();
  assert.equal(lab.client.state, "closed");
  assert.match(lab.client.status.error?.message ?? "", /wrong address/);
  assert.throws(() => lab.client.on("presence" as never, () => {}), /no event presence/);
});

test("what is no envelope is ignored", async () => {
  const lab = new Lab(), got: unknown[] = [];
  lab.client.subscribe("", ({ payload }) => got.push(payload));
  const socket = await lab.online();
  for (const data of ["null", "1", '"x"', "[]", "{", ""]) socket.onmessage!({ data });
  socket.say({ payload: "after" });
  assert.deepEqual(got, ["after"]);
  assert.equal(lab.client.state, "online");
});

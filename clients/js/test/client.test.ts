import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { StrowgerError } from "../src/index.js";
import type { Message } from "../src/index.js";
import { Lab, settle } from "./fake.js";

/** Outcomes notes how promises end, so that a second end would show. */
class Outcomes {
  ends: string[] = [];

  note(name: string, promise: Promise<unknown>): void {
    promise.then(
      (value) => this.ends.push(`${name}: ${JSON.stringify(value)}`),
      (error) => this.ends.push(`${name}: ${error instanceof StrowgerError ? `${error.kind} ${error.status} sent=${error.sent}` : error}`),
    );
  }
}

test("a request gets its own reply, in whatever order they come", async () => {
  const lab = new Lab(), ends = new Outcomes();
  const socket = await lab.online();
  for (const city of ["Oslo", "Rome"]) ends.note(city, lab.client.request("weather", "today", { city }));
  ends.note("nothing", lab.client.request("weather", "today"));
  const [oslo, rome, nothing] = socket.requests;
  assert.deepEqual(oslo, { request_id: "1", service: "weather", topic: "today", payload: { city: "Oslo" } });
  assert.deepEqual(nothing?.["payload"], {});
  socket.answer(rome, 20);
  socket.answer(oslo, -3);
  socket.answer(oslo, "one more"); // only the first counts
  await settle();
  assert.deepEqual(ends.ends, ["Rome: 20", "Oslo: -3"]);
});

test("an error has the status of the answer, and its payload", async () => {
  const lab = new Lab();
  const socket = await lab.online();
  const asked = lab.client.request("weather", "today");
  socket.answer(socket.requests[0], { retry_after: 2 }, { status_code: 503, status_string: "error" });
  await assert.rejects(asked, (error: StrowgerError) => {
    assert.ok(error instanceof StrowgerError && error instanceof Error);
    assert.deepEqual([error.kind, error.status, error.statusText, error.service, error.topic, error.payload, error.sent],
      ["status", 503, "error", "weather", "today", { retry_after: 2 }, true]);
    return true;
  });
});

test("a request ends once: by its reply, its time, its signal or the end of the connection", async () => {
  const lab = new Lab(), ends = new Outcomes(), stop = new AbortController();
  const socket = await lab.online();
  ends.note("late", lab.client.request("a", "t", 1, { timeout: 10 }));
  ends.note("stopped", lab.client.request("a", "t", 2, { signal: stop.signal }));
  ends.note("lost", lab.client.request("a", "t", 3));
  ends.note("patient", lab.client.request("a", "t", 4, { timeout: Infinity }));
  ends.note("before", lab.client.request("a", "t", 5, { signal: AbortSignal.abort(new Error("not at all")) }));
  await lab.pass(10);
  stop.abort(new Error("the user left"));
  await settle();
  socket.drop(1006);
  for (const request of socket.requests) socket.answer(request, "too late");
  await lab.pass(1e6);
  assert.deepEqual(ends.ends, ["before: Error: not at all", "late: timeout 0 sent=true", "stopped: Error: the user left",
    "lost: disconnected 0 sent=true", "patient: disconnected 0 sent=true"]);
  assert.equal(socket.requests.length, 4);
});

test("without a queue a request fails while there is no connection", async () => {
  const lab = new Lab();
  await assert.rejects(lab.client.request("a", "t"), (error: StrowgerError) => error.kind === "disconnected" && !error.sent);
  const socket = await lab.online();
  assert.equal(socket.requests.length, 0);
});

test("with a queue requests wait in order, no more than it holds, and are sent once", async () => {
  const lab = new Lab({ queue: 3 }), ends = new Outcomes(), stop = new AbortController();
  ends.note("1", lab.client.request("a", "t", 1));
  ends.note("2", lab.client.request("a", "t", 2, { timeout: 50 }));
  ends.note("3", lab.client.request("a", "t", 3, { signal: stop.signal }));
  ends.note("4", lab.client.request("a", "t", 4));
  await lab.pass(50);
  stop.abort(new Error("stop"));
  ends.note("5", lab.client.request("a", "t", 5)); // there is room again
  lab.client.on("state", ({ state }) => {
    if (state === "online") ends.note("6", lab.client.request("a", "t", 6));
  });
  const socket = await lab.online();
  assert.deepEqual(socket.requests.map((request) => request["payload"]), [1, 5, 6]);
  socket.answer(socket.requests[0], "one");
  await settle();
  socket.drop(1006);
  ends.note("7", lab.client.request("a", "t", 7));
  await settle();
  await lab.pass(500);
  const next = await lab.online();
  assert.deepEqual(next.requests.map((request) => request["payload"]), [7, 6]);
  assert.deepEqual(ends.ends, ["4: overflow 0 sent=false", "2: timeout 0 sent=false", "3: Error: stop", '1: "one"',
    "5: disconnected 0 sent=true", "6: disconnected 0 sent=true"]);
  lab.client.close();
  ends.ends = [];
  ends.note("after", lab.client.request("a", "t"));
  await settle();
  assert.deepEqual(ends.ends, ["7: closed 0 sent=true", "6: closed 0 sent=true", "after: closed 0 sent=false"]);
});

test("what cannot be sent is refused, and hurts no other request", async () => {
  const lab = new Lab({ maxMessageBytes: 200 });
  const socket = await lab.online();
  for (const payload of ["x".repeat(200), "\u00e9".repeat(100)]) {
    await assert.rejects(lab.client.request("a", "t", payload), (error: StrowgerError) => error.kind === "too_big");
  }
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  await assert.rejects(lab.client.request("a", "t", circle), TypeError);
  await assert.rejects(lab.client.request("", "t"), TypeError);
  await assert.rejects(lab.client.request("authentication", "t"), TypeError);
  assert.equal(socket.requests.length, 0);
});

test("a stream has all replies until the reader leaves", async () => {
  const lab = new Lab();
  const socket = await lab.online();
  const stream = lab.client.stream<number>("calls", "list", {}, { timeout: 10 });
  const [request] = socket.requests;
  for (const n of [1, 2]) socket.answer(request, n, { topic: "call" });
  await lab.pass(1000); // the time was for the first
  socket.answer(request, 3, { topic: "done", status_string: "ok" });
  const got: unknown[] = [];
  for await (const { payload, topic, status } of stream) {
    got.push([payload, topic, status]);
    if (topic === "done") break;
  }
  assert.deepEqual(got, [[1, "call", 200], [2, "call", 200], [3, "done", 200]]);
  socket.answer(request, 4);
  assert.equal((await stream.next()).done, true);
});

test("a stream fails with its connection, a refusal, too many replies or its signal, after what came before", async () => {
  const lab = new Lab(), stop = new AbortController();
  const socket = await lab.online();
  const streams = [
    lab.client.stream("a", "t", 0),
    lab.client.stream("a", "t", 1, { limit: 2 }),
    lab.client.stream("a", "t", 2),
    lab.client.stream("a", "t", 3, { signal: stop.signal }),
    lab.client.stream("", "t"),
  ];
  const [refused, many, lost, stopped] = socket.requests;
  socket.answer(refused, 1);
  socket.answer(refused, null, { status_code: 403 });
  for (let i = 0; i < 4; i++) socket.answer(many, i);
  socket.answer(lost, 1);
  socket.answer(stopped, 1);
  stop.abort(new Error("enough"));
  socket.drop(1006);
  const ends: string[] = [];
  for (const stream of streams) {
    let n = 0;
    try {
      for await (const _ of stream) n++;
    } catch (error) {
      ends.push(`${n} ${error instanceof StrowgerError ? error.kind : error}`);
    }
  }
  assert.deepEqual(ends, ["1 status", "2 overflow", "1 disconnected", "1 Error: enough", '0 TypeError: no service can have the name ""']);
});

test("a callback gets the broadcasts of its service and topic until it is taken away", async () => {
  const lab = new Lab();
  const got: string[] = [];
  const note = (who: string) => (message: Message) => void got.push(`${who} ${message.service}/${message.topic} ${message.payload}${message.gap ? " gap" : ""}`);
  const off = lab.client.subscribe("weather", note("weather"));
  lab.client.subscribe("", note("all"), { topic: "rain" });
  const first = await lab.online();
  first.say({ topic: "sun", payload: 1 });
  first.say({ topic: "rain", payload: 2, request_id: "0" });
  first.say({ service_name: "news", topic: "rain", payload: 3, request_id: null });
  first.say({ topic: "sun", payload: "a late reply", request_id: "77" });
  first.drop(1006);
  await lab.pass(500);
  const second = await lab.online();
  second.say({ topic: "sun", payload: 4 });
  second.say({ topic: "sun", payload: 5 });
  off();
  second.say({ topic: "rain", payload: 6 });
  assert.deepEqual(got, ["weather weather/sun 1", "weather weather/rain 2", "all weather/rain 2", "all news/rain 3",
    "weather weather/sun 4 gap", "weather weather/sun 5", "all weather/rain 6 gap"]);
});

test("who was taken away by another callback is called no more", async () => {
  const lab = new Lab(), got: string[] = [];
  const offs: (() => void)[] = [];
  const end = (who: string) => () => {
    got.push(who);
    for (const off of offs) off();
  };
  const socket = await lab.online();
  offs.push(lab.client.subscribe("weather", end("first")), lab.client.subscribe("weather", end("second")));
  socket.say({});
  offs.push(lab.client.on("gap", end("gap")), lab.client.on("gap", end("second gap")));
  socket.say({ gap: 1 });
  offs.push(lab.client.presence("weather", end("presence")), lab.client.presence("weather", end("second presence")));
  const { socket: next } = (await lab.online(), lab);
  next.say({ topic: "presence", presence: true, payload: { present: [] } });
  assert.deepEqual(got, ["first", "gap", "presence"]);
  lab.client.close();
});

test("a callback that throws hurts nobody else", async () => {
  const lab = new Lab();
  const socket = await lab.online();
  const got: unknown[] = [], thrown: unknown[] = [];
  lab.client.subscribe("weather", () => {
    throw new Error("a bug");
  });
  lab.client.subscribe("weather", ({ payload }) => got.push(payload));
  // The error is thrown in a microtask, where it is reported as one that nobody catches.
  const later = mock.method(globalThis, "queueMicrotask", (f: () => void) => {
    try {
      f();
    } catch (error) {
      thrown.push(String(error));
    }
  });
  socket.say({ payload: 1 });
  later.mock.restore();
  assert.deepEqual([got, thrown], [[1], ["Error: a bug"]]);
});

test("an iterator keeps order, drops the oldest beyond its limit and says so", async () => {
  const lab = new Lab();
  const feed = lab.client.subscribe<number>("weather", { limit: 2 });
  const waiting = feed.next();
  const socket = await lab.online();
  for (let n = 1; n <= 5; n++) socket.say({ payload: n });
  assert.equal((await waiting).value?.payload, 1);
  assert.equal(feed.dropped, 2);
  socket.drop(1006);
  await lab.pass(500);
  const second = await lab.online();
  for (let n = 6; n <= 8; n++) second.say({ payload: n });
  const got: unknown[] = [];
  for await (const { payload, missed, gap } of feed) {
    got.push([payload, missed, gap]);
    if (payload === 8) break;
  }
  // 6 was the first after the gap and had to give way, so the next one tells of it.
  assert.deepEqual(got, [[7, 5, true], [8, 0, false]]);
  assert.equal(feed.dropped, 5);
  second.say({ payload: 9 });
  assert.equal((await feed.next()).done, true);
});

test("an iterator ends with the client: quietly after close, with the reason otherwise", async () => {
  const lab = new Lab();
  const feed = lab.client.subscribe("weather"), idle = lab.client.subscribe("weather"), shut = lab.client.subscribe("weather");
  const read = idle.next();
  const socket = await lab.online();
  assert.equal((await Promise.race([read, Promise.resolve("waits")])), "waits");
  socket.say({ payload: 1 });
  assert.equal((await read).value?.payload, 1);
  shut.close();
  socket.say({ payload: 2 });
  lab.client.close();
  const got: unknown[] = [];
  for await (const { payload } of feed) got.push(payload);
  for await (const { payload } of shut) got.push(payload);
  assert.deepEqual(got, [1, 2, 1]);
  const broken = new Lab();
  const lost = broken.client.subscribe("weather");
  (await broken.online()).drop(1002);
  await assert.rejects(lost.next(), (error: StrowgerError) => error.kind === "protocol" && error.closeCode === 1002);
  assert.equal((await lost.next()).done, true);
  await assert.rejects(broken.client.subscribe("weather").next(), StrowgerError);
});

test("ready waits for a connection, or until its signal ends it", async () => {
  const lab = new Lab(), ends = new Outcomes(), stop = new AbortController();
  ends.note("ready", lab.client.ready());
  ends.note("stopped", lab.client.ready({ signal: stop.signal }));
  stop.abort(new Error("stop"));
  await settle();
  assert.deepEqual(ends.ends, ["stopped: Error: stop"]);
  await lab.online();
  assert.deepEqual(ends.ends, ["stopped: Error: stop", "ready: undefined"]);
});

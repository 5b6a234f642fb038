import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { covers, join, joined, passes } from "../src/filter.js";
import type { Filter, Message } from "../src/index.js";
import { Lab, settle } from "./fake.js";

const asked = (lab: Lab) => lab.socket.sent[0]?.["payload"].filters;

test("a filter passes what protocol 15.1 says", () => {
  const oslo: Filter = { topics: ["today", "storm"], keys: { city: ["Oslo", "Rome"], level: 3 } };
  for (const [filter, topic, payload, want] of [
    [oslo, "today", { city: "Rome", level: 3 }, true],
    [oslo, "other", { city: "Rome", level: 3 }, false],
    [oslo, "today", { city: "Bonn", level: 3 }, false],
    [oslo, "today", { city: "Rome", level: "3" }, false],
    [oslo, "today", { city: "Rome" }, false],
    [{}, "any", null, true],
    [{ topics: [], keys: {} }, "any", "text", true],
    [{ keys: { a: null } }, "t", { a: null }, true],
    [{ keys: { a: null } }, "t", {}, false],
    [{ keys: { a: [true, false] } }, "t", { a: false }, true],
    [{ keys: { a: [] } }, "t", { a: 1 }, false],
    [{ keys: { length: 1 } }, "t", ["x"], false],
    [{ keys: { length: 1 } }, "t", "x", false],
    [{ keys: { a: 1 } }, "t", null, false],
    [{ keys: JSON.parse('{"__proto__":1}') }, "t", JSON.parse('{"__proto__":1}'), true],
    [{ keys: JSON.parse('{"__proto__":1}') }, "t", {}, false],
  ] as [Filter, string, unknown, boolean][]) {
    assert.equal(passes(filter, topic, payload), want, JSON.stringify([filter, topic, payload]));
    assert.equal(passes(join(filter, filter), topic, payload), want, `joined ${JSON.stringify([filter, topic, payload])}`);
  }
});

test("filters that are joined pass all that one of them passes", () => {
  const filters: Filter[] = [{}, { topics: ["a"] }, { topics: ["b", "c"] }, { keys: { k: 1 } }, { keys: { k: [2, 3], l: true } },
    { topics: ["a"], keys: { k: 1 } }, { topics: ["b"], keys: { l: false } }];
  const messages = ["a", "b", "c", "d"].flatMap((topic) => [{}, { k: 1 }, { k: 2, l: true }, { l: false }, { k: 3, l: false }].map((payload) => ({ topic, payload })));
  let more = 0;
  for (const a of filters) {
    for (const b of filters) {
      const both = join(a, b);
      assert.deepEqual([covers(both, a), covers(both, b)], [true, true]);
      for (const { topic, payload } of messages) {
        const one = passes(a, topic, payload) || passes(b, topic, payload), got = passes(both, topic, payload);
        assert.ok(got || !one, JSON.stringify([a, b, topic, payload]));
        if (got && !one) more++;
      }
      if (!covers(join(a, a), b)) assert.ok(messages.some(({ topic, payload }) => passes(b, topic, payload) && !passes(a, topic, payload)), JSON.stringify([a, b]));
    }
  }
  assert.ok(more > 0, "no filter is weaker than it might be: is the test too small?");
  assert.deepEqual(joined([{ service: "a", filter: { topics: ["t"] } }, { service: "b", filter: {} }]), { a: { topics: ["t"], keys: {} } });
  assert.deepEqual(joined([{ service: "a", filter: { topics: ["t"] } }, { service: "", filter: { topics: ["t"] } }]), {});
});

test("the router is asked for what the subscriptions want, at each connection anew", async () => {
  const lab = new Lab({ resume: true }), got: unknown[] = [];
  lab.client.subscribe("weather", ({ payload }: Message) => void got.push(payload), { filter: { topics: ["today"], keys: { city: "Oslo" } } });
  const end = lab.client.subscribe("weather", () => {}, { filter: { topics: ["storm"], keys: { city: "Rome", level: 3 } } });
  lab.client.subscribe("news", () => {}, { filter: { keys: { lang: ["no", "en"] } } });
  lab.client.subscribe("chat", () => {}, { filter: { topics: ["t"] } });
  lab.client.subscribe("chat", () => {}, { topic: "t" }); // not told to the router, so it wants all
  await settle();
  lab.socket.greet();
  assert.deepEqual(asked(lab), { weather: { topics: ["today", "storm"], keys: { city: ["Oslo", "Rome"] } }, news: { topics: [], keys: { lang: ["no", "en"] } } });
  // A client cuts off what it gets too much, whatever the router says.
  lab.socket.say({ service_name: "authentication", status_code: 200, topic: "authenticated",
    payload: { filters: { weather: "too many values", news: true }, resume: { resumed: false, ticket: "t1", lifetime: 300 } } });
  lab.socket.say({ topic: "today", payload: { city: "Oslo" } });
  lab.socket.say({ topic: "storm", payload: { city: "Oslo" } });
  lab.socket.say({ topic: "today", payload: { city: "Rome" } });
  assert.deepEqual(got, [{ city: "Oslo" }]);
  end();
  lab.socket.drop(1006);
  await lab.pass(500);
  lab.socket.greet();
  assert.deepEqual([asked(lab).weather, lab.socket.sent[0]?.["token"]], [{ topics: ["today"], keys: { city: ["Oslo"] } }, { name: "resume", hash: "t1" }]);
  await lab.online(undefined, { weather: true, news: true });
  lab.client.subscribe("", () => {}); // it wants all of all services
  assert.equal(lab.client.state, "connecting");
  await lab.online();
  assert.equal(asked(lab), undefined);
});

test("a subscription that wants more takes a new connection, and one that does not takes none", async () => {
  const lab = new Lab(), gaps: unknown[] = [];
  lab.client.on("gap", (gap) => void gaps.push(gap));
  const wanted = { topics: ["a", "b"], keys: { k: [1, 2] } };
  lab.client.subscribe("weather", () => {}, { filter: wanted });
  wanted.topics.push("c"); // too late
  await lab.online(undefined, { weather: true });
  lab.client.subscribe("news", () => {});
  lab.client.subscribe("weather", () => {}, { filter: { topics: ["b"], keys: { k: 2, l: 1 } } });
  assert.equal(lab.sockets, 1);
  const asks = lab.client.request("weather", "today");
  const first = lab.socket;
  for (const topic of ["c", "d"]) lab.client.subscribe("weather", () => {}, { filter: { topics: [topic], keys: { k: 3 } } });
  assert.equal(first.closed, "without a code"); // with one the token could not be used again
  await assert.rejects(asks, { kind: "disconnected", sent: true });
  await settle();
  assert.deepEqual(lab.tokens[1]?.previous, { name: "name1", hash: "hash" });
  await lab.online(undefined, { weather: true });
  assert.deepEqual(asked(lab), { weather: { topics: ["a", "b", "c", "d"], keys: { k: [1, 2, 3] } } });
  assert.deepEqual([lab.sockets, lab.client.status.again], [2, true]);
  assert.deepEqual(gaps, [{ service: "weather", missed: 0 }, { service: "news", missed: 0 }]);
});

test("a subscription that comes while the router reads the token counts too", async () => {
  const lab = new Lab();
  lab.client.subscribe("weather", () => {}, { filter: { topics: ["a"] } });
  await settle();
  lab.socket.greet();
  lab.client.subscribe("weather", () => {});
  await settle();
  assert.equal(lab.sockets, 2);
  await lab.online();
  assert.equal(asked(lab), undefined);
  assert.equal(lab.client.state, "online");
});

test("a filter that the router does not use needs no new connection", async () => {
  for (const filters of [undefined, { weather: "not subscribed" }]) {
    const lab = new Lab(), got: unknown[] = [];
    lab.client.subscribe("weather", () => {}, { filter: { topics: ["a"] } });
    const socket = await lab.online(undefined, filters);
    lab.client.subscribe("weather", ({ topic }: Message) => void got.push(topic));
    socket.say({ topic: "b" });
    assert.deepEqual([lab.sockets, got], [1, ["b"]]);
  }
});

test("filters that are too long for the router's first message are not stated", async () => {
  const lab = new Lab();
  const got: unknown[] = [];
  lab.client.subscribe("weather", ({ topic }: Message) => void got.push(topic), { filter: { topics: ["a", "x".repeat(5000)] } });
  const socket = await lab.online();
  assert.equal(asked(lab), undefined);
  socket.say({ topic: "b" });
  socket.say({ topic: "a" });
  assert.deepEqual(got, ["a"]);
});

test("a long token leaves less room, and the router never closes the connection for it", async () => {
  const lab = new Lab({ resume: true }), most = 8 << 10;
  for (const topic of ["x", "y"]) lab.client.subscribe("weather", () => {}, { filter: { topics: [topic.repeat(1500)] } });
  await settle();
  lab.socket.greet();
  assert.ok(asked(lab));
  const ticket = "t".repeat(6 << 10);
  lab.socket.say({ service_name: "authentication", status_code: 200, topic: "authenticated",
    payload: { history: { ["s".repeat(3000)]: { epoch: "e", offset: 1 } }, resume: { resumed: false, ticket, lifetime: 300 } } });
  lab.socket.drop(1006);
  await lab.pass(500);
  lab.socket.greet();
  const [message] = lab.socket.sent;
  assert.deepEqual(message, { service: "authentication", token: { name: "resume", hash: ticket }, payload: { history: {}, gaps: true, resume: true, requests: true } });
  assert.ok(JSON.stringify(message).length <= most);
  lab.client.close();
});

test("the services whose people are asked for take room too", async () => {
  const lab = new Lab();
  lab.client.subscribe("weather", () => {}, { filter: { topics: ["x".repeat(3000)] } });
  lab.client.presence("y".repeat(1500), () => {});
  await lab.online();
  assert.equal(asked(lab), undefined);
  assert.deepEqual(lab.socket.sent[0]?.["payload"].presence, ["y".repeat(1500)]);
  lab.client.close();
});

test("the snippet of docs/clients.md asks for less, and asks anew after a gap", async () => {
  const page = readFileSync("../../docs/clients.md", "utf8");
  const [, snippet] = /^```js\n(client\.subscribe\("weather".*?)^```$/ms.exec(page)!;
  const lab = new Lab(), shown: unknown[] = [];
  new Function("client", "show", snippet!)(lab.client, (value: unknown) => void shown.push(value));
  const socket = await lab.online(undefined, { weather: true });
  assert.deepEqual(asked(lab), { weather: { topics: ["today", "storm"], keys: { city: ["Oslo", "Rome"], level: [3] } } });
  socket.say({ topic: "storm", payload: { city: "Rome", level: 3 } });
  socket.say({ gap: 2 });
  socket.answer(socket.requests[0], "anew");
  await settle();
  assert.deepEqual([(shown[0] as Message).topic, shown[1]], ["storm", "anew"]);
});

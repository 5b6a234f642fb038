import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Person } from "../src/index.js";
import { Lab } from "./fake.js";

const person = (id: string, connections = 1): Person => ({ id, connections, user_name: `user ${id}` });
const asked = (lab: Lab) => lab.socket.sent[0]?.["payload"].presence;
const say = (lab: Lab, payload: unknown, service = "weather") => lab.socket.say({ service_name: service, topic: "presence", payload, presence: true });

/** watch returns the lists that a listener got, as the ids of the people and how many connections each has. */
function watch(lab: Lab, service = "weather"): { lists: (string[] | null)[]; end: () => void } {
  const lists: (string[] | null)[] = [];
  const end = lab.client.presence(service, (people) => void lists.push(people && people.map(({ id, connections }) => `${id}${connections}`)));
  return { lists, end };
}

test("a listener gets the whole list, and the list again after each change", async () => {
  const lab = new Lab();
  const { lists, end } = watch(lab);
  watch(lab, "news");
  const heard: unknown[] = [];
  lab.client.subscribe("", ({ payload }) => void heard.push(payload));
  await lab.online();
  assert.deepEqual(asked(lab), ["weather", "news"]);
  assert.equal(lab.sockets, 1);
  say(lab, { present: [person("a"), person("b")] });
  say(lab, { joined: [person("c")], changed: [person("a", 2)], left: ["b"] });
  say(lab, { present: [person("d")] }, "news");
  say(lab, { present: null });
  say(lab, { present: [] });
  assert.deepEqual(lists, [["a1", "b1"], ["a2", "c1"], null, []]);
  end();
  say(lab, { joined: [person("e")] });
  assert.equal(lists.length, 4);
  assert.deepEqual(heard, [], "it is no broadcast");
  // What a service says under the same topic is its own.
  lab.socket.say({ topic: "presence", payload: { present: [] } });
  assert.deepEqual(heard, [{ present: [] }]);
  lab.client.close();
});

test("after a reconnect the list is told anew, and nothing of the old one is left", async () => {
  const lab = new Lab();
  const { lists } = watch(lab);
  await lab.online();
  say(lab, { present: [person("a")] });
  lab.socket.drop(1006);
  await lab.pass(500);
  await lab.online();
  assert.deepEqual(asked(lab), ["weather"]);
  say(lab, { joined: [person("x")] }); // before the list, as no router does
  say(lab, { present: [person("b")] });
  assert.deepEqual(lists, [["a1"], ["b1"]]);
  lab.client.close();
});

test("a second listener gets the list that there is, and one of another service takes a new connection", async () => {
  const lab = new Lab();
  const first = watch(lab);
  await lab.online();
  const early = watch(lab);
  assert.equal(lab.sockets, 1);
  assert.deepEqual(early.lists, []);
  say(lab, { present: [person("a")] });
  const second = watch(lab);
  assert.deepEqual(second.lists, [["a1"]]);
  assert.deepEqual(early.lists, [["a1"]]);
  assert.equal(lab.sockets, 1);
  watch(lab, "news");
  await lab.online();
  assert.equal(lab.sockets, 2);
  assert.deepEqual(asked(lab), ["weather", "news"]);
  say(lab, { present: [person("b")] });
  assert.deepEqual(first.lists, [["a1"], ["b1"]]);
  lab.client.close();
});

test("who listens to nobody asks for nothing, and what a listener throws keeps nobody else from hearing", async () => {
  const lab = new Lab();
  await lab.online();
  assert.equal(asked(lab), undefined);
  const thrown: unknown[] = [];
  lab.client.presence("weather", () => {
    throw new Error("mine");
  });
  const { lists } = watch(lab);
  await lab.online();
  const later = mock.method(globalThis, "queueMicrotask", (f: () => void) => {
    try {
      f();
    } catch (error) {
      thrown.push(String(error));
    }
  });
  say(lab, { present: [person("a")] });
  later.mock.restore();
  assert.deepEqual(lists, [["a1"]]);
  assert.deepEqual(thrown, ["Error: mine"]);
  lab.client.close();
  assert.doesNotThrow(watch(lab).end);
});

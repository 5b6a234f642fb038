import assert from "node:assert/strict";
import test from "node:test";
import { Link } from "../src/link";
import { Poller, pace } from "../src/poller";
import type { When } from "../src/poller";
import { Fake, admit, pulse, settle } from "./fake";
import type { FakeSocket } from "./fake";

async function poll(when: When, slowest = 0): Promise<{ fake: Fake; link: Link; socket: FakeSocket; poller: Poller<number> }> {
  const fake = new Fake();
  const link = new Link(fake);
  link.start();
  const socket = await admit(fake);
  const poller = new Poller<number>(link, "tree", when, {}, slowest);
  poller.start();
  return { fake, link, socket, poller };
}

test("it asks again only if the revision has changed", async () => {
  const { socket, poller } = await poll("tree");
  socket.answer("tree", 1);
  await settle();
  socket.say(pulse(1, { tree: 5 }));
  socket.answer("tree", 2);
  await settle();
  socket.say(pulse(2, { tree: 5, log: 9 }));
  assert.equal(socket.count("tree"), 2);
  socket.say(pulse(3, { tree: 6 }));
  assert.equal(socket.count("tree"), 3);
  assert.equal(poller.seen.get().data, 2);
});

test("it asks after some pulses although nothing has changed, if it shall", async () => {
  const { socket } = await poll("tree", 3);
  socket.answer("tree", 1);
  await settle();
  socket.say(pulse(1));
  socket.answer("tree", 1);
  await settle();
  for (let i = 2; i < 5; i++) socket.say(pulse(i));
  assert.equal(socket.count("tree"), 3);
});

test("a view of many connections asks less often", async () => {
  assert.deepEqual([0, 1999, 2000, 5000].map(pace), [1, 1, 2, 3]);
  const { socket, poller } = await poll("pulse");
  poller.every = 3;
  socket.answer("tree", 1);
  await settle();
  for (let i = 0; i < 2; i++) socket.say(pulse(i));
  assert.equal(socket.count("tree"), 1);
  socket.say(pulse(2));
  assert.equal(socket.count("tree"), 2);
});

test("one question is under way at a time", async () => {
  const { socket } = await poll("pulse");
  for (let i = 0; i < 10; i++) socket.say(pulse(i));
  assert.equal(socket.count("tree"), 1);
  socket.answer("tree", 1);
  await settle();
  socket.say(pulse(11));
  assert.equal(socket.count("tree"), 2);
});

test("the answer to an earlier question is not shown", async () => {
  const { socket, poller } = await poll("pulse");
  poller.set({ search: "x" });
  socket.answer("tree", 1);
  await settle();
  assert.equal(poller.seen.get().data, null);
  assert.deepEqual(socket.sent.at(-1)?.["payload"], { search: "x" });
  socket.answer("tree", 2);
  await settle();
  assert.equal(poller.seen.get().data, 2);
});

test("what was seen stays while there is no connection, and is asked for again after it", async () => {
  const { fake, socket, poller } = await poll("tree");
  socket.answer("tree", 7);
  await settle();
  socket.onclose?.({ code: 1006, reason: "" });
  await settle();
  assert.equal(poller.seen.get().data, 7);
  assert.equal(poller.seen.get().error, null);
  await fake.pass(600);
  const second = await admit(fake);
  assert.equal(second.count("tree"), 1);
  second.answer("tree", null, 503);
  await settle();
  assert.equal(poller.seen.get().data, 7);
  assert.equal(poller.seen.get().error?.status, 503);
});

test("it is quiet after stop", async () => {
  const { socket, poller } = await poll("pulse");
  poller.stop();
  socket.answer("tree", 1);
  await settle();
  socket.say(pulse(1));
  assert.equal(socket.count("tree"), 1);
  assert.equal(poller.seen.get().data, null);
});

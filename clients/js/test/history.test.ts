import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../src/history.js";
import type { Message } from "../src/index.js";
import { Lab } from "./fake.js";

/** again loses the connection and comes back. */
async function again(lab: Lab, history?: Record<string, unknown>) {
  lab.socket.drop(1006);
  await lab.pass(4000); // the pauses grow
  const socket = await lab.online(history);
  return { socket, asked: socket.sent[0]?.["payload"] };
}

test("a client says where it was, and is told of no gap where the router recovers", async () => {
  const lab = new Lab(), got: string[] = [];
  lab.client.subscribe("", ({ service, payload, gap }: Message) => void got.push(`${service} ${payload}${gap ? " gap" : ""}`));
  const first = await lab.online({ weather: { epoch: "e", offset: 7 }, news: { epoch: "n", offset: 1 } });
  assert.deepEqual(first.sent[0]?.["payload"], { history: {}, gaps: true });
  first.say({ payload: 8, epoch: "e", offset: 8 });
  first.say({ service_name: "chat", payload: "a" });
  const { socket, asked } = await again(lab, { weather: { epoch: "e", offset: 8, recovered: true }, news: { epoch: "n", offset: 5, recovered: false } });
  assert.deepEqual(asked, { history: { weather: { epoch: "e", offset: 8 }, news: { epoch: "n", offset: 1 } }, gaps: true });
  socket.say({ payload: 9, epoch: "e", offset: 9 });
  socket.say({ service_name: "news", payload: 6, epoch: "n", offset: 6 });
  socket.say({ service_name: "news", payload: 7, epoch: "n", offset: 7 });
  socket.say({ service_name: "chat", payload: "b" });
  assert.deepEqual(got, ["weather 8", "chat a", "weather 9", "news 6 gap", "news 7", "chat b gap"]);
  const { asked: then } = await again(lab, { weather: { epoch: "f", offset: 0, recovered: false } });
  assert.deepEqual(then, { history: { weather: { epoch: "e", offset: 9 }, news: { epoch: "n", offset: 7 } }, gaps: true });
  const { asked: last } = await again(lab);
  assert.deepEqual(last, { history: { weather: { epoch: "f", offset: 0 } }, gaps: true });
});

test("another epoch on an open connection is a gap for each subscription", async () => {
  const lab = new Lab(), got: string[] = [];
  const note = (who: string) => ({ topic, gap }: Message) => void got.push(`${who} ${topic}${gap ? " gap" : ""}`);
  lab.client.subscribe("weather", note("sun"), { topic: "sun" });
  lab.client.subscribe("weather", note("all"));
  const socket = await lab.online();
  socket.say({ topic: "sun", epoch: "e", offset: 1 }); // the first of a history is no gap
  socket.say({ topic: "rain", epoch: "f", offset: 4 });
  lab.client.subscribe("weather", note("late"));
  socket.say({ topic: "sun", epoch: "f", offset: 5 });
  socket.say({ topic: "sun", epoch: "f", offset: 6 });
  assert.deepEqual(got, ["sun sun", "all sun", "all rain gap", "sun sun gap", "all sun", "late sun", "sun sun", "all sun", "late sun"]);
});

test("a gap is told after several reconnects, though nothing came between", async () => {
  const lab = new Lab(), got: boolean[] = [];
  lab.client.subscribe("weather", ({ gap }: Message) => void got.push(gap));
  await lab.online({ weather: { epoch: "e", offset: 7 } });
  await again(lab, { weather: { epoch: "e", offset: 9, recovered: false } });
  const { socket } = await again(lab, { weather: { epoch: "e", offset: 9, recovered: true } });
  socket.say({ epoch: "e", offset: 10 });
  socket.say({ epoch: "e", offset: 11 });
  assert.deepEqual(got, [true, false]);
});

test("without recover a client asks for nothing that it missed, and each reconnect is a gap", async () => {
  const lab = new Lab({ recover: false }), got: boolean[] = [];
  lab.client.subscribe("weather", ({ gap }: Message) => void got.push(gap));
  await lab.online();
  lab.socket.say({ payload: 1 });
  const { socket, asked } = await again(lab);
  socket.say({ payload: 2 });
  assert.deepEqual(asked, { gaps: true });
  assert.deepEqual(got, [false, true]);
});

test("a question that is too long for the router is not asked", () => {
  const history = new History();
  const told = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`service${i}`, { epoch: "abcdefabcdef", offset: i }]));
  history.begin({ history: told }, false);
  assert.deepEqual(history.ask(), {});
});

test("positions give way to the services whose people are asked for", async () => {
  const lab = new Lab();
  lab.client.presence("y".repeat(1500), () => {});
  await lab.online({ ["s".repeat(3000)]: { epoch: "e", offset: 1 } });
  const { asked } = await again(lab);
  assert.deepEqual(asked, { history: {}, gaps: true, presence: ["y".repeat(1500)] });
  lab.client.close();
});

test("what the client asks for is measured in bytes", async () => {
  const lab = new Lab();
  lab.client.subscribe("weather", () => {}, { filter: { topics: ["\u96e8".repeat(3000)] } });
  await lab.online({ ["\u96ea".repeat(3000)]: { epoch: "e", offset: 1 } });
  assert.deepEqual(lab.socket.sent[0]?.["payload"], { history: {}, gaps: true });
  const { asked } = await again(lab);
  assert.deepEqual(asked, { history: {}, gaps: true });
  lab.client.close();
});

test("what the router says of a history may be anything", () => {
  for (const payload of [null, undefined, 1, [], {}, { history: null }, { history: { a: {} } }, { history: { a: { epoch: "e" } } }]) {
    const history = new History();
    history.begin(payload, true);
    assert.deepEqual([history.ask(), history.breaks], [{}, 1]);
  }
  const history = new History();
  history.begin(JSON.parse('{"history":{"__proto__":{"epoch":"e","offset":1}}}'), false);
  assert.equal(JSON.stringify(history.ask()), '{"__proto__":{"epoch":"e","offset":1}}');
});

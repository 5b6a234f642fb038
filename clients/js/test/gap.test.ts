import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gap, Message } from "../src/index.js";
import { Lab } from "./fake.js";

/** Notes are what a client tells, in order. */
function notes(lab: Lab): string[] {
  const got: string[] = [];
  lab.client.on("gap", ({ service, missed }: Gap) => void got.push(`gap ${service}:${missed}`));
  lab.client.on("state", ({ state }) => state === "online" && void got.push("online"));
  return got;
}

const note = (got: string[], who: string) => ({ service, payload, gap, missed }: Message) =>
  void got.push(`${who} ${service} ${payload}${gap ? ` gap ${missed}` : ""}`);

test("what the router dropped is told at once, and by the next message of each subscription", async () => {
  const lab = new Lab(), got = notes(lab);
  lab.client.subscribe("weather", note(got, "all"));
  lab.client.subscribe("weather", note(got, "sun"), { topic: "sun" });
  lab.client.subscribe("news", note(got, "other"));
  lab.client.subscribe("", note(got, "any"));
  const socket = await lab.online();
  socket.say({ gap: 3 });
  socket.say({ topic: "rain", payload: 1 });
  socket.say({ gap: 2 });
  lab.client.subscribe("weather", note(got, "late"));
  socket.say({ topic: "sun", payload: 2 });
  socket.say({ topic: "sun", payload: 3 });
  socket.say({ service_name: "news", payload: 4 });
  assert.deepEqual(got, ["online", "gap weather:3", "all weather 1 gap 3", "any weather 1 gap 3", "gap weather:2",
    "all weather 2 gap 2", "sun weather 2 gap 5", "any weather 2 gap 2", "late weather 2",
    "all weather 3", "sun weather 3", "any weather 3", "late weather 3", "other news 4", "any news 4"]);
});

test("a message with a gap is no broadcast, and has no position", async () => {
  const lab = new Lab();
  const feed = lab.client.subscribe("weather");
  const socket = await lab.online({ weather: { epoch: "e", offset: 7 } });
  socket.say({ gap: 5 });
  socket.drop(1006);
  await lab.pass(500);
  const again = await lab.online({ weather: { epoch: "e", offset: 7, recovered: true } });
  assert.deepEqual(again.sent[0]?.["payload"].history, { weather: { epoch: "e", offset: 7 } });
  again.say({ payload: 8, epoch: "e", offset: 8 });
  assert.deepEqual((await feed.next()).value, { service: "weather", topic: "", payload: 8, missed: 5, gap: true });
});

test("an iterator adds up what the router dropped and what it dropped itself", async () => {
  const lab = new Lab();
  const feed = lab.client.subscribe("weather", { limit: 1 });
  const socket = await lab.online();
  socket.say({ gap: 3 });
  socket.say({ payload: 4 });
  socket.say({ payload: 5 });
  assert.deepEqual((await feed.next()).value, { service: "weather", topic: "", payload: 5, missed: 4, gap: true });
  assert.equal(feed.dropped, 1);
});

test("a reconnect tells of a gap for each service that has one, after the state", async () => {
  const lab = new Lab(), got = notes(lab);
  lab.client.subscribe("weather", () => {});
  lab.client.subscribe("weather", () => {});
  lab.client.subscribe("news", () => {});
  const none = lab.client.subscribe("chat", () => {});
  await lab.online({ weather: { epoch: "e", offset: 7 } });
  none();
  lab.socket.drop(1006);
  await lab.pass(500);
  await lab.online({ weather: { epoch: "e", offset: 7, recovered: true } });
  assert.deepEqual(got, ["online", "online", "gap news:0"]);
  lab.client.subscribe("", () => {});
  lab.socket.drop(1006);
  await lab.pass(1000);
  const socket = await lab.online({ weather: { epoch: "e", offset: 9, recovered: false } });
  assert.deepEqual(got.slice(3), ["online", "gap weather:0", "gap news:0", "gap :0"]);
  socket.say({ epoch: "f", offset: 1 });
  assert.deepEqual(got.slice(7), ["gap weather:0"]);
});

test("a client that is closed or comes anew while it tells of gaps tells no more", async () => {
  const lab = new Lab(), got: string[] = [];
  lab.client.subscribe("weather", () => {});
  lab.client.subscribe("news", () => {});
  lab.client.on("gap", ({ service }) => {
    got.push(service);
    lab.client.close();
  });
  (await lab.online()).drop(1006);
  await lab.pass(500);
  await lab.online();
  assert.deepEqual(got, ["weather"]);
});

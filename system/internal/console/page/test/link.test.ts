import assert from "node:assert/strict";
import test from "node:test";
import { AskError, Link } from "../src/link";
import { pause } from "../src/pause";
import { Fake, admit, hello, pulse, settle } from "./fake";

async function live(): Promise<{ fake: Fake; link: Link }> {
  const fake = new Fake();
  const link = new Link(fake);
  link.start();
  await admit(fake);
  assert.equal(link.state.get().kind, "live");
  return { fake, link };
}

test("it asks for a token, authenticates and says hello", async () => {
  const { fake, link } = await live();
  assert.deepEqual(fake.requests.map((r) => r.path), ["access", "token"]);
  assert.deepEqual(fake.last().sent[0], { service: "authentication", request_id: "1", token: { name: "n", hash: "h" } });
  assert.deepEqual(fake.last().sent[1], { request_id: "2", service: "strowger.console", topic: "hello", payload: {} });
  assert.deepEqual(link.hello.get(), hello);
});

test("answers find their questions, whatever their order", async () => {
  const { fake, link } = await live();
  const tree = link.ask("tree");
  const log = link.ask("log", { after: 1 });
  fake.last().answer("log", { rows: [] });
  fake.last().answer("tree", { root: 1 });
  assert.deepEqual(await tree, { root: 1 });
  assert.deepEqual(await log, { rows: [] });
});

test("a refusal has its reason", async () => {
  const { fake, link } = await live();
  const asked = link.ask("connection", { number: 1 });
  fake.last().answer("connection", { reason: "it is gone" }, 404);
  await assert.rejects(asked, (e: AskError) => e.status === 404 && e.message === "it is gone");
  const other = link.ask("tree");
  fake.last().answer("tree", null, 500);
  await assert.rejects(other, (e: AskError) => e.status === 500 && e.message !== "");
});

test("a question without an answer ends", async () => {
  const { fake, link } = await live();
  const asked = link.ask("tree");
  const refused = assert.rejects(asked, (e: AskError) => e.status === 504);
  for (let i = 0; i < 36; i++) {
    fake.last().say(pulse(i)); // the connection itself is well
    await fake.pass(1000);
  }
  await refused;
});

test("open questions end with the connection", async () => {
  const { fake, link } = await live();
  const asked = link.ask("tree");
  const refused = assert.rejects(asked, (e: AskError) => e.status === 0);
  fake.last().onclose?.({ code: 1006, reason: "" });
  await refused;
  await assert.rejects(link.ask("tree"), (e: AskError) => e.status === 0);
});

test("pauses grow up to half a minute", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 100].map((n) => pause(n, 1)), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(pause(3, 0), 2000);
});

test("it connects again with pauses that grow, and begins anew after a steady connection", async () => {
  const { fake, link } = await live();
  const waits: number[] = [];
  link.state.watch((s) => {
    if (s.kind === "waiting") waits.push(s.until - fake.time);
  });
  await fake.pass(9000); // not steady yet
  fake.answers["access"] = new Error("refused");
  fake.last().onclose?.({ code: 1006, reason: "" });
  await fake.pass(500 + 1000 + 2000);
  assert.deepEqual(waits, [500, 1000, 2000, 4000]);
  fake.answers["access"] = { status: 200, body: { way: "open", session: false, actions: true } };
  await fake.pass(4000);
  await admit(fake);
  assert.equal(link.state.get().kind, "live");
  await fake.pass(11_000);
  fake.last().onclose?.({ code: 1001, reason: "" });
  assert.equal(waits.at(-1), 500);
});

test("each connection has a token of its own", async () => {
  const { fake } = await live();
  fake.last().onclose?.({ code: 4002, reason: "" });
  await fake.pass(600);
  assert.equal(fake.requests.filter((r) => r.path === "token").length, 2);
  assert.equal(fake.sockets.length, 2);
});

test("a lost connection cannot speak any more", async () => {
  const { fake, link } = await live();
  const first = fake.last();
  link.start();
  await settle();
  assert.equal(first.closed, 1000);
  assert.equal(first.onmessage, null);
  await admit(fake);
  assert.equal(link.state.get().kind, "live");
});

test("silence counts as old, and then as lost", async () => {
  const { fake, link } = await live();
  await fake.pass(3000);
  assert.equal(link.silent.get(), false);
  await fake.pass(1500);
  assert.equal(link.silent.get(), true);
  fake.last().say(pulse(1));
  assert.equal(link.silent.get(), false);
  assert.equal(link.heard.get(), 4500);
  await fake.pass(20_500);
  assert.notEqual(link.state.get().kind, "live");
});

test("without a session it asks for the password", async () => {
  const fake = new Fake();
  fake.answers["access"] = { status: 200, body: { way: "password", session: false, actions: true } };
  const link = new Link(fake);
  link.start();
  await settle();
  assert.equal(link.state.get().kind, "login");
  fake.answers["login"] = { status: 401, body: { error: "the password is wrong" } };
  assert.deepEqual(await link.login("x"), { error: "the password is wrong", wait: undefined });
  fake.answers["login"] = { status: 429, body: { error: "too many attempts", retry_after: 30 } };
  assert.equal((await link.login("x")).wait, 30);
  fake.answers["login"] = { status: 204, body: null };
  fake.answers["access"] = { status: 200, body: { way: "password", session: true, actions: true } };
  assert.deepEqual(await link.login("right"), {});
  await admit(fake);
  assert.equal(link.state.get().kind, "live");
  fake.answers["access"] = { status: 200, body: { way: "password", session: false, actions: true } };
  fake.last().onclose?.({ code: 4001, reason: "" });
  await fake.pass(600);
  assert.equal(link.state.get().kind, "login");
});

test("without a way in it says why, and does not try again", async () => {
  const fake = new Fake();
  fake.answers["access"] = { status: 200, body: { way: "none", session: false, actions: false, reason: "set admin.password_hash" } };
  const link = new Link(fake);
  link.start();
  await fake.pass(120_000);
  assert.deepEqual(link.state.get(), { kind: "refused", reason: "set admin.password_hash" });
  assert.equal(fake.requests.length, 1);
});

test("a server that never greets is given up", async () => {
  const fake = new Fake();
  const link = new Link(fake);
  link.start();
  await fake.pass(15_100);
  assert.equal(link.state.get().kind, "waiting");
});

test("nothing happens while it is stopped", async () => {
  const { fake, link } = await live();
  link.stop();
  await fake.pass(120_000);
  assert.equal(link.state.get().kind, "paused");
  assert.equal(fake.sockets.length, 1);
});

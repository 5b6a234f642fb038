import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab, settle } from "./fake.js";

const token = (lab: Lab) => lab.socket.sent[0]?.["token"];

test("with resume the latest ticket takes the place of a token, and is shown once", async () => {
  const lab = new Lab({ resume: true });
  await settle();
  lab.socket.ticket("t1");
  assert.deepEqual(lab.socket.sent[0], { service: "authentication", token: { name: "name1", hash: "hash" }, payload: { history: {}, gaps: true, resume: true, requests: true } });
  lab.socket.say({ service_name: "authentication", status_code: 200, topic: "ticket", payload: { ticket: "t2", lifetime: 300 } });
  assert.equal(lab.client.state, "online");
  lab.socket.drop(1006);
  await lab.pass(500);
  lab.socket.drop(1006); // before the ticket was shown
  await lab.pass(1000);
  lab.socket.greet();
  assert.deepEqual(token(lab), { name: "resume", hash: "t2" });
  assert.equal(lab.tokens.length, 1);
  lab.socket.drop(1006); // nobody knows whether the router has taken it
  await lab.pass(2000);
  lab.socket.ticket("t3");
  assert.equal(token(lab).name, "name1");
  assert.equal(lab.tokens.length, 2);
  lab.socket.drop(1006);
  await lab.pass(500);
  await lab.pass(30_000);
  lab.socket.ticket("t4", true);
  assert.deepEqual(token(lab), { name: "resume", hash: "t3" });
  assert.equal(lab.client.state, "online");
});

test("a ticket that is refused is followed by a token at once", async () => {
  const lab = new Lab({ resume: true });
  await settle();
  lab.socket.ticket("t1");
  lab.socket.drop(1006);
  await lab.pass(500);
  lab.socket.refuse();
  await settle();
  assert.equal(lab.sockets, 3);
  lab.socket.ticket("t2");
  assert.notEqual(token(lab).name, "resume");
  assert.equal(lab.client.state, "online");
});

test("after the end of the token no ticket is shown", async () => {
  const lab = new Lab({ resume: true });
  await settle();
  lab.socket.ticket("t1");
  lab.socket.drop(4001);
  await lab.pass(500);
  lab.socket.greet();
  assert.equal(token(lab).name, "name2");
});

test("without resume no ticket is asked for", async () => {
  const lab = new Lab({ recover: false });
  const socket = await lab.online();
  assert.deepEqual(socket.sent[0], { service: "authentication", token: { name: "name1", hash: "hash" }, payload: { gaps: true } });
});

/** keeping is a client that is online and whose router keeps requests. */
async function keeping(): Promise<Lab> {
  const lab = new Lab({ resume: true, timeout: 0 });
  await settle();
  lab.socket.ticket("t1", false, []);
  await settle();
  return lab;
}

test("a request that the router has kept goes on, and one that it does not name fails at once", async () => {
  const lab = await keeping();
  const calls = [1, 2, 3].map((n) => lab.client.request("weather", "now", n).then((r): any => r, (e) => e));
  const [first, second, third] = lab.socket.requests;
  lab.socket.drop(1006);
  await lab.pass(500);
  lab.socket.ticket("t2", true, [first!["request_id"], third!["request_id"]]);
  lab.socket.answer(third, "three");
  assert.equal((await calls[1]).kind, "disconnected");
  assert.equal((await calls[1]).sent, true);
  assert.equal(await calls[2], "three");
  assert.deepEqual(lab.socket.requests, []); // nothing is sent twice
  lab.socket.drop(1006);
  await lab.pass(1000);
  lab.socket.ticket("t3", true, [first!["request_id"]]);
  lab.socket.answer(second, "two"); // nobody waits for it any more
  lab.socket.answer(first, "one");
  assert.equal(await calls[0], "one");
});

test("without a good ticket all requests fail", async () => {
  for (const refuse of [true, false]) {
    const lab = await keeping();
    const call = lab.client.request("weather", "now").then(() => undefined, (e) => e);
    lab.socket.drop(1006);
    await lab.pass(500);
    if (refuse) lab.socket.refuse();
    else {
      lab.socket.greet();
      lab.socket.drop(1006); // nobody knows whether the router has taken the ticket
    }
    assert.equal((await call).kind, "disconnected");
  }
});

test("a router that keeps nothing fails requests with the connection", async () => {
  const lab = new Lab({ resume: true, timeout: 0 });
  await settle();
  lab.socket.ticket("t1");
  await settle();
  const call = lab.client.request("weather", "now").then(() => undefined, (e) => e);
  lab.socket.drop(1006);
  assert.equal((await call).kind, "disconnected");
});

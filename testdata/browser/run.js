// Lets every variant go through one page's life, shows it, and posts what happened to /result.

import { variants, OperatorPanel } from "./variants.js";

const deadline = 15000;

// inTime names what did not happen.
function inTime(promise, what) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: nothing after ${deadline} ms`)), deadline));
  return Promise.race([promise, late]);
}

// outcome tells how a promise ended, and with which envelope.
const outcome = (promise) =>
  promise.then(
    (envelope) => ({ resolved: true, envelope }),
    (reason) => {
      if (reason instanceof Error) {
        throw reason;
      }
      return { resolved: false, envelope: reason };
    },
  );

const announcements = (client) => client.seen.filter((envelope) => envelope.topic === "announcement").length;

// play runs all variants side by side: none announces before every one listens.
async function play(setup) {
  const clients = Object.entries(variants).map(([name, Variant]) => ({
    name,
    client: new Variant(setup.url, setup.tokens[name], setup.service),
  }));
  const together = (what, step) =>
    Promise.all(clients.map(({ name, client }) => inTime(step(client, name), `${name}: ${what}`)));

  const authentication = await together("authenticate", (client) => outcome(client.ready));
  const reply = await together("call", (client, name) => outcome(client.request(client.service, "call", { variant: name })));
  const refusal = await together("refuse", (client) => outcome(client.request(client.service, "refuse")));
  await together("announce", (client, name) => client.request(client.service, "announce", { variant: name }));
  await together("announcements", (client) => client.until(() => announcements(client) >= clients.length));

  return Object.fromEntries(
    clients.map(({ name, client }, i) => [
      name,
      {
        authentication: authentication[i],
        reply: reply[i],
        refusal: refusal[i],
        seen: client.seen,
        pushes: client.pushes,
        open: client.socket.readyState === WebSocket.OPEN,
      },
    ]),
  );
}

// replay is the operator panel after a reconnect, with the token that it used up already. The request
// that follows the refusal shows that the router still listens.
async function replay(setup) {
  const client = new OperatorPanel(setup.url, setup.tokens.operator_panel, setup.service);
  const authentication = await inTime(outcome(client.ready), "burnt token");
  client.request(client.service, "call").catch(() => {});
  await inTime(client.until(() => client.seen.length >= 4), "burnt token again");
  return { authentication, seen: client.seen, open: client.socket.readyState === WebSocket.OPEN };
}

function show(results) {
  for (const [name, result] of Object.entries(results)) {
    const cells = [
      name,
      result.authentication.envelope.status_string,
      `${result.reply.envelope.status_code} ${result.reply.resolved ? "resolved" : "rejected"}`,
      `${result.refusal.envelope.status_code} ${result.refusal.resolved ? "resolved" : "rejected"}`,
      result.pushes.map((push) => push.name).join(", "),
    ];
    const row = document.getElementById("rows").insertRow();
    cells.forEach((text) => (row.insertCell().textContent = text));
  }
}

async function run() {
  const setup = await (await fetch("/setup.json")).json();
  const results = await play(setup);
  show(results);
  return { variants: results, burnt: await replay(setup) };
}

const report = await run().catch((err) => ({ error: String(err) }));
document.getElementById("state").textContent = report.error ?? "done";
await fetch("/result", { method: "POST", body: JSON.stringify(report) });

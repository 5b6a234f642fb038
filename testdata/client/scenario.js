// What the tests have the TypeScript client do. It runs in a page, in a worker and in Node.

const scenarios = { flaky, codes, daemon, slow, less };

/** report runs the scenario of the setup and posts what came of it. */
export async function report(strowger, setup, origin) {
  let result;
  try {
    result = await scenarios[setup.scenario](strowger, setup, origin);
  } catch (error) {
    result = { error: String(error?.stack ?? error) };
  }
  await fetch(`${origin}/result`, { method: "POST", body: JSON.stringify(result) });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function freshToken(origin, query = "", signal = undefined) {
  const answer = await fetch(`${origin}/token${query}`, { method: "POST", signal });
  return answer.json();
}

/** Watcher compares numbers that were broadcast one after the other with what came of them. */
class Watcher {
  received = 0;
  gaps = 0;
  missed = 0;
  wrong = [];
  #last = 0;

  take = ({ payload: n, gap, missed }) => {
    this.received++;
    this.missed += missed;
    if (gap) this.gaps++;
    const before = this.#last;
    this.#last = n;
    if (before === 0 || n === before + 1 || (n > before && (gap || missed > 0))) return;
    if (this.wrong.length < 20) this.wrong.push(`${n} after ${before}, gap ${gap}`);
  };
}

/** flaky asks and listens until the service says that it is the end, while the test breaks connections. */
async function flaky({ connect }, setup, origin) {
  const counts = { fresh: 0, again: 0, noise: 0 }, states = {}, outcomes = {};
  const client = connect(setup.url, {
    token: ({ previous, signal }) => {
      if (previous && setup.reclaim) {
        counts.again++;
        return previous;
      }
      counts.fresh++;
      return freshToken(origin, "", signal);
    },
    queue: 100, heartbeat: 300, connectTimeout: 20_000, timeout: 60_000,
    reconnect: { min: 10, max: 100, refusals: 1e6 },
    WebSocket: heard(({ topic }) => topic === "noise" && counts.noise++),
  });
  client.on("state", ({ state }) => (states[state] = (states[state] ?? 0) + 1));
  const called = new Watcher(), iterated = new Watcher();
  const filter = { topics: ["number"] };
  client.subscribe(setup.service, called.take, { filter });
  const feed = client.subscribe(setup.service, { filter, limit: 1e6 });
  const reading = (async () => {
    for await (const message of feed) iterated.take(message);
  })();
  let asked = 0, ended = false;
  const worker = async () => {
    while (!ended) {
      const n = ++asked;
      let outcome;
      try {
        const got = await client.request(setup.service, "echo", n);
        outcome = got === n ? "answered" : `answered with ${got}`;
      } catch (error) {
        outcome = error.kind ? `${error.kind}${error.sent ? "" : ", not sent"}` : String(error);
      }
      outcomes[n] = n in outcomes ? `${outcomes[n]} and ${outcome}` : outcome;
      await pause(5);
    }
  };
  const workers = Array.from({ length: 8 }, worker);
  await new Promise((end) => client.subscribe(setup.service, end, { filter: { topics: ["end"] } }));
  ended = true;
  await Promise.all(workers);
  feed.close();
  await reading;
  client.close();
  return { flaky: { asked, outcomes, states, called, iterated, ...counts } };
}

/** codes connects once for each close code and tells whether the client came back. */
async function codes({ connect }, setup) {
  const run = async (code) => {
    const tokens = [], waits = [];
    let online = 0;
    const client = connect(`${setup.url}${code}`, {
      token: ({ previous }) => {
        const token = previous ?? { name: `token${tokens.length}`, hash: "hash" };
        tokens.push(token.name);
        return token;
      },
      reconnect: { min: 10, max: 10, later: 200 },
    });
    const end = await new Promise((done) => client.on("state", ({ state, retryIn, error }) => {
      if (state === "offline") waits.push(retryIn, error.closeCode);
      if (state === "closed") done(`closed, ${error?.kind}, ${error?.closeCode}`);
      if (state === "online" && ++online === 2) done("back");
    }));
    client.close();
    const [wait, seen] = waits;
    return { code, end, seen, later: wait >= 200, same: tokens[1] === tokens[0] };
  };
  return { codes: await Promise.all(setup.codes.map(run)) };
}

/** daemon has the router itself end connections, for the reasons that it has. */
async function daemon({ connect, StrowgerError }, setup, origin) {
  const events = [];
  let query = "", losses = 0;
  const client = connect(setup.url, {
    token: () => freshToken(origin, query), maxMessageBytes: 1 << 23, reconnect: { min: 10, max: 100 },
  });
  client.on("state", ({ state, error }) => {
    if (state === "offline") losses++;
    if (state === "offline" && error.closeCode !== 1006 && error.kind !== "status") events.push(`${error.closeCode} ${error.kind}`);
  });
  const attempt = (promise) => promise.then((value) => events.push(JSON.stringify(value)), (error) =>
    events.push(error instanceof StrowgerError ? `${error.kind} ${error.status} ${error.closeCode} ${error.sent}` : String(error)));
  // It goes by the count, because the client may be back before anybody has looked.
  const gone = async (before) => {
    while (losses === before) await pause(5);
    await client.ready();
  };

  await client.ready();
  await attempt(client.request(setup.service, "echo", "hello"));
  await attempt(client.request(setup.service, "refuse", {}));
  await attempt(client.request("nobody.offers.it", "topic", {}, { timeout: 50 }));
  const many = [];
  for await (const { payload } of client.stream(setup.service, "many", 3)) if (many.push(payload) === 3) break;
  events.push(many.join(" "));

  query = "?limit=3s"; // long enough to authenticate with on a slow machine
  await attempt(client.request(setup.service, "echo", "x".repeat(2 << 20))); // 1009
  await client.ready();
  query = "";
  await gone(losses); // 4001

  const online = losses;
  const restarted = fetch(`${origin}/restart`, { method: "POST" });
  await gone(online); // 1001
  await restarted;
  await client.ready();
  for (;;) { // the service comes back too
    try {
      events.push(await client.request(setup.service, "echo", "again", { timeout: 1000 }));
      break;
    } catch {
      await client.ready();
    }
  }
  client.close();
  await attempt(client.request(setup.service, "echo", 1));

  const refused = connect(setup.url, { token: () => ({ name: "0".repeat(64), hash: "0".repeat(64) }), reconnect: { min: 1, max: 1, refusals: 2 } });
  await attempt(refused.ready());
  return { events };
}

/** heard returns a class of WebSockets that call a function with each broadcast that the router sends. */
function heard(note) {
  return class extends WebSocket {
    constructor(url) {
      super(url);
      this.addEventListener("message", ({ data }) => {
        const envelope = JSON.parse(data);
        if (envelope.request_id === "" && envelope.service_name !== "authentication") note(envelope);
      });
    }
  };
}

/** slow listens to pages until the last one, while the test has the network carry nothing for a while. */
async function slow({ connect }, setup, origin) {
  const watched = new Watcher();
  let told = 0, noise = 0, last = 0;
  const client = connect(setup.url, {
    token: () => freshToken(origin), heartbeat: 0, connectTimeout: 60_000,
    WebSocket: heard(({ topic, gap }) => {
      if (topic !== "page" && gap === undefined) noise++;
    }),
  });
  client.on("gap", ({ service, missed }) => service === setup.service && (told += missed));
  for await (const { payload, missed, gap } of client.subscribe(setup.service, { filter: { topics: ["page"] }, limit: 1e6 })) {
    watched.received++;
    watched.missed += missed;
    if (gap) watched.gaps++;
    if (last !== 0 && payload.n !== last + 1 + missed) watched.wrong.push(`${payload.n} after ${last}, missed ${missed}`);
    last = payload.n;
    if (payload.end) break;
  }
  client.close();
  return { pages: { watched, told, noise } };
}

/** less asks for pages with even numbers, comes back with a ticket, and then asks for all. */
async function less({ connect }, setup, origin) {
  const events = [], raw = new Set();
  let tokens = 0;
  const client = connect(setup.url, {
    token: () => {
      tokens++;
      return freshToken(origin);
    },
    WebSocket: heard(({ topic, payload }) => raw.add(topic === "page" ? payload.even : topic)),
    resume: true, heartbeat: 0, connectTimeout: 60_000, reconnect: { min: 10, max: 100 },
  });
  client.on("state", ({ state, again }) => again && events.push(`online again, ${tokens} token`));
  const even = client.subscribe(setup.service, { filter: { topics: ["page"], keys: { even: true } }, limit: 1e6 });
  const hear = async (what) => {
    raw.clear();
    for (let i = 0; i < 50; i++) {
      const { value } = await even.next();
      if (value.topic !== "page" || !value.payload.even) events.push(`a wrong one: ${JSON.stringify(value)}`);
    }
    events.push(what + [...raw].filter((word) => word !== true));
  };
  await hear("even pages");
  await fetch(`${origin}/restart`, { method: "POST" });
  while (!client.status.again) await pause(5);
  await hear("even pages");
  const seen = new Set();
  await new Promise((done) => {
    const end = client.subscribe(setup.service, ({ topic, payload }) => {
      seen.add(topic === "page" ? payload.even : topic);
      if (seen.size === 3) done(end());
    });
  });
  events.push("all pages and noise");
  for (let i = 0; i < 50; i++) {
    const { value } = await even.next();
    if (value.topic !== "page" || !value.payload.even) events.push(`a wrong one: ${JSON.stringify(value)}`);
  }
  events.push("even pages for the first");
  client.close();
  return { events };
}

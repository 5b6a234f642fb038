// src/error.ts
var StrowgerError = class extends Error {
  name = "StrowgerError";
  kind;
  /** The status of the answer, as in HTTP; 0 if there was none. */
  status;
  statusText;
  service;
  topic;
  /** The payload of the answer. */
  payload;
  /** The code with which the connection was closed; 0 if it was not. */
  closeCode;
  /** False only if no service can have got the request, so that asking again is safe. */
  sent;
  constructor(kind, message, details = {}) {
    super(message, "cause" in details ? { cause: details.cause } : void 0);
    this.kind = kind;
    this.status = details.status ?? 0;
    this.statusText = details.statusText ?? "";
    this.service = details.service ?? "";
    this.topic = details.topic ?? "";
    this.payload = details.payload;
    this.closeCode = details.closeCode ?? 0;
    this.sent = details.sent ?? false;
  }
};

// src/calls.ts
var Calls = class {
  #calls = /* @__PURE__ */ new Map();
  #waiting = 0;
  #last = 0;
  /** How many wait for a connection. */
  get waiting() {
    return this.#waiting;
  }
  /**
   * add puts a request down. send sends it now, and is undefined if it has to wait. The function that it returns ends the call
   * without a word to asked.
   */
  add(service, topic, payload, options, limit, send, asked) {
    const id = String(++this.#last);
    const request = { request_id: id, service, topic, payload: payload === void 0 ? {} : payload };
    const text = JSON.stringify(request);
    if (text.length > limit || new TextEncoder().encode(text).length > limit) {
      throw new StrowgerError("too_big", `The message is longer than ${limit} bytes.`, { service, topic });
    }
    const { signal, timeout } = options;
    const aborted = () => this.#fail(id, signal.reason);
    let timer;
    const call = {
      ...asked,
      text,
      sent: send !== void 0,
      answered: () => clearTimeout(timer),
      forget: () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        if (!call.sent) this.#waiting--;
      }
    };
    if (timeout > 0 && timeout < 2 ** 31) {
      timer = setTimeout(() => this.#fail(id, new StrowgerError(
        "timeout",
        `No answer of ${service} in ${timeout} ms.`,
        { service, topic, sent: call.sent }
      )), timeout);
    }
    signal?.addEventListener("abort", aborted);
    this.#calls.set(id, call);
    if (send) send(text);
    else this.#waiting++;
    return () => void this.#remove(id);
  }
  /** online sends what has waited, in order. */
  online(send) {
    for (const call of this.#calls.values()) {
      if (call.sent) continue;
      call.sent = true;
      this.#waiting--;
      send(call.text);
    }
  }
  /** take hands over a reply, unless nobody waits for it any more. */
  take(id, envelope) {
    const call = this.#calls.get(id);
    if (!call?.sent) return;
    call.answered();
    if (call.reply(envelope)) this.#remove(id);
  }
  /**
   * lost fails what was under way, and what waits too if all is true. Those go on whose ids are among the open ones. A request is
   * never sent twice.
   */
  lost(kind, message, cause, all, open = []) {
    for (const [id, call] of [...this.#calls]) {
      if (call.sent && !open.includes(id) || all) {
        this.#fail(id, new StrowgerError(kind, message, { sent: call.sent, cause, closeCode: cause?.closeCode }));
      }
    }
  }
  #fail(id, error) {
    this.#remove(id)?.fail(error);
  }
  #remove(id) {
    const call = this.#calls.get(id);
    if (this.#calls.delete(id)) call.forget();
    return call;
  }
};

// src/filter.ts
var list = (value) => Array.isArray(value) ? value : [value];
var union = (a, b) => [.../* @__PURE__ */ new Set([...a, ...b])];
function passes({ topics, keys = {} }, topic, payload) {
  const object = typeof payload === "object" && !Array.isArray(payload) ? payload : void 0;
  return (!topics?.length || topics.includes(topic)) && Object.entries(keys).every(([key, value]) => object && Object.hasOwn(object, key) && list(value).includes(object[key]));
}
function join(a, b) {
  const keys = Object.entries(a.keys ?? {}).flatMap(([key, value]) => b.keys && Object.hasOwn(b.keys, key) ? [[key, union(list(value), list(b.keys[key]))]] : []);
  return { topics: a.topics?.length && b.topics?.length ? union(a.topics, b.topics) : [], keys: Object.fromEntries(keys) };
}
function covers(joined2, other) {
  return JSON.stringify(join(joined2, other)) === JSON.stringify(joined2);
}
function joined(wanted) {
  const all = /* @__PURE__ */ new Map();
  for (const { service, filter } of wanted) all.set(service, join(all.get(service) ?? filter, filter));
  return all.has("") ? {} : Object.fromEntries([...all].filter(([, filter]) => filter.topics.length || Object.keys(filter.keys).length));
}

// src/inbox.ts
var Inbox = class {
  #items = [];
  #readers = [];
  #ended = false;
  #error;
  #limit;
  #left;
  /** left is called once, when the reader or the sender ends the inbox. */
  constructor(limit, left) {
    this.#limit = limit;
    this.#left = left;
  }
  /** push returns the item that had to give way, or undefined. */
  push(item) {
    if (this.#ended) return void 0;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ value: item, done: false });
      return void 0;
    }
    this.#items.push(item);
    return this.#items.length > this.#limit ? this.#items.shift() : void 0;
  }
  /** full is true if the next item would have another one give way. */
  get full() {
    return this.#items.length >= this.#limit;
  }
  /** first returns the item that the reader gets next. */
  first() {
    return this.#items[0];
  }
  /** end lets the reader have what waits, and then fails with an error, if there is one. */
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#last(reader.resolve, reader.reject);
    this.#left();
  }
  #last(resolve, reject) {
    const error = this.#error;
    this.#error = void 0;
    if (error === void 0) resolve({ value: void 0, done: true });
    else reject(error);
  }
  next() {
    return new Promise((resolve, reject) => {
      if (this.#items.length > 0) resolve({ value: this.#items.shift(), done: false });
      else if (this.#ended) this.#last(resolve, reject);
      else this.#readers.push({ resolve, reject });
    });
  }
  /** return ends the inbox for its reader, as leaving a loop does. What waits is dropped. */
  return() {
    this.#items = [];
    this.end();
    return Promise.resolve({ value: void 0, done: true });
  }
  [Symbol.asyncIterator]() {
    return this;
  }
};

// src/feed.ts
var Feed = class extends Inbox {
  #dropped = 0;
  get dropped() {
    return this.#dropped;
  }
  take(message) {
    const lost = this.push(message);
    if (!lost) return;
    this.#dropped++;
    const next = this.first();
    if (next) {
      next.missed += lost.missed + 1;
      next.gap ||= lost.gap;
    }
  }
  close() {
    this.end();
  }
};

// src/history.ts
var longest = 4096;
var size = (value) => new TextEncoder().encode(JSON.stringify(value)).length;
var History = class {
  #positions = /* @__PURE__ */ new Map();
  #breaks = 0;
  #all = 0;
  // the last break of all services that are not in #own
  #own = /* @__PURE__ */ new Map();
  /** How many breaks there were. */
  get breaks() {
    return this.#breaks;
  }
  /** since returns the number of a service's last break. */
  since(service) {
    return this.#own.get(service) ?? this.#all;
  }
  /** ask returns where the client was, for the authentication message. It is nothing if that takes more bytes than there is room for. */
  ask(room = longest) {
    const asked = Object.fromEntries(this.#positions);
    return size(asked) > room ? {} : asked;
  }
  /** begin reads the payload of the 200. Unless the client is new, all services have a break but those that the router recovered. */
  begin(payload, again) {
    const told = Object.entries(payload?.history ?? {});
    const kept = /* @__PURE__ */ new Map();
    this.#positions.clear();
    for (const [service, { epoch, offset, recovered }] of told) {
      if (epoch !== void 0 && offset !== void 0) this.#positions.set(service, { epoch, offset });
      if (recovered) kept.set(service, this.since(service));
    }
    if (!again) return;
    this.#all = ++this.#breaks;
    this.#own = kept;
  }
  /** lost notes a break of one service. */
  lost(service) {
    this.#own.set(service, ++this.#breaks);
  }
  /** take notes a broadcast. It returns true if there is a break before it, because its epoch is another one. */
  take({ service_name: service, epoch, offset }) {
    if (epoch === void 0 || offset === void 0) return false;
    const last = this.#positions.get(service);
    this.#positions.set(service, { epoch, offset });
    return last !== void 0 && last.epoch !== epoch;
  }
};

// src/protocol.ts
var CloseCode = {
  routerStops: 1001,
  protocolError: 1002,
  notUTF8: 1007,
  messageTooBig: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
  tokenExpired: 4001,
  notAuthenticatedInTime: 4002,
  tooManyAttempts: 4003,
  noSignOfLife: 4005,
  resumedElsewhere: 4006
};
function afterClose(code) {
  switch (code) {
    case CloseCode.protocolError:
    case CloseCode.notUTF8:
      return { back: "never", sameToken: false };
    case CloseCode.tryAgainLater:
      return { back: "later", sameToken: true };
    case CloseCode.messageTooBig:
    case CloseCode.tokenExpired:
    case CloseCode.notAuthenticatedInTime:
    case CloseCode.tooManyAttempts:
    case CloseCode.resumedElsewhere:
      return { back: "soon", sameToken: false };
    default:
      return { back: "soon", sameToken: true };
  }
}

// src/link.ts
var longestFirst = 8e3;
var Link = class {
  status = { state: "connecting" };
  /** Whether the router may have kept the requests that were under way over the last connection (protocol 16.10). */
  keeps = false;
  #url;
  #options;
  #above;
  #create;
  #socket;
  #run = 0;
  // what belongs to an earlier attempt is ignored
  #attempt = new AbortController();
  #timers = {};
  #failures = 0;
  // attempts in a row, for the pauses
  #failed = 0;
  // attempts since the client was last online
  #refused = 0;
  // fresh tokens in a row
  #token;
  // of the last connection, while the router may take it again
  #ticket;
  // the latest, until it is shown
  #error;
  #again = false;
  #heard = false;
  #probed = false;
  constructor(url, options, above) {
    if (typeof options?.token !== "function") throw new TypeError("options.token must be a function that returns a token");
    const create = options.WebSocket ?? globalThis.WebSocket;
    if (!create) throw new TypeError("there is no WebSocket here: options.WebSocket must be a class");
    this.#url = url;
    this.#options = options;
    this.#above = above;
    this.#create = create;
    queueMicrotask(() => {
      if (this.status.state === "connecting") void this.#connect();
    });
    globalThis.addEventListener?.("online", this.#network);
  }
  /** send hands a message to the connection that is online. */
  send(text) {
    this.#socket.send(text);
  }
  /** renew has a new connection take the place of the one that there is. */
  renew() {
    const { state } = this.status;
    if (state === "online" || state === "connecting") void this.#connect();
  }
  /** close ends the link for good. */
  close(error) {
    if (this.status.state === "closed") return;
    this.#end(1e3);
    globalThis.removeEventListener?.("online", this.#network);
    this.#enter({ state: "closed", error });
  }
  /** The network is back: the pause is over. */
  #network = () => {
    if (this.status.state === "offline") void this.#connect();
  };
  #enter(status) {
    this.status = status;
    this.#above.changed(status);
  }
  #timer(name, ms, f) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(f, ms);
  }
  /** end lets go of everything that belongs to an attempt or a connection. */
  #end(code) {
    this.#run++;
    this.#attempt.abort();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const socket = this.#socket;
    this.#socket = void 0;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.onerror = () => {
    };
    if (code) socket.close(code);
    else socket.close();
  }
  async #connect() {
    this.#end();
    const run = this.#run;
    const attempt = this.#attempt = new AbortController();
    const { token, connectTimeout = 15e3 } = this.#options;
    this.#timer("connect", connectTimeout, () => this.#lost(new StrowgerError("timeout", `No connection in ${connectTimeout} ms.`), { back: "soon", sameToken: true }));
    this.#enter({ state: "connecting" });
    if (run !== this.#run) return;
    const previous = this.#token;
    let fresh;
    if (this.#ticket) return this.#open(run, { name: "resume", hash: this.#ticket }, true);
    try {
      const asked = { failures: this.#failed, previous, error: this.#error, signal: attempt.signal };
      fresh = await token(asked);
      if (typeof fresh?.name !== "string" || typeof fresh.hash !== "string") throw new TypeError("it returned no token");
    } catch (cause) {
      if (run === this.#run) this.#lost(new StrowgerError("token", `The token callback failed: ${cause}`, { cause }), { back: "soon", sameToken: true });
      return;
    }
    if (run !== this.#run) return;
    this.#token = fresh;
    this.#open(run, fresh, previous?.name === fresh.name && previous.hash === fresh.hash);
  }
  #open(run, token, reused) {
    try {
      this.#socket = new this.#create(this.#url);
    } catch (cause) {
      this.close(new StrowgerError("disconnected", `There can be no connection to ${this.#url}: ${cause}`, { cause }));
      return;
    }
    this.#listen(this.#socket, run, token, reused);
  }
  #listen(socket, run, token, reused) {
    let shown = false;
    const closed = (event) => {
      const code = event.code || 1006;
      this.#lost(new StrowgerError("disconnected", `The connection was lost${event.reason ? `: ${event.reason}` : ""} (code ${code}).`, { closeCode: code }), afterClose(code));
    };
    socket.onclose = closed;
    socket.onerror = () => this.#timer("failed", 100, () => closed({ code: 1006, reason: "" }));
    socket.onmessage = ({ data }) => {
      this.#heard = true;
      let envelope;
      try {
        envelope = JSON.parse(String(data));
      } catch {
        return;
      }
      if (envelope?.service_name === void 0) return;
      if (envelope.service_name !== "authentication") {
        if (this.status.state === "online") this.#above.take(envelope);
        return;
      }
      switch (envelope.status_code) {
        case 407:
          if (this.status.state === "online") {
            this.#lost(new StrowgerError("disconnected", "The router asks for a token again."), { back: "soon", sameToken: false });
          } else if (!shown) {
            shown = true;
            this.#ticket = void 0;
            const asked = this.#above.ask(longestFirst - size(token));
            const payload = this.#options.resume ? { ...asked, resume: true, requests: true } : asked;
            const authentication = { service: "authentication", token, payload };
            socket.send(JSON.stringify(authentication));
          }
          return;
        case 401:
          return this.#refuse(reused);
        case 200:
          if (envelope.topic === "ticket") this.#keep(envelope.payload);
          else if (this.status.state !== "online") this.#admitted(run, envelope.payload);
      }
    };
  }
  #keep(offer) {
    this.#ticket = offer?.ticket;
  }
  #admitted(run, payload) {
    const offer = payload?.resume;
    this.#keep(offer);
    this.keeps = !!this.#ticket && Array.isArray(offer?.requests);
    clearTimeout(this.#timers.connect);
    this.#timer("steady", this.#options.reconnect?.max ?? 3e4, () => this.#failures = 0);
    this.#failed = this.#refused = 0;
    this.#error = void 0;
    const again = this.#again;
    this.#again = true;
    this.#probed = false;
    this.#beat();
    if (run !== this.#run) return;
    this.#above.admitted(payload, again);
    this.#enter({ state: "online", again });
  }
  /** refuse deals with a 401. A token that was used again may well be refused, so a fresh one follows at once. */
  #refuse(reused) {
    const error = new StrowgerError("status", "The router refuses the token.", { status: 401, service: "authentication" });
    this.#token = void 0;
    this.keeps = false;
    if (reused) {
      this.#error = error;
      void this.#connect();
    } else {
      this.#lost(error, { back: "soon", sameToken: false });
    }
  }
  /** lost ends the connection or the attempt, and has another one follow if the rule says so. */
  #lost(error, rule) {
    const { min = 500, max = 3e4, later = 5e3, refusals = 5 } = this.#options.reconnect ?? {};
    const refused = error.status === 401 || error.closeCode === 4003;
    if (rule.back === "never") {
      this.close(new StrowgerError("protocol", error.message, { closeCode: error.closeCode, cause: error }));
      return;
    }
    if (refused && ++this.#refused >= refusals) {
      this.close(error);
      return;
    }
    this.#end();
    if (!rule.sameToken) this.#token = this.#ticket = void 0;
    if (!this.#ticket) this.keeps = false;
    this.#error = error;
    this.#failed++;
    const bound = Math.min(max, min * 2 ** this.#failures++);
    const retryIn = Math.random() * bound + (rule.back === "later" ? later : 0);
    this.#timer("again", retryIn, () => void this.#connect());
    this.#enter({ state: "offline", error, retryIn });
  }
  /** beat asks the router for a sign of life when nothing has come for a while, and gives up when nothing comes then. */
  #beat() {
    const { heartbeat = 25e3 } = this.#options;
    if (heartbeat <= 0) return;
    this.#timer("beat", this.#probed ? Math.min(heartbeat, 1e4) : heartbeat, () => {
      if (!this.#heard && this.#probed) {
        this.#lost(new StrowgerError("disconnected", "The router gives no sign of life."), { back: "soon", sameToken: true });
        return;
      }
      this.#probed = !this.#heard;
      this.#heard = false;
      if (this.#probed) {
        const question = { request_id: "alive", service: "strowger", topic: "offered", payload: { service: "strowger" } };
        this.send(JSON.stringify(question));
      }
      this.#beat();
    });
  }
};

// src/people.ts
var People = class {
  #all = /* @__PURE__ */ new Map();
  /** clear forgets everything: the router tells it anew over the next connection. */
  clear() {
    this.#all.clear();
  }
  /** of returns who watches a service: null if that is told no more, undefined if it was not told yet. */
  of(service) {
    const people = this.#all.get(service);
    return people && [...people.values()];
  }
  /** take notes what the router says. */
  take(service, { present, joined: joined2 = [], changed = [], left = [] }) {
    if (present !== void 0) this.#all.set(service, present && /* @__PURE__ */ new Map());
    const people = this.#all.get(service);
    for (const person of [...present ?? [], ...joined2, ...changed]) people?.set(person.id, person);
    for (const id of left) people?.delete(id);
  }
};

// src/client.ts
function connect(url, options) {
  return new Client(url, options);
}
var Client = class {
  #options;
  #calls = new Calls();
  #history = new History();
  #watchers = /* @__PURE__ */ new Set();
  #listeners = { state: /* @__PURE__ */ new Set(), gap: /* @__PURE__ */ new Set() };
  #link;
  #people = new People();
  #onlookers = /* @__PURE__ */ new Set();
  #asked;
  // services whose people the router was asked for over this connection
  #stated = {};
  // what the router was asked for over this connection
  constructor(url, options) {
    this.#options = options;
    this.#link = new Link(url, options, {
      changed: (status) => this.#changed(status),
      ask: (room) => this.#wish(Math.min(room, longest)),
      admitted: (payload, again) => this.#admitted(payload, again),
      take: (envelope) => this.#take(envelope)
    });
  }
  get state() {
    return this.status.state;
  }
  /** status is the latest event of the kind "state". */
  get status() {
    return this.#link.status;
  }
  /** on calls a function at each event until the function that it returns is called. */
  on(event, listener) {
    const listeners = this.#listeners[event];
    if (!listeners) throw new TypeError(`there is no event ${String(event)}`);
    const own = (event2) => listener(event2);
    listeners.add(own);
    return () => void listeners.delete(own);
  }
  /** ready waits until the client is online. It fails if the client is closed, or with the reason of the signal. */
  ready({ signal } = {}) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (signal?.aborted) reject(signal.reason);
        else if (this.state === "closed") reject(this.#closed());
        else if (this.state === "online") resolve();
        else return;
        off();
        signal?.removeEventListener("abort", look);
      };
      const off = this.on("state", look);
      signal?.addEventListener("abort", look);
      look();
    });
  }
  /**
   * request asks a service for a topic and returns the payload of the first reply. It fails with a StrowgerError, whose
   * status is that of the answer if there was one. A request is never sent twice: if the connection is lost before the reply,
   * it fails, and only the caller knows whether asking again is safe.
   */
  request(service, topic, payload, options = {}) {
    return new Promise((resolve, reject) => {
      this.#ask(service, topic, payload, options, {
        reply: (envelope) => {
          const error = refusal(envelope);
          if (error) reject(error);
          else resolve(envelope.payload);
          return true;
        },
        fail: reject
      });
    });
  }
  /**
   * stream asks a service for a topic and returns an iterator of all replies. Nothing in the protocol marks the last one,
   * so the reader leaves the loop. A reply with a status of 400 or more ends the iterator with an error.
   */
  stream(service, topic, payload, options = {}) {
    let forget;
    const { limit = 1e3 } = options;
    const inbox = new Inbox(limit, () => forget?.());
    forget = this.#ask(service, topic, payload, options, {
      reply: (envelope) => {
        const error = refusal(envelope);
        if (error) inbox.end(error);
        else if (inbox.full) inbox.end(new StrowgerError("overflow", `More than ${limit} replies wait to be read.`, { service, topic, sent: true }));
        else inbox.push({ service: envelope.service_name, topic: envelope.topic, status: envelope.status_code || 0, statusText: envelope.status_string, payload: envelope.payload });
        return false;
      },
      fail: (error) => inbox.end(error)
    });
    return inbox;
  }
  subscribe(service, first, options) {
    if (typeof first === "function") {
      const watcher2 = this.#watcher(service, options, first);
      this.#watch(watcher2);
      return () => void this.#watchers.delete(watcher2);
    }
    const feed = new Feed(first?.limit ?? 1e3, () => this.#watchers.delete(watcher));
    const watcher = this.#watcher(service, first, (message) => feed.take(message), (error) => feed.end(error));
    this.#watch(watcher);
    return feed;
  }
  /**
   * presence calls a function with those who watch a service, and again when somebody has come or gone, until the function that it
   * returns is called. The list is null while the policy of the service does not tell any more. The first call for a service
   * after the client has connected takes a new connection.
   */
  presence(service, listener) {
    const onlooker = { service, tell: (people2) => listener(people2) };
    this.#onlookers.add(onlooker);
    const people = this.#people.of(service);
    if (people !== void 0) guarded(onlooker.tell, people);
    else if (this.#asked && !this.#asked.includes(service)) this.#link.renew();
    return () => void this.#onlookers.delete(onlooker);
  }
  /** close ends the client for good. What is under way fails, and iterators end. */
  close() {
    this.#link.close();
  }
  #watcher(service, options, take, end) {
    const { topic, filter = {} } = options ?? {};
    return { service, topic, filter: join(filter, filter), missed: /* @__PURE__ */ new Map(), told: /* @__PURE__ */ new Map(), begun: this.#history.breaks, take, end };
  }
  #watch(watcher) {
    if (this.state === "closed") return watcher.end?.(this.status.error);
    this.#watchers.add(watcher);
    if (Object.entries(this.#stated).some(([service, stated]) => about(watcher, service) && !covers(stated, watcher.filter))) this.#link.renew();
  }
  /** wish returns what the router is asked for besides to be let in. */
  #wish(room) {
    let history = this.#options.recover === false ? void 0 : this.#history.ask(room);
    const filters = joined(this.#watchers);
    this.#people.clear();
    this.#asked = [...new Set([...this.#onlookers].map(({ service }) => service))];
    const presence = this.#asked.length ? this.#asked : void 0;
    const fits = size({ history, filters, presence }) <= room;
    if (!fits && history && size({ history, presence }) > room) history = {};
    this.#stated = fits ? filters : {};
    return { history, gaps: true, filters: fits && Object.keys(filters).length ? filters : void 0, presence };
  }
  #admitted(payload, again) {
    const { requests } = payload?.resume ?? {};
    this.#calls.lost("disconnected", "The connection was lost before the answer came.", void 0, false, requests);
    this.#history.begin(payload, again);
    const { filters } = payload ?? {};
    for (const service of Object.keys(this.#stated)) if (filters?.[service] !== true) delete this.#stated[service];
  }
  #emit(name, event) {
    const listeners = this.#listeners[name];
    for (const listener of [...listeners]) if (listeners.has(listener)) guarded(listener, event);
  }
  /** gap tells of a break of one service. */
  #gap(service, missed) {
    this.#history.lost(service);
    for (const watcher of this.#watchers) if (about(watcher, service)) watcher.missed.set(service, (watcher.missed.get(service) ?? 0) + missed);
    this.#emit("gap", { service, missed });
  }
  /** seen tells who watches a service. */
  #seen(service, news) {
    this.#people.take(service, news);
    const people = this.#people.of(service);
    for (const onlooker of [...this.#onlookers]) {
      if (onlooker.service === service && people !== void 0 && this.#onlookers.has(onlooker)) guarded(onlooker.tell, people);
    }
  }
  #ask(service, topic, payload, options, asked) {
    const { timeout = this.#options.timeout ?? 3e4, signal } = options;
    const online = this.state === "online";
    try {
      if (typeof service !== "string" || service === "" || service === "authentication") throw new TypeError(`no service can have the name ${JSON.stringify(service)}`);
      if (signal?.aborted) throw signal.reason;
      if (this.state === "closed") throw this.#closed();
      const { queue = 0, maxMessageBytes = 1 << 20 } = this.#options;
      if (!online && queue === 0) throw new StrowgerError("disconnected", "There is no connection to the router.", { cause: this.status.error });
      if (!online && this.#calls.waiting >= queue) throw new StrowgerError("overflow", `${queue} requests wait for a connection already.`);
      return this.#calls.add(service, topic, payload, { timeout, signal }, maxMessageBytes, online ? (text) => this.#link.send(text) : void 0, asked);
    } catch (error) {
      asked.fail(error);
      return () => {
      };
    }
  }
  #closed() {
    const cause = this.status.error;
    return new StrowgerError("closed", "The client is closed.", { cause, status: cause?.status, closeCode: cause?.closeCode });
  }
  #changed(status) {
    const { error } = status;
    if (status.state !== "online") {
      this.#stated = {};
      this.#asked = void 0;
    }
    switch (status.state) {
      case "online":
        this.#calls.online((text) => this.#link.send(text));
        break;
      case "closed":
        this.#calls.lost("closed", "The client was closed before the answer came.", error, true);
        for (const watcher of [...this.#watchers]) watcher.end?.(error);
        this.#watchers.clear();
        this.#onlookers.clear();
        break;
      default:
        if (!this.#link.keeps) this.#calls.lost("disconnected", "The connection was lost before the answer came.", error, false);
    }
    this.#emit("state", status);
    if (!status.again) return;
    const last = this.#history.breaks;
    for (const service of new Set([...this.#watchers].map(({ service: service2 }) => service2))) {
      if (this.status === status && this.#history.since(service) === last) this.#emit("gap", { service, missed: 0 });
    }
  }
  #take(envelope) {
    const { request_id: id } = envelope;
    if (typeof id === "string" && id !== "" && id !== "0") {
      this.#calls.take(id, envelope);
      return;
    }
    const { service_name: service, topic, payload } = envelope;
    if (envelope.presence) return this.#seen(service, payload);
    if (envelope.gap !== void 0) return this.#gap(service, envelope.gap);
    if (this.#history.take(envelope)) this.#gap(service, 0);
    const last = this.#history.since(service);
    for (const watcher of [...this.#watchers]) {
      if (!this.#watchers.has(watcher) || !about(watcher, service) || watcher.topic !== void 0 && watcher.topic !== topic || !passes(watcher.filter, topic, payload)) continue;
      const gap = last > (watcher.told.get(service) ?? watcher.begun);
      if (gap) watcher.told.set(service, last);
      const missed = watcher.missed.get(service) ?? 0;
      watcher.missed.delete(service);
      guarded(watcher.take, { service, topic, payload, missed, gap });
    }
  }
};
function about(watcher, service) {
  return watcher.service === "" || watcher.service === service;
}
function refusal(envelope) {
  const { status_code: status, status_string: statusText, service_name: service, topic, payload } = envelope;
  if (typeof status !== "number" || status < 400) return void 0;
  return new StrowgerError("status", `Status ${status}${statusText ? ` ${statusText}` : ""} from ${service}, topic ${topic}.`, { status, statusText, service, topic, payload, sent: true });
}
function guarded(f, event) {
  try {
    f(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
export {
  Client,
  CloseCode,
  StrowgerError,
  afterClose,
  connect
};

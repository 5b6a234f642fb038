import { Calls } from "./calls.js";
import { StrowgerError } from "./error.js";
import { covers, join, joined, passes } from "./filter.js";
import type { Filter } from "./filter.js";
import { Feed } from "./feed.js";
import type { Message, Subscription } from "./feed.js";
import { History, longest, size } from "./history.js";
import { Inbox } from "./inbox.js";
import { Link } from "./link.js";
import type { State, Status } from "./link.js";
import type { Options, RequestOptions, StreamOptions, SubscribeOptions } from "./options.js";
import { People } from "./people.js";
import type { Person } from "./people.js";
import type { Authentication, Envelope } from "./protocol.js";

/** Reply is an answer of a service to a request. */
export interface Reply<T = unknown> {
  service: string;
  topic: string;
  /** As in HTTP and below 400; 0 if the service gave none. */
  status: number;
  statusText: string;
  payload: T;
}

/** Gap says that broadcasts of a service may be lost, so that what is known of it is to be asked anew. */
export interface Gap {
  /** Empty for a subscription to all services: those that the router could not recover. */
  service: string;
  /** How many are missing, if the router has dropped them because the client reads too slowly. 0 if nobody knows. */
  missed: number;
}

/** Events are what a client tells, by name. */
export interface Events {
  /** Each change of the state, in order. */
  state: Status;
  /**
   * Each gap of a service, before the next message of the service: the connection was made anew and the router could not send
   * what was broadcast in between, the service's history began anew, or the router dropped broadcasts.
   */
  gap: Gap;
}

interface Watcher {
  service: string;
  topic: string | undefined;
  filter: Filter;
  /** How many the router has dropped since the last message, by service. */
  missed: Map<string, number>;
  /** Breaks that it was told of, by service. */
  told: Map<string, number>;
  /** How many breaks there were when it began. */
  begun: number;
  take(message: Message<any>): void;
  end?(error?: StrowgerError): void;
}

interface Onlooker {
  service: string;
  tell(people: Person[] | null): void;
}

/** connect returns a client that connects to the router at a URL such as wss://pbx.example.com/websockets/. */
export function connect(url: string, options: Options): Client {
  return new Client(url, options);
}

/** Client is a connection to a router that renews itself. */
export class Client {
  readonly #options: Options;
  readonly #calls = new Calls();
  readonly #history = new History();
  readonly #watchers = new Set<Watcher>();
  readonly #listeners: { [K in keyof Events]: Set<(event: Events[K]) => void> } = { state: new Set(), gap: new Set() };
  readonly #link: Link;
  readonly #people = new People();
  readonly #onlookers = new Set<Onlooker>();
  #asked: string[] | undefined; // services whose people the router was asked for over this connection
  #stated: Record<string, Filter> = {}; // what the router was asked for over this connection

  constructor(url: string, options: Options) {
    this.#options = options;
    this.#link = new Link(url, options, {
      changed: (status) => this.#changed(status),
      ask: (room) => this.#wish(Math.min(room, longest)),
      admitted: (payload, again) => this.#admitted(payload, again),
      take: (envelope) => this.#take(envelope),
    });
  }

  get state(): State {
    return this.status.state;
  }

  /** status is the latest event of the kind "state". */
  get status(): Status {
    return this.#link.status;
  }

  /** on calls a function at each event until the function that it returns is called. */
  on<K extends keyof Events>(event: K, listener: (event: Events[K]) => void): () => void {
    const listeners = this.#listeners[event];
    if (!listeners) throw new TypeError(`there is no event ${String(event)}`);
    const own = (event: Events[K]) => listener(event);
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** ready waits until the client is online. It fails if the client is closed, or with the reason of the signal. */
  ready({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
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
  request<T = unknown>(service: string, topic: string, payload?: unknown, options: RequestOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#ask(service, topic, payload, options, {
        reply: (envelope) => {
          const error = refusal(envelope);
          if (error) reject(error);
          else resolve(envelope.payload as T);
          return true;
        },
        fail: reject,
      });
    });
  }

  /**
   * stream asks a service for a topic and returns an iterator of all replies. Nothing in the protocol marks the last one,
   * so the reader leaves the loop. A reply with a status of 400 or more ends the iterator with an error.
   */
  stream<T = unknown>(service: string, topic: string, payload?: unknown, options: StreamOptions = {}): AsyncIterableIterator<Reply<T>> {
    let forget: (() => void) | undefined;
    const { limit = 1000 } = options;
    const inbox = new Inbox<Reply<T>>(limit, () => forget?.());
    forget = this.#ask(service, topic, payload, options, {
      reply: (envelope) => {
        const error = refusal(envelope);
        if (error) inbox.end(error);
        else if (inbox.full) inbox.end(new StrowgerError("overflow", `More than ${limit} replies wait to be read.`, { service, topic, sent: true }));
        else inbox.push({ service: envelope.service_name, topic: envelope.topic, status: envelope.status_code || 0, statusText: envelope.status_string, payload: envelope.payload as T });
        return false;
      },
      fail: (error) => inbox.end(error),
    });
    return inbox;
  }

  /**
   * subscribe listens to the broadcasts of a service, or of all if the name is empty. Which services the client may hear is
   * written in its token. With a function it returns a function that ends the subscription, otherwise it returns an
   * iterator.
   */
  subscribe<T = unknown>(service: string, options?: SubscribeOptions): Subscription<T>;
  subscribe<T = unknown>(service: string, listener: (message: Message<T>) => void, options?: SubscribeOptions): () => void;
  subscribe<T>(service: string, first?: SubscribeOptions | ((message: Message<T>) => void), options?: SubscribeOptions): Subscription<T> | (() => void) {
    if (typeof first === "function") {
      const watcher = this.#watcher(service, options, first);
      this.#watch(watcher);
      return () => void this.#watchers.delete(watcher);
    }
    const feed = new Feed<T>(first?.limit ?? 1000, () => this.#watchers.delete(watcher));
    const watcher = this.#watcher(service, first, (message) => feed.take(message), (error) => feed.end(error));
    this.#watch(watcher);
    return feed;
  }

  /**
   * presence calls a function with those who watch a service, and again when somebody has come or gone, until the function that it
   * returns is called. The list is null while the policy of the service does not tell any more. The first call for a service
   * after the client has connected takes a new connection.
   */
  presence(service: string, listener: (people: Person[] | null) => void): () => void {
    const onlooker = { service, tell: (people: Person[] | null) => listener(people) };
    this.#onlookers.add(onlooker);
    const people = this.#people.of(service);
    if (people !== undefined) guarded(onlooker.tell, people);
    else if (this.#asked && !this.#asked.includes(service)) this.#link.renew();
    return () => void this.#onlookers.delete(onlooker);
  }

  /** close ends the client for good. What is under way fails, and iterators end. */
  close(): void {
    this.#link.close();
  }

  #watcher(service: string, options: SubscribeOptions | undefined, take: Watcher["take"], end?: Watcher["end"]): Watcher {
    const { topic, filter = {} } = options ?? {};
    return { service, topic, filter: join(filter, filter), missed: new Map(), told: new Map(), begun: this.#history.breaks, take, end };
  }

  #watch(watcher: Watcher): void {
    if (this.state === "closed") return watcher.end?.(this.status.error);
    this.#watchers.add(watcher);
    if (Object.entries(this.#stated).some(([service, stated]) => about(watcher, service) && !covers(stated, watcher.filter))) this.#link.renew();
  }

  /** wish returns what the router is asked for besides to be let in. */
  #wish(room: number): Authentication["payload"] {
    let history = this.#options.recover === false ? undefined : this.#history.ask(room);
    const filters = joined(this.#watchers);
    this.#people.clear();
    this.#asked = [...new Set([...this.#onlookers].map(({ service }) => service))];
    const presence = this.#asked.length ? this.#asked : undefined;
    const fits = size({ history, filters, presence }) <= room;
    if (!fits && history && size({ history, presence }) > room) history = {};
    this.#stated = fits ? filters : {};
    return { history, gaps: true, filters: fits && Object.keys(filters).length ? filters : undefined, presence };
  }

  #admitted(payload: unknown, again: boolean): void {
    const { requests } = (payload as { resume?: { requests?: unknown[] } } | null)?.resume ?? {};
    this.#calls.lost("disconnected", "The connection was lost before the answer came.", undefined, false, requests);
    this.#history.begin(payload, again);
    const { filters } = (payload ?? {}) as { filters?: Record<string, unknown> | null };
    for (const service of Object.keys(this.#stated)) if (filters?.[service] !== true) delete this.#stated[service];
  }

  #emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const listeners: Set<(event: Events[K]) => void> = this.#listeners[name];
    for (const listener of [...listeners]) if (listeners.has(listener)) guarded(listener, event);
  }

  /** gap tells of a break of one service. */
  #gap(service: string, missed: number): void {
    this.#history.lost(service);
    for (const watcher of this.#watchers) if (about(watcher, service)) watcher.missed.set(service, (watcher.missed.get(service) ?? 0) + missed);
    this.#emit("gap", { service, missed });
  }

  /** seen tells who watches a service. */
  #seen(service: string, news: object): void {
    this.#people.take(service, news);
    const people = this.#people.of(service);
    for (const onlooker of [...this.#onlookers]) {
      if (onlooker.service === service && people !== undefined && this.#onlookers.has(onlooker)) guarded(onlooker.tell, people);
    }
  }

  #ask(service: string, topic: string, payload: unknown, options: RequestOptions, asked: { reply(e: Envelope): boolean; fail(e: unknown): void }): () => void {
    const { timeout = this.#options.timeout ?? 30_000, signal } = options;
    const online = this.state === "online";
    try {
      if (typeof service !== "string" || service === "" || service === "authentication") throw new TypeError(`no service can have the name ${JSON.stringify(service)}`);
      if (signal?.aborted) throw signal.reason;
      if (this.state === "closed") throw this.#closed();
      const { queue = 0, maxMessageBytes = 1 << 20 } = this.#options;
      if (!online && queue === 0) throw new StrowgerError("disconnected", "There is no connection to the router.", { cause: this.status.error });
      if (!online && this.#calls.waiting >= queue) throw new StrowgerError("overflow", `${queue} requests wait for a connection already.`);
      return this.#calls.add(service, topic, payload, { timeout, signal }, maxMessageBytes, online ? (text) => this.#link.send(text) : undefined, asked);
    } catch (error) {
      asked.fail(error);
      return () => {};
    }
  }

  #closed(): StrowgerError {
    const cause = this.status.error;
    return new StrowgerError("closed", "The client is closed.", { cause, status: cause?.status, closeCode: cause?.closeCode });
  }

  #changed(status: Status): void {
    const { error } = status;
    if (status.state !== "online") {
      this.#stated = {};
      this.#asked = undefined;
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
    // What is newest is the break of this connection, and not all services need have it.
    const last = this.#history.breaks;
    for (const service of new Set([...this.#watchers].map(({ service }) => service))) {
      if (this.status === status && this.#history.since(service) === last) this.#emit("gap", { service, missed: 0 });
    }
  }

  #take(envelope: Envelope): void {
    const { request_id: id } = envelope;
    // The ids of requests come back as the texts that were sent. Any other value is that of a broadcast (protocol 5.4).
    if (typeof id === "string" && id !== "" && id !== "0") {
      this.#calls.take(id, envelope);
      return;
    }
    const { service_name: service, topic, payload } = envelope;
    if (envelope.presence) return this.#seen(service, payload as object);
    if (envelope.gap !== undefined) return this.#gap(service, envelope.gap);
    if (this.#history.take(envelope)) this.#gap(service, 0);
    const last = this.#history.since(service);
    for (const watcher of [...this.#watchers]) {
      if (!this.#watchers.has(watcher) || !about(watcher, service) || (watcher.topic !== undefined && watcher.topic !== topic) || !passes(watcher.filter, topic, payload)) continue;
      const gap = last > (watcher.told.get(service) ?? watcher.begun);
      if (gap) watcher.told.set(service, last);
      const missed = watcher.missed.get(service) ?? 0;
      watcher.missed.delete(service);
      guarded(watcher.take, { service, topic, payload, missed, gap });
    }
  }
}

/** about reports whether somebody listens to a service. */
function about(watcher: Watcher, service: string): boolean {
  return watcher.service === "" || watcher.service === service;
}

/** refusal returns the error that an answer stands for, if it does. */
function refusal(envelope: Envelope): StrowgerError | undefined {
  const { status_code: status, status_string: statusText, service_name: service, topic, payload } = envelope;
  if (typeof status !== "number" || status < 400) return undefined;
  return new StrowgerError("status", `Status ${status}${statusText ? ` ${statusText}` : ""} from ${service}, topic ${topic}.`, { status, statusText, service, topic, payload, sent: true });
}

/** guarded calls a function of the user's. What it throws is reported as any error is that nobody catches. */
function guarded<E>(f: (event: E) => void, event: E): void {
  try {
    f(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

import { Calls } from "./calls.js";
import { StrowgerError } from "./error.js";
import { History } from "./history.js";
import { Inbox } from "./inbox.js";
import { Link } from "./link.js";
import type { State, Status } from "./link.js";
import type { Options, RequestOptions, StreamOptions, SubscribeOptions } from "./options.js";
import type { Envelope } from "./protocol.js";

/** Reply is an answer of a service to a request. */
export interface Reply<T = unknown> {
  service: string;
  topic: string;
  /** As in HTTP and below 400; 0 if the service gave none. */
  status: number;
  statusText: string;
  payload: T;
}

/** Message is a broadcast of a service. */
export interface Message<T = unknown> {
  service: string;
  topic: string;
  payload: T;
  /** How many messages before this one were dropped because the reader was too slow. */
  missed: number;
  /**
   * True for the first message of the service after something may have been lost: the connection was made anew, and the
   * router could not send what was broadcast in between.
   */
  gap: boolean;
}

/** Subscription is an iterator of broadcasts. It lasts over reconnects, and ends with close, with a loop that is left, or with the client. */
export interface Subscription<T = unknown> extends AsyncIterableIterator<Message<T>> {
  /** How many messages were dropped because the reader was too slow. */
  readonly dropped: number;
  /** close ends the iterator. What waits is still read. */
  close(): void;
}

/** Events are what a client tells, by name. */
export interface Events {
  /** Each change of the state, in order. */
  state: Status;
}

interface Watcher {
  service: string;
  topic: string | undefined;
  /** Breaks that it was told of, by service. */
  told: Map<string, number>;
  /** How many breaks there were when it began. */
  begun: number;
  take(message: Message<any>): void;
  end?(error?: StrowgerError): void;
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
  readonly #listeners = new Set<(status: Status) => void>();
  readonly #link: Link;

  constructor(url: string, options: Options) {
    this.#options = options;
    this.#link = new Link(url, options, {
      changed: (status) => this.#changed(status),
      ask: () => (options.recover === false ? undefined : { history: this.#history.ask() }),
      admitted: (payload, again) => this.#history.begin(payload, again),
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
    if (event !== "state") throw new TypeError(`there is no event ${String(event)}`);
    const own = (status: Status) => listener(status);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
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

  /** close ends the client for good. What is under way fails, and iterators end. */
  close(): void {
    this.#link.close();
  }

  #watcher(service: string, options: SubscribeOptions | undefined, take: Watcher["take"], end?: Watcher["end"]): Watcher {
    return { service, topic: options?.topic, told: new Map(), begun: this.#history.breaks, take, end };
  }

  #watch(watcher: Watcher): void {
    if (this.state === "closed") watcher.end?.(this.status.error);
    else this.#watchers.add(watcher);
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
    switch (status.state) {
      case "online":
        this.#calls.online((text) => this.#link.send(text));
        break;
      case "closed":
        this.#calls.lost("closed", "The client was closed before the answer came.", error, true);
        for (const watcher of [...this.#watchers]) watcher.end?.(error);
        this.#watchers.clear();
        break;
      default:
        this.#calls.lost("disconnected", "The connection was lost before the answer came.", error, false);
    }
    for (const listener of [...this.#listeners]) guarded(listener, status);
  }

  #take(envelope: Envelope): void {
    const { request_id: id } = envelope;
    // The ids of requests come back as the texts that were sent. Any other value is that of a broadcast (protocol 5.4).
    if (typeof id === "string" && id !== "" && id !== "0") {
      this.#calls.take(id, envelope);
      return;
    }
    const { service_name: service, topic, payload } = envelope;
    this.#history.take(envelope);
    const last = this.#history.since(service);
    for (const watcher of [...this.#watchers]) {
      if ((watcher.service !== "" && watcher.service !== service) || (watcher.topic !== undefined && watcher.topic !== topic)) continue;
      const gap = last > (watcher.told.get(service) ?? watcher.begun);
      if (gap) watcher.told.set(service, last);
      guarded(watcher.take, { service, topic, payload, missed: 0, gap });
    }
  }
}

/** Feed is the subscription that is iterated over. */
class Feed<T> extends Inbox<Message<T>> implements Subscription<T> {
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  take(message: Message<T>): void {
    const lost = this.push(message);
    if (!lost) return;
    this.#dropped++;
    // The next message tells of those before it that were dropped.
    const next = this.first();
    if (next) {
      next.missed += lost.missed + 1;
      next.gap ||= lost.gap;
    }
  }

  close(): void {
    this.end();
  }
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

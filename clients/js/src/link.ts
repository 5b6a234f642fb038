import { StrowgerError } from "./error.js";
import { size } from "./history.js";
import { afterClose } from "./protocol.js";
import type { Attempt, Options, Socket } from "./options.js";
import type { Authentication, Envelope, Request, Rule, Token } from "./protocol.js";

/** State is where a client stands with its router. After "closed" nothing follows. */
export type State = "connecting" | "online" | "offline" | "closed";

/** Status is a state with what belongs to it. */
export interface Status {
  readonly state: State;
  /** Why, for "offline", and for "closed" unless close was called. */
  readonly error?: StrowgerError;
  /** In how many milliseconds the next attempt begins, for "offline". */
  readonly retryIn?: number;
  /** For "online": whether the client was online before. What was broadcast in between is lost, but for what the router recovers. */
  readonly again?: boolean;
}

/** Above is what stands on a link. */
export interface Above {
  /** changed is called for each new status. For "online" it comes before anything else can be sent. */
  changed(status: Status): void;
  /** ask returns the payload of the authentication message. So many bytes are left for it beside the token. */
  ask(room: number): Authentication["payload"];
  /** admitted gets the payload of the 200, before the state is "online". */
  admitted(payload: unknown, again: boolean): void;
  /** take gets each message of a service. */
  take(envelope: Envelope): void;
}

/** How long the authentication message may be: the router reads 8 KiB before it knows a client, and closes the connection for more. */
const longestFirst = 8000;

type Timers = "connect" | "failed" | "again" | "steady" | "beat";

/** Link keeps one connection that is authenticated, and makes a new one when it is lost. */
export class Link {
  status: Status = { state: "connecting" };
  /** Whether the router may have kept the requests that were under way over the last connection (protocol 16.10). */
  keeps = false;

  readonly #url: string;
  readonly #options: Options;
  readonly #above: Above;
  readonly #create: new (url: string) => Socket;
  #socket: Socket | undefined;
  #run = 0; // what belongs to an earlier attempt is ignored
  #attempt = new AbortController();
  #timers: Partial<Record<Timers, ReturnType<typeof setTimeout>>> = {};
  #failures = 0; // attempts in a row, for the pauses
  #failed = 0; // attempts since the client was last online
  #refused = 0; // fresh tokens in a row
  #token: Token | undefined; // of the last connection, while the router may take it again
  #ticket: string | undefined; // the latest, until it is shown
  #error: StrowgerError | undefined;
  #again = false;
  #heard = false;
  #probed = false;

  constructor(url: string, options: Options, above: Above) {
    if (typeof options?.token !== "function") throw new TypeError("options.token must be a function that returns a token");
    const create = options.WebSocket ?? (globalThis as { WebSocket?: new (url: string) => Socket }).WebSocket;
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
  send(text: string): void {
    this.#socket!.send(text);
  }

  /** renew has a new connection take the place of the one that there is. */
  renew(): void {
    const { state } = this.status;
    if (state === "online" || state === "connecting") void this.#connect();
  }

  /** close ends the link for good. */
  close(error?: StrowgerError): void {
    if (this.status.state === "closed") return;
    this.#end(1000);
    globalThis.removeEventListener?.("online", this.#network);
    this.#enter({ state: "closed", error });
  }

  /** The network is back: the pause is over. */
  #network = (): void => {
    if (this.status.state === "offline") void this.#connect();
  };

  #enter(status: Status): void {
    this.status = status;
    this.#above.changed(status);
  }

  #timer(name: Timers, ms: number, f: () => void): void {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(f, ms);
  }

  /** end lets go of everything that belongs to an attempt or a connection. */
  #end(code?: number): void {
    this.#run++;
    this.#attempt.abort();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.onerror = () => {}; // a socket of Node's ws that is closed early throws otherwise
    // The router takes code 1000 for a goodbye, after which the token cannot be used again (tokens.md, Coming back).
    if (code) socket.close(code);
    else socket.close();
  }

  async #connect(): Promise<void> {
    this.#end();
    const run = this.#run;
    const attempt = (this.#attempt = new AbortController());
    const { token, connectTimeout = 15_000 } = this.#options;
    this.#timer("connect", connectTimeout, () => this.#lost(new StrowgerError("timeout", `No connection in ${connectTimeout} ms.`), { back: "soon", sameToken: true }));
    this.#enter({ state: "connecting" });
    if (run !== this.#run) return;
    const previous = this.#token;
    let fresh: Token;
    if (this.#ticket) return this.#open(run, { name: "resume", hash: this.#ticket }, true);
    try {
      const asked: Attempt = { failures: this.#failed, previous, error: this.#error, signal: attempt.signal };
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

  #open(run: number, token: Token, reused: boolean): void {
    try {
      this.#socket = new this.#create(this.#url);
    } catch (cause) {
      // It is the address that is wrong, or the page may not connect to it.
      this.close(new StrowgerError("disconnected", `There can be no connection to ${this.#url}: ${cause}`, { cause }));
      return;
    }
    this.#listen(this.#socket, run, token, reused);
  }

  #listen(socket: Socket, run: number, token: Token, reused: boolean): void {
    let shown = false;
    const closed = (event: { code: number; reason: string }) => {
      const code = event.code || 1006; // Deno says 0 if there was no connection
      this.#lost(new StrowgerError("disconnected", `The connection was lost${event.reason ? `: ${event.reason}` : ""} (code ${code}).`, { closeCode: code }), afterClose(code));
    };
    socket.onclose = closed;
    // The end follows at once and says more. The WebSocket of Node 20 does not tell it if there was no connection.
    socket.onerror = () => this.#timer("failed", 100, () => closed({ code: 1006, reason: "" }));
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.#heard = true;
      let envelope: Envelope;
      try {
        envelope = JSON.parse(String(data)) as Envelope;
      } catch {
        return; // the router sends nothing but JSON, and a proxy's word is no reason to stop
      }
      if (envelope?.service_name === undefined) return;
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
            this.#ticket = undefined;
            const asked = this.#above.ask(longestFirst - size(token));
            const payload = this.#options.resume ? { ...asked, resume: true as const, requests: true as const } : asked;
            const authentication: Authentication = { service: "authentication", token, payload };
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

  #keep(offer: unknown): void {
    this.#ticket = (offer as { ticket?: string } | null | undefined)?.ticket;
  }

  #admitted(run: number, payload: unknown): void {
    const offer = (payload as { resume?: { requests?: unknown } } | null)?.resume;
    this.#keep(offer);
    this.keeps = !!this.#ticket && Array.isArray(offer?.requests);
    clearTimeout(this.#timers.connect);
    this.#timer("steady", this.#options.reconnect?.max ?? 30_000, () => (this.#failures = 0));
    this.#failed = this.#refused = 0;
    this.#error = undefined;
    const again = this.#again;
    this.#again = true;
    this.#probed = false;
    this.#beat();
    if (run !== this.#run) return;
    this.#above.admitted(payload, again);
    this.#enter({ state: "online", again });
  }

  /** refuse deals with a 401. A token that was used again may well be refused, so a fresh one follows at once. */
  #refuse(reused: boolean): void {
    const error = new StrowgerError("status", "The router refuses the token.", { status: 401, service: "authentication" });
    this.#token = undefined;
    this.keeps = false;
    if (reused) {
      this.#error = error;
      void this.#connect();
    } else {
      this.#lost(error, { back: "soon", sameToken: false });
    }
  }

  /** lost ends the connection or the attempt, and has another one follow if the rule says so. */
  #lost(error: StrowgerError, rule: Rule): void {
    const { min = 500, max = 30_000, later = 5000, refusals = 5 } = this.#options.reconnect ?? {};
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
    if (!rule.sameToken) this.#token = this.#ticket = undefined;
    if (!this.#ticket) this.keeps = false;
    this.#error = error;
    this.#failed++;
    const bound = Math.min(max, min * 2 ** this.#failures++);
    const retryIn = Math.random() * bound + (rule.back === "later" ? later : 0);
    this.#timer("again", retryIn, () => void this.#connect());
    this.#enter({ state: "offline", error, retryIn });
  }

  /** beat asks the router for a sign of life when nothing has come for a while, and gives up when nothing comes then. */
  #beat(): void {
    const { heartbeat = 25_000 } = this.#options;
    if (heartbeat <= 0) return;
    this.#timer("beat", this.#probed ? Math.min(heartbeat, 10_000) : heartbeat, () => {
      if (!this.#heard && this.#probed) {
        this.#lost(new StrowgerError("disconnected", "The router gives no sign of life."), { back: "soon", sameToken: true });
        return;
      }
      this.#probed = !this.#heard;
      this.#heard = false;
      if (this.#probed) {
        // The router itself answers this question (protocol 5.10).
        const question: Request = { request_id: "alive", service: "strowger", topic: "offered", payload: { service: "strowger" } };
        this.send(JSON.stringify(question));
      }
      this.#beat();
    });
  }
}

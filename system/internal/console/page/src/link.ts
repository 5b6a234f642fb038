import { Cell } from "./cell";
import { pause } from "./pause";
import { serviceName } from "./protocol";
import type { Access, Envelope, Hello, Pulse, Token } from "./protocol";

/** LinkState is what the page's own connection does. */
export type LinkState =
  | { kind: "connecting" }
  | { kind: "login"; notice?: string }
  | { kind: "refused"; reason: string }
  | { kind: "live" }
  | { kind: "waiting"; until: number; reason: string }
  | { kind: "paused" };

/** Socket is the part of a WebSocket that a link needs. */
export interface Socket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** Environment is what a link uses of the browser. */
export interface Environment {
  /** http sends a request to a path below /console/. A request with a body is a POST. */
  http(path: string, body?: unknown): Promise<Answer>;
  socket(): Socket;
  now(): number;
  random(): number;
  /** later calls f after a time in milliseconds, unless the function that it returns is called before. */
  later(f: () => void, ms: number): () => void;
}

/** AskError is an answer that is none: the server refuses, or there is no connection (status 0). */
export class AskError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const handshakeTime = 15_000;
const answerTime = 35_000;
/** staleTime is after how long without a pulse what is shown counts as old. */
export const staleTime = 4_000;
const silenceTime = 20_000;
/** steadyTime is how long a connection has to last for the pauses to begin again with the shortest. */
const steadyTime = 10_000;

interface Open {
  resolve(payload: unknown): void;
  reject(error: AskError): void;
  forget(): void;
}

function text(body: unknown, otherwise: string): string {
  if (typeof body === "object" && body !== null) {
    const { error, reason } = body as { error?: unknown; reason?: unknown };
    if (typeof error === "string" && error !== "") return error;
    if (typeof reason === "string" && reason !== "") return reason;
  }
  return otherwise;
}

/** Link keeps one connection to the console's service, and makes a new one when it is lost. */
export class Link {
  readonly state = new Cell<LinkState>({ kind: "connecting" });
  readonly access = new Cell<Access | null>(null);
  readonly hello = new Cell<Hello | null>(null);
  readonly pulse = new Cell<Pulse | null>(null);
  /** silent is true while a connection that is open brings no pulses. */
  readonly silent = new Cell(false);
  /** heard is when the connection last brought news, in milliseconds; 0 is never. */
  readonly heard = new Cell(0);

  #env: Environment;
  #socket: Socket | null = null;
  #open = new Map<string, Open>();
  #last = 1;
  #attempt = 0;
  #run = 0; // what belongs to an earlier run is ignored
  #timers = new Map<string, () => void>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** start connects now. An earlier connection is given up. */
  start(): void {
    this.#end();
    void this.#connect();
  }

  /** stop gives the connection up until start is called. */
  stop(): void {
    this.#end();
    this.state.set({ kind: "paused" });
  }

  /** login begins a session. It returns how long to wait before the next attempt, in seconds. */
  async login(password: string): Promise<{ error?: string; wait?: number }> {
    let answer: Answer;
    try {
      answer = await this.#env.http("login", { password });
    } catch {
      return { error: "The daemon cannot be reached." };
    }
    if (answer.status < 300) {
      this.#attempt = 0;
      this.start();
      return {};
    }
    const wait = (answer.body as { retry_after?: unknown } | null)?.retry_after;
    return { error: text(answer.body, `The daemon answers with status ${answer.status}.`), wait: typeof wait === "number" ? wait : undefined };
  }

  async logout(): Promise<void> {
    this.#end();
    try {
      await this.#env.http("logout", {});
    } catch {
      // The daemon is not there, and neither is the session.
    }
    void this.#connect();
  }

  /** ask sends one request. It fails with an AskError. */
  ask<T>(topic: string, payload: unknown = {}): Promise<T> {
    const socket = this.#socket;
    if (socket === null || this.state.get().kind !== "live") return Promise.reject(new AskError(0, "There is no connection to the daemon."));
    return this.#send<T>(socket, topic, payload);
  }

  #send<T>(socket: Socket, topic: string, payload: unknown): Promise<T> {
    const id = String(++this.#last);
    return new Promise<T>((resolve, reject) => {
      const late = this.#env.later(() => {
        this.#open.delete(id);
        reject(new AskError(504, "The daemon does not answer."));
      }, answerTime);
      this.#open.set(id, { resolve: resolve as (payload: unknown) => void, reject, forget: late });
      socket.send(JSON.stringify({ request_id: id, service: serviceName, topic, payload }));
    });
  }

  #timer(name: string, ms: number, f: () => void): void {
    this.#timers.get(name)?.();
    this.#timers.set(name, this.#env.later(f, ms));
  }

  #end(): void {
    this.#run++;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close(1000);
    }
    for (const open of this.#open.values()) {
      open.forget();
      open.reject(new AskError(0, "The connection was lost before the answer came."));
    }
    this.#open.clear();
    this.silent.set(false);
  }

  #lost(run: number, reason: string): void {
    if (run !== this.#run) return;
    this.#end();
    const ms = pause(this.#attempt++, this.#env.random());
    this.state.set({ kind: "waiting", until: this.#env.now() + ms, reason });
    this.#timer("again", ms, () => void this.#connect());
  }

  async #connect(): Promise<void> {
    const run = ++this.#run;
    this.state.set({ kind: "connecting" });
    this.#timer("handshake", handshakeTime, () => this.#lost(run, "The daemon does not answer."));
    try {
      const token = await this.#token(run);
      if (token !== null && run === this.#run) this.#shake(run, token);
    } catch {
      this.#lost(run, "The daemon cannot be reached.");
    }
  }

  /** token returns a token for one connection, or nothing: then the state says why. */
  async #token(run: number): Promise<Token | null> {
    const looked = await this.#env.http("access");
    if (run !== this.#run) return null;
    if (looked.status !== 200) {
      this.#lost(run, text(looked.body, `The daemon answers with status ${looked.status}.`));
      return null;
    }
    const access = looked.body as Access;
    this.access.set(access);
    if (access.way === "none") return this.#stay({ kind: "refused", reason: text(access, "Nobody may use the console.") });
    if (access.way === "password" && !access.session) return this.#stay({ kind: "login" });
    const made = await this.#env.http("token", {});
    if (run !== this.#run) return null;
    switch (made.status) {
      case 200:
        return made.body as Token;
      case 401:
        return this.#stay({ kind: "login", notice: "The session is over." });
      case 403:
        return this.#stay({ kind: "refused", reason: text(made.body, "The console may not be used from here.") });
      default:
        this.#lost(run, text(made.body, `The daemon answers with status ${made.status}.`));
        return null;
    }
  }

  /** stay ends the attempt in a state that only the user can change. */
  #stay(state: LinkState): null {
    this.#end();
    this.state.set(state);
    return null;
  }

  #shake(run: number, token: Token): void {
    const socket = this.#env.socket();
    this.#socket = socket;
    let admitted = false;
    socket.onclose = (event) => this.#lost(run, closed(event.code, event.reason));
    socket.onmessage = (event) => {
      if (run !== this.#run || typeof event.data !== "string") return;
      let envelope: Envelope;
      try {
        envelope = JSON.parse(event.data) as Envelope;
      } catch {
        this.#lost(run, "The daemon sends what is no JSON.");
        return;
      }
      if (admitted) {
        this.#take(run, envelope);
      } else if (envelope.request_id === "1") {
        if (envelope.status_code !== 200) {
          this.#lost(run, "The daemon does not take the token.");
          return;
        }
        admitted = true;
        this.#send<Hello>(socket, "hello", {}).then((hello) => this.#greeted(run, hello), (error: AskError) => this.#lost(run, error.message));
      } else if (envelope.status_code === 407) {
        socket.send(JSON.stringify({ service: "authentication", request_id: "1", token }));
      }
    };
  }

  #greeted(run: number, hello: Hello): void {
    if (run !== this.#run) return;
    this.#timers.get("handshake")?.();
    this.#timer("steady", steadyTime, () => (this.#attempt = 0));
    this.#heard(run);
    this.hello.set(hello);
    this.state.set({ kind: "live" });
  }

  /** heard begins to wait for the next pulse. */
  #heard(run: number): void {
    this.silent.set(false);
    this.heard.set(this.#env.now());
    this.#timer("stale", staleTime, () => this.silent.set(true));
    this.#timer("silence", silenceTime, () => this.#lost(run, "The daemon has gone silent."));
  }

  #take(run: number, envelope: Envelope): void {
    if (envelope.request_id === "") {
      if (envelope.topic === "pulse") {
        this.#heard(run);
        this.pulse.set(envelope.payload as Pulse);
      }
      return;
    }
    const open = this.#open.get(envelope.request_id);
    if (open === undefined) return; // it came late
    this.#open.delete(envelope.request_id);
    open.forget();
    const status = envelope.status_code ?? 200;
    if (status < 400) open.resolve(envelope.payload);
    else open.reject(new AskError(status, text(envelope.payload, `The daemon answers with status ${status}.`)));
  }
}

function closed(code: number, reason: string): string {
  switch (code) {
    case 1001:
      return "The daemon stops, or somebody has ended this connection.";
    case 4001:
      return "The session is over.";
    default:
      return reason === "" ? `The connection was lost (code ${code}).` : `The connection was lost: ${reason} (code ${code}).`;
  }
}

import { mock } from "node:test";
import { connect } from "../src/index.js";
import type { Client, Options, Socket, Status, Token } from "../src/index.js";

/** FakeSocket is a WebSocket that the test plays the router of. */
export class FakeSocket implements Socket {
  static all: FakeSocket[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  sent: Record<string, any>[] = [];
  /** How the client closed it: a code, "without a code", or not at all. */
  closed: number | string | undefined;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number): void {
    this.closed = code ?? "without a code";
  }

  say(envelope: Record<string, unknown>): void {
    this.onmessage?.({
      data: JSON.stringify({
        id: "0", payload: null, service_name: "weather", token_name: "", token_hash: "", status_string: "", status_code: "", request_id: "",
        resource_id: "", domain_uuid: "", domain_name: "", permissions: [], topic: "", ...envelope,
      }),
    });
  }

  greet(): void {
    this.say({ service_name: "authentication", status_code: 407, topic: "authenticate" });
  }

  admit(history?: Record<string, unknown>, filters?: Record<string, unknown>): void {
    this.greet();
    this.say({ service_name: "authentication", status_code: 200, topic: "authenticated", payload: history || filters ? { history, filters } : null });
  }

  ticket(ticket: string, resumed = false, requests?: unknown[]): void {
    this.greet();
    this.say({ service_name: "authentication", status_code: 200, topic: "authenticated", payload: { resume: { resumed, ticket, lifetime: 300, requests } } });
  }

  refuse(): void {
    this.greet();
    this.say({ service_name: "authentication", status_code: 401, topic: "unauthorized" });
  }

  drop(code: number, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  /** requests are what was sent but for the token. */
  get requests(): Record<string, any>[] {
    return this.sent.filter((message) => message["service"] !== "authentication");
  }

  answer(request: Record<string, any> | undefined, payload: unknown, more: Record<string, unknown> = {}): void {
    if (!request) throw new Error("nobody has asked");
    this.say({ request_id: request["request_id"], service_name: request["service"], topic: request["topic"], status_code: 200, payload, ...more });
  }
}

/** settle lets all promises that are due run. Timers of the test's clock stay. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lab is a client with a router and a clock that the test plays. */
export class Lab {
  client: Client;
  tokens: { previous: Token | undefined; failures: number }[] = [];
  states: Status[] = [];
  #made = 0;

  constructor(options: Partial<Options> = {}, random = 1) {
    FakeSocket.all = [];
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    mock.restoreAll();
    mock.method(Math, "random", () => random);
    this.client = connect("ws://router.test/", {
      WebSocket: FakeSocket,
      heartbeat: 0,
      token: ({ previous, failures }) => {
        this.tokens.push({ previous, failures });
        return previous ?? { name: `name${++this.#made}`, hash: "hash" };
      },
      ...options,
    });
    this.client.on("state", (status) => this.states.push(status));
  }

  get socket(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("there is no socket");
    return socket;
  }

  get sockets(): number {
    return FakeSocket.all.length;
  }

  async online(history?: Record<string, unknown>, filters?: Record<string, unknown>): Promise<FakeSocket> {
    await settle();
    this.socket.admit(history, filters);
    await settle();
    return this.socket;
  }

  async pass(ms: number): Promise<void> {
    await settle();
    mock.timers.tick(ms);
    await settle();
  }

  names(): string {
    return this.states.map(({ state }) => state).join(" ");
  }
}

import type { Answer, Environment, Socket } from "../src/link";

/** FakeSocket is a WebSocket that the test plays the server of. */
export class FakeSocket implements Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  sent: Record<string, unknown>[] = [];
  closed: number | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(code?: number): void {
    this.closed = code ?? 1005;
  }

  say(envelope: Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify({ request_id: "", topic: "", status_code: 200, payload: null, ...envelope }) });
  }

  /** answer answers the last request of a topic. */
  answer(topic: string, payload: unknown, status = 200): void {
    const request = this.sent.findLast((m) => m["topic"] === topic);
    if (request === undefined) throw new Error(`nobody has asked for ${topic}`);
    this.say({ request_id: request["request_id"], topic, status_code: status, payload });
  }

  count(topic: string): number {
    return this.sent.filter((m) => m["topic"] === topic).length;
  }
}

/** Fake is a browser whose time goes on only when the test says so. */
export class Fake implements Environment {
  time = 0;
  sockets: FakeSocket[] = [];
  requests: { path: string; body: unknown }[] = [];
  answers: Record<string, Answer | Error> = {
    access: { status: 200, body: { way: "open", session: false, actions: true } },
    token: { status: 200, body: { name: "n", hash: "h" } },
    login: { status: 204, body: null },
    logout: { status: 204, body: null },
  };
  #timers: { at: number; f: () => void }[] = [];

  async http(path: string, body?: unknown): Promise<Answer> {
    this.requests.push({ path, body });
    const answer = this.answers[path];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error(path);
    return answer;
  }

  socket(): FakeSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 1;
  }

  later(f: () => void, ms: number): () => void {
    const timer = { at: this.time + ms, f };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  /** pass lets time pass, and what has been promised happen. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.time = next.at;
      next.f();
    }
    this.time = end;
    await settle();
  }

  last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("there is no socket");
    return socket;
  }
}

/** settle lets all promises that are due run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export const hello = { version: "1", go: "go1", pid: 1, host: "h", started: "2026-01-01T00:00:00Z", now: "2026-01-01T00:00:00Z", address: "a",
  ready: true, problems: [], you: { name: "loopback", from: "f", actions: true }, payloads: false };

/** admit plays the server until the link is live. */
export async function admit(fake: Fake): Promise<FakeSocket> {
  await settle();
  const socket = fake.last();
  socket.say({ status_code: 407, topic: "authenticate" });
  socket.say({ request_id: "1", topic: "authenticated" });
  await settle();
  socket.answer("hello", hello);
  await settle();
  return socket;
}

export function pulse(at: number, revision: Partial<Record<string, number>> = {}): Record<string, unknown> {
  return { topic: "pulse", payload: { at_ms: at, revision: { tree: 0, dead_letters: 0, log: 0, audit: 0, ...revision }, sample: { connections: 1 } } };
}

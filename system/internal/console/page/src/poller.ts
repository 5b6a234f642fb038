import { Cell } from "./cell";
import { AskError } from "./link";
import type { Link } from "./link";
import type { Pulse, Revised } from "./protocol";

/** When says after which pulses a view asks again. */
export type When = "pulse" | Revised;

export interface Seen<T> {
  data: T | null;
  /** at is when data came, in milliseconds; 0 is never. */
  at: number;
  error: AskError | null;
  busy: boolean;
}

/** pace returns after how many pulses a view of all connections asks again, so that many of them cost no more than few. */
export function pace(connections: number): number {
  return 1 + Math.floor(connections / 2000);
}

/**
 * Poller asks for a view and asks again when it has changed. One question is under way at a time, so a daemon that is slow
 * gets fewer.
 */
export class Poller<T> {
  /** every is after how many pulses a view without a revision asks again. */
  every = 1;

  readonly seen = new Cell<Seen<T>>({ data: null, at: 0, error: null, busy: false });

  #link: Link;
  #topic: string;
  #when: When;
  #slowest: number;
  #payload: unknown;
  #asking = false;
  #again = false;
  #version = 0; // of the payload
  #revision = -1;
  #pulses = 0;
  #ends: (() => void)[] = [];

  /** Every slowest pulses it asks again although nothing has changed; 0 is never. */
  constructor(link: Link, topic: string, when: When, payload: unknown, slowest = 0) {
    this.#link = link;
    this.#topic = topic;
    this.#when = when;
    this.#payload = payload;
    this.#slowest = slowest;
  }

  start(): void {
    this.#ends = [
      this.#link.state.watch((state) => {
        if (state.kind === "live") this.reload();
      }),
      this.#link.pulse.watch((pulse) => pulse !== null && this.#beat(pulse)),
    ];
    this.reload();
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#version++;
  }

  /** set changes the question and asks at once. */
  set(payload: unknown): void {
    this.#payload = payload;
    this.#version++;
    this.reload();
  }

  reload(): void {
    if (this.#link.state.get().kind !== "live") return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    void this.#ask();
  }

  #beat(pulse: Pulse): void {
    this.#pulses++;
    if (this.#when === "pulse" && this.#pulses < this.every) return;
    const changed = this.#when === "pulse" || pulse.revision[this.#when] !== this.#revision;
    if (!changed && (this.#slowest === 0 || this.#pulses < this.#slowest)) return;
    if (this.#when !== "pulse") this.#revision = pulse.revision[this.#when];
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    this.#again = false;
    this.#pulses = 0;
    const version = this.#version;
    this.seen.set({ ...this.seen.get(), busy: true });
    try {
      const data = await this.#link.ask<T>(this.#topic, this.#payload);
      if (version === this.#version) this.seen.set({ data, at: Date.now(), error: null, busy: false });
    } catch (error) {
      // Without a connection what was seen stays, and the page says that it is old.
      const lost = error instanceof AskError && error.status === 0;
      if (version === this.#version) this.seen.set({ ...this.seen.get(), error: lost ? null : (error as AskError), busy: false });
    }
    this.#asking = false;
    if (this.#ends.length > 0 && (this.#again || version !== this.#version)) this.reload();
  }
}

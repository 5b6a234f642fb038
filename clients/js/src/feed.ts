import { Inbox } from "./inbox.js";

/** Message is a broadcast of a service. */
export interface Message<T = unknown> {
  service: string;
  topic: string;
  payload: T;
  /**
   * How many messages before this one were dropped because the reader was too slow: of this subscription by the client, and of
   * the service by the router.
   */
  missed: number;
  /** True for the first message of the service after a gap. */
  gap: boolean;
}

/** Subscription is an iterator of broadcasts. It lasts over reconnects, and ends with close, with a loop that is left, or with the client. */
export interface Subscription<T = unknown> extends AsyncIterableIterator<Message<T>> {
  /** How many messages were dropped because the reader was too slow. */
  readonly dropped: number;
  /** close ends the iterator. What waits is still read. */
  close(): void;
}

/** Feed is the subscription that is iterated over. */
export class Feed<T> extends Inbox<Message<T>> implements Subscription<T> {
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

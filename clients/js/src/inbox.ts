/** Inbox is a bounded queue of messages with one reader, who iterates over it. */
export class Inbox<T> implements AsyncIterableIterator<T> {
  #items: T[] = [];
  #readers: { resolve(r: IteratorResult<T, undefined>): void; reject(e: unknown): void }[] = [];
  #ended = false;
  #error: unknown;
  readonly #limit: number;
  readonly #left: () => void;

  /** left is called once, when the reader or the sender ends the inbox. */
  constructor(limit: number, left: () => void) {
    this.#limit = limit;
    this.#left = left;
  }

  /** push returns the item that had to give way, or undefined. */
  push(item: T): T | undefined {
    if (this.#ended) return undefined;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ value: item, done: false });
      return undefined;
    }
    this.#items.push(item);
    return this.#items.length > this.#limit ? this.#items.shift() : undefined;
  }

  /** full is true if the next item would have another one give way. */
  get full(): boolean {
    return this.#items.length >= this.#limit;
  }

  /** first returns the item that the reader gets next. */
  first(): T | undefined {
    return this.#items[0];
  }

  /** end lets the reader have what waits, and then fails with an error, if there is one. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#last(reader.resolve, reader.reject);
    this.#left();
  }

  #last(resolve: (r: IteratorResult<T, undefined>) => void, reject: (e: unknown) => void): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) resolve({ value: undefined, done: true });
    else reject(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#items.length > 0) resolve({ value: this.#items.shift()!, done: false });
      else if (this.#ended) this.#last(resolve, reject);
      else this.#readers.push({ resolve, reject });
    });
  }

  /** return ends the inbox for its reader, as leaving a loop does. What waits is dropped. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

import { StrowgerError } from "./error.js";
import type { Envelope, Request } from "./protocol.js";
import type { RequestOptions } from "./options.js";

/** Asked is who waits for the replies to a request. Each method may end the call, after which none is called again. */
export interface Asked {
  /** reply returns true if it was the last one. */
  reply(envelope: Envelope): boolean;
  fail(error: unknown): void;
}

interface Call extends Asked {
  text: string;
  sent: boolean;
  answered(): void;
  forget(): void;
}

/** Calls are the requests under way, and those that wait for a connection. Ids count up and are never used again. */
export class Calls {
  #calls = new Map<string, Call>();
  #waiting = 0;
  #last = 0;

  /** How many wait for a connection. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * add puts a request down. send sends it now, and is undefined if it has to wait. The function that it returns ends the call
   * without a word to asked.
   */
  add(service: string, topic: string, payload: unknown, options: Required<Pick<RequestOptions, "timeout">> & RequestOptions,
    limit: number, send: ((text: string) => void) | undefined, asked: Asked): () => void {
    const id = String(++this.#last);
    const request: Request = { request_id: id, service, topic, payload: payload === undefined ? {} : payload };
    const text = JSON.stringify(request);
    // A text has at least as many bytes as code units.
    if (text.length > limit || new TextEncoder().encode(text).length > limit) {
      throw new StrowgerError("too_big", `The message is longer than ${limit} bytes.`, { service, topic });
    }
    const { signal, timeout } = options;
    const aborted = () => this.#fail(id, signal!.reason);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const call: Call = {
      ...asked,
      text,
      sent: send !== undefined,
      answered: () => clearTimeout(timer),
      forget: () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        if (!call.sent) this.#waiting--;
      },
    };
    if (timeout > 0 && timeout < 2 ** 31) { // a longer one would be over at once
      timer = setTimeout(() => this.#fail(id, new StrowgerError("timeout", `No answer of ${service} in ${timeout} ms.`,
        { service, topic, sent: call.sent })), timeout);
    }
    signal?.addEventListener("abort", aborted);
    this.#calls.set(id, call);
    if (send) send(text);
    else this.#waiting++;
    return () => void this.#remove(id);
  }

  /** online sends what has waited, in order. */
  online(send: (text: string) => void): void {
    for (const call of this.#calls.values()) {
      if (call.sent) continue;
      call.sent = true;
      this.#waiting--;
      send(call.text);
    }
  }

  /** take hands over a reply, unless nobody waits for it any more. */
  take(id: string, envelope: Envelope): void {
    const call = this.#calls.get(id);
    if (!call?.sent) return;
    call.answered();
    if (call.reply(envelope)) this.#remove(id);
  }

  /**
   * lost fails what was under way, and what waits too if all is true. Those go on whose ids are among the open ones. A request is
   * never sent twice.
   */
  lost(kind: "disconnected" | "closed", message: string, cause: StrowgerError | undefined, all: boolean, open: unknown[] = []): void {
    for (const [id, call] of [...this.#calls]) {
      if ((call.sent && !open.includes(id)) || all) {
        this.#fail(id, new StrowgerError(kind, message, { sent: call.sent, cause, closeCode: cause?.closeCode }));
      }
    }
  }

  #fail(id: string, error: unknown): void {
    this.#remove(id)?.fail(error);
  }

  #remove(id: string): Call | undefined {
    const call = this.#calls.get(id);
    if (this.#calls.delete(id)) call!.forget();
    return call;
  }
}

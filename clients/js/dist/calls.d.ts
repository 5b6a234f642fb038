import { StrowgerError } from "./error.js";
import type { Envelope } from "./protocol.js";
import type { RequestOptions } from "./options.js";
/** Asked is who waits for the replies to a request. Each method may end the call, after which none is called again. */
export interface Asked {
    /** reply returns true if it was the last one. */
    reply(envelope: Envelope): boolean;
    fail(error: unknown): void;
}
/** Calls are the requests under way, and those that wait for a connection. Ids count up and are never used again. */
export declare class Calls {
    #private;
    /** How many wait for a connection. */
    get waiting(): number;
    /**
     * add puts a request down. send sends it now, and is undefined if it has to wait. The function that it returns ends the call
     * without a word to asked.
     */
    add(service: string, topic: string, payload: unknown, options: Required<Pick<RequestOptions, "timeout">> & RequestOptions, limit: number, send: ((text: string) => void) | undefined, asked: Asked): () => void;
    /** online sends what has waited, in order. */
    online(send: (text: string) => void): void;
    /** take hands over a reply, unless nobody waits for it any more. */
    take(id: string, envelope: Envelope): void;
    /**
     * lost fails what was under way, and what waits too if all is true. Those go on whose ids are among the open ones. A request is
     * never sent twice.
     */
    lost(kind: "disconnected" | "closed", message: string, cause: StrowgerError | undefined, all: boolean, open?: unknown[]): void;
}

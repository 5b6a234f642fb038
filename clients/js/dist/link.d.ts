import { StrowgerError } from "./error.js";
import type { Options } from "./options.js";
import type { Authentication, Envelope } from "./protocol.js";
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
/** Link keeps one connection that is authenticated, and makes a new one when it is lost. */
export declare class Link {
    #private;
    status: Status;
    /** Whether the router may have kept the requests that were under way over the last connection (protocol 16.10). */
    keeps: boolean;
    constructor(url: string, options: Options, above: Above);
    /** send hands a message to the connection that is online. */
    send(text: string): void;
    /** renew has a new connection take the place of the one that there is. */
    renew(): void;
    /** close ends the link for good. */
    close(error?: StrowgerError): void;
}

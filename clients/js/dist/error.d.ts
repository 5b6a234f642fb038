/**
 * ErrorKind says why something failed:
 *
 * - `status`: the answer has a status of 400 or more;
 * - `timeout`: the time for the answer, or for connecting, is over;
 * - `disconnected`: the connection was lost before the answer came, or there is none and the request did not wait for one;
 * - `overflow`: more requests wait for a connection than `queue` allows, or more replies of a stream than `limit` allows;
 * - `too_big`: the message is longer than `maxMessageBytes`;
 * - `token`: the token callback failed;
 * - `protocol`: the router says that this client breaks the protocol;
 * - `closed`: the client was closed.
 */
export type ErrorKind = "status" | "timeout" | "disconnected" | "overflow" | "too_big" | "token" | "protocol" | "closed";
/** ErrorDetails is what an error may know besides its kind. */
export interface ErrorDetails {
    status?: number;
    statusText?: string;
    service?: string;
    topic?: string;
    payload?: unknown;
    closeCode?: number;
    sent?: boolean;
    cause?: unknown;
}
/** StrowgerError is the only error of this package, but for a TypeError after wrong arguments and the reason of an AbortSignal. */
export declare class StrowgerError extends Error {
    readonly name = "StrowgerError";
    readonly kind: ErrorKind;
    /** The status of the answer, as in HTTP; 0 if there was none. */
    readonly status: number;
    readonly statusText: string;
    readonly service: string;
    readonly topic: string;
    /** The payload of the answer. */
    readonly payload: unknown;
    /** The code with which the connection was closed; 0 if it was not. */
    readonly closeCode: number;
    /** False only if no service can have got the request, so that asking again is safe. */
    readonly sent: boolean;
    constructor(kind: ErrorKind, message: string, details?: ErrorDetails);
}

import type { Filter } from "./filter.js";
/** Token is what a client authenticates with (protocol 4.1). */
export interface Token {
    name: string;
    hash: string;
}
/** Authentication is the first message of a client. */
export interface Authentication {
    service: "authentication";
    token: Token;
    request_id?: string;
    payload?: {
        /** Where the client was, so that it gets what it has missed (protocol 13.2). */
        history?: Record<string, Position>;
        /** Asks to be told where broadcasts were dropped (protocol 14.1). */
        gaps?: true;
        /** Asks for less of some services (protocol 15.1). */
        filters?: Record<string, Filter>;
        /** Asks for tickets (protocol 16.1). */
        resume?: true;
        /** Asks for open requests to be kept when the connection is lost (protocol 16.10). */
        requests?: true;
        /** Asks to be told who watches these services (protocol 17.2). */
        presence?: string[];
    };
}
/** Position is where a broadcast stands in the history of its service (protocol 13.3). */
export interface Position {
    epoch: string;
    offset: number;
}
/** Request is a client's message to a service. The router drops all other keys, or sets them itself (protocol 5.2). */
export interface Request {
    request_id: string;
    service: string;
    topic: string;
    payload: unknown;
}
/** Envelope is a message of the router. It has all keys, whatever they hold (protocol 3.1). */
export interface Envelope {
    id: unknown;
    payload: unknown;
    service_name: string;
    token_name: string;
    token_hash: string;
    status_string: string;
    /** An HTTP status, or an empty text if the service gave none. */
    status_code: number | "";
    /** What the client gave its request, empty for a broadcast. */
    request_id: unknown;
    resource_id: string;
    domain_uuid: string;
    domain_name: string;
    permissions: Record<string, true> | [];
    topic: string;
    /** Of the broadcasts of a service with a history, if the client has asked. */
    epoch?: string;
    offset?: number;
    /** How many broadcasts of the service are missing. The message says nothing else (protocol 14.2). */
    gap?: number;
    /** The router says who watches the service (protocol 17.3). */
    presence?: true;
}
/** The close codes that the router sends (protocol 8). */
export declare const CloseCode: {
    readonly routerStops: 1001;
    readonly protocolError: 1002;
    readonly notUTF8: 1007;
    readonly messageTooBig: 1009;
    readonly internalError: 1011;
    readonly tryAgainLater: 1013;
    readonly tokenExpired: 4001;
    readonly notAuthenticatedInTime: 4002;
    readonly tooManyAttempts: 4003;
    readonly noSignOfLife: 4005;
    readonly resumedElsewhere: 4006;
};
/** What a client does after a connection was closed. */
export interface Rule {
    /** "soon" waits as after any loss, "later" longer, and "never" means that it does not come back. */
    back: "soon" | "later" | "never";
    /** Whether the router may take the token of that connection once more (protocol 4.7.1). */
    sameToken: boolean;
}
/** afterClose returns the rule for a close code (protocol 8). A code that is not in the table is like a lost network. */
export declare function afterClose(code: number): Rule;

import type { Envelope, Position } from "./protocol.js";
/** The longest question that is asked, in bytes. The token may leave less room for it. */
export declare const longest = 4096;
/** size returns how many bytes a value takes as JSON. */
export declare const size: (value: unknown) => number;
/**
 * History is where a client is in the broadcasts of its services (protocol 13). It counts the breaks, each of which may have
 * lost some.
 */
export declare class History {
    #private;
    /** How many breaks there were. */
    get breaks(): number;
    /** since returns the number of a service's last break. */
    since(service: string): number;
    /** ask returns where the client was, for the authentication message. It is nothing if that takes more bytes than there is room for. */
    ask(room?: number): Record<string, Position>;
    /** begin reads the payload of the 200. Unless the client is new, all services have a break but those that the router recovered. */
    begin(payload: unknown, again: boolean): void;
    /** lost notes a break of one service. */
    lost(service: string): void;
    /** take notes a broadcast. It returns true if there is a break before it, because its epoch is another one. */
    take({ service_name: service, epoch, offset }: Envelope): boolean;
}

import type { Envelope, Position } from "./protocol.js";
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
    /** ask returns where the client was, for the authentication message. */
    ask(): Record<string, Position>;
    /** begin reads the payload of the 200. Unless the client is new, all services have a break but those that the router recovered. */
    begin(payload: unknown, again: boolean): void;
    /** take notes a broadcast. Another epoch than before is a break. */
    take({ service_name: service, epoch, offset }: Envelope): void;
}

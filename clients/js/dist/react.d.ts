import type { Client, Message, Status, SubscribeOptions, RequestOptions } from "./index.js";
/** useStatus returns the status of a client, and renders again at each change. */
export declare function useStatus(client: Client): Status;
/** useSubscription calls a function with each broadcast of a service while the component is there. The latest function counts. */
export declare function useSubscription<T = unknown>(client: Client, service: string, listener: (message: Message<T>) => void, options?: Pick<SubscribeOptions, "topic" | "filter">): void;
/** Asked is what became of a request. The data of the last answer stays until the next one. */
export interface Asked<T> {
    data: T | undefined;
    /** A StrowgerError, usually. */
    error: unknown;
    loading: boolean;
    /** Asks once more. */
    reload(): void;
}
/**
 * useRequest asks a service when the client is online, and again after each reconnect, because what was broadcast in
 * between is lost. It also asks again if the service, the topic or the payload changes.
 */
export declare function useRequest<T = unknown>(client: Client, service: string, topic: string, payload?: unknown, options?: Pick<RequestOptions, "timeout">): Asked<T>;

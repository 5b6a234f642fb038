import type { MaybeRefOrGetter, Ref } from "vue";
import type { Client, Message, RequestOptions, Status, SubscribeOptions } from "./index.js";
/** useStatus returns the status of a client as a ref. */
export declare function useStatus(client: Client): Readonly<Ref<Status>>;
/** useSubscription calls a function with each broadcast of a service until the scope ends. */
export declare function useSubscription<T = unknown>(client: Client, service: MaybeRefOrGetter<string>, listener: (message: Message<T>) => void, options?: Pick<SubscribeOptions, "topic" | "filter">): void;
/** Asked is what became of a request. The data of the last answer stays until the next one. */
export interface Asked<T> {
    data: Readonly<Ref<T | undefined>>;
    /** A StrowgerError, usually. */
    error: Readonly<Ref<unknown>>;
    loading: Readonly<Ref<boolean>>;
    /** Asks once more. */
    reload(): void;
}
/**
 * useRequest asks a service when the client is online, and again after each reconnect, because what was broadcast in
 * between is lost. It also asks again if the service, the topic or the payload changes.
 */
export declare function useRequest<T = unknown>(client: Client, service: MaybeRefOrGetter<string>, topic: MaybeRefOrGetter<string>, payload?: MaybeRefOrGetter<unknown>, options?: Pick<RequestOptions, "timeout">): Asked<T>;

import type { State, Status } from "./link.js";
import type { Options, RequestOptions, StreamOptions, SubscribeOptions } from "./options.js";
/** Reply is an answer of a service to a request. */
export interface Reply<T = unknown> {
    service: string;
    topic: string;
    /** As in HTTP and below 400; 0 if the service gave none. */
    status: number;
    statusText: string;
    payload: T;
}
/** Message is a broadcast of a service. */
export interface Message<T = unknown> {
    service: string;
    topic: string;
    payload: T;
    /** How many messages before this one were dropped because the reader was too slow. */
    missed: number;
    /**
     * True for the first message of the service after something may have been lost: the connection was made anew, and the
     * router could not send what was broadcast in between.
     */
    gap: boolean;
}
/** Subscription is an iterator of broadcasts. It lasts over reconnects, and ends with close, with a loop that is left, or with the client. */
export interface Subscription<T = unknown> extends AsyncIterableIterator<Message<T>> {
    /** How many messages were dropped because the reader was too slow. */
    readonly dropped: number;
    /** close ends the iterator. What waits is still read. */
    close(): void;
}
/** Events are what a client tells, by name. */
export interface Events {
    /** Each change of the state, in order. */
    state: Status;
}
/** connect returns a client that connects to the router at a URL such as wss://pbx.example.com/websockets/. */
export declare function connect(url: string, options: Options): Client;
/** Client is a connection to a router that renews itself. */
export declare class Client {
    #private;
    constructor(url: string, options: Options);
    get state(): State;
    /** status is the latest event of the kind "state". */
    get status(): Status;
    /** on calls a function at each event until the function that it returns is called. */
    on<K extends keyof Events>(event: K, listener: (event: Events[K]) => void): () => void;
    /** ready waits until the client is online. It fails if the client is closed, or with the reason of the signal. */
    ready({ signal }?: {
        signal?: AbortSignal;
    }): Promise<void>;
    /**
     * request asks a service for a topic and returns the payload of the first reply. It fails with a StrowgerError, whose
     * status is that of the answer if there was one. A request is never sent twice: if the connection is lost before the reply,
     * it fails, and only the caller knows whether asking again is safe.
     */
    request<T = unknown>(service: string, topic: string, payload?: unknown, options?: RequestOptions): Promise<T>;
    /**
     * stream asks a service for a topic and returns an iterator of all replies. Nothing in the protocol marks the last one,
     * so the reader leaves the loop. A reply with a status of 400 or more ends the iterator with an error.
     */
    stream<T = unknown>(service: string, topic: string, payload?: unknown, options?: StreamOptions): AsyncIterableIterator<Reply<T>>;
    /**
     * subscribe listens to the broadcasts of a service, or of all if the name is empty. Which services the client may hear is
     * written in its token. With a function it returns a function that ends the subscription, otherwise it returns an
     * iterator.
     */
    subscribe<T = unknown>(service: string, options?: SubscribeOptions): Subscription<T>;
    subscribe<T = unknown>(service: string, listener: (message: Message<T>) => void, options?: SubscribeOptions): () => void;
    /** close ends the client for good. What is under way fails, and iterators end. */
    close(): void;
}

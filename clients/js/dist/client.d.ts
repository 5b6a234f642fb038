import type { Message, Subscription } from "./feed.js";
import type { State, Status } from "./link.js";
import type { Options, RequestOptions, StreamOptions, SubscribeOptions } from "./options.js";
import type { Person } from "./people.js";
/** Reply is an answer of a service to a request. */
export interface Reply<T = unknown> {
    service: string;
    topic: string;
    /** As in HTTP and below 400; 0 if the service gave none. */
    status: number;
    statusText: string;
    payload: T;
}
/** Gap says that broadcasts of a service may be lost, so that what is known of it is to be asked anew. */
export interface Gap {
    /** Empty for a subscription to all services: those that the router could not recover. */
    service: string;
    /** How many are missing, if the router has dropped them because the client reads too slowly. 0 if nobody knows. */
    missed: number;
}
/** Events are what a client tells, by name. */
export interface Events {
    /** Each change of the state, in order. */
    state: Status;
    /**
     * Each gap of a service, before the next message of the service: the connection was made anew and the router could not send
     * what was broadcast in between, the service's history began anew, or the router dropped broadcasts.
     */
    gap: Gap;
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
    /**
     * presence calls a function with those who watch a service, and again when somebody has come or gone, until the function that it
     * returns is called. The list is null while the policy of the service does not tell any more. The first call for a service
     * after the client has connected takes a new connection.
     */
    presence(service: string, listener: (people: Person[] | null) => void): () => void;
    /** close ends the client for good. What is under way fails, and iterators end. */
    close(): void;
}

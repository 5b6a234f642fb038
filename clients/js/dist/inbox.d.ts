/** Inbox is a bounded queue of messages with one reader, who iterates over it. */
export declare class Inbox<T> implements AsyncIterableIterator<T> {
    #private;
    /** left is called once, when the reader or the sender ends the inbox. */
    constructor(limit: number, left: () => void);
    /** push returns the item that had to give way, or undefined. */
    push(item: T): T | undefined;
    /** full is true if the next item would have another one give way. */
    get full(): boolean;
    /** first returns the item that the reader gets next. */
    first(): T | undefined;
    /** end lets the reader have what waits, and then fails with an error, if there is one. */
    end(error?: unknown): void;
    next(): Promise<IteratorResult<T, undefined>>;
    /** return ends the inbox for its reader, as leaving a loop does. What waits is dropped. */
    return(): Promise<IteratorResult<T, undefined>>;
    [Symbol.asyncIterator](): this;
}

/** Value is what a key of a payload is compared with. */
export type Value = string | number | boolean | null;
/** Filter says which broadcasts of a service a subscription wants: those that have one of the topics and all of the keys. */
export interface Filter {
    /** Absent or empty: any topic. */
    topics?: readonly string[];
    /** Keys at the top level of the payload, each with the value that it must have, or with a list of which it must have one. */
    keys?: Readonly<Record<string, Value | readonly Value[]>>;
}
/** passes reports whether a broadcast passes a filter (protocol 15.1). */
export declare function passes({ topics, keys }: Filter, topic: string, payload: unknown): boolean;
/**
 * join returns a filter that passes all that one of two filters passes. It may pass more, because a filter cannot say "or" of
 * two keys. Both parts are there, and each key has a list.
 */
export declare function join(a: Filter, b: Filter): Filter;
/** covers reports whether a filter that join has returned passes all that another one passes. */
export declare function covers(joined: Filter, other: Filter): boolean;
/** joined returns one filter for each service whose subscriptions all have one. A subscription to all services wants all of them. */
export declare function joined(wanted: Iterable<{
    service: string;
    filter: Filter;
}>): Record<string, Filter>;

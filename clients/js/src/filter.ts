/** Value is what a key of a payload is compared with. */
export type Value = string | number | boolean | null;

/** Filter says which broadcasts of a service a subscription wants: those that have one of the topics and all of the keys. */
export interface Filter {
  /** Absent or empty: any topic. */
  topics?: readonly string[];
  /** Keys at the top level of the payload, each with the value that it must have, or with a list of which it must have one. */
  keys?: Readonly<Record<string, Value | readonly Value[]>>;
}

const list = (value: Value | readonly Value[]) => (Array.isArray(value) ? value : [value]) as readonly Value[];
const union = <T>(a: readonly T[], b: readonly T[]) => [...new Set([...a, ...b])];

/** passes reports whether a broadcast passes a filter (protocol 15.1). */
export function passes({ topics, keys = {} }: Filter, topic: string, payload: unknown): boolean {
  const object = (typeof payload === "object" && !Array.isArray(payload) ? payload : undefined) as Record<string, Value> | null | undefined;
  return (!topics?.length || topics.includes(topic)) &&
    Object.entries(keys).every(([key, value]) => object && Object.hasOwn(object, key) && list(value).includes(object[key]!));
}

/**
 * join returns a filter that passes all that one of two filters passes. It may pass more, because a filter cannot say "or" of
 * two keys. Both parts are there, and each key has a list.
 */
export function join(a: Filter, b: Filter): Filter {
  const keys = Object.entries(a.keys ?? {}).flatMap(([key, value]) =>
    b.keys && Object.hasOwn(b.keys, key) ? [[key, union(list(value), list(b.keys[key]!))]] : []);
  return { topics: a.topics?.length && b.topics?.length ? union(a.topics, b.topics) : [], keys: Object.fromEntries(keys) };
}

/** covers reports whether a filter that join has returned passes all that another one passes. */
export function covers(joined: Filter, other: Filter): boolean {
  return JSON.stringify(join(joined, other)) === JSON.stringify(joined);
}

/** joined returns one filter for each service whose subscriptions all have one. A subscription to all services wants all of them. */
export function joined(wanted: Iterable<{ service: string; filter: Filter }>): Record<string, Filter> {
  const all = new Map<string, Filter>();
  for (const { service, filter } of wanted) all.set(service, join(all.get(service) ?? filter, filter));
  return all.has("") ? {} : Object.fromEntries([...all].filter(([, filter]) => filter.topics!.length || Object.keys(filter.keys!).length));
}

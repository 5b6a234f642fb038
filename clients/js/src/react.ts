import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client, Message, Status, SubscribeOptions, RequestOptions } from "./index.js";

/** useStatus returns the status of a client, and renders again at each change. */
export function useStatus(client: Client): Status {
  const watch = useCallback((changed: () => void) => client.on("state", changed), [client]);
  const get = () => client.status;
  return useSyncExternalStore(watch, get, get);
}

/** useSubscription calls a function with each broadcast of a service while the component is there. The latest function counts. */
export function useSubscription<T = unknown>(client: Client, service: string, listener: (message: Message<T>) => void, options: Pick<SubscribeOptions, "topic" | "filter"> = {}): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  const { topic } = options;
  const filter = JSON.stringify(options.filter ?? {}); // one that is written in place is another object each time
  useEffect(() => client.subscribe<T>(service, (message) => latest.current(message), { topic, filter: JSON.parse(filter) }), [client, service, topic, filter]);
}

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
export function useRequest<T = unknown>(client: Client, service: string, topic: string, payload?: unknown, options: Pick<RequestOptions, "timeout"> = {}): Asked<T> {
  const [turn, setTurn] = useState(0);
  const [asked, setAsked] = useState<Omit<Asked<T>, "reload">>({ data: undefined, error: undefined, loading: true });
  const text = JSON.stringify(payload);
  const { timeout } = options;
  useEffect(() => {
    let ended = new AbortController();
    const ask = (status: Status) => {
      if (status.state !== "online" && status.state !== "closed") return;
      ended.abort();
      if (status.state === "closed") return setAsked(({ data }) => ({ data, error: status.error, loading: false }));
      const { signal } = (ended = new AbortController());
      setAsked(({ data }) => ({ data, error: undefined, loading: true }));
      client.request<T>(service, topic, text === undefined ? undefined : JSON.parse(text), { signal, timeout }).then(
        (data) => signal.aborted || setAsked({ data, error: undefined, loading: false }),
        (error: unknown) => signal.aborted || setAsked(({ data }) => ({ data, error, loading: false })),
      );
    };
    const off = client.on("state", ask);
    ask(client.status);
    return () => {
      off();
      ended.abort();
    };
  }, [client, service, topic, text, timeout, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...asked, reload };
}

import { onScopeDispose, readonly, shallowReadonly, shallowRef, toValue, watch } from "vue";
import type { MaybeRefOrGetter, Ref } from "vue";
import type { Client, Message, RequestOptions, Status, SubscribeOptions } from "./index.js";

/** useStatus returns the status of a client as a ref. */
export function useStatus(client: Client): Readonly<Ref<Status>> {
  const status = shallowRef(client.status);
  onScopeDispose(client.on("state", (next) => (status.value = next)));
  return shallowReadonly(status);
}

/** useSubscription calls a function with each broadcast of a service until the scope ends. */
export function useSubscription<T = unknown>(client: Client, service: MaybeRefOrGetter<string>, listener: (message: Message<T>) => void, options: Pick<SubscribeOptions, "topic" | "filter"> = {}): void {
  watch(() => toValue(service), (name, _, cleanup) => cleanup(client.subscribe<T>(name, listener, options)), { immediate: true, flush: "sync" });
}

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
export function useRequest<T = unknown>(client: Client, service: MaybeRefOrGetter<string>, topic: MaybeRefOrGetter<string>, payload?: MaybeRefOrGetter<unknown>, options: Pick<RequestOptions, "timeout"> = {}): Asked<T> {
  const data = shallowRef<T>(), error = shallowRef<unknown>(), loading = shallowRef(true);
  let ended = new AbortController();
  const ask = () => {
    ended.abort();
    const { signal } = (ended = new AbortController());
    const { state, error: reason } = client.status;
    loading.value = state !== "closed";
    if (state === "closed") error.value = reason;
    if (state !== "online") return;
    error.value = undefined;
    const done = (set: () => void) => {
      if (signal.aborted) return;
      set();
      loading.value = false;
    };
    client.request<T>(toValue(service), toValue(topic), toValue(payload), { signal, timeout: options.timeout }).then(
      (answer) => done(() => (data.value = answer)),
      (reason: unknown) => done(() => (error.value = reason)),
    );
  };
  onScopeDispose(client.on("state", ({ state }) => {
    if (state === "online" || state === "closed") ask();
  }));
  onScopeDispose(() => ended.abort());
  watch([() => toValue(service), () => toValue(topic), () => toValue(payload)], ask, { immediate: true, flush: "sync" });
  return { data: shallowReadonly(data), error: shallowReadonly(error), loading: readonly(loading), reload: ask };
}

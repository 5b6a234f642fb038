// src/vue.ts
import { onScopeDispose, readonly, shallowReadonly, shallowRef, toValue, watch } from "vue";
function useStatus(client) {
  const status = shallowRef(client.status);
  onScopeDispose(client.on("state", (next) => status.value = next));
  return shallowReadonly(status);
}
function useSubscription(client, service, listener, options = {}) {
  watch(() => toValue(service), (name, _, cleanup) => cleanup(client.subscribe(name, listener, options)), { immediate: true, flush: "sync" });
}
function useRequest(client, service, topic, payload, options = {}) {
  const data = shallowRef(), error = shallowRef(), loading = shallowRef(true);
  let ended = new AbortController();
  const ask = () => {
    ended.abort();
    const { signal } = ended = new AbortController();
    const { state, error: reason } = client.status;
    loading.value = state !== "closed";
    if (state === "closed") error.value = reason;
    if (state !== "online") return;
    error.value = void 0;
    const done = (set) => {
      if (signal.aborted) return;
      set();
      loading.value = false;
    };
    client.request(toValue(service), toValue(topic), toValue(payload), { signal, timeout: options.timeout }).then(
      (answer) => done(() => data.value = answer),
      (reason2) => done(() => error.value = reason2)
    );
  };
  onScopeDispose(client.on("state", ({ state }) => {
    if (state === "online" || state === "closed") ask();
  }));
  onScopeDispose(() => ended.abort());
  watch([() => toValue(service), () => toValue(topic), () => toValue(payload)], ask, { immediate: true, flush: "sync" });
  return { data: shallowReadonly(data), error: shallowReadonly(error), loading: readonly(loading), reload: ask };
}
export {
  useRequest,
  useStatus,
  useSubscription
};

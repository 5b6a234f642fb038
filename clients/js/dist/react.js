// src/react.ts
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
function useStatus(client) {
  const watch = useCallback((changed) => client.on("state", changed), [client]);
  const get = () => client.status;
  return useSyncExternalStore(watch, get, get);
}
function useSubscription(client, service, listener, options = {}) {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  const { topic } = options;
  const filter = JSON.stringify(options.filter ?? {});
  useEffect(() => client.subscribe(service, (message) => latest.current(message), { topic, filter: JSON.parse(filter) }), [client, service, topic, filter]);
}
function useRequest(client, service, topic, payload, options = {}) {
  const [turn, setTurn] = useState(0);
  const [asked, setAsked] = useState({ data: void 0, error: void 0, loading: true });
  const text = JSON.stringify(payload);
  const { timeout } = options;
  useEffect(() => {
    let ended = new AbortController();
    const ask = (status) => {
      if (status.state !== "online" && status.state !== "closed") return;
      ended.abort();
      if (status.state === "closed") return setAsked(({ data }) => ({ data, error: status.error, loading: false }));
      const { signal } = ended = new AbortController();
      setAsked(({ data }) => ({ data, error: void 0, loading: true }));
      client.request(service, topic, text === void 0 ? void 0 : JSON.parse(text), { signal, timeout }).then(
        (data) => signal.aborted || setAsked({ data, error: void 0, loading: false }),
        (error) => signal.aborted || setAsked(({ data }) => ({ data, error, loading: false }))
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
export {
  useRequest,
  useStatus,
  useSubscription
};

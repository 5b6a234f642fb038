import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { link } from "./app";
import { useCell } from "./cell";
import { Poller, pace } from "./poller";
import type { Seen, When } from "./poller";

export interface View<T> extends Seen<T> {
  reload(): void;
}

/** useView shows a view of the daemon and keeps it current. */
export function useView<T>(topic: string, when: When, payload: unknown = {}, slowest = 0, every = 1): View<T> {
  const poller = useMemo(() => new Poller<T>(link, topic, when, payload, slowest), [topic, when, slowest]);
  poller.every = every;
  const key = JSON.stringify(payload);
  const asked = useRef(key);
  useEffect(() => {
    poller.start();
    return () => poller.stop();
  }, [poller]);
  useEffect(() => {
    if (asked.current === key) return;
    asked.current = key;
    poller.set(payload);
  }, [poller, key]);
  useEffect(() => {
    const reload = (): void => poller.reload();
    addEventListener("strowger-reload", reload);
    return () => removeEventListener("strowger-reload", reload);
  }, [poller]);
  return { ...useCell(poller.seen), reload: () => poller.reload() };
}

/** usePace returns after how many pulses a view of all connections asks again. */
export function usePace(): number {
  const [now, set] = useState(pace(link.pulse.get()?.sample.connections ?? 0));
  useEffect(() => link.pulse.watch((pulse) => set(pace(pulse?.sample.connections ?? 0))), []);
  return now;
}

/** useSettled returns a value once it has not changed for some time, for what is typed. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, set] = useState(value);
  useEffect(() => {
    const id = setTimeout(() => set(value), ms);
    return () => clearTimeout(id);
  }, [value, ms]);
  return settled;
}

/** useNow renders the component again every so often, for what counts up or down. */
export function useNow(every: number, on = true): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    if (!on) return undefined;
    set(Date.now());
    const id = setInterval(() => set(Date.now()), every);
    return () => clearInterval(id);
  }, [every, on]);
  return now;
}

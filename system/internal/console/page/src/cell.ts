import { useLayoutEffect, useState } from "preact/hooks";

/** Cell is a value that others can watch. */
export class Cell<T> {
  #value: T;
  #watchers = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
  }

  /** watch calls f with each new value, until the function that it returns is called. */
  watch(f: (value: T) => void): () => void {
    this.#watchers.add(f);
    return () => this.#watchers.delete(f);
  }
}

/** useCell renders the component again with each new value of the cell. */
export function useCell<T>(cell: Cell<T>): T {
  const [, setValue] = useState<{ value: T }>(() => ({ value: cell.get() }));
  useLayoutEffect(() => {
    setValue((before) => (Object.is(before.value, cell.get()) ? before : { value: cell.get() }));
    return cell.watch((next) => setValue({ value: next }));
  }, [cell]);
  return cell.get();
}

import type { Pulse, SampleKey, Samples } from "./protocol";

const longest = 3600_000;

/** History is what the charts show: the samples that the daemon has kept, and then the pulses. */
export class History {
  #at: number[] = []; // seconds, as the charts want them
  #series = new Map<SampleKey, (number | null)[]>();

  /** load begins anew with what the daemon has kept. */
  load(samples: Samples): void {
    this.#at = [];
    this.#series.clear();
    let before = 0;
    samples.at_ms.forEach((at, i) => {
      if (before > 0 && at - before > 3 * samples.every_ms) this.#gap(before + 1);
      this.#push(at, (key) => samples.series[key]?.[i], Object.keys(samples.series) as SampleKey[]);
      before = at;
    });
  }

  add(pulse: Pulse): void {
    const last = this.#at.at(-1);
    if (last !== undefined && pulse.at_ms / 1000 <= last) return;
    if (last !== undefined && pulse.at_ms - last * 1000 > 15_000) this.#gap(last * 1000 + 1);
    this.#push(pulse.at_ms, (key) => pulse.sample[key], Object.keys(pulse.sample) as SampleKey[]);
    const from = (pulse.at_ms - longest) / 1000;
    let old = 0;
    while ((this.#at[old] ?? Infinity) < from) old++;
    if (old > 60) { // not with each pulse
      this.#at.splice(0, old);
      for (const values of this.#series.values()) values.splice(0, old);
    }
  }

  /** window returns the last seconds of some series, with the times first. */
  window(seconds: number, keys: SampleKey[]): [number[], ...(number | null)[][]] {
    const from = (this.#at.at(-1) ?? 0) - seconds;
    let first = this.#at.length;
    while (first > 0 && (this.#at[first - 1] ?? 0) >= from) first--;
    return [this.#at.slice(first), ...keys.map((key) => this.#series.get(key)?.slice(first) ?? this.#at.slice(first).map(() => null))];
  }

  /** gap keeps the chart from drawing a line through a time of which nothing is known. */
  #gap(at: number): void {
    this.#push(at, () => undefined, [...this.#series.keys()]);
  }

  #push(at: number, of: (key: SampleKey) => number | undefined, keys: SampleKey[]): void {
    for (const key of keys) {
      if (!this.#series.has(key)) this.#series.set(key, this.#at.map(() => null));
    }
    this.#at.push(at / 1000);
    for (const [key, values] of this.#series) values.push(of(key) ?? null);
  }
}

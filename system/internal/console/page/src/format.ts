const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(n: number | undefined): string {
  return n === undefined ? "–" : whole.format(n);
}

/** rate writes a number per second: small ones with a decimal. */
export function rate(n: number | undefined): string {
  if (n === undefined) return "–";
  if (n === 0) return "0";
  return Math.abs(n) < 99.95 ? n.toFixed(1) : whole.format(n);
}

export function bytes(n: number | undefined): string {
  if (n === undefined) return "–";
  let value = n;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1023.5) return `${unit === "B" ? whole.format(value) : value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/** span writes a time in milliseconds with its two largest units. */
export function span(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return two(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

/** short writes a time in milliseconds that is expected to be small, such as how long an answer takes. */
export function short(ms: number | undefined): string {
  if (ms === undefined) return "–";
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

/** clock writes the time of day of this browser's time zone. */
export function clock(at: string | number): string {
  const d = new Date(at);
  return Number.isNaN(d.getTime()) ? "–" : `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** moment writes the time of day, and the day if that is not today. */
export function moment(at: string | number, now: number = Date.now()): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return "–";
  const today = new Date(now);
  const same = d.getFullYear() === today.getFullYear() && d.getMonth() === today.getMonth() && d.getDate() === today.getDate();
  return same ? clock(at) : `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${clock(at)}`;
}

/** words makes words of an identifier: "unknown_service" is "unknown service". */
export function words(identifier: string): string {
  return identifier.replace(/[_]/g, " ");
}

export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** value writes what an attribute of a log line holds. */
export function value(v: unknown): string {
  return typeof v === "string" ? v : (JSON.stringify(v) ?? "");
}

/** pretty lays out text if it is JSON. */
export function pretty(textOrValue: unknown): string {
  try {
    return JSON.stringify(typeof textOrValue === "string" ? JSON.parse(textOrValue) : textOrValue, null, 2);
  } catch {
    return String(textOrValue);
  }
}

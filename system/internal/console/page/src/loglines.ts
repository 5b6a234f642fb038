import type { Log, LogRecord } from "./protocol";

/** each is how many lines an answer has at most. */
export const each = 200;

/** most is how many lines the page keeps. */
export const most = 1000;

export interface Lines {
  rows: LogRecord[];
  last: number;
  /** missed is true if lines may have come too fast for the page to get them all. */
  missed: boolean;
}

export const none: Lines = { rows: [], last: 0, missed: false };

/** add puts an answer behind the lines that are there. */
export function add(lines: Lines, log: Log): Lines {
  // A daemon that has restarted counts anew.
  if (log.last < lines.last) return { rows: log.rows.slice(-most), last: log.last, missed: false };
  const fresh = log.rows.filter((r) => r.number > lines.last);
  const last = Math.max(lines.last, log.last);
  if (fresh.length === 0 && last === lines.last) return lines;
  return { rows: [...lines.rows, ...fresh].slice(-most), last, missed: lines.missed || log.dropped || (lines.last > 0 && log.rows.length >= each) };
}

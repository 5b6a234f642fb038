const first = 500;
const longest = 30_000;

/**
 * pause returns how many milliseconds to wait before the next attempt to connect. It doubles with each attempt up to half a
 * minute. Random is between 0 and 1: it spreads pages that lost the same router.
 */
export function pause(attempt: number, random: number): number {
  const full = Math.min(longest, first * 2 ** Math.min(attempt, 16));
  return Math.round(full / 2 + (full / 2) * random);
}

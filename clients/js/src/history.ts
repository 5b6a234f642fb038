import type { Envelope, Position } from "./protocol.js";

/** The longest question that is asked, in bytes. The token may leave less room for it. */
export const longest = 4096;

/** size returns how many bytes a value takes as JSON. */
export const size = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * History is where a client is in the broadcasts of its services (protocol 13). It counts the breaks, each of which may have
 * lost some.
 */
export class History {
  #positions = new Map<string, Position>();
  #breaks = 0;
  #all = 0; // the last break of all services that are not in #own
  #own = new Map<string, number>();

  /** How many breaks there were. */
  get breaks(): number {
    return this.#breaks;
  }

  /** since returns the number of a service's last break. */
  since(service: string): number {
    return this.#own.get(service) ?? this.#all;
  }

  /** ask returns where the client was, for the authentication message. It is nothing if that takes more bytes than there is room for. */
  ask(room = longest): Record<string, Position> {
    const asked = Object.fromEntries(this.#positions);
    return size(asked) > room ? {} : asked;
  }

  /** begin reads the payload of the 200. Unless the client is new, all services have a break but those that the router recovered. */
  begin(payload: unknown, again: boolean): void {
    const told = Object.entries((payload as { history?: Record<string, Partial<Position> & { recovered?: boolean }> } | null)?.history ?? {});
    const kept = new Map<string, number>();
    this.#positions.clear();
    for (const [service, { epoch, offset, recovered }] of told) {
      if (epoch !== undefined && offset !== undefined) this.#positions.set(service, { epoch, offset });
      if (recovered) kept.set(service, this.since(service));
    }
    if (!again) return;
    this.#all = ++this.#breaks;
    this.#own = kept;
  }

  /** lost notes a break of one service. */
  lost(service: string): void {
    this.#own.set(service, ++this.#breaks);
  }

  /** take notes a broadcast. It returns true if there is a break before it, because its epoch is another one. */
  take({ service_name: service, epoch, offset }: Envelope): boolean {
    if (epoch === undefined || offset === undefined) return false;
    const last = this.#positions.get(service);
    this.#positions.set(service, { epoch, offset });
    return last !== undefined && last.epoch !== epoch;
  }
}

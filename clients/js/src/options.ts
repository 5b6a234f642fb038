import type { StrowgerError } from "./error.js";
import type { Filter } from "./filter.js";
import type { Token } from "./protocol.js";

/** Attempt is what the token callback gets to know of the attempt to connect. */
export interface Attempt {
  /** How many attempts failed since the client was last online. */
  failures: number;
  /**
   * The token of the last connection, if the router may take it once more. It does for a while where `tokens.reclaim` is
   * set, as with --fusionpbx. If it does not, the callback is called again without a previous token.
   */
  previous?: Token;
  /** Why the last connection ended or the last attempt failed. */
  error?: StrowgerError;
  /** Aborted when nobody waits for the token any more. */
  signal: AbortSignal;
}

/** TokenCallback returns a token for one connection. It is called each time the client connects. */
export type TokenCallback = (attempt: Attempt) => Token | PromiseLike<Token>;

/** Socket is the part of a WebSocket that the client uses. */
export interface Socket {
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** Options say how a client connects. All times are in milliseconds. */
export interface Options {
  token: TokenCallback;
  /** A class like the browsers' WebSocket, for places that have none. */
  WebSocket?: new (url: string) => Socket;
  /** How long a request waits for its answer. 0 means without end. Default 30000. */
  timeout?: number;
  /** How many requests may wait for a connection. By default 0: a request fails while there is no connection. */
  queue?: number;
  /** The longest message that is sent, in bytes. Default 1 MiB, as the router's `limits.client_bytes`. */
  maxMessageBytes?: number;
  /** How long an attempt to connect may take, the token callback included. Default 15000. */
  connectTimeout?: number;
  /**
   * After how long without a message the client asks the router for a sign of life. The connection is given up if nothing
   * comes in the same time again, at most 10 s. 0 means that it never asks. Default 25000.
   */
  heartbeat?: number;
  reconnect?: Reconnect;
  /**
   * Whether the router is asked for the broadcasts that were missed while there was no connection. It sends those of services
   * whose policy has a `history`. Default true.
   */
  recover?: boolean;
  /**
   * Whether the router is asked for tickets, with which the client comes back without a new token. It gives some where
   * `tokens.tickets` is set. Without a good one the token callback is called. Requests under way
   * go on over the new connection if the router has kept them, and fail when it has not. Default false.
   */
  resume?: boolean;
}

/**
 * Reconnect says how long the client waits before it connects again: a random time up to a bound that begins with `min` and
 * doubles with each attempt up to `max`. A connection that lasted `max` starts the row anew.
 */
export interface Reconnect {
  /** Default 500. */
  min?: number;
  /** Default 30000. */
  max?: number;
  /** What is added after close code 1013, "try again later". Default 5000. */
  later?: number;
  /** How many fresh tokens the router may refuse in a row before the client gives up. Default 5. */
  refusals?: number;
}

/** RequestOptions are for one request. */
export interface RequestOptions {
  /** Ends the waiting. The request fails with the reason of the signal. */
  signal?: AbortSignal;
  /** In place of the client's timeout. For a stream it is the time until the first reply. */
  timeout?: number;
}

/** StreamOptions are for one stream. */
export interface StreamOptions extends RequestOptions {
  /** How many replies may wait for the reader. Default 1000. Beyond it the stream fails. */
  limit?: number;
}

/** SubscribeOptions are for one subscription. */
export interface SubscribeOptions {
  /** Only messages of this topic. The router is not told, so it costs nothing to change one's mind. */
  topic?: string;
  /**
   * Only messages that pass. The router is asked to send no others of the service, if each subscription to it has a filter
   * when the client connects; it sends what one of them wants. A later subscription that wants more of the service takes a new
   * connection at once.
   */
  filter?: Filter;
  /** How many messages may wait for the reader of an iterator. Default 1000. Beyond it the oldest is dropped. */
  limit?: number;
}

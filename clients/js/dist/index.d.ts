export { Client, connect } from "./client.js";
export type { Events, Message, Reply, Subscription } from "./client.js";
export { StrowgerError } from "./error.js";
export type { ErrorKind } from "./error.js";
export type { State, Status } from "./link.js";
export type { Attempt, Options, Reconnect, RequestOptions, Socket, StreamOptions, SubscribeOptions, TokenCallback } from "./options.js";
export { afterClose, CloseCode } from "./protocol.js";
export type { Authentication, Envelope, Position, Request, Rule, Token } from "./protocol.js";

// The console's protocol as the page sees it. Keys that may be absent have a question mark.

export const serviceName = "strowger.console";

export interface Access {
  way: "open" | "password" | "certificate" | "none";
  session: boolean;
  actions: boolean;
  reason?: string;
}

export interface Token {
  name: string;
  hash: string;
}

/** Envelope is what the server sends; the keys that the page does not need are left out. */
export interface Envelope {
  request_id: string;
  service_name: string;
  topic: string;
  status_code: number | null;
  payload: unknown;
}

export interface Problem {
  part: string;
  reason: string;
}

export interface Hello {
  version: string;
  commit?: string;
  go: string;
  pid: number;
  host: string;
  started: string;
  now: string;
  address: string;
  ready: boolean;
  problems?: Problem[] | null;
  you: { name: string; from: string; actions: boolean };
  payloads: boolean;
}

export type SampleKey =
  | "connections" | "clients" | "services" | "requests" | "replies" | "broadcasts" | "dead_letters" | "refused"
  | "slow_consumers" | "waiting_bytes" | "panics" | "restarts" | "cpu" | "heap_bytes" | "goroutines";

export type Sample = Record<SampleKey, number>;

export type Revised = "tree" | "dead_letters" | "log" | "audit";

export interface Pulse {
  at_ms: number;
  revision: Record<Revised, number>;
  sample: Sample;
}

export interface ClusterNode {
  name: string;
  id: string;
  version: string;
  state: "self" | "joining" | "linked" | "refused";
  reason?: string;
  heartbeat_ms: number;
  services: { name: string; instances: number }[];
  singletons: { name: string; state: "stands" | "runs" | "serves" | "ails" }[];
  queued_bytes: number;
  unacknowledged: number;
  sent: number;
  received: number;
  dropped: number;
  resets: number;
}

export interface Cluster {
  clustered: boolean;
  name?: string;
  node?: string;
  bus?: { connected: boolean; since: string; server: string; reason?: string };
  nodes: ClusterNode[];
}

export interface Samples {
  every_ms: number;
  at_ms: number[];
  series: Partial<Record<SampleKey, number[]>>;
}

export interface Failure {
  at: string;
  reason: string;
  stack?: string;
  task?: string;
}

export interface TreeNode {
  name: string;
  kind: string;
  state: string;
  since?: string;
  generation?: number;
  restarts?: number;
  failures?: number;
  abandoned?: number;
  last_failure?: Failure;
  backoff_remaining_ms?: number;
  breaker?: string;
  mailbox_depth?: number;
  detail?: string;
  omitted?: number;
  actions?: string[];
  children?: TreeNode[];
}

export interface Tree {
  revision: number;
  root: TreeNode;
}

/** Page is a part of a table. */
export interface Page<Row> {
  at_ms?: number;
  total: number;
  matched: number;
  offset: number;
  rows: Row[];
}

export interface Connection {
  id: string;
  number: number;
  role: string;
  user: string;
  user_uuid: string;
  domain: string;
  name: string;
  class: string;
  remote: string;
  since: string;
  age_ms: number;
  idle_ms: number;
  subscriptions: number;
  queued: number;
  queued_bytes: number;
  in_bytes: number;
  out_bytes: number;
  http?: boolean;
  expires?: string;
}

export interface ConnectionDetail extends Connection {
  services: string[];
  permissions: number;
  extensions: string[];
}

export interface Slow {
  at_ms: number;
  total: number;
  waiting_bytes: number;
  rows: Connection[];
}

export interface Topic {
  name: string;
  members: number;
  classes: number;
  instances: number;
  broadcasts: number;
  rate: number;
  mailbox: number;
}

export interface Instance {
  id: string;
  inside?: boolean;
  number?: number;
  remote?: string;
  class?: string;
}

export interface Service {
  name: string;
  inside: boolean;
  state: string;
  since?: string;
  instances: Instance[];
  restarts?: number;
  breaker?: string;
  retry_after_ms?: number;
  reason?: string;
  open: number;
  queued?: number;
  requests: number;
  rate: number;
  failures: number;
  failure_rate: number;
  latency_ms?: { mean: number; p50?: number; p99?: number };
  actions: string[];
}

export interface DeadLetter {
  number: number;
  at: string;
  reason: string;
  kind: string;
  actor?: string;
  type?: string;
  service?: string;
  topic?: string;
  request_id?: string;
  from?: { id: string; user?: string; domain?: string; remote?: string; name?: string };
  payload_bytes?: number;
  replayable: boolean;
  why?: string;
  replayed?: string;
}

export interface DeadLetterDetail extends DeadLetter {
  stack?: string;
  payload?: string;
  truncated?: boolean;
}

export interface DeadLetters {
  total: number;
  kept: number;
  matched?: number;
  offset: number;
  revision: number;
  counts: Record<string, number>;
  rows: DeadLetter[];
}

export interface LogRecord {
  number: number;
  at: string;
  level: string;
  message: string;
  attributes?: Record<string, unknown> | null;
}

export interface Log {
  last: number;
  first: number;
  dropped: boolean;
  rows: LogRecord[];
}

export interface Explanation {
  service: string;
  class?: string;
  policy?: string;
  source?: string;
  watches?: boolean;
  scope?: string;
  [key: string]: unknown;
}

export interface AuditEntry {
  number: number;
  at: string;
  who: string;
  from: string;
  action: string;
  object: string;
  result: string;
}

export interface Acted {
  result: string;
  audit: number;
}

export interface Replayed extends Acted {
  status: number;
  topic: string;
  payload_bytes: number;
  payload?: string;
}

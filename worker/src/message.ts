// The messages of the protocol, and how a request is read. docs/protocol.md has them all.

import { TabletError } from "./failure";
import { type Value, readValue } from "./value";

export const Type = {
  QUERY: 0x01, EXECUTE: 0x02, BATCH: 0x03, BEGIN: 0x10, COMMIT: 0x11, ROLLBACK: 0x12, STATUS: 0x20, HEALTH: 0x21, SCHEMA: 0x22, VSCHEMA: 0x23,
  CANCEL: 0x24, SHARD_QUERY: 0x30, SHARD_EXECUTE: 0x31, SHARD_BATCH: 0x32, SHARD_FETCH: 0x33, SHARD_CLOSE: 0x34, SHARD_BEGIN: 0x40,
  SHARD_COMMIT: 0x41, SHARD_ROLLBACK: 0x42, SHARD_LOCK: 0x43, SAVEPOINT: 0x44, ROLLBACK_TO: 0x45, RELEASE: 0x46, SET_SCHEMA: 0x47, SNAPSHOT: 0x48, NEWEST: 0x49,
  PREPARE: 0x50, COMMIT_PREPARED: 0x51, ROLLBACK_PREPARED: 0x52, LIST_PREPARED: 0x53, DECIDE: 0x54, CONCLUDE: 0x55, OUTCOME: 0x56,
  LIST_DECISIONS: 0x57, CONFIRM: 0x58,
  SHARD_CREATE: 0x60, SHARD_DROP: 0x61, RESULT: 0x80, ERROR: 0x81, ACK: 0x82,
} as const;

const names = new Map<number, string>(Object.entries(Type).map(([name, number]) => [number, name]));

/** The protocol's name of a message type. */
export function typeName(type: number): string {
  return names.get(type) ?? "0x" + type.toString(16).padStart(2, "0");
}

/** The requests that only a gate answers. */
export const forGates: ReadonlySet<number> = new Set([Type.QUERY, Type.EXECUTE, Type.BATCH, Type.BEGIN, Type.COMMIT, Type.ROLLBACK, Type.SCHEMA, Type.VSCHEMA]);

/** Target names a shard: a keyspace and a key range. */
export interface Target {
  keyspace: string;
  shard: string;
}

export interface Begin {
  readOnly: boolean;
  write: boolean;
  /** The lower, the older. */
  age: number | bigint;
  noForeignKeys: boolean;
  /** Milliseconds; 0 is the tablet's own, below 0 doesn't wait. */
  lockWait: number;
}

/** Query is one statement with its values. */
export interface Query {
  sql: string;
  params: Value[];
  /** The version of the schema that it was planned with; 0 is any. */
  schema: number;
  /** How often it is executed, each time with its part of params; 0 is once, and not a batch. */
  count: number;
}

export interface Request extends Query {
  type: number;
  id: string;
  timeout: number;
  target: Target;
  txId: string;
  begin: Begin | undefined;
  /** The client's token is for reading only: set by the Worker, whatever a message says. */
  reader: boolean;
  holds: boolean;
  /** Milliseconds to wait for write locks; 0 is the transaction's or the tablet's own, below 0 none. */
  lockWait: number;
  statements: Query[];
  stream: boolean;
  cursor: string;
  ref: string;
  name: string;
  dtid: string;
  holder: Target;
  participants: Target[];
  participant: Target;
}

/** An answer without what every answer has: type, id and timestamp. */
export type Fields = Record<string, unknown>;

type Kinds = { string: string; number: number; boolean: boolean };

const zero: Kinds = { string: "", number: 0, boolean: false };

function misuse(message: string): TabletError {
  return new TabletError("MISUSE", message);
}

function kindOf(v: unknown): string {
  if (Array.isArray(v)) return "array";
  return v instanceof Uint8Array ? "bytes" : typeof v;
}

function take<K extends keyof Kinds>(m: Fields, name: string, kind: K): Kinds[K] {
  const v = m[name];
  if (v === undefined || v === null) return zero[kind];
  if (typeof v !== kind) throw misuse(`field "${name}" of a message is a ${kindOf(v)}; it must be a ${kind}`);
  return v as Kinds[K];
}

function takeObject(m: Fields, name: string): Fields | undefined {
  const v = m[name];
  if (v === undefined || v === null) return undefined;
  if (typeof v !== "object" || Array.isArray(v)) throw misuse(`field "${name}" of a message is a ${kindOf(v)}; it must be an object`);
  return v as Fields;
}

function takeArray(m: Fields, name: string): unknown[] {
  const v = m[name];
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v)) throw misuse(`field "${name}" of a message is a ${kindOf(v)}; it must be an array`);
  return v;
}

/** Reads an integer without sign that may be above 2^53. */
function takeUnsigned(m: Fields, name: string): number | bigint {
  const v = m[name];
  return typeof v === "bigint" && v >= 0n ? v : take(m, name, "number");
}

function targetOf(m: Fields | undefined): Target {
  return m ? { keyspace: take(m, "keyspace", "string"), shard: take(m, "shard", "string") } : { keyspace: "", shard: "" };
}

function targetsOf(m: Fields, name: string): Target[] {
  return takeArray(m, name).map((t) => targetOf(takeObject({ target: t }, "target")));
}

function queryOf(m: Fields): Query {
  return {
    sql: take(m, "sql", "string"),
    params: takeArray(m, "params").map((v, i) => readValue(v, `"params", number ${i + 1}`)),
    schema: Number(takeUnsigned(m, "schemaVersion")),
    count: take(m, "count", "number"),
  };
}

function beginOf(m: Fields | undefined): Begin | undefined {
  if (!m) return undefined;
  return {
    readOnly: take(m, "readOnly", "boolean"),
    write: take(m, "write", "boolean"),
    age: takeUnsigned(m, "age"),
    noForeignKeys: take(m, "noForeignKeys", "boolean"),
    lockWait: take(m, "lockWait", "number"),
  };
}

/** Reads what came over the wire. What isn't a request is refused with MISUSE. */
export function readRequest(v: unknown): Request {
  if (typeof v !== "object" || v === null || Array.isArray(v)) throw misuse(`a message is a ${kindOf(v)}; it must be an object`);
  const m = v as Fields;
  return {
    ...queryOf(m),
    type: take(m, "type", "number"),
    id: take(m, "id", "string"),
    timeout: take(m, "timeout", "number"),
    target: targetOf(m),
    txId: take(m, "txId", "string"),
    begin: beginOf(takeObject(m, "begin")),
    reader: false,
    holds: take(m, "holds", "boolean"),
    lockWait: take(m, "lockWait", "number"),
    statements: takeArray(m, "statements").map((s) => queryOf(takeObject({ statement: s }, "statement") ?? {})),
    stream: take(m, "stream", "boolean"),
    cursor: take(m, "cursor", "string"),
    ref: take(m, "ref", "string"),
    name: take(m, "name", "string"),
    dtid: take(m, "dtid", "string"),
    holder: targetOf(takeObject(m, "holder")),
    participants: targetsOf(m, "participants"),
    participant: targetOf(takeObject(m, "participant")),
  };
}

/** An empty request of a type, for what tablets say among themselves. */
export function request(type: number, target: Target, fields: Partial<Request> = {}): Request {
  return { ...readRequest({ type, ...target }), ...fields };
}

/** The name of a shard's objects. */
export function nameOf(t: Target): string {
  return t.keyspace + "/" + t.shard;
}

export function sameTarget(a: Target, b: Target): boolean {
  return a.keyspace === b.keyspace && a.shard === b.shard;
}

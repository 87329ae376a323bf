// What a tablet fails with: a code of the protocol, and what else it can tell.

import type { Target } from "./message";

export type Code =
  | "SYNTAX_ERROR" | "NO_SUCH_TABLE" | "NO_SUCH_COLUMN" | "TABLE_EXISTS" | "UNIQUE_VIOLATION" | "NOT_NULL_VIOLATION" | "CHECK_VIOLATION"
  | "FOREIGN_KEY_VIOLATION" | "DATA_TYPE_VIOLATION" | "WRITE_CONFLICT" | "DEADLOCK" | "LOCK_WAIT_TIMEOUT" | "LOCK_NOT_FREE"
  | "TRANSACTION_EXPIRED" | "READ_ONLY" | "CANCELED" | "DISK_FULL" | "IO_ERROR" | "CORRUPT" | "OUT_OF_MEMORY" | "TOO_BIG" | "CLOSED"
  | "WRONG_SHARD" | "SCHEMA_CHANGED" | "OUT_OF_RANGE" | "UNSUPPORTED" | "MISUSE" | "ACCESS_DENIED" | "OVERLOADED" | "SHARD_ERROR" | "OUTCOME_UNKNOWN";

const retryable = new Set<Code>(["WRITE_CONFLICT", "DEADLOCK", "LOCK_WAIT_TIMEOUT", "TRANSACTION_EXPIRED", "WRONG_SHARD", "SCHEMA_CHANGED", "OVERLOADED"]);

// The SQLSTATE of the codes that have one of their own.
const sqlStates: Partial<Record<Code, string>> = {
  SYNTAX_ERROR: "42000",
  NO_SUCH_TABLE: "42S02",
  NO_SUCH_COLUMN: "42S22",
  TABLE_EXISTS: "42S01",
  UNIQUE_VIOLATION: "23000",
  NOT_NULL_VIOLATION: "23000",
  CHECK_VIOLATION: "23000",
  FOREIGN_KEY_VIOLATION: "23000",
  WRITE_CONFLICT: "40001",
  DEADLOCK: "40001",
  READ_ONLY: "25006",
  OUT_OF_RANGE: "22003",
  UNSUPPORTED: "0A000",
  CANCELED: "70100",
  TRANSACTION_EXPIRED: "XA106",
  OUT_OF_MEMORY: "HY001",
  CLOSED: "08S01",
  ACCESS_DENIED: "42000",
  OVERLOADED: "08004",
  OUTCOME_UNKNOWN: "08007",
};

/** What a violated constraint was, and the like, as far as the engine tells. */
export interface Details {
  table?: string;
  columns?: string[];
  constraint?: string;
  /** The shard's schema version, with SCHEMA_CHANGED. */
  schemaVersion?: number;
  /** Of several statements or executions the one that failed, from 1. */
  execution?: number;
}

/** Failure is an error as it crosses from object to object: a plain value. */
export interface Failure extends Details {
  code: Code;
  message: string;
}

/** Reply is what an object's method answers: errors thrown between objects lose their fields. */
export type Reply<T> = { value: T; failure?: undefined } | { failure: Failure };

/** TabletError is a Failure to be thrown. */
export class TabletError extends Error {
  readonly code: Code;
  readonly details: Details;

  constructor(code: Code, message: string, details: Details = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get failure(): Failure {
    return { code: this.code, message: this.message, ...this.details };
  }
}

/** Turns whatever was thrown into a Failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TabletError) return error.failure;
  return { code: "SHARD_ERROR", message: error instanceof Error ? error.message : String(error) };
}

/** Runs f and makes a Reply of what came of it. */
export async function reply<T>(f: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await f() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Gives a Reply's value, or throws its failure. */
export function unwrap<T>(r: Reply<T>): T {
  if (r.failure === undefined) return r.value;
  const { code, message, ...details } = r.failure;
  throw new TabletError(code, message, details);
}

const errorType = 0x81;

/** Makes the JavaScript error that carries a message ERROR in its fields. */
export function wireError(id: string, target: Target | undefined, f: Failure): Error {
  const { message, ...rest } = f;
  const fields: Record<string, unknown> = { type: errorType, sqlState: sqlStates[f.code] ?? "HY000", ...rest };
  if (id) fields["id"] = id;
  if (target?.keyspace) fields["keyspace"] = target.keyspace;
  if (target?.shard) fields["shard"] = target.shard;
  if (retryable.has(f.code)) fields["retryable"] = true;
  return Object.assign(new Error(message), fields);
}

// The messages of docs/protocol.md that a gate's client sends.

export const Type = {
  QUERY: 0x01, EXECUTE: 0x02, BATCH: 0x03,
  BEGIN: 0x10, COMMIT: 0x11, ROLLBACK: 0x12,
  STATUS: 0x20, HEALTH: 0x21, SCHEMA: 0x22, VSCHEMA: 0x23, CANCEL: 0x24,
  FETCH: 0x33, CLOSE: 0x34,
  ERROR: 0x81,
} as const;

export interface Message {
  type: number;
  [field: string]: unknown;
}

/** An answer's fields; which there are depends on what was asked. */
export interface Answer {
  columns?: string[];
  types?: string[];
  rows?: Value[][];
  cursor?: string;
  more?: ReadableStream<Value[][]>;
  end?: boolean;
  rowsAffected?: number;
  lastInsertId?: number | bigint;
  results?: Answer[];
  txId?: string;
  [field: string]: unknown;
}

/**
 * A value of a result. Integers beyond 2⁵³-1 are bigints; DECIMAL, dates, times,
 * text and JSON are strings, with all their digits; blobs are bytes. What is true or
 * false is a boolean in PostgreSQL's dialect, and 1 or 0 in the others.
 */
export type Value = null | number | bigint | string | boolean | Uint8Array;

/** A statement's argument. A Date is sent as a DATETIME in UTC. */
export type Param = Value | Date | ArrayBuffer;

/** The protocol's form of an argument. */
export function argument(v: Param, at: number): unknown {
  if (v instanceof Date) {
    if (Number.isNaN(v.getTime())) throw new TypeError(`parameter ${at + 1} is an invalid Date`);
    return v.toISOString().replace("T", " ").replace("Z", "");
  }
  if (v instanceof ArrayBuffer) return new Uint8Array(v);
  switch (typeof v) {
    case "number": case "bigint": case "string": case "boolean":
      return v;
  }
  if (v === null || v instanceof Uint8Array) return v;
  throw new TypeError(`parameter ${at + 1} is no value of SQL: ${v === undefined ? "undefined; write null" : typeof v}`);
}

// SQL's values in JavaScript, as they are on the wire:
//
//	NULL      null
//	INTEGER   a number without a fraction up to 2^53-1 either way, else a bigint
//	REAL      a number with a fraction; {real: n} for one without
//	TEXT      a string; {text: bytes} when it isn't valid UTF-8
//	BLOB      a Uint8Array

import { TabletError } from "./failure";

export type Value = null | number | bigint | string | Uint8Array | Real | OddText;

export interface Real {
  real: number;
}

export interface OddText {
  text: Uint8Array;
}

/** Checks that something from the wire is a value; booleans become 1 and 0. */
export function readValue(v: unknown, where: string): Value {
  switch (typeof v) {
    case "number":
    case "string":
      return v;
    case "bigint":
      if (BigInt.asIntN(64, v) !== v) throw new TabletError("OUT_OF_RANGE", `${where}: ${v} doesn't fit into 64 bits`);
      return narrow(v);
    case "boolean":
      return v ? 1 : 0;
    case "object":
      if (v === null || v instanceof Uint8Array) return v;
      if (v instanceof ArrayBuffer) return new Uint8Array(v);
      if (isReal(v)) return realOf(v.real);
      if (isOddText(v)) return v;
  }
  throw new TabletError("MISUSE", `${where}: a ${Array.isArray(v) ? "array" : typeof v} is no SQL value`);
}

/** Gives an integer the form that it has here. */
export function narrow(v: bigint): number | bigint {
  return v >= BigInt(Number.MIN_SAFE_INTEGER) && v <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(v) : v;
}

/** Gives a REAL the form that it has here. */
export function realOf(v: number): number | Real {
  return Number.isInteger(v) ? { real: v } : v;
}

/** Says whether a value is an INTEGER. */
export function isInteger(v: Value): v is number | bigint {
  return typeof v === "bigint" || Number.isSafeInteger(v);
}

function only(v: object, key: string): boolean {
  const keys = Object.keys(v);
  return keys.length === 1 && keys[0] === key;
}

export function isReal(v: unknown): v is Real {
  return typeof v === "object" && v !== null && only(v, "real") && typeof (v as Real).real === "number";
}

export function isOddText(v: unknown): v is OddText {
  return typeof v === "object" && v !== null && only(v, "text") && (v as OddText).text instanceof Uint8Array;
}

/** How many bytes a value takes in the database, about. */
export function bytesOf(v: Value): number {
  return typeof v === "string" && v.length > 1000 ? new TextEncoder().encode(v).length : sizeOf(v);
}

/** About how many bytes a row takes in memory. */
export function rowSize(row: Value[]): number {
  let size = 16;
  for (const v of row) size += sizeOf(v);
  return size;
}

/** About how many bytes a value takes. */
export function sizeOf(v: Value): number {
  if (typeof v === "string") return v.length;
  if (v instanceof Uint8Array) return v.length;
  return isOddText(v) ? v.text.length : 8;
}

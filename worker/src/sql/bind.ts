// How values get into a statement. Durable Objects bind every number as a REAL,
// and no bigint at all: an INTEGER is bound as what CAST makes one of. The unary
// plus takes away the affinity that a CAST has and a parameter hasn't.

import { TabletError } from "../failure";
import { type Value, isInteger, isOddText, isReal } from "../value";
import { maxParameters, maxValueBytes } from "./limits";
import type { Statement } from "./statement";

export interface Bound {
  sql: string;
  args: (null | number | string | ArrayBuffer)[];
}

const integer = "+CAST(? AS INTEGER)";
const text = "+CAST(? AS TEXT)";

/** Puts parameters in the place of the numbers that sql, a statement's text or one made of it, has. */
export function bind(s: Statement, values: Value[], sql = s.sql, shift = 0): Bound {
  if (s.params.length === 0) return { sql, args: [] };
  const places = new Map<number, number>();
  const args: Bound["args"] = [];
  let out = "";
  let from = 0;
  for (const p of s.params) {
    const v = values[p.number - 1];
    if (v === undefined) throw new TabletError("MISUSE", `the statement has a parameter ?${p.number}, and ${values.length} values`);
    let place = places.get(p.number);
    if (place === undefined) {
      place = args.push(bindable(v, p.number));
      places.set(p.number, place);
    }
    out += sql.slice(from, p.start + shift) + formOf(v).replace("?", "?" + place);
    from = p.end + shift;
  }
  if (args.length > maxParameters)
    throw new TabletError("TOO_BIG", `the statement has ${args.length} parameters; on a Durable Object it may have ${maxParameters}`);
  return { sql: out + sql.slice(from), args };
}

function formOf(v: Value): string {
  if (isInteger(v)) return integer;
  return isOddText(v) ? text : "?";
}

function bindable(v: Value, number: number): Bound["args"][number] {
  if (typeof v === "bigint") return String(v);
  if (isReal(v)) return v.real;
  if (isOddText(v)) return bytes(v.text, number);
  if (v instanceof Uint8Array) return bytes(v, number);
  if (typeof v === "string" && v.length * 3 > maxValueBytes && new TextEncoder().encode(v).length > maxValueBytes) tooLong(number);
  return v;
}

function bytes(v: Uint8Array, number: number): ArrayBuffer {
  if (v.length > maxValueBytes) tooLong(number);
  return v.slice().buffer as ArrayBuffer;
}

function tooLong(number: number): never {
  throw new TabletError("TOO_BIG", `the value of ?${number} has more than ${maxValueBytes} bytes; a row of a Durable Object may not hold it`);
}

/** What binding made of a column's name, undone: a column without a name has its expression for one. */
export function nameOf(column: string): string {
  return column.includes("+CAST(?") ? column.replace(/\+CAST\((\?\d+) AS (?:INTEGER|TEXT)\)/g, "$1") : column;
}

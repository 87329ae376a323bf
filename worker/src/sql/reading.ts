// The rows of a query, read by and by. SQLite goes on with it where it was, also
// in a later turn and after commits; but it may see what was written since, so
// that a reading must be at its end before anything is written.

import { TabletError } from "../failure";
import { type Value, bytesOf, realOf, rowSize } from "../value";
import { sqlError } from "./errors";
import { maxResultBytes, maxValueBytes } from "./limits";

export type Raw = (null | number | string | ArrayBuffer)[];

export interface Chunk {
  rows: Value[][];
  /** There are no more. */
  end: boolean;
}

/** How the rows are had: as they come, or with the bytes of every text; or as a write returns them, which isn't run again. */
export type Form = "plain" | "bytes" | "returned";

export class Reading {
  readonly columns: string[];
  readonly #open: (form: Form) => Iterator<Raw>;
  /** Is told of an iterator that isn't read to its end. */
  readonly #leave: (left: Iterator<Raw>) => void;
  #form: Form;
  #raw: Iterator<Raw> | undefined;
  #next: IteratorResult<Raw> | undefined;
  #given = 0;

  constructor(columns: string[], form: Form, open: (form: Form) => Iterator<Raw>, leave: (left: Iterator<Raw>) => void) {
    this.columns = columns;
    this.#form = form;
    this.#open = open;
    this.#leave = leave;
  }

  /** Gives the next rows: so many, or as many as first take so many bytes. */
  next(rows: number, bytes: number): Chunk {
    try {
      let out = this.#read(rows, bytes);
      if (this.#form === "plain" && hasReplaced(out.rows)) {
        // Text that isn't UTF-8 has lost its bytes, perhaps. Nothing was written since the
        // rows before were read: asked again, SQLite goes the same way.
        this.close();
        this.#form = "bytes";
        this.#read(this.#given, Infinity);
        out = this.#read(rows, bytes);
      }
      this.#given += out.rows.length;
      return out;
    } catch (error) {
      throw sqlError(error);
    }
  }

  /** Gives all that is left, unless that is too much. */
  all(bytes = maxResultBytes): Value[][] {
    const { rows, end } = this.next(Infinity, bytes);
    if (end) return rows;
    this.close();
    throw tooBig(bytes);
  }

  close(): void {
    if (this.#raw && !this.#next?.done) this.#leave(this.#raw);
    this.#raw = this.#next = undefined;
  }

  #read(rows: number, bytes: number): Chunk {
    const out: Value[][] = [];
    this.#raw ??= this.#open(this.#form);
    this.#next ??= this.#raw.next();
    for (let size = 0; !this.#next.done && out.length < rows && size < bytes; this.#next = this.#raw.next()) {
      const row = typed(this.#next.value);
      const takes = rowSize(row);
      if (takes > maxValueBytes / 3 && this.#form !== "returned") checkValues(row);
      size += takes;
      out.push(row);
    }
    return { rows: out, end: this.#next.done === true };
  }
}

export function tooBig(bytes: number): TabletError {
  return new TabletError("TOO_BIG", `what is left of the result has more than ${bytes} bytes, and must be held as a whole`);
}

/** Refuses a value that the object, deployed, doesn't make. */
function checkValues(row: Value[]): void {
  for (const v of row) {
    const bytes = bytesOf(v);
    if (bytes > maxValueBytes) throw new TabletError("TOO_BIG", `a value of the result has ${bytes} bytes; in a Durable Object it may have ${maxValueBytes} bytes`);
  }
}

/** Gives a row's values their types, by its last column. */
export function typed(raw: Raw): Value[] {
  const kinds = raw.pop() as string;
  const row = raw as Value[];
  let at = 0;
  for (let i = 0; i < row.length; i++, at++) {
    const v = raw[i];
    switch (kinds[at]) {
      case "r":
        row[i] = realOf(v as number);
        break;
      case "b":
        row[i] = new Uint8Array(v as ArrayBuffer);
        break;
      case "t":
        if (v instanceof ArrayBuffer) row[i] = decoded(new Uint8Array(v));
        break;
      case "T": {
        const end = kinds.indexOf(";", at);
        row[i] = decoded(fromHex(kinds.slice(at + 1, end)));
        at = end;
        break;
      }
      case "I": {
        const end = kinds.indexOf(";", at);
        row[i] = BigInt(kinds.slice(at + 1, end));
        at = end;
        break;
      }
    }
  }
  return row;
}

function fromHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

function decoded(bytes: Uint8Array): Value {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { text: bytes };
  }
}

/** Says whether a text holds the character that stands for bytes that aren't UTF-8. */
function hasReplaced(rows: Value[][]): boolean {
  return rows.some((row) => row.some((v) => typeof v === "string" && v.includes("\ufffd")));
}

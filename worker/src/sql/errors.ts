// SQLite's errors as Durable Objects give them: a text with the code at its end.

import { type Details, TabletError, type Code } from "../failure";
import { maxValueBytes } from "./limits";

const tail = /: (SQLITE_[A-Z]+)(?: \(extended: (SQLITE_[A-Z_]+)\))?$/;

const codes: Record<string, Code> = {
  SQLITE_NOMEM: "OUT_OF_MEMORY",
  SQLITE_READONLY: "READ_ONLY",
  SQLITE_IOERR: "IO_ERROR",
  SQLITE_CORRUPT: "CORRUPT",
  SQLITE_NOTADB: "CORRUPT",
  SQLITE_FULL: "DISK_FULL",
  SQLITE_MISMATCH: "DATA_TYPE_VIOLATION",
  SQLITE_MISUSE: "MISUSE",
  SQLITE_BUSY: "LOCK_WAIT_TIMEOUT",
  SQLITE_LOCKED: "LOCK_WAIT_TIMEOUT",
};

const tooMuch = /^(too many |Expression tree is too large|statement too long|string or blob too big|LIKE or GLOB pattern too complex|at most \d+ )/;
const syntax = /(syntax error(?: at offset \d+)?|^incomplete input|^unrecognized token|^no such |^ambiguous column name|^wrong number of arguments|^misuse of |values were supplied)/;

/** Makes a TabletError of what a statement threw. */
export function sqlError(error: unknown): TabletError {
  if (error instanceof TabletError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const m = tail.exec(text);
  const message = m ? text.slice(0, m.index) : text;
  const code = m?.[1] ?? "";
  if (code === "SQLITE_CONSTRAINT") return constraint(message, m?.[2] ?? "");
  if (code === "SQLITE_TOOBIG") return new TabletError("TOO_BIG", `${message}; in a Durable Object a row, a text or a blob may have ${maxValueBytes} bytes`);
  const known = codes[code];
  return known ? new TabletError(known, message) : logic(message, code);
}

function constraint(message: string, extended: string): TabletError {
  const what = /constraint failed: (.*)$/s.exec(message)?.[1] ?? "";
  switch (extended) {
    case "SQLITE_CONSTRAINT_UNIQUE":
    case "SQLITE_CONSTRAINT_PRIMARYKEY":
    case "SQLITE_CONSTRAINT_ROWID": {
      const index = /^index '(.*)'$/s.exec(what);
      return new TabletError("UNIQUE_VIOLATION", message, index ? { constraint: index[1] as string } : columns(what));
    }
    case "SQLITE_CONSTRAINT_NOTNULL":
      return new TabletError("NOT_NULL_VIOLATION", message, columns(what));
    case "SQLITE_CONSTRAINT_FOREIGNKEY":
      return new TabletError("FOREIGN_KEY_VIOLATION", message);
    case "SQLITE_CONSTRAINT_DATATYPE":
      return new TabletError("DATA_TYPE_VIOLATION", message, columns(/ column (.*)$/s.exec(message)?.[1] ?? ""));
  }
  return new TabletError("CHECK_VIOLATION", message, what ? { constraint: what } : {});
}

/** Reads "t.a, t.b". */
function columns(list: string): Details {
  const out: { table?: string; columns?: string[] } = {};
  for (const name of list ? list.split(", ") : []) {
    const dot = name.indexOf(".");
    if (dot < 0) continue;
    out.table = name.slice(0, dot);
    (out.columns ??= []).push(name.slice(dot + 1));
  }
  return out;
}

/** Sorts the many errors that SQLite gives one code by their text. */
function logic(message: string, code: string): TabletError {
  const plain = message.replace(/ at offset \d+$/, "");
  let m: RegExpExecArray | null;
  if ((m = /^no such table: (?:.*\.)?([^.]*)$/s.exec(plain))) return new TabletError("NO_SUCH_TABLE", message, { table: m[1] as string });
  if ((m = /^no such column: "?(.*?)"?(?: - should this be a string literal.*)?$/s.exec(plain)))
    return new TabletError("NO_SUCH_COLUMN", message, { columns: [m[1] as string] });
  if ((m = /^(?:table )?(.*) has no column named (.*)$/s.exec(plain)))
    return new TabletError("NO_SUCH_COLUMN", message, { table: m[1] as string, columns: [m[2] as string] });
  if ((m = /^\S+ (\S+) already exists$/.exec(plain))) return new TabletError("TABLE_EXISTS", message, { table: m[1] as string });
  if (plain.endsWith(" already exists")) return new TabletError("TABLE_EXISTS", message);
  if (plain === "integer overflow") return new TabletError("OUT_OF_RANGE", message);
  if (tooMuch.test(plain)) return new TabletError("TOO_BIG", message + "; a Durable Object's SQLite takes no more");
  if (code === "SQLITE_AUTH" || plain.includes("not authorized")) return new TabletError("UNSUPPORTED", message + ": Durable Objects don't allow it");
  if (syntax.test(plain)) return new TabletError("SYNTAX_ERROR", message);
  return new TabletError("SHARD_ERROR", message);
}

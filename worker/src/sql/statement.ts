// What must be known of a statement before it is run.

import { TabletError } from "../failure";
import { maxStatementBytes } from "./limits";
import { type Count, rowsOf, setsShort } from "./rowsize";
import { type Token, nameOf, tokens } from "./tokens";

/**
 * read gives rows and changes nothing, info is a read whose text can't be part of
 * another, insert and change write rows, other is all else, as schema changes.
 */
export type Kind = "read" | "info" | "insert" | "change" | "other";

export interface Statement {
  /** The text without what stands behind its end. */
  sql: string;
  kind: Kind;
  /** The places of parameters ?1, ?2 …, in order. */
  params: { start: number; end: number; number: number }[];
  /** The table that is written, if the statement is an insert or a change. */
  table: string;
  /** An insert that may change a row in the place of making one. */
  upsert: boolean;
  /** Where the list behind RETURNING begins and what is in it; undefined without RETURNING. */
  returning: { start: number; items: Token[][] } | undefined;
  /** The parameters that are columns of each row, of an insert with VALUES. */
  rows: number[][];
  /** When the statement is to count how large the rows are that it makes; undefined where it makes none. */
  count: Count | undefined;
  /** Its value may be another one each time that it is computed, or computing is dear. */
  once: boolean;
  /** It is another one, even of the same rows. */
  random: boolean;
}

/** Statements remembers what it has parsed lately. */
export class Statements {
  readonly #known = new Map<string, Statement>();

  get(sql: string): Statement {
    let s = this.#known.get(sql);
    if (s) return s;
    if (sql.length * 3 > maxStatementBytes && new TextEncoder().encode(sql).length > maxStatementBytes)
      throw new TabletError("TOO_BIG", `the statement's text is longer than ${maxStatementBytes} bytes; a Durable Object takes no longer one`);
    s = parse(sql);
    remember(this.#known, sql, s);
    return s;
  }
}

/** Adds to a map that forgets its oldest entries. */
export function remember<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= 1000) known.delete(known.keys().next().value as string);
  known.set(key, value);
}

const control = new Set(["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH"]);

/** Looks at a statement. Of several in one text it wants nothing. */
export function parse(sql: string): Statement {
  let list = tokens(sql);
  while (list[0]?.text === ";") list = list.slice(1);
  const end = list.findIndex((t) => t.text === ";");
  if (end >= 0) {
    if (list.slice(end).some((t) => t.text !== ";")) throw new TabletError("MISUSE", "a request holds one statement; this text has several");
    list = list.slice(0, end);
  }
  const first = list[0];
  if (!first) throw new TabletError("SYNTAX_ERROR", "the statement is empty");
  guard(sql, list);
  const last = list[list.length - 1] as Token;
  const verb = verbOf(list);
  const kind = kindOf(verb, list);
  const writes = kind === "insert" || kind === "change";
  const random = list.some((t) => t.text === "RANDOM" || t.text === "RANDOMBLOB");
  return {
    sql: sql.slice(0, last.end),
    kind,
    params: params(list),
    table: writes ? tableOf(sql, list, verb) : "",
    upsert: kind === "insert" && follows(list, "DO", "UPDATE"),
    returning: writes ? returningOf(list) : undefined,
    ...sizesOf(kind, verb, list),
    random,
    once: random || list.filter((t) => t.text === "SELECT").length > 1,
  };
}

/** The tablet's own tables. Those of a gate, whose names begin alike, are not among them. */
const own: ReadonlySet<string> = new Set(["_vt_meta", "_vt_redo", "_vt_decided", "_vt_requests", "_vt_row_ids"]);

/** Refuses what names a table of the tablet's, which keep its promises. */
function guard(sql: string, list: Token[]): void {
  list.forEach((t, i) => {
    if (!own.has(spelled(sql, t).toLowerCase())) return;
    if (t.kind === "text" && !isSource(list, i)) return;
    throw new TabletError("ACCESS_DENIED", `table ${spelled(sql, t)} is the tablet's own`);
  });
}

/** The name that a token may be: SQLite takes a text for one where a table's must stand. */
function spelled(sql: string, t: Token): string {
  if (t.kind === "text") return t.text.slice(1, -1).replaceAll("''", "'");
  return t.kind === "word" || t.kind === "quoted" ? nameOf(sql, t) : "";
}

/** Says whether a table's name must stand at a place: behind FROM and the like, or behind a comma in its list. */
function isSource(list: Token[], at: number): boolean {
  const behind = new Set(["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "ON", "TO", "EXISTS", "REFERENCES", ".", "INDEXED", "VIEW", "TRIGGER", "INDEX"]);
  const previous = list[at - 1]?.text ?? "";
  if (behind.has(previous)) return true;
  if (previous !== "," && previous !== "(") return false;
  let depth = list[at]?.depth ?? 0;
  for (let i = at - 1; i >= 0; i--) {
    const t = list[i] as Token;
    if (t.depth > depth || t.kind !== "word") continue;
    depth = t.depth;
    if (t.text === "FROM" || t.text === "JOIN") return true;
    if (["SELECT", "WHERE", "VALUES", "SET", "BY", "HAVING", "RETURNING", "LIMIT", "IN", "AND", "OR"].includes(t.text)) return false;
  }
  return false;
}

/** The word that says what the statement does: behind WITH, the one behind its tables. */
function verbOf(list: Token[]): Token | undefined {
  if (list[0]?.text !== "WITH") return list.find((t) => t.text !== "(");
  return list.find((t) => t.depth === 0 && ["SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"].includes(t.text));
}

function kindOf(verb: Token | undefined, list: Token[]): Kind {
  const word = verb?.kind === "word" ? verb.text : "";
  switch (word) {
    case "SELECT":
    case "VALUES":
      return "read";
    case "EXPLAIN":
      return "info";
    case "INSERT":
    case "REPLACE":
      return "insert";
    case "UPDATE":
    case "DELETE":
      return "change";
    case "PRAGMA":
      return list.some((t) => t.text === "=") ? "other" : "info";
  }
  if (control.has(word))
    throw new TabletError("UNSUPPORTED", "transactions and attached databases are not controlled by statements here; use the messages for them");
  return "other";
}

function params(list: Token[]): Statement["params"] {
  let highest = 0;
  return list.filter((t) => t.kind === "param").map((t) => {
    // One without a number has the next one, as SQLite counts.
    const number = t.text === "?" ? highest + 1 : Number(t.text.slice(1));
    highest = Math.max(highest, number);
    if (t.text[0] !== "?" || number < 1)
      throw new TabletError("MISUSE", `parameters are numbered ?1, ?2 and so on; this statement has ${t.text} at offset ${t.start}`);
    return { start: t.start, end: t.end, number };
  });
}

/** The table behind INSERT INTO, REPLACE INTO, DELETE FROM or UPDATE. */
function tableOf(sql: string, list: Token[], verb: Token | undefined): string {
  let i = verb ? list.indexOf(verb) + 1 : 0;
  if (list[i]?.text === "OR") i += 2;
  if (list[i]?.text === "INTO" || list[i]?.text === "FROM") i++;
  if (list[i + 1]?.text === ".") i += 2;
  const t = list[i];
  return t ? nameOf(sql, t) : "";
}

function sizesOf(kind: Kind, verb: Token | undefined, list: Token[]): Pick<Statement, "rows" | "count"> {
  if (kind === "insert") {
    const { rows, plain } = rowsOf(list);
    return { rows, count: plain && !follows(list, "DO", "UPDATE") ? "never" : "always" };
  }
  if (verb?.text !== "UPDATE") return { rows: [], count: undefined };
  return { rows: [], count: setsShort(list) ? "large" : "always" };
}

function follows(list: Token[], a: string, b: string): boolean {
  return list.some((t, i) => t.kind === "word" && t.text === a && list[i + 1]?.text === b);
}

function returningOf(list: Token[]): Statement["returning"] {
  const at = list.findLastIndex((t) => t.depth === 0 && t.kind === "word" && t.text === "RETURNING");
  if (at < 0) return undefined;
  const items: Token[][] = [[]];
  for (const t of list.slice(at + 1)) {
    if (t.text === "," && t.depth === 0) items.push([]);
    else items[items.length - 1]?.push(t);
  }
  return { start: (list[at] as Token).end, items };
}

// Words that end an expression, or stand before its last part: what follows a value and is none of them is a name for it.
const notNames = new Set(["END", "NULL", "ISNULL", "NOTNULL", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"]);
const beforeValues = new Set(["AND", "OR", "NOT", "IS", "IN", "LIKE", "GLOB", "MATCH", "REGEXP", "BETWEEN", "ESCAPE", "COLLATE", "FROM", "DISTINCT", "CASE", "WHEN", "THEN", "ELSE", "EXISTS"]);

/** An item of a list without the name that it is given. */
export function expressionOf(sql: string, item: Token[]): string {
  const last = item[item.length - 1];
  const before = item[item.length - 2];
  const first = item[0];
  if (!first || !last) return "";
  let end = last;
  if (before && last.depth === 0 && (last.kind === "word" || last.kind === "quoted" || last.kind === "text")) {
    if (before.kind === "word" && before.text === "AS") end = item[item.length - 3] ?? before;
    else if (!(last.kind === "word" && notNames.has(last.text)) && endsValue(before)) end = before;
  }
  return sql.slice(first.start, end.end);
}

function endsValue(t: Token): boolean {
  if (t.kind === "word") return !beforeValues.has(t.text);
  return t.kind !== "op" || t.text === ")" || t.text === "*";
}

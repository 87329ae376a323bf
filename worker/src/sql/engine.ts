// Runs statements on a Durable Object's database, so that values come and go
// exactly. A result comes with one more column that says what type each value
// has: numbers come as doubles, be they INTEGER or REAL, and integers above 2^53
// would come rounded.

import { TabletError } from "../failure";
import type { Query } from "../message";
import { type Value, bytesOf, narrow, sizeOf } from "../value";
import { type Bound, bind, nameOf } from "./bind";
import { sqlError } from "./errors";
import { maxResultColumns, maxShortBytes, maxValueBytes } from "./limits";
import { type Form, type Raw, Reading } from "./reading";
import { counted } from "./rowsize";
import { type Statement, Statements, expressionOf, parse, remember } from "./statement";
import { balanced, quote } from "./tokens";

export interface Rows {
  columns: string[];
  rows: Value[][];
}

export interface Result {
  rowsAffected: number;
  lastInsertId: number | bigint;
  changed?: number[];
  insertIds?: (number | bigint)[];
}

/** What matters of how a table is made. */
interface Shape {
  withoutRowId: boolean;
  /** The columns that may hold long values. */
  texts: string[];
  /** It stores columns that it computes. */
  computed: boolean;
}

/** The row ID of an insert that has inserted no row. */
export const noRowId = -(2n ** 63n);

const created = "CREATE TABLE IF NOT EXISTS _vt_row_ids(id INTEGER PRIMARY KEY)";

/** How many rows of a reading that nobody reads on are read to be done with it. */
const maxUnread = 1_000_000;

export class Engine {
  readonly #sql: SqlStorage;
  readonly #statements = new Statements();
  /** The columns of results, and what tables are like, until the schema changes. */
  readonly #columns = new Map<string, string[]>();
  readonly #shapes = new Map<string, Shape>();
  /** Writes with RETURNING, with the types of what they return. */
  readonly #typed = new Map<string, Statement>();
  /** Readings that were left before their end. As long as they are there, what they read of can't be dropped. */
  readonly #unread: WeakRef<Iterator<Raw>>[] = [];
  #deferred: boolean | undefined;
  #probed = false;
  #takesMore: boolean | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  parse(sql: string): Statement {
    return this.#statements.get(sql);
  }

  /** Forgets what depends on the schema. */
  schemaChanged(): void {
    this.#columns.clear();
    this.#shapes.clear();
    this.#typed.clear();
    this.#deferred = undefined;
    this.#probed = false;
  }

  /** Runs a statement that returns rows; they are all there when it returns. */
  query(q: Query): Rows {
    const r = this.open(q);
    return r instanceof Reading ? { columns: r.columns, rows: r.all() } : r;
  }

  /** Runs a statement whose rows may be many, to be read by and by; what it writes is written. */
  open(q: Query): Reading | Rows {
    const s = this.parse(q.sql);
    this.#finish(s);
    try {
      if (s.kind === "read") return this.#read(s, q.params);
      if (s.kind === "info") return this.#info(s, q.params);
      if (s.returning) return this.#returning(s, q.params);
      this.#drain(bind(s, q.params));
      return { columns: [], rows: [] };
    } catch (error) {
      throw located(sqlError(error), s);
    } finally {
      if (s.kind === "other") this.schemaChanged();
    }
  }

  /** Runs a statement, as often as it says. It isn't atomic by itself when that is more than once. */
  execute(q: Query): Result {
    const s = this.parse(q.sql);
    this.#finish(s);
    try {
      if (q.count <= 0) return this.#once(s, q.params);
      const each = q.params.length / q.count;
      if (!Number.isInteger(each))
        throw new TabletError("MISUSE", `a batch of ${q.count} executions has ${q.params.length} values; each needs the same number`);
      const out = { rowsAffected: 0, lastInsertId: 0 as number | bigint, changed: [] as number[], insertIds: [] as (number | bigint)[] };
      for (let i = 0; i < q.count; i++) {
        const one = this.#once(s, q.params.slice(i * each, (i + 1) * each));
        out.changed.push(one.rowsAffected);
        out.insertIds.push(one.lastInsertId);
        out.rowsAffected += one.rowsAffected;
        if (one.lastInsertId !== noRowId || i === 0) out.lastInsertId = one.lastInsertId;
      }
      return out;
    } catch (error) {
      throw located(sqlError(error), s);
    } finally {
      if (s.kind === "other") this.schemaChanged();
    }
  }

  /** Runs one of the tablet's own statements. */
  own(sql: string, ...args: (null | number | string)[]): Raw[] {
    return [...this.#sql.exec(sql, ...args).raw()] as Raw[];
  }

  /** Counts the rows that were ever changed. */
  changes(): number {
    return Number(this.own("SELECT total_changes()")[0]?.[0]);
  }

  /** Says whether a commit would fail for a foreign key that was put off; the object would not survive it. */
  violated(): boolean {
    this.#deferred ??= this.own("SELECT 1 FROM sqlite_schema WHERE sql LIKE '%DEFERR%' LIMIT 1").length > 0;
    return (this.#deferred || this.own("PRAGMA defer_foreign_keys")[0]?.[0] === 1) && this.own("PRAGMA foreign_key_check").length > 0;
  }

  /** Says whether any table has a foreign key. */
  hasForeignKeys(): boolean {
    return this.own("SELECT 1 FROM sqlite_schema s, pragma_foreign_key_list(s.name) WHERE s.type = 'table' LIMIT 1").length > 0;
  }

  #exec(b: Bound) {
    return this.#sql.exec(b.sql, ...b.args);
  }

  #drain(b: Bound): Raw[] {
    return [...this.#exec(b).raw()] as Raw[];
  }

  #once(s: Statement, values: Value[]): Result {
    checkRows(s, values);
    const b = bind(s, values, s.sql + this.#counting(s, values));
    if (s.kind !== "insert" && s.kind !== "change") {
      this.#drain(b);
      return { rowsAffected: 0, lastInsertId: 0 };
    }
    // A row ID tells an inserted row only where the last one can't be an older insert's.
    if (s.upsert) this.#probe();
    this.#drain(b);
    const after = this.own("SELECT changes(), CAST(last_insert_rowid() AS TEXT)")[0] as [number, string];
    const out = { rowsAffected: after[0], lastInsertId: 0 as number | bigint };
    if (s.kind === "insert") out.lastInsertId = after[0] === 0 || this.#shapeOf(s.table).withoutRowId ? noRowId : narrow(BigInt(after[1]));
    return out;
  }

  /** What a statement returns, or more of it than it does, so that it fails on a row that is too large. */
  #counting(s: Statement, values: Value[]): string {
    const count = this.#countOf(s, values);
    return count && (s.returning ? ", " : " RETURNING ") + count;
  }

  /** What counts the rows that a statement writes, if that may be needed. */
  #countOf(s: Statement, values: Value[]): string {
    if (!s.count || !this.#roomy()) return "";
    const { texts, computed } = this.#shapeOf(s.table);
    if (texts.length === 0 || (!computed && (s.count === "never" || (s.count === "large" && mostBytes(values) <= maxShortBytes)))) return "";
    return counted(texts);
  }

  #probe(): void {
    if (!this.#probed) this.own(created);
    this.#probed = true;
    this.own("REPLACE INTO _vt_row_ids VALUES(-9223372036854775808)");
  }

  /** Says whether larger rows than a deployed object takes must be refused here: that object refuses them by itself. */
  #roomy(): boolean {
    if (this.#takesMore === undefined) {
      try {
        this.#takesMore = this.own(`SELECT length(zeroblob(${2 * maxValueBytes}))`).length > 0;
      } catch {
        this.#takesMore = false;
      }
    }
    return this.#takesMore;
  }

  #shapeOf(table: string): Shape {
    let shape = this.#shapes.get(table);
    if (!shape) {
      const columns = this.own("SELECT name, type, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1", table) as [string, string, number][];
      shape = {
        withoutRowId: this.own("SELECT wr FROM pragma_table_list(?)", table)[0]?.[0] === 1,
        texts: columns.filter(([, type, hidden]) => hidden !== 2 && !/INT|REAL|FLOA|DOUB|NUM|DEC|BOOL/i.test(type)).map(([name]) => quote(name)),
        computed: columns.some(([, , hidden]) => hidden === 3),
      };
      this.#shapes.set(table, shape);
    }
    return shape;
  }

  #read(s: Statement, values: Value[]): Reading {
    const columns = this.#columnsOf(s, values);
    const names = columns.map((_, i) => "c" + i);
    // With a limit inside and a condition outside, SQLite doesn't put the one query's expressions into the other.
    const [before, after] = s.once ? ["SELECT * FROM (", ") LIMIT -1) SELECT # FROM _vt_q WHERE true"] : ["", ") SELECT # FROM _vt_q"];
    const head = `WITH _vt_q(${names.join()}) AS (${before}`;
    const bytes = names.map((c) => `CASE typeof(${c}) WHEN 'text' THEN CAST(${c} AS BLOB) ELSE ${c} END`);
    const open = (form: Form) => {
      const select = `${form === "plain" ? "*" : bytes.join()}, ${types(names)}`;
      return this.#exec(bind(s, values, `${head}${s.sql}\n${after.replace("#", () => select)}`, head.length)).raw() as Iterator<Raw>;
    };
    return new Reading(columns, s.random ? "bytes" : "plain", open, this.#leave);
  }

  readonly #leave = (left: Iterator<Raw>): void => {
    const there = this.#unread.filter((r) => r.deref());
    this.#unread.splice(0, Infinity, ...there, new WeakRef(left));
  };

  /** Is done with what was left unread, where a statement may drop what it reads of. */
  #finish(s: Statement): void {
    if (s.kind !== "other") return;
    for (const r of this.#unread.splice(0)) finish(r.deref(), maxUnread);
  }

  /** The names of a query's columns, without running it where that can be had. */
  #columnsOf(s: Statement, values: Value[]): string[] {
    let columns = this.#columns.get(s.sql);
    if (columns) return columns;
    const none = bind(s, values, `SELECT * FROM (${s.sql}\n) LIMIT 0`, "SELECT * FROM (".length);
    columns = this.#exec(none).columnNames;
    // SQLite tells columns of one name apart by a number here.
    if (columns.some((c) => /:\d+$/.test(c))) {
      const c = this.#exec(bind(s, values));
      columns = c.columnNames;
      this.#leave(c.raw() as Iterator<Raw>);
    }
    if (columns.length > maxResultColumns)
      throw new TabletError("TOO_BIG", `the result has ${columns.length} columns; from a Durable Object it may have ${maxResultColumns}`);
    columns = renumbered(s, columns.map(nameOf));
    remember(this.#columns, s.sql, columns);
    return columns;
  }

  /** PRAGMA and EXPLAIN, whose numbers are integers. */
  #info(s: Statement, values: Value[]): Rows {
    const c = this.#exec(bind(s, values));
    const rows = ([...c.raw()] as Raw[]).map((row) => row.map((v) => (v instanceof ArrayBuffer ? new Uint8Array(v) : v)));
    return { columns: c.columnNames, rows };
  }

  /** A write with RETURNING: what it returns is followed by its types. */
  #returning(s: Statement, values: Value[]): Reading {
    const c = this.#exec(bind(this.#typedOf(s), values));
    const columns = renumbered(s, c.columnNames.slice(0, -1).map(nameOf));
    return new Reading(columns, "returned", () => c.raw() as Iterator<Raw>, (left) => finish(left));
  }

  #typedOf(s: Statement): Statement {
    let t = this.#typed.get(s.sql);
    if (t) return t;
    const items = (s.returning?.items ?? []).flatMap((item) =>
      item.length === 1 && item[0]?.text === "*" ? this.#starOf(s.table) : [expressionOf(s.sql, item)]);
    if (items.length > maxResultColumns)
      throw new TabletError("TOO_BIG", `RETURNING gives ${items.length} columns; from a Durable Object it may have ${maxResultColumns}`);
    const counts = this.#countOf({ ...s, count: s.count && "always" }, []);
    t = parse(`${s.sql}, ${types(items, spelledText)}${counts && "||" + counts}`);
    remember(this.#typed, s.sql, t);
    return t;
  }

  #starOf(table: string): string[] {
    return this.own("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", table).map((r) => quote(String(r[0])));
  }
}

/** Reads what nobody reads on to its end. SQLite commits no write that isn't there. */
function finish(left: Iterator<Raw> | undefined, rows = Infinity): void {
  try {
    for (let n = 0; left && n < rows && !left.next().done; n++);
  } catch {
    // It has failed, and is over.
  }
}

/** Refuses a row whose parameters are too large. */
function checkRows(s: Statement, values: Value[]): void {
  for (const row of s.rows) {
    const there = row.map((number) => values[number - 1] ?? null);
    if (mostBytes(there) <= maxValueBytes) continue;
    const size = there.reduce<number>((sum, v) => sum + bytesOf(v), 0);
    if (size > maxValueBytes) throw new TabletError("TOO_BIG", `the row has ${size} bytes; in a Durable Object it may have ${maxValueBytes} bytes`);
  }
}

/** As many bytes as values may take in the database. */
function mostBytes(values: Value[]): number {
  let size = 0;
  for (const v of values) size += typeof v === "string" ? 3 * v.length : sizeOf(v);
  return size;
}

/** Says of what is too big in which table it is. */
function located(error: TabletError, s: Statement): TabletError {
  if (error.code !== "TOO_BIG" || !s.table || error.details.table) return error;
  return new TabletError("TOO_BIG", `table ${s.table}: ${error.message}`, { ...error.details, table: s.table });
}

/** Gives the parameters in columns' names the numbers that the statement has for them. */
function renumbered(s: Statement, columns: string[]): string[] {
  const numbers = [...new Set(s.params.map((p) => p.number))];
  if (numbers.every((n, i) => n === i + 1)) return columns;
  return columns.map((c) => c.replace(/\?(\d+)/g, (whole, place) => (numbers[Number(place) - 1] === undefined ? whole : "?" + numbers[Number(place) - 1])));
}

/** Says that an expression is a text, and gives its bytes unless it is plain ASCII: a write can't be run again for them. */
function spelledText(e: string): string {
  return `CASE WHEN (${e}) GLOB '*[^ -~]*' OR instr(${e}, char(0)) > 0 THEN 'T'||hex(CAST((${e}) AS BLOB))||';' ELSE 't' END`;
}

/** An expression that tells the types of others: a letter for each, and the digits of an integer that a double can't hold. */
function types(items: string[], text: (e: string) => string = () => "'t'"): string {
  const one = items.map((e) =>
    `CASE typeof(${e}) WHEN 'integer' THEN CASE WHEN (${e}) BETWEEN -9007199254740991 AND 9007199254740991 THEN 'i' ELSE 'I'||(${e})||';' END WHEN 'text' THEN ${text(e)} WHEN 'real' THEN 'r' WHEN 'null' THEN 'n' ELSE 'b' END`);
  return balanced(one, "||");
}

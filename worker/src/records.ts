// What a tablet keeps in its database beside the user's tables: the version of
// the schema, the redo of what is prepared, the decisions of which it is the
// holder, and what it has answered to requests that may be sent again.

import { deserialize, serialize } from "capnweb";
import { TabletError } from "./failure";
import type { Query, Target } from "./message";
import type { Engine } from "./sql/engine";

/** A step of a redo: a statement, or a new version of the schema. */
export type Step = { query: Query } | { version: number };

export interface InDoubt {
  dtid: string;
  holder: Target;
  since: number;
}

export interface Decision {
  dtid: string;
  participants: Target[];
  since: number;
}

/** What an object knows when it starts. */
export interface State {
  /** The shard was made. An object whose shard wasn't can't say what became of anything. */
  created: boolean;
  prepared: InDoubt | undefined;
  decisions: Decision[];
}

const tables = [
  "CREATE TABLE IF NOT EXISTS _vt_meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS _vt_redo(dtid TEXT NOT NULL, part INTEGER NOT NULL, holder TEXT NOT NULL, since INTEGER NOT NULL, steps TEXT NOT NULL, PRIMARY KEY(dtid, part)) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS _vt_decided(dtid TEXT PRIMARY KEY, participants TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID",
  // By ages, each as long as something is remembered at least: what is older than the one before is deleted.
  "CREATE TABLE IF NOT EXISTS _vt_requests(age INTEGER NOT NULL, name TEXT NOT NULL, kept TEXT NOT NULL, PRIMARY KEY(age, name)) WITHOUT ROWID",
];

/** How many characters of a redo a row takes: any has room for that, whatever they are in bytes. */
const partLength = 500_000;

export class Records {
  readonly #engine: Engine;
  #created: boolean;
  #schema: number | undefined;
  readonly #remember: number;

  constructor(engine: Engine, remember: number) {
    this.#engine = engine;
    this.#remember = remember;
    this.#created = engine.own("SELECT 1 FROM sqlite_schema WHERE name = '_vt_decided'").length > 0;
  }

  /** Creates the tables: with them, the shard is made. */
  create(): null {
    for (const sql of tables) this.#engine.own(sql);
    this.#created = true;
    return null;
  }

  /** Says that all tables are gone. */
  gone(): void {
    this.#created = false;
    this.undone();
  }

  /** Says that a transaction, or the part of one since a savepoint, was rolled back. */
  undone(): void {
    this.#schema = undefined;
  }

  /** Keeps what a request has come to, with the commit of what it has changed. */
  keep(name: string, kept: string): void {
    if (this.#remember === 0) return;
    const age = Math.floor(Date.now() / this.#remember);
    this.#engine.own(`DELETE FROM _vt_requests WHERE age < ${age - 1}`);
    this.#engine.own(`REPLACE INTO _vt_requests VALUES(${age}, ?, ?)`, name, kept);
  }

  /** Gives what was kept under a name. */
  recall(name: string): string | undefined {
    if (this.#remember === 0) return undefined;
    const age = Math.floor(Date.now() / this.#remember);
    return this.#engine.own(`SELECT kept FROM _vt_requests WHERE age IN (${age}, ${age - 1}) AND name = ?`, name)[0]?.[0] as string | undefined;
  }

  /** The schema's version; one that nobody has numbered is at version 1. */
  schema(): number {
    this.#schema ??= Number(this.#engine.own("SELECT value FROM _vt_meta WHERE name = 'schema'")[0]?.[0] ?? 1);
    return this.#schema;
  }

  setSchema(version: number): void {
    this.#engine.own(`REPLACE INTO _vt_meta VALUES('schema', ${version})`);
    this.#schema = version;
  }

  /** Refuses a statement that was planned with another schema than is there; 0 is any. */
  admit(planned: number): void {
    const at = planned === 0 ? 0 : this.schema();
    if (at !== planned)
      throw new TabletError("SCHEMA_CHANGED", `the statement was planned with version ${planned} of the schema, the shard is at ${at}; plan it anew`, { schemaVersion: at });
  }

  state(): State {
    if (!this.#created) return { created: false, prepared: undefined, decisions: [] };
    const redo = this.#engine.own("SELECT dtid, holder, since FROM _vt_redo WHERE part = 0")[0] as [string, string, number] | undefined;
    const decisions = this.#engine.own("SELECT dtid, participants, since FROM _vt_decided ORDER BY since") as [string, string, number][];
    return {
      created: true,
      prepared: redo && { dtid: redo[0], holder: JSON.parse(redo[1]), since: redo[2] },
      decisions: decisions.map(([dtid, participants, since]) => ({ dtid, participants: JSON.parse(participants), since })),
    };
  }

  prepare(dtid: string, holder: Target, redo: string[]): null {
    redo.forEach((steps, part) =>
      this.#engine.own(`INSERT INTO _vt_redo VALUES(?, ${part}, ?, ${Date.now()}, ?)`, dtid, JSON.stringify(holder), steps));
    return null;
  }

  redo(dtid: string): Step[] {
    const parts = this.#engine.own("SELECT steps FROM _vt_redo WHERE dtid = ? ORDER BY part", dtid);
    return parts.length === 0 ? [] : (deserialize(parts.map((p) => p[0]).join("")) as Step[]);
  }

  settle(dtid: string): null {
    this.#engine.own("DELETE FROM _vt_redo WHERE dtid = ?", dtid);
    return null;
  }

  decide(dtid: string, participants: Target[]): void {
    this.#engine.own(`INSERT INTO _vt_decided VALUES(?, ?, ${Date.now()})`, dtid, JSON.stringify(participants));
  }

  decided(dtid: string): boolean {
    return this.#engine.own("SELECT 1 FROM _vt_decided WHERE dtid = ?", dtid).length > 0;
  }

  forget(dtid: string): null {
    this.#engine.own("DELETE FROM _vt_decided WHERE dtid = ?", dtid);
    return null;
  }
}

/** Answers a write that comes again, and has returned more rows than are kept. */
export function carriedOut(): TabletError {
  return new TabletError("OUTCOME_UNKNOWN", "the statement was carried out before, and returned too many rows to be kept");
}

/** Writes a redo, in pieces that each fit into a row. */
export function written(steps: Step[]): string[] {
  const text = serialize(steps);
  const out: string[] = [];
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + partLength, text.length);
    // The two halves of a character beyond U+FFFF stay together.
    if (to < text.length && text.charCodeAt(to - 1) >> 10 === 0xd800 >> 10) to--;
    out.push(text.slice(from, to));
  }
  return out;
}

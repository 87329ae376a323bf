// The object that has a shard's database. It does what the shard's tablet says,
// and nothing by itself.
//
// A transaction is one call, transact, that lasts as long as the transaction. In
// it the store asks the tablet, by a callback, for one command after the other.
// Meanwhile the object takes no other call: that is what isolates transactions,
// and why a tablet, which must answer others all the time, is another object.

import { DurableObject, RpcTarget } from "cloudflare:workers";
import { deserialize, serialize } from "capnweb";
import { type Env, Settings } from "./env";
import { type Reply, TabletError, failureOf, reply } from "./failure";
import type { Query, Target } from "./message";
import { type Left, type Opened, Readings } from "./readings";
import { Records, type State, carriedOut } from "./records";
import { Engine, type Result } from "./sql/engine";
import { maxKeptBytes, maxValueBytes } from "./sql/limits";
import type { Chunk } from "./sql/reading";

/** A statement, or several, to be done as a whole; in autocommit once for an id. */
export type Write = ({ op: "query" | "execute"; query: Query } | { op: "batch"; list: Query[] }) & { id?: string };

/** What a transaction is told to do next. */
export type Command =
  | Write
  | { op: "next" | "close"; name: string }
  | { op: "rest"; room: number }
  | { op: "schema"; version: number }
  | { op: "save" }
  | { op: "rollbackTo" | "release"; level: number }
  | { op: "check" }
  | { op: "commit"; decision?: { dtid: string; participants: Target[] }; keep?: string }
  | { op: "rollback" };

/** What a command answers: rows, or their rest, a result, results, and whether anything was changed. */
export interface Done {
  rows?: Opened;
  chunk?: Chunk;
  rest?: Map<string, Left>;
  result?: Result;
  results?: Result[];
  wrote?: boolean;
}

/** Next gives the answer to the last command and asks for the next one. */
export type Next = (answer: Reply<Done>) => Promise<Command>;

/** Why a level of a transaction ends. */
type End = { op: "commit" | "rollback" } | { op: "rollbackTo" | "release"; level: number };

export class VTStore extends DurableObject<Env> {
  readonly #storage = this.ctx.storage;
  readonly #engine = new Engine(this.#storage.sql);
  readonly #settings = new Settings(this.env);
  readonly #records = new Records(this.#engine, this.#settings.remember);
  readonly #readings = new Readings(this.#settings);
  /** Moves with every commit of data: a transaction that has only read sees one state of the shard while it stands. */
  #version = Date.now() * 1000;

  /** What a tablet must know before it serves. Another one before it has read its last. */
  state(): Promise<Reply<State>> {
    return reply(() => {
      this.#readings.closeAll();
      return this.#records.state();
    });
  }

  /** Says that the database can be read. */
  ping(): Promise<Reply<null>> {
    return reply(() => {
      this.#engine.own("SELECT 1 FROM sqlite_schema LIMIT 1");
      return null;
    });
  }

  /** Makes the shard's empty database, in the place of what is there. */
  create(): Promise<Reply<null>> {
    return reply(async () => {
      await this.#empty();
      return this.#commit(() => this.#records.create());
    });
  }

  /** Removes all that is there. */
  drop(): Promise<Reply<null>> {
    return reply(() => this.#empty());
  }

  /**
   * Keeps the object in memory until what it gives is disposed of: started anew, it
   * wouldn't know the state of the shard that a transaction has seen.
   */
  hold(): Kept {
    return new Kept();
  }

  /** Says which state of the shard is there. */
  version(): Promise<Reply<number>> {
    return reply(() => this.#version);
  }

  /** Runs a read in autocommit, or for a transaction that has only read: then on no other state than seen. */
  query(query: Query, seen: number | undefined): Promise<Reply<{ rows: Opened; version: number }>> {
    return reply(() => {
      this.#fresh(seen);
      this.#records.admit(query.schema);
      return { rows: this.#readings.query(this.#engine, query), version: this.#version };
    });
  }

  /** Gives the next rows of a result. */
  next(name: string): Promise<Reply<Chunk>> {
    return reply(() => this.#readings.next(name));
  }

  async close(name: string): Promise<void> {
    this.#readings.close(name);
  }

  /** Gives all that is left of the results that are being read, unless it has more bytes, and forgets them. */
  rest(room: number): Promise<Reply<Map<string, Left>>> {
    return reply(() => this.#readings.rest(room));
  }

  /** Runs writes, each in a transaction of its own, which all get to the disk by one commit. */
  async write(list: Write[]): Promise<Reply<Done>[]> {
    return list.map((w) => {
      try {
        return { value: this.#commit(() => this.#once(w)) };
      } catch (error) {
        return { failure: failureOf(error) };
      }
    });
  }

  /** Runs a write, unless that was done before. */
  #once(w: Write): Done {
    const name = w.id && "request/" + w.id;
    const kept = name ? this.#records.recall(name) : undefined;
    if (kept === "") throw carriedOut();
    if (kept !== undefined) return deserialize(kept) as Done;
    const done = this.#run(w);
    if (name) this.#records.keep(name, keptOf(done));
    return done;
  }

  #run(w: Write): Done {
    if (w.op === "batch") {
      return {
        results: w.list.map((q) => {
          this.#records.admit(q.schema);
          return this.#engine.execute(q);
        }),
      };
    }
    this.#records.admit(w.query.schema);
    return w.op === "query" ? { rows: this.#engine.query(w.query) } : { result: this.#engine.execute(w.query) };
  }

  /** Fails when something was committed after a transaction has first read. */
  check(seen: number): Promise<Reply<null>> {
    return reply(() => {
      this.#fresh(seen);
      return null;
    });
  }

  /** Fails when there are foreign keys that would have to be left unchecked. */
  unchecked(): Promise<Reply<null>> {
    return reply(() => {
      if (this.#engine.hasForeignKeys())
        throw new TabletError("UNSUPPORTED", "a Durable Object can't leave foreign keys unchecked, and the shard has some; drop them first");
      return null;
    });
  }

  prepare(dtid: string, holder: Target, redo: string[]): Promise<Reply<null>> {
    return reply(() => this.#note(() => this.#records.prepare(dtid, holder, redo)));
  }

  /** Commits what is prepared by running it again. It may be repeated. */
  commitPrepared(dtid: string): Promise<Reply<null>> {
    return reply(() =>
      this.#commit(() => {
        for (const step of this.#records.redo(dtid)) {
          if ("version" in step) this.#records.setSchema(step.version);
          else this.#engine.execute(step.query);
        }
        this.#records.settle(dtid);
        return null;
      }));
  }

  rollbackPrepared(dtid: string): Promise<Reply<null>> {
    return reply(() => this.#note(() => this.#records.settle(dtid)));
  }

  /** Says whether something is kept under a name. */
  recall(name: string): Promise<Reply<boolean>> {
    return reply(() => this.#records.recall(name) !== undefined);
  }

  /** Says whether a decision is kept. */
  decided(dtid: string): Promise<Reply<boolean>> {
    return reply(() => this.#records.decided(dtid));
  }

  forget(dtid: string): Promise<Reply<null>> {
    return reply(() => this.#note(() => this.#records.forget(dtid)));
  }

  /** Runs a transaction; it is durable when true comes, and undone when anything else does. */
  transact(options: { seen: number | undefined; saves: number }, next: Next): Promise<Reply<boolean>> {
    return reply(async () => {
      this.#fresh(options.seen);
      const t = new Transaction(this.#storage, this.#engine, this.#records, new Readings(this.#settings), next);
      let committed = false;
      try {
        return (committed = await t.run(options.saves));
      } finally {
        this.#ended(committed);
      }
    });
  }

  async #empty(): Promise<null> {
    await this.#storage.deleteAll();
    this.#records.gone();
    this.#engine.schemaChanged();
    this.#version++;
    return null;
  }

  #fresh(seen: number | undefined): void {
    if (seen !== undefined && seen !== this.#version)
      throw new TabletError("WRITE_CONFLICT", "another transaction has changed this shard since this one began to read it; retry the transaction");
  }

  /** Commits what is about transactions, and no data. */
  #note<T>(f: () => T): T {
    return this.#storage.transactionSync(f);
  }

  #commit<T>(f: () => T): T {
    let committed = false;
    try {
      const out = this.#storage.transactionSync(() => {
        const value = f();
        if (this.#engine.violated()) throw deferred();
        return value;
      });
      committed = true;
      return out;
    } finally {
      this.#ended(committed);
    }
  }

  #ended(committed: boolean): void {
    if (committed) {
      this.#version++;
      return;
    }
    this.#records.undone();
    this.#engine.schemaChanged();
  }
}

/** What a tablet has of a store that is to stay in memory. */
class Kept extends RpcTarget {}

/** What is kept of a write, to answer it again: nothing of rows that are too many. */
function keptOf(done: Done): string {
  const text = serialize(done);
  const size = new TextEncoder().encode(text).length;
  if (done.rows) return size > maxKeptBytes ? "" : text;
  if (size > maxValueBytes) throw new TabletError("TOO_BIG", `the answer has ${size} bytes, and ${maxValueBytes} can be kept; send less at a time`);
  return text;
}

function deferred(): TabletError {
  return new TabletError("FOREIGN_KEY_VIOLATION", "FOREIGN KEY constraint failed: a deferred one is still violated at commit");
}

/** One transaction, with a level for each savepoint. */
class Transaction {
  readonly #storage: DurableObjectStorage;
  readonly #engine: Engine;
  readonly #records: Records;
  /** The results that are being read in it. */
  readonly #readings: Readings;
  readonly #next: Next;
  #answer: Reply<Done> = { value: {} };

  constructor(storage: DurableObjectStorage, engine: Engine, records: Records, readings: Readings, next: Next) {
    this.#storage = storage;
    this.#engine = engine;
    this.#records = records;
    this.#readings = readings;
    this.#next = next;
  }

  /** Runs it, with the savepoints that were set before, and says whether it has committed. */
  async run(saves: number): Promise<boolean> {
    const end = await this.#level(0, saves > 0 ? () => this.#nested(1, saves) : undefined);
    return end.op === "commit";
  }

  /** One level: SQLite's transaction or a savepoint in it. Rolled back to, a savepoint is set again. */
  async #level(level: number, first?: () => Promise<End | undefined>): Promise<End> {
    for (;;) {
      let end: End | undefined;
      await this.#storage.transaction(async (txn) => {
        try {
          end = (await first?.()) ?? (await this.#commands(level));
        } finally {
          this.#readings.closeAll(); // a transaction with a statement that isn't at its end doesn't end
        }
        if (end.op === "rollback" || end.op === "rollbackTo") txn.rollback();
      });
      first = undefined;
      if (!end) throw new TabletError("SHARD_ERROR", "the transaction was cut short");
      if (end.op === "rollbackTo") this.#engine.schemaChanged();
      if (end.op !== "rollbackTo" || end.level !== level) return end;
      this.#records.undone();
    }
  }

  /** A savepoint's level; undefined when it is released, and the one around it goes on. */
  async #nested(level: number, until: number): Promise<End | undefined> {
    const end = await this.#level(level, level < until ? () => this.#nested(level + 1, until) : undefined);
    return end.op === "release" && end.level === level ? undefined : end;
  }

  async #commands(level: number): Promise<End> {
    for (;;) {
      const command = await this.#next(this.#answer);
      this.#answer = { value: {} };
      try {
        switch (command.op) {
          case "save": {
            const end = await this.#nested(level + 1, 0);
            if (end) return end;
            break;
          }
          case "rollback":
          case "rollbackTo":
          case "release":
            return command;
          case "commit":
            if (this.#engine.violated()) throw deferred();
            if (command.decision) this.#records.decide(command.decision.dtid, command.decision.participants);
            if (command.keep) this.#records.keep(command.keep, "");
            return { op: "commit" };
          default:
            this.#answer = { value: this.#run(command) };
        }
      } catch (error) {
        this.#answer = { failure: failureOf(error) };
      }
    }
  }

  #run(c: Exclude<Command, { op: "save" | "rollback" | "rollbackTo" | "release" | "commit" }>): Done {
    const before = this.#engine.changes();
    const changed = (q: Query) => this.#engine.parse(q.sql).kind === "other" || this.#engine.changes() !== before;
    switch (c.op) {
      case "query": {
        this.#records.admit(c.query.schema);
        const rows = this.#readings.query(this.#engine, c.query);
        // A write counts its changes at its end; one that goes on returning rows has changed some.
        return { rows, wrote: changed(c.query) || (rows.more !== undefined && this.#engine.parse(c.query.sql).kind !== "read") };
      }
      case "next":
        return { chunk: this.#readings.next(c.name) };
      case "close":
        this.#readings.close(c.name);
        return {};
      case "rest":
        return { rest: this.#readings.rest(c.room) };
      case "execute":
        this.#records.admit(c.query.schema);
        return { result: c.query.count > 1 ? this.#whole(() => this.#engine.execute(c.query)) : this.#engine.execute(c.query), wrote: changed(c.query) };
      case "batch":
        return {
          results: this.#whole(() => c.list.map((q) => {
            this.#records.admit(q.schema);
            return this.#engine.execute(q);
          })),
          wrote: c.list.some(changed),
        };
      case "schema":
        this.#records.setSchema(c.version);
        return { wrote: true };
      case "check":
        if (this.#engine.violated()) throw deferred();
        return {};
    }
  }

  /** Does all of something or nothing. */
  #whole<T>(f: () => T): T {
    try {
      return this.#storage.transactionSync(f);
    } catch (error) {
      this.#records.undone();
      this.#engine.schemaChanged();
      throw error;
    }
  }
}

// A transaction on the shard, as its client sees it.
//
// It takes the lock with its first write, and opens the store then: others wait
// from that moment on. Until then it reads like anybody else, on the condition
// that nothing was committed since it has first read.

import type { Settings } from "./env";
import { TabletError, reply } from "./failure";
import type { Link } from "./link";
import type { Wish } from "./lock";
import type { Begin, Query, Target } from "./message";
import type { Left, Opened } from "./readings";
import type { Step } from "./records";
import type { Seen, Shard } from "./shard";
import type { Result } from "./sql/engine";
import { maxRedoBytes, maxResultBytes } from "./sql/limits";
import type { Chunk } from "./sql/reading";
import type { Command, Done } from "./store";
import { type Answer, type Stream, Streams } from "./streams";
import { sizeOf } from "./value";

/** Who asks a transaction for something: whether the client holds other locks, and what ends its patience. */
export interface Ask {
  holds: boolean;
  signal: AbortSignal;
  /** Milliseconds; 0 is what the transaction was begun with. */
  lockWait: number;
}

export class Transaction {
  readonly id: string;
  wrote = false;
  /** "prepared" and "decided" outlive who has begun the transaction. */
  state: "active" | "prepared" | "decided" | "over" = "active";
  /** The distributed transaction that it is part of, once it is prepared. */
  dtid = "";
  readonly #shard: Shard;
  readonly #begin: Begin;
  readonly #settings: Settings;
  /** Its client may only read; it keeps the lock for a short while. */
  readonly #reader: boolean;
  #begun = false;
  #ended = false;
  #locked = false;
  #link: Link | undefined;
  /** The results that it has begun to read since then. */
  readonly #streams: Streams;
  #seen: Seen | undefined;
  #saves: { name: string; steps: number; size: number; wrote: boolean }[] = [];
  #steps: Step[] = [];
  #size = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, shard: Shard, begin: Begin, settings: Settings, reader: boolean) {
    this.id = id;
    this.#shard = shard;
    this.#begin = begin;
    this.#settings = settings;
    this.#reader = reader;
    const linked = async (c: Command) => {
      if (!this.#link) throw gone();
      return this.#link.run(c);
    };
    const source = {
      next: (name: string) => reply(async () => (await linked({ op: "next", name })).chunk as Chunk),
      close: async (name: string) => void (await linked({ op: "close", name })),
      rest: (room: number) => reply(async () => (await linked({ op: "rest", room })).rest as Map<string, Left>),
    };
    this.#streams = new Streams(source, settings, tooMuchLeft);
    shard.begins();
  }

  /** Runs f when everything that was asked before is done: a transaction takes one request at a time. */
  inTurn<T>(f: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(f);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Takes the lock at once, where that was asked for. */
  async begin(a: Ask): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    if (this.#begin.noForeignKeys && !this.#begin.write) throw new TabletError("MISUSE", "a transaction without foreign keys needs the write lock from its beginning");
    if (!this.#begin.write) return;
    try {
      await this.lock(a);
      if (this.#begin.noForeignKeys) await this.#shard.asked(this.#shard.store.unchecked());
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Takes the lock, as the first write would. */
  async lock(a: Ask): Promise<void> {
    this.usable();
    if (this.#locked) return;
    if (this.#begin.readOnly) throw new TabletError("READ_ONLY", "the transaction is read-only");
    await this.#shard.lock.acquire(this.#wish(a));
    this.#locked = true;
    if (this.#reader) this.#endIn(this.#settings.readerTime);
    if (this.#seen === undefined) return;
    try {
      await this.#shard.asked(this.#shard.store.check(this.#seen.version));
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  /** Settles which state of the shard it sees, unless that is settled. */
  async snapshot(a: Ask): Promise<void> {
    this.usable();
    if (!this.#locked) this.#seen ??= await this.#shard.now(this.#wish(a));
  }

  /** Says whether that is the newest; with the lock, nobody else commits. */
  newest(): boolean {
    return this.#locked || (this.#seen !== undefined && this.#shard.newest(this.#seen));
  }

  async query(q: Query, a: Ask): Promise<Answer> {
    this.usable();
    if (q.count > 0) throw new TabletError("MISUSE", "a batch returns no rows; use SHARD_EXECUTE");
    if (!this.#link && !this.#shard.writes(q.sql)) {
      const r = await this.#shard.read(q, this.#seen, this.#wish(a));
      this.#seen = r.seen;
      return r.answer;
    }
    if (this.#shard.writes(q.sql)) await this.#streams.overtake();
    const { answer, done } = await this.#streams.opening(() =>
      reply(async () => {
        const done = await this.#told({ op: "query", query: q }, a);
        return { rows: done.rows as Opened, done };
      }));
    this.#note(done, [q]);
    return { ...answer, more: answer.more && this.#turned(answer.more) };
  }

  /** A stream's calls are commands to the store like others, and come in turn. */
  #turned(s: Stream): Stream {
    return { next: () => this.inTurn(() => s.next()), close: () => this.inTurn(() => s.close()) };
  }

  async execute(q: Query, a: Ask): Promise<Result> {
    this.usable();
    if (!this.#link && !this.#shard.writes(q.sql)) {
      void (await this.query({ ...q, count: 0 }, a)).more?.close();
      return { rowsAffected: 0, lastInsertId: 0 };
    }
    const done = await this.#run({ op: "execute", query: q }, a);
    this.#note(done, [q]);
    return done.result as Result;
  }

  async batch(list: Query[], a: Ask): Promise<Result[]> {
    this.usable();
    const done = await this.#run({ op: "batch", list }, a);
    this.#note(done, list);
    return done.results as Result[];
  }

  async setSchema(version: number, a: Ask): Promise<void> {
    this.usable();
    if (!(version >= 1 && version <= 0x7fffffff)) throw new TabletError("MISUSE", `version ${version} of the schema is not from 1 to ${0x7fffffff}`);
    await this.#run({ op: "schema", version }, a);
    this.wrote = true;
    this.#steps.push({ version });
  }

  async savepoint(name: string): Promise<void> {
    this.usable();
    await this.#mark({ op: "save" });
    this.#saves.push({ name, steps: this.#steps.length, size: this.#size, wrote: this.wrote });
  }

  async rollbackTo(name: string): Promise<void> {
    const i = this.#find(name);
    await this.#mark({ op: "rollbackTo", level: i + 1 });
    const s = this.#saves[i];
    this.#saves.length = i + 1;
    if (!s) return;
    this.#steps.length = Math.min(this.#steps.length, s.steps);
    if (this.#size <= maxRedoBytes) this.#size = s.size;
    this.wrote = s.wrote;
  }

  async release(name: string): Promise<void> {
    const i = this.#find(name);
    await this.#mark({ op: "release", level: i + 1 });
    this.#saves.length = i;
  }

  /** Commits, and remembers by a name that it has. */
  async commit(keep = "tx/" + this.id): Promise<void> {
    this.usable();
    if (this.#link) this.#shard.moves();
    try {
      await this.#link?.commit(this.wrote ? { keep } : {});
    } catch (error) {
      if (error instanceof TabletError && error.code === "IO_ERROR")
        throw new TabletError("OUTCOME_UNKNOWN", "nobody knows whether the transaction was committed: " + error.message);
      throw error;
    } finally {
      // A failed one is rolled back: its client can do nothing else.
      await this.#link?.rollback();
      this.end();
    }
  }

  /** Commits with a decision. A failure leaves the transaction open, unless the store is lost: IO_ERROR. */
  async decide(dtid: string, participants: Target[]): Promise<void> {
    this.carries();
    this.#shard.moves();
    await this.#link?.commit({ decision: { dtid, participants }, keep: "dtid/" + dtid });
  }

  /** Fails when the transaction can't carry a decision. */
  carries(): void {
    this.usable();
    if (!this.wrote) throw new TabletError("MISUSE", "the transaction has written nothing: it can't carry a decision");
  }

  async rollback(): Promise<void> {
    if (this.state !== "active") return;
    await this.#link?.rollback();
    this.end();
  }

  /**
   * Gives up the open transaction for a redo, which it returns; the lock stays, and
   * is the caller's now. A transaction that has written nothing ends.
   */
  async yield(): Promise<Step[]> {
    if (this.#size > maxRedoBytes)
      throw new TabletError("TOO_BIG", `the transaction's writes take more than ${maxRedoBytes} bytes to replay; it can't be committed together with other shards`);
    await this.#link?.run({ op: "check" });
    await this.#link?.rollback();
    if (this.wrote) this.#locked = false;
    this.end();
    return this.wrote ? this.#steps : [];
  }

  /** Marks it as ended, and lets the lock go. */
  end(): void {
    clearTimeout(this.#timer ?? null);
    this.#link = undefined;
    this.state = "over";
    this.#unlock();
    if (this.#ended) return;
    this.#ended = true;
    this.#shard.ends();
  }

  usable(): void {
    if (this.state === "active") return;
    if (this.state === "over") throw gone();
    throw new TabletError("MISUSE", `the transaction is prepared as ${this.dtid}; it can only be committed or rolled back`);
  }

  #unlock(): void {
    if (this.#locked) this.#shard.release();
    this.#locked = false;
  }

  #wish(a: Ask): Wish {
    return { age: this.#begin.age, holds: a.holds, wait: a.lockWait || this.#begin.lockWait, signal: a.signal };
  }

  /** Carries a command out that may write. */
  async #run(c: Command, a: Ask): Promise<Done> {
    await this.#streams.overtake();
    return this.#told(c, a);
  }

  /** Sets a savepoint in the store, or ends one, unless it isn't open: then it is told of those that there are. */
  async #mark(c: Command): Promise<void> {
    if (!this.#link) return;
    await this.#streams.overtake();
    await this.#link.run(c);
  }

  /** Carries a command out in the store, which it opens first. */
  async #told(c: Command, a: Ask): Promise<Done> {
    if (!this.#link) {
      if (this.#begin.readOnly || this.#reader) throw new TabletError("READ_ONLY", "the transaction is read-only");
      if (!this.#locked) {
        await this.#shard.lock.acquire(this.#wish(a));
        this.#locked = true;
      }
      this.#link = await this.#shard.open(this.#begin.age, { seen: this.#seen?.version, saves: this.#saves.length });
      this.#endIn(this.#settings.transactionTime);
    }
    return this.#link.run(c);
  }

  /** Rolls it back after so many milliseconds. */
  #endIn(time: number): void {
    this.#timer = setTimeout(() => void this.inTurn(() => this.rollback()), time);
  }

  /** Keeps what replays a command. */
  #note(done: Done, list: Query[]): void {
    if (!done.wrote) return;
    this.wrote = true;
    for (const q of list) {
      this.#size += 64 + q.sql.length;
      for (const v of q.params) this.#size += 8 + sizeOf(v);
      this.#steps.push({ query: { ...q, schema: 0 } });
    }
    if (this.#size > maxRedoBytes) this.#steps = [];
  }

  #find(name: string): number {
    this.usable();
    const i = this.#saves.findLastIndex((s) => s.name.toLowerCase() === name.toLowerCase());
    if (i < 0) throw new TabletError("MISUSE", `savepoint "${name}" does not exist in this transaction`);
    return i;
  }
}

function tooMuchLeft(): TabletError {
  return new TabletError("TOO_BIG", `the transaction has written, or set a savepoint, before it has read a result, of which more than ${maxResultBytes} bytes were left; read it to its end first`);
}

export function gone(): TabletError {
  return new TabletError("TRANSACTION_EXPIRED", "the transaction isn't known: it has ended, or the tablet has ended it");
}

// What a tablet's requests share: the lock, the store, and who has it open.

import type { Settings } from "./env";
import { type Reply, TabletError, failureOf, unwrap } from "./failure";
import { Keeper } from "./keeper";
import { Link } from "./link";
import { type Age, Lock, type Wish, interrupted, tooLate, youngest } from "./lock";
import type { Query } from "./message";
import type { InDoubt, State } from "./records";
import { Statements } from "./sql/statement";
import type { Done, VTStore, Write } from "./store";
import { maxResultBytes } from "./sql/limits";
import { type Answer, Streams } from "./streams";

/** The store as a tablet sees it. */
export type StoreStub = Pick<VTStore, "state" | "ping" | "version" | "query" | "next" | "close" | "rest" | "write" | "recall" | "check" | "unchecked" | "prepare" | "commitPrepared" | "rollbackPrepared" | "decided" | "forget" | "transact" | "create" | "drop"> & { hold(): Disposable };

/** A state of the shard: its version in the store, and how often the tablet had moved it. */
export interface Seen {
  version: number;
  moves: number;
}

/** How many writes share a commit at most. */
const maxGroup = 64;

/** How long the store is kept in memory after a transaction. */
const keepTime = 5_000;

export class Shard {
  readonly store: StoreStub;
  readonly lock = new Lock();
  readonly keeper: Keeper;
  readonly streams: Streams;
  readonly statements = new Statements();
  /** What is prepared, and whether it is decided; it has the lock. */
  doubt: (InDoubt & { decided: boolean }) | undefined;
  /** The shard was made, and not removed. */
  readonly created: boolean;
  /** Moves before anything that may commit is sent: who has seen the newest state knows while it stands. */
  #moves = 0;
  #group: { write: Write; done(r: Reply<Done>): void }[] = [];
  #sending = false;
  #open: { age: Age; over: Promise<void> } | undefined;
  /** How many transactions are open, and what keeps the store in memory for them. */
  #transactions = 0;
  #kept: Disposable | undefined;
  #keeping: ReturnType<typeof setTimeout> | undefined;

  constructor(store: StoreStub, state: State, settings: Settings) {
    this.store = store;
    this.keeper = new Keeper(state.decisions);
    this.streams = new Streams(store, settings, overtaken);
    this.created = state.created;
    if (state.prepared) {
      this.doubt = { ...state.prepared, decided: false };
      this.lock.retake(0);
    }
  }

  writes(sql: string): boolean {
    const kind = this.statements.get(sql).kind;
    return kind !== "read" && kind !== "info";
  }

  release(): void {
    this.lock.release();
    this.keeper.unlocked();
  }

  /** Runs a read when no transaction has the store open. */
  async read(q: Query, seen: Seen | undefined, w: Wish): Promise<{ answer: Answer; seen: Seen }> {
    await this.#closed(w);
    const moves = this.#moves;
    const { answer, version } = await this.streams.opening(() => this.#reached(this.store.query(q, seen?.version)));
    return { answer, seen: seen ?? { version, moves } };
  }

  /** Gives the state that a read would see. */
  async now(w: Wish): Promise<Seen> {
    await this.#closed(w);
    const moves = this.#moves;
    return { version: unwrap(await this.#reached(this.store.version())), moves };
  }

  /**
   * Says whether nothing has been committed since a state was seen, nor is about to
   * be; and nothing is prepared, which other shards may show already.
   */
  newest(seen: Seen): boolean {
    return seen.moves === this.#moves && this.doubt === undefined;
  }

  /** Is called before anything is sent to the store that commits there. */
  moves(): void {
    this.#moves++;
    void this.streams.overtake();
  }

  /** Runs a write that is a transaction by itself. Those that come while others are on their way share one commit. */
  async write(w: Wish, write: Write): Promise<Done> {
    await this.lock.acquire(w, true);
    const done = Promise.withResolvers<Reply<Done>>();
    this.#group.push({ write, done: done.resolve });
    if (!this.#sending) void this.#send();
    return unwrap(await done.promise);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#group.length > 0) {
      const group = this.#group.splice(0, maxGroup);
      // The store takes calls in the order in which they are sent: who gets the lock next comes after these.
      this.moves();
      const sent = this.store.write(group.map((g) => g.write));
      for (const _ of group) this.release();
      const replies = await sent.catch((error: unknown) => group.map(() => unknown<Done>(error)));
      group.forEach((g, i) => g.done(replies[i] ?? unknown("no answer")));
    }
    this.#sending = false;
  }

  /** A transaction begins, for which the store is to remember what it has seen. */
  begins(): void {
    clearTimeout(this.#keeping ?? null);
    this.#transactions++;
    this.#kept ??= this.store.hold();
  }

  /** A transaction has ended. */
  ends(): void {
    if (--this.#transactions > 0) return;
    // The next one mostly follows, and needs no call of its own.
    this.#keeping = setTimeout(() => {
      this.#kept?.[Symbol.dispose]();
      this.#kept = undefined;
    }, keepTime);
  }

  /** Calls the store with the lock held. */
  async held<T>(call: Promise<Reply<T>>): Promise<T> {
    return unwrap(await call.catch(unknown<T>));
  }

  /** Calls the store for something that changes nothing. */
  async asked<T>(call: Promise<Reply<T>>): Promise<T> {
    return unwrap(await this.#reached(call));
  }

  /** Opens the store for a transaction that has the lock. */
  async open(age: Age, options: Parameters<StoreStub["transact"]>[0]): Promise<Link> {
    const over = Promise.withResolvers<void>();
    const open = { age, over: over.promise };
    this.#open = open;
    void this.streams.overtake();
    const link = new Link((next) =>
      this.store.transact(options, next).finally(() => {
        if (this.#open === open) this.#open = undefined;
        over.resolve();
      }));
    await link.opened();
    return link;
  }

  /** Waits until no transaction has the store open. */
  async #closed(w: Wish): Promise<void> {
    while (this.#open) {
      const open = this.#open;
      if (w.signal.aborted) throw interrupted(w.signal);
      this.lock.refuse(w, [open.age]);
      await within(open.over, w);
    }
  }

  #reached<T>(call: Promise<Reply<T>>): Promise<Reply<T>> {
    return call.catch((error: unknown): Reply<T> => ({ failure: { code: "IO_ERROR", message: "the shard's database can't be reached: " + failureOf(error).message } }));
  }
}

function unknown<T>(error: unknown): Reply<T> {
  return { failure: { code: "OUTCOME_UNKNOWN", message: "nobody knows whether the statement was carried out: " + failureOf(error).message } };
}

/** Fails the reader whose rest a write couldn't wait for. */
function overtaken(): TabletError {
  return new TabletError("WRITE_CONFLICT", `a write has overtaken the result, of which more than ${maxResultBytes} bytes were left; read it in parts, and retry`);
}

/** Waits no longer than the wish says. */
async function within(p: Promise<void>, w: Wish): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooLate(w.wait)), w.wait);
  const cancel = () => late.reject(interrupted(w.signal));
  w.signal.addEventListener("abort", cancel);
  try {
    await Promise.race([p, late.promise]);
  } finally {
    clearTimeout(timer);
    w.signal.removeEventListener("abort", cancel);
  }
}

/** The wish of what runs in autocommit. */
export function autocommit(wait: number, signal: AbortSignal): Wish {
  return { age: youngest, holds: false, wait, signal };
}

/** Is thrown where a transaction has ended, and nobody knows how. */
export function outcomeUnknown(dtid: string, cause: unknown): TabletError {
  return new TabletError("OUTCOME_UNKNOWN", `whether transaction ${dtid} is decided is unknown: ${failureOf(cause).message}`);
}

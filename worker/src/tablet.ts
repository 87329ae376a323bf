// The tablet of a shard: an object that answers the protocol's requests, has the
// shard's lock, its transactions and what is in doubt, and lets its store, another
// object, do what is about data.

import { DurableObject, RpcTarget } from "cloudflare:workers";
import { Cursors } from "./cursors";
import { type Env, Settings, tabletOf } from "./env";
import { type Reply, TabletError, failureOf, reply, unwrap } from "./failure";
import { type Wish, youngest } from "./lock";
import { type Begin, type Fields, type Query, type Request, type Target, Type, nameOf, request, sameTarget, typeName } from "./message";
import { carriedOut } from "./records";
import { Resolver } from "./resolver";
import { Shard, type StoreStub, autocommit } from "./shard";
import { maxCompoundTerms, maxDepth, maxParameters, maxResultColumns, maxStatementBytes } from "./sql/limits";
import type { Result } from "./sql/engine";
import { remember } from "./sql/statement";
import type { Answer } from "./streams";
import { type Ask, Transaction, gone } from "./transaction";

/** The tablet that holds the catalog; it is there from the beginning. */
const catalog: Target = { keyspace: "_vt", shard: "catalog" };

const plainBegin: Begin = { readOnly: false, write: false, age: 0, noForeignKeys: false, lockWait: 0 };

interface Open {
  tx: Transaction;
  /** The requests that were carried out, by their ids. */
  asked: Set<string>;
  /** The last one, and its answer: it may arrive twice. */
  last: { id: string; answer: Promise<Fields> };
  /** How many requests are being carried out. */
  running: number;
  /** Ends it when nobody has asked for anything for its client's patience. */
  idle: ReturnType<typeof setTimeout> | undefined;
  patience: number;
}

/** What a started object has. */
interface Started {
  shard: Shard;
  resolver: Resolver;
}

export class VTTablet extends DurableObject<Env> {
  readonly #settings = new Settings(this.env);
  readonly #cursors = new Cursors(this.#settings);
  readonly #txs = new Map<string, Open>();
  /** Transactions that have ended lately, with the last request of each. */
  readonly #ended = new Map<string, Open["last"]>();
  readonly #running = new Map<string, AbortController>();
  #started: Promise<Started> | undefined;
  #target: Target = { keyspace: "", shard: "" };
  #alarm = false;
  #patience = 0;

  /** Answers a request; over a socket, a transaction ends with what hold has given for it. */
  call(r: Request, socket: boolean): Promise<Reply<Fields>> {
    return reply(async () => {
      if (r.type === Type.CANCEL) {
        this.#running.get(r.ref)?.abort();
        return {};
      }
      this.#target = r.target;
      const abort = new AbortController();
      const timer = r.timeout > 0 ? setTimeout(() => abort.abort(new Error("its time is up")), r.timeout) : undefined;
      this.#running.set(r.id, abort);
      try {
        const on = await this.#start();
        if (r.type === Type.SHARD_CREATE || r.type === Type.SHARD_DROP) return await this.#remake(on, r);
        if (!on.shard.created) throw new TabletError("WRONG_SHARD", `there is no shard ${nameOf(r.target)} here`);
        return await (r.txId ? this.#inTransaction(on, r, abort.signal, socket) : this.#alone(on, r, abort.signal, socket));
      } finally {
        clearTimeout(timer ?? null);
        this.#running.delete(r.id);
      }
    });
  }

  /** Gives what ends a transaction, or a cursor, when a session is done with it or has ended. */
  hold(name: string, stream: boolean): Held {
    if (stream) this.#cursors.hold(name);
    return new Held(() => {
      void this.#abandon(name);
      void this.#cursors.close(name).catch(() => undefined); // nobody is there to be told
    });
  }

  /** Settles what is in doubt, also when nobody has asked this object for anything. */
  override async alarm(): Promise<void> {
    this.#alarm = false;
    const name = await this.ctx.storage.get<Target>("target");
    if (!name) return;
    this.#target = name;
    let unsettled = true; // as long as the store can't be reached, nobody knows
    try {
      const { resolver } = await this.#start();
      await resolver.settle();
      unsettled = resolver.unsettled;
    } catch {
      // The runtime would repeat an alarm that fails a few times, and then no more.
    }
    if (unsettled) await this.#wake();
    else this.#patience = 0;
  }

  #start(): Promise<Started> {
    this.#started ??= this.#open().catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  async #open(): Promise<Started> {
    const store = this.env.STORE.get(this.env.STORE.idFromName(nameOf(this.#target))) as unknown as StoreStub;
    let state = unwrap(await store.state());
    if (!state.created && sameTarget(this.#target, catalog)) {
      unwrap(await store.create());
      state = { ...state, created: true };
    }
    const shard = new Shard(store, state, this.#settings);
    const resolver = new Resolver(shard, this.#target, this.env, this.#settings, () => this.#wake());
    if (resolver.unsettled) await this.#wake();
    return { shard, resolver };
  }

  /** Sets the alarm, the later the more often it was in vain. */
  async #wake(): Promise<void> {
    if (this.#alarm) return;
    this.#alarm = true;
    this.#patience = Math.min(Math.max(this.#patience * 2, this.#settings.askAfter), 5_000);
    try {
      const known = await this.ctx.storage.get("target");
      if (!known) await this.ctx.storage.put("target", this.#target);
      await this.ctx.storage.setAlarm(Date.now() + this.#patience);
    } catch (error) {
      this.#alarm = false;
      throw error;
    }
  }

  /**
   * Makes the shard's empty database, or removes the shard. A keyspace that the
   * catalog lists stays as it is. While the catalog is being written, whoever asks
   * does that, and has looked.
   */
  async #remake({ shard, resolver }: Started, r: Request): Promise<Fields> {
    if (r.target.keyspace === catalog.keyspace) throw new TabletError("MISUSE", "the catalog can't be made or removed");
    const listed = await tabletOf(this.env, catalog).call(
      request(Type.SHARD_QUERY, catalog, { sql: "SELECT 1 FROM keyspaces WHERE name = ?1", params: [r.target.keyspace], lockWait: -1 }), false);
    if (listed.failure ? !["NO_SUCH_TABLE", "LOCK_NOT_FREE"].includes(listed.failure.code) : (listed.value["rows"] as unknown[]).length > 0)
      throw new TabletError("MISUSE", `the catalog lists keyspace ${r.target.keyspace}: its shards stay until it is deleted there`);
    if (resolver.unsettled) throw new TabletError("OVERLOADED", "a distributed transaction of this shard isn't settled yet; remove it a little later");
    for (const id of this.#txs.keys()) await this.#abandon(id);
    void shard.streams.overtake();
    unwrap(await (r.type === Type.SHARD_CREATE ? shard.store.create() : shard.store.drop()));
    this.#started = undefined;
    return {};
  }

  /** A request that is no part of a transaction. */
  async #alone({ shard, resolver }: Started, r: Request, signal: AbortSignal, socket: boolean): Promise<Fields> {
    const wish = autocommit(r.lockWait || this.#settings.lockWait, signal);
    switch (r.type) {
      case Type.STATUS:
        return { ...this.#target, capabilities, patience: this.#patienceOf(socket), ...(this.#settings.remember > 0 ? { remembers: this.#settings.remember } : {}) };
      case Type.HEALTH:
        if (r.cursor) this.#cursors.touch(r.cursor);
        else await shard.asked(shard.store.ping());
        return {};
      case Type.SHARD_QUERY:
        return this.#cursors.answer(shard.writes(r.sql) ? await this.#returned(shard, r, wish) : (await shard.read(queryOf(r), undefined, wish)).answer);
      case Type.SHARD_EXECUTE:
        return resultFields((await shard.write(wish, { op: "execute", query: queryOf(r), id: r.id })).result as Result);
      case Type.SHARD_BATCH:
        return { results: ((await shard.write(wish, { op: "batch", list: r.statements, id: r.id })).results as Result[]).map(resultFields) };
      case Type.SHARD_FETCH:
        return await this.#cursors.fetch(r.cursor);
      case Type.SHARD_CLOSE:
        await this.#cursors.close(r.cursor);
        return {};
      case Type.COMMIT_PREPARED:
        await resolver.commit(r.dtid);
        return {};
      case Type.ROLLBACK_PREPARED:
        await resolver.rollback(r.dtid);
        return {};
      case Type.CONFIRM:
        await resolver.confirm(r.dtid, r.participant);
        return {};
      case Type.OUTCOME:
        return { outcome: resolver.outcome(r.dtid) };
      case Type.LIST_PREPARED:
        return { prepared: shard.doubt ? [shard.doubt] : [] };
      case Type.LIST_DECISIONS:
        return { decisions: shard.keeper.list() };
    }
    throw new TabletError("MISUSE", `a message of type ${typeName(r.type)} needs a transaction, or isn't known here`);
  }

  /**
   * A write in autocommit that returns rows: by one call, where they can be held.
   * Else it is a transaction that lasts until they are read, or are wanted no more.
   */
  async #returned(shard: Shard, r: Request, wish: Wish): Promise<Answer> {
    try {
      return (await shard.write(wish, { op: "query", query: queryOf(r), id: r.id })).rows as Answer;
    } catch (error) {
      if (failureOf(error).code !== "TOO_BIG" || !shard.statements.get(r.sql).returning) throw error;
    }
    const name = "request/" + r.id;
    const tx = new Transaction(r.id, shard, { ...plainBegin, age: youngest }, this.#settings, false);
    const within = <T>(f: () => Promise<T>) => f().catch(async (error: unknown) => {
      await tx.inTurn(() => tx.rollback());
      throw error;
    });
    const commit = () => within(() => tx.inTurn(() => tx.commit(name)));
    const ask = { holds: false, signal: wish.signal, lockWait: wish.wait };
    const { more, ...first } = await within(() => tx.inTurn(async () => {
      await tx.lock(ask);
      if (r.id && (await shard.asked(shard.store.recall(name)))) throw carriedOut();
      return tx.query(queryOf(r), ask);
    }));
    if (!more) {
      await commit();
      return first;
    }
    const next = async () => {
      const chunk = await within(() => more.next());
      if (chunk.end) await commit();
      return chunk;
    };
    return { ...first, more: { next, close: () => commit() } };
  }

  /** A request of a transaction, which it may begin. */
  async #inTransaction(on: Started, r: Request, signal: AbortSignal, socket: boolean): Promise<Fields> {
    const ask: Ask = { holds: r.holds, signal, lockWait: r.lockWait };
    const last = this.#txs.get(r.txId)?.last ?? this.#ended.get(r.txId);
    if (r.id && last?.id === r.id) return last.answer;
    if (r.begin || r.type === Type.SHARD_BEGIN) this.#begin(on, r, socket);
    const open = this.#txs.get(r.txId);
    if (!open) return this.#gone(on, r);
    if (r.type === Type.HEALTH) {
      if (open.running === 0) this.#wait(r.txId, open);
      return {};
    }
    if (open.asked.has(r.id)) throw new TabletError("MISUSE", `request ${r.id} was answered before`);
    if (r.id) open.asked.add(r.id);
    open.running++;
    clearTimeout(open.idle ?? null);
    const answer = open.tx.inTurn(async () => {
      try {
        if (open.tx.state === "over") return await this.#gone(on, r);
        await open.tx.begin(ask);
        return await this.#step(on, open.tx, r, ask);
      } finally {
        open.running--;
        if (open.tx.state === "over") this.#forget(r.txId);
        else if (open.running === 0) this.#wait(r.txId, open);
      }
    });
    open.last = { id: r.id, answer };
    return answer;
  }

  /**
   * Answers a request of a transaction that isn't known by its ID any more: what is
   * prepared is known by dtid, and what was committed is remembered.
   */
  async #gone({ resolver }: Started, r: Request): Promise<Fields> {
    switch (r.type) {
      case Type.SHARD_ROLLBACK:
        await resolver.rollback(r.dtid);
        // What was to begin it may be on its way still.
        remember(this.#ended, r.txId, { id: r.id, answer: Promise.resolve({}) });
        return {};
      case Type.CONCLUDE:
        this.ctx.waitUntil(resolver.conclude(r.dtid));
        return {};
      case Type.COMMIT_PREPARED:
        if (!r.dtid) break;
        await resolver.commit(r.dtid);
        return {};
      case Type.SHARD_COMMIT:
      case Type.DECIDE:
        if (await resolver.committed(r.txId, r.dtid)) return {};
    }
    throw gone();
  }

  #begin({ shard }: Started, r: Request, socket: boolean): void {
    if (this.#ended.has(r.txId)) throw gone();
    if (this.#txs.has(r.txId)) throw new TabletError("MISUSE", `transaction "${r.txId}" has begun already; each needs an id of its own`);
    const asked = r.begin ?? plainBegin;
    const begin = { ...asked, lockWait: asked.lockWait || this.#settings.lockWait };
    const tx = new Transaction(r.txId, shard, begin, this.#settings, r.reader);
    this.#txs.set(r.txId, { tx, asked: new Set(), last: { id: "", answer: Promise.resolve({}) }, running: 0, idle: undefined, patience: this.#patienceOf(socket) });
  }

  async #step({ resolver }: Started, tx: Transaction, r: Request, ask: Ask): Promise<Fields> {
    switch (r.type) {
      case Type.SHARD_BEGIN:
        break;
      case Type.SHARD_QUERY: {
        const rows = await tx.query(queryOf(r), ask);
        return { ...this.#cursors.answer(rows), ...wrote(tx) };
      }
      case Type.SHARD_EXECUTE:
        return { ...resultFields(await tx.execute(queryOf(r), ask)), ...wrote(tx) };
      case Type.SHARD_BATCH:
        return { results: (await tx.batch(r.statements, ask)).map(resultFields), ...wrote(tx) };
      case Type.SNAPSHOT:
        await tx.snapshot(ask);
        break;
      case Type.NEWEST:
        return { newest: tx.newest() };
      case Type.SHARD_LOCK:
        await tx.lock(ask);
        break;
      case Type.SAVEPOINT:
        await tx.savepoint(r.name);
        break;
      case Type.ROLLBACK_TO:
        await tx.rollbackTo(r.name);
        return wrote(tx);
      case Type.RELEASE:
        await tx.release(r.name);
        break;
      case Type.SET_SCHEMA:
        await tx.setSchema(r.schema, ask);
        break;
      case Type.SHARD_COMMIT:
        await tx.commit();
        break;
      case Type.SHARD_ROLLBACK:
        if (tx.state === "prepared") await resolver.rollback(tx.dtid);
        await tx.rollback();
        tx.state = "over";
        break;
      case Type.PREPARE:
        await resolver.prepare(tx, r.dtid, r.holder);
        break;
      case Type.COMMIT_PREPARED:
        if (tx.state !== "prepared") throw new TabletError("MISUSE", "the transaction is not prepared");
        await resolver.commit(tx.dtid);
        tx.state = "over";
        break;
      case Type.DECIDE:
        await resolver.decide(tx, r.dtid, r.participants);
        break;
      case Type.CONCLUDE:
        this.ctx.waitUntil(resolver.conclude(r.dtid));
        await tx.rollback();
        tx.state = "over";
        break;
      default:
        throw new TabletError("MISUSE", `a message of type ${typeName(r.type)} isn't one of a transaction`);
    }
    return {};
  }

  /** Lets a transaction wait for its next request, from now on. */
  #wait(txId: string, open: Open): void {
    clearTimeout(open.idle ?? null);
    open.idle = setTimeout(() => void this.#abandon(txId), open.patience);
  }

  #patienceOf(socket: boolean): number {
    return socket ? this.#settings.socketIdle : this.#settings.idle;
  }

  #forget(txId: string): void {
    const open = this.#txs.get(txId);
    if (!open) return;
    clearTimeout(open.idle ?? null);
    this.#txs.delete(txId);
    remember(this.#ended, txId, open.last);
  }

  /** Ends a transaction that nobody will end any more. What is prepared stays: its holder decides. */
  async #abandon(txId: string): Promise<void> {
    const open = this.#txs.get(txId);
    this.#forget(txId);
    await open?.tx.inTurn(() => open.tx.rollback());
  }
}

/** What a client holds of a transaction that is to end with its session. */
class Held extends RpcTarget {
  readonly #gone: () => void;

  constructor(gone: () => void) {
    super();
    this.#gone = gone;
  }

  [Symbol.dispose](): void {
    this.#gone();
  }
}

const capabilities = {
  dialect: "sqlite",
  transactionalDDL: true,
  snapshots: true,
  losesSnapshots: true,
  boundKeys: true,
  maxParameters,
  maxStatement: maxStatementBytes,
  maxColumns: maxResultColumns,
  maxTerms: maxCompoundTerms,
  maxDepth,
};

/** The statement of a request, without the rest. */
function queryOf(r: Request): Query {
  return { sql: r.sql, params: r.params, schema: r.schema, count: r.count };
}

function wrote(tx: Transaction): Fields {
  return tx.wrote ? { wrote: true } : {};
}

/** The fields of a result that aren't empty. */
function resultFields(r: Result): Fields {
  const out: Fields = {};
  if (r.rowsAffected !== 0) out["rowsAffected"] = r.rowsAffected;
  if (r.lastInsertId !== 0) out["lastInsertId"] = r.lastInsertId;
  if (r.changed) out["changed"] = r.changed;
  if (r.insertIds) out["insertIds"] = r.insertIds;
  return out;
}

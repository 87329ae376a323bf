// The main object of one client's session: it reads messages, sends them on to
// the tablets of their shards, and ends with the session what was begun in it.

import { RpcTarget } from "capnweb";
import { type Env, type TabletStub, tabletOf } from "./env";
import { TabletError, failureOf, unwrap, wireError } from "./failure";
import { type Fields, type Request, type Target, Type, forGates, nameOf, readRequest, request, typeName } from "./message";
import type { Grant } from "./auth";

/** The types whose answer is an ACK. */
const acks: ReadonlySet<number> = new Set([
  Type.HEALTH, Type.CANCEL, Type.SHARD_CLOSE, Type.SHARD_BEGIN, Type.SHARD_COMMIT, Type.SHARD_ROLLBACK, Type.SHARD_LOCK, Type.SAVEPOINT,
  Type.ROLLBACK_TO, Type.RELEASE, Type.SET_SCHEMA, Type.SNAPSHOT, Type.PREPARE, Type.COMMIT_PREPARED, Type.ROLLBACK_PREPARED, Type.DECIDE, Type.CONCLUDE, Type.CONFIRM,
  Type.SHARD_CREATE, Type.SHARD_DROP,
]);

const names = /^[A-Za-z0-9_.$-]{1,128}(?:\/[A-Za-z0-9_.$-]{1,128})?$/;

export class Session extends RpcTarget {
  readonly #env: Env;
  readonly #grant: Grant;
  readonly #socket: boolean;
  readonly #tablets = new Map<string, TabletStub>();
  /** What ends the session's transactions and cursors, by their names. */
  readonly #held = new Map<string, Disposable>();
  #over = false;
  readonly #running = new Map<string, TabletStub>();

  constructor(env: Env, grant: Grant, socket: boolean) {
    super();
    this.#env = env;
    this.#grant = grant;
    this.#socket = socket;
  }

  async call(message: unknown): Promise<Fields> {
    let id = "";
    let target: Target | undefined;
    try {
      const r = readRequest(message);
      id = r.id;
      if (forGates.has(r.type)) throw new TabletError("UNSUPPORTED", `${typeName(r.type)} is a request to a gate, and this is a tablet server; send the shard's own`);
      if (r.type === Type.CANCEL) {
        const at = this.#running.get(r.ref) ?? this.#named(r);
        if (at) unwrap(await at.call(r, this.#socket));
        return this.#answer(r, {});
      }
      target = r.target;
      return this.#answer(r, await this.#ask(r));
    } catch (error) {
      throw wireError(id, target, failureOf(error));
    }
  }

  /** Ends what was begun in the session and isn't prepared. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const name of [...this.#held.keys()]) this.#let(name);
  }

  async #ask(r: Request): Promise<Fields> {
    if (!names.test(r.target.keyspace) || !names.test(r.target.shard))
      throw new TabletError("WRONG_SHARD", `"${nameOf(r.target)}" is no name of a shard`);
    this.#grant.check(r);
    const tablet = this.#tablet(r.target);
    const begins = r.txId !== "" && (r.begin !== undefined || r.type === Type.SHARD_BEGIN);
    if (begins) this.#hold(r.txId, tablet);
    this.#running.set(r.id, tablet);
    try {
      const fields = unwrap(await tablet.call(r, this.#socket));
      if (ends(r)) this.#let(r.txId);
      if (r.type === Type.SHARD_CLOSE || fields["end"]) this.#let(r.cursor);
      return this.#streamed(r, tablet, fields);
    } catch (error) {
      if (r.type === Type.SHARD_COMMIT || failureOf(error).code === "TRANSACTION_EXPIRED") this.#let(r.txId);
      throw error;
    } finally {
      this.#running.delete(r.id);
    }
  }

  /** The tablet that a CANCEL names: what it is about may have come by another HTTP request. */
  #named(r: Request): TabletStub | undefined {
    if (!names.test(r.target.keyspace) || !names.test(r.target.shard)) return undefined;
    this.#grant.check(r);
    return this.#tablet(r.target);
  }

  #tablet(t: Target): TabletStub {
    let tablet = this.#tablets.get(nameOf(t));
    if (!tablet) this.#tablets.set(nameOf(t), (tablet = tabletOf(this.#env, t)));
    return tablet;
  }

  /** Lets the end of the session, over a socket, be the end of a transaction or a cursor. */
  #hold(name: string, tablet: TabletStub, stream = false): void {
    if (!this.#socket || this.#held.has(name)) return;
    this.#held.set(name, tablet.hold(name, stream));
    if (this.#over) this.#let(name);
  }

  #let(name: string): void {
    this.#held.get(name)?.[Symbol.dispose]();
    this.#held.delete(name);
  }

  /** Holds the cursor of the rows that didn't fit, and adds their stream, where one was asked for. */
  #streamed(r: Request, tablet: TabletStub, fields: Fields): Fields {
    const cursor = fields["cursor"];
    if (!this.#socket || typeof cursor !== "string") return fields;
    this.#hold(cursor, tablet, r.stream);
    if (!r.stream) return fields;
    const more = new ReadableStream<unknown>(
      {
        pull: async (c) => {
          const next = unwrap(await tablet.call(request(Type.SHARD_FETCH, r.target, { cursor }), true));
          c.enqueue(next["rows"]);
          if (!next["end"]) return;
          this.#let(cursor);
          c.close();
        },
        cancel: () => this.#let(cursor),
      },
      { highWaterMark: 0 },
    );
    return { ...fields, more };
  }

  #answer(r: Request, fields: Fields): Fields {
    return { type: acks.has(r.type) ? Type.ACK : Type.RESULT, id: r.id, timestamp: Date.now(), ...fields };
  }
}

/** Says whether a request, once carried out, ends its transaction. */
function ends(r: Request): boolean {
  return r.txId !== "" && [Type.SHARD_COMMIT, Type.SHARD_ROLLBACK, Type.COMMIT_PREPARED, Type.CONCLUDE].includes(r.type as never);
}

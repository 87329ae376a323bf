// Distributed transactions on a tablet: as a participant, which is prepared and
// waits for the holder's word, and as the holder of decisions. Package twopc's
// documentation is the manual.
//
// A Durable Object can't hold a prepared transaction open: it is rolled back when
// its redo is on the disk, and replayed at commit. The lock stays, so that nothing
// comes between.

import { type Env, type Settings, tabletOf } from "./env";
import { TabletError, failureOf, unwrap } from "./failure";
import { type Fields, type Target, Type, request } from "./message";
import { written } from "./records";
import { type Shard, outcomeUnknown } from "./shard";
import type { Transaction } from "./transaction";

/** The longest wait for another tablet. */
const peerTime = 5_000;

export class Resolver {
  readonly #shard: Shard;
  readonly #target: Target;
  readonly #env: Env;
  readonly #settings: Settings;
  /** Wakes the object after a while, through any crash. */
  readonly #wake: () => Promise<void>;

  constructor(shard: Shard, target: Target, env: Env, settings: Settings, wake: () => Promise<void>) {
    this.#shard = shard;
    this.#target = target;
    this.#env = env;
    this.#settings = settings;
    this.#wake = wake;
  }

  get unsettled(): boolean {
    return this.#shard.doubt !== undefined || this.#shard.keeper.pending;
  }

  async prepare(x: Transaction, dtid: string, holder: Target): Promise<void> {
    if (x.state === "prepared" && x.dtid === dtid) return;
    x.usable();
    if (!dtid) throw new TabletError("MISUSE", "a distributed transaction needs an ID");
    if (!holder.keyspace && !holder.shard)
      throw new TabletError("UNSUPPORTED", "a tablet elsewhere keeps its own redo: PREPARE must name the holder of the decision");
    await this.#wake();
    const steps = await x.yield();
    x.dtid = dtid;
    x.state = "prepared";
    if (steps.length === 0) return;
    const doubt = { dtid, holder, since: Date.now(), decided: false };
    try {
      await this.#shard.held(this.#shard.store.prepare(dtid, holder, written(steps)));
    } catch (error) {
      const f = failureOf(error);
      // What may have been promised is kept until the holder has been asked.
      if (f.code === "OUTCOME_UNKNOWN") this.#shard.doubt = doubt;
      else {
        x.state = "over";
        this.#shard.release();
      }
      throw error;
    }
    this.#shard.doubt = doubt;
  }

  /** Commits what is prepared as dtid. One that isn't known is committed already. */
  async commit(dtid: string): Promise<void> {
    const d = this.#shard.doubt;
    if (d?.dtid !== dtid) return;
    d.decided = true;
    this.#shard.moves();
    await this.#shard.held(this.#shard.store.commitPrepared(dtid));
    this.#settled(d);
  }

  /** Rolls back what is prepared as dtid, whose holder has said that it aborts. */
  async rollback(dtid: string): Promise<void> {
    const d = this.#shard.doubt;
    if (d?.dtid !== dtid || d.decided) return;
    await this.#shard.held(this.#shard.store.rollbackPrepared(dtid));
    this.#settled(d);
  }

  /** Commits a transaction together with the decision. It may be repeated. */
  async decide(x: Transaction, dtid: string, participants: Target[]): Promise<void> {
    const keeper = this.#shard.keeper;
    switch (keeper.admit(dtid)) {
      case "decided":
        return;
      case "dead":
        throw new TabletError("TRANSACTION_EXPIRED", `transaction ${dtid} was taken for dead: a participant has asked, and was told that it aborts; begin it anew`);
    }
    x.carries();
    await this.#wake();
    keeper.record(dtid, participants);
    try {
      await x.decide(dtid, participants);
    } catch (error) {
      await this.#undecided(x, dtid, error);
    }
    keeper.recorded(dtid);
    x.end();
    x.dtid = dtid;
    x.state = "decided";
  }

  /** Says whether a transaction was committed that isn't known any more, by a COMMIT or a DECIDE. */
  async committed(txId: string, dtid: string): Promise<boolean> {
    if (dtid && this.#shard.keeper.admit(dtid) === "decided") return true;
    return this.#shard.asked(this.#shard.store.recall(dtid ? "dtid/" + dtid : "tx/" + txId));
  }

  /** Forgets a decision: all participants have committed. */
  conclude(dtid: string): Promise<unknown> {
    return this.#shard.keeper.forget(dtid) ? this.#shard.store.forget(dtid) : Promise.resolve();
  }

  confirm(dtid: string, participant: Target): Promise<unknown> {
    return this.#shard.keeper.confirm(dtid, participant) ? this.#shard.store.forget(dtid) : Promise.resolve();
  }

  /** Tells what became of a transaction whose holder this tablet is. */
  outcome(dtid: string): "commits" | "aborts" | "undecided" {
    return this.#shard.keeper.ask(dtid, this.#shard.lock.taken);
  }

  /** Settles what it can: asks the holder, and tells the participants. */
  async settle(): Promise<void> {
    const before = Date.now() - this.#settings.askAfter;
    const d = this.#shard.doubt;
    const asked = d && d.since <= before ? this.#settleDoubt(d) : undefined;
    const told = this.#shard.keeper.list().some((k) => k.since <= before) ? this.#shard.keeper.untold().map((u) => this.#tell(u.dtid, u.to)) : [];
    await Promise.allSettled([asked, ...told]);
  }

  async #settleDoubt(d: NonNullable<Shard["doubt"]>): Promise<void> {
    if (d.decided) return this.commit(d.dtid);
    const answer = await this.#peer(d.holder, Type.OUTCOME, { dtid: d.dtid });
    if (answer["outcome"] === "aborts") return this.rollback(d.dtid);
    if (answer["outcome"] !== "commits") return;
    await this.commit(d.dtid);
    await this.#peer(d.holder, Type.CONFIRM, { dtid: d.dtid, participant: this.#target });
  }

  async #tell(dtid: string, to: Target): Promise<void> {
    await this.#peer(to, Type.COMMIT_PREPARED, { dtid });
    await this.confirm(dtid, to);
  }

  async #peer(to: Target, type: number, fields: object): Promise<Fields> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("the other tablet is silent")), peerTime);
    try {
      return unwrap(await Promise.race([tabletOf(this.#env, to).call(request(type, to, fields), true), late.promise]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Finds out what came of a decision that has failed, and throws unless it was made. */
  async #undecided(x: Transaction, dtid: string, cause: unknown): Promise<void> {
    const lost = failureOf(cause).code === "IO_ERROR";
    let made: boolean;
    try {
      made = lost && (await this.#shard.asked(this.#shard.store.decided(dtid)));
    } catch (error) {
      // Nobody is told anything until the object starts anew, and reads it.
      x.end();
      throw outcomeUnknown(dtid, error);
    }
    if (made) return;
    this.#shard.keeper.failed(dtid);
    if (lost) x.end();
    throw cause;
  }

  #settled(d: NonNullable<Shard["doubt"]>): void {
    if (this.#shard.doubt !== d) return;
    this.#shard.doubt = undefined;
    this.#shard.release();
  }
}

// What a tablet knows of the decisions of which it is the holder.
//
// Who asks about a transaction that it doesn't know is told that it aborts, and
// from then on it must: a tombstone is set, on which a late DECIDE fails. A
// decision is accepted only from the transaction that carries it, which has held
// the lock since before anybody could ask. So a tombstone has done its work when
// the transaction that held the lock at the time of asking has ended, and needs no
// disk: what ends the object ends that transaction too.

import { type Target, sameTarget } from "./message";
import type { Decision } from "./records";

interface Kept extends Decision {
  durable: boolean;
  left: Target[];
}

export class Keeper {
  readonly #decisions = new Map<string, Kept>();
  readonly #tombs = new Set<string>();

  constructor(found: Decision[]) {
    for (const d of found) this.#decisions.set(d.dtid, { ...d, durable: true, left: [...d.participants] });
  }

  get pending(): boolean {
    return this.#decisions.size > 0;
  }

  /** Says whether a transaction may carry its decision: "decided" when it has, "dead" when it was taken for dead. */
  admit(dtid: string): "decided" | "dead" | "open" {
    if (this.#decisions.get(dtid)?.durable) return "decided";
    return this.#tombs.has(dtid) ? "dead" : "open";
  }

  /** Notes a decision that is on its way; nobody is told before recorded. */
  record(dtid: string, participants: Target[]): void {
    this.#decisions.set(dtid, { dtid, participants, since: Date.now(), durable: false, left: [...participants] });
  }

  recorded(dtid: string): void {
    const d = this.#decisions.get(dtid);
    if (d) d.durable = true;
  }

  failed(dtid: string): void {
    this.#decisions.delete(dtid);
  }

  ask(dtid: string, taken: boolean): "commits" | "aborts" | "undecided" {
    const d = this.#decisions.get(dtid);
    if (d) return d.durable ? "commits" : "undecided";
    if (taken) this.#tombs.add(dtid);
    return "aborts";
  }

  /** Notes that a participant has committed, and says whether all have: then the decision is forgotten. */
  confirm(dtid: string, participant: Target): boolean {
    const d = this.#decisions.get(dtid);
    if (!d?.durable) return false;
    d.left = d.left.filter((t) => !sameTarget(t, participant));
    return d.left.length === 0 && this.forget(dtid);
  }

  forget(dtid: string): boolean {
    return this.#decisions.get(dtid)?.durable === true && this.#decisions.delete(dtid);
  }

  /** The lock was let go: whom tombstones were to stop has ended. */
  unlocked(): void {
    this.#tombs.clear();
  }

  list(): Decision[] {
    return [...this.#decisions.values()].filter((d) => d.durable).map(({ dtid, participants, since }) => ({ dtid, participants, since }));
  }

  /** Whom to tell that a transaction commits. */
  untold(): { dtid: string; to: Target }[] {
    return [...this.#decisions.values()].filter((d) => d.durable).flatMap((d) => d.left.map((to) => ({ dtid: d.dtid, to })));
  }
}

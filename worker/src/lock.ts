// The shard's write lock: first come, first served.
//
// Deadlocks across shards are avoided by wait-die: who holds another shard's lock
// and would wait here for an older transaction, be it the holder or anybody ahead
// in the queue, is refused at once. Then every chain of holders that wait goes
// from older to younger, and can't close.

import { TabletError } from "./failure";

/** The lower, the older. */
export type Age = number | bigint;

/** The age of what runs in autocommit: it waits for no other shard while it holds this one. */
export const youngest: Age = 2n ** 64n - 1n;

export interface Wish {
  age: Age;
  /** The client holds another shard's lock. */
  holds: boolean;
  /** Milliseconds; below 0, it doesn't wait at all. */
  wait: number;
  /** Interrupts the wait. */
  signal: AbortSignal;
}

interface Waiter {
  age: Age;
  shared: boolean;
  got(): void;
}

export class Lock {
  /** The ages of those who have it: one, or several that share it. */
  #holders: Age[] = [];
  #shared = false;
  readonly #queue: Waiter[] = [];

  get taken(): boolean {
    return this.#holders.length > 0;
  }

  /**
   * Takes the lock. It is shared by those that are done with it as soon as their
   * write is on its way, and keep each other from nothing.
   */
  async acquire(w: Wish, shared = false): Promise<void> {
    if (w.signal.aborted) throw interrupted(w.signal);
    if (!this.taken || (shared && this.#shared && this.#queue.length === 0)) {
      this.#give(w.age, shared);
      return;
    }
    this.refuse(w, [...this.#holders, ...this.#queue.map((q) => q.age)]);
    await this.#wait(w, shared);
  }

  /** Takes the lock for whom it was found held by when the object started. */
  retake(age: Age): void {
    this.#give(age, false);
  }

  /** Lets go of the lock; when all have that share it, the next in the queue gets it. */
  release(): void {
    this.#holders.pop();
    if (!this.taken) this.#next();
  }

  #give(age: Age, shared: boolean): void {
    this.#holders.push(age);
    this.#shared = shared;
  }

  /** Gives the lock to the first in the queue, and to those behind that can share it. */
  #next(): void {
    for (let next = this.#queue[0]; next && (!this.taken || (this.#shared && next.shared)); next = this.#queue[0]) {
      this.#queue.shift();
      this.#give(next.age, next.shared);
      next.got();
    }
  }

  /** Refuses who can't wait for others of the given ages. */
  refuse(w: Wish, ahead: Age[]): void {
    if (w.wait < 0) throw new TabletError("LOCK_NOT_FREE", "the write lock is held by another transaction, and NOWAIT is set");
    if (w.holds && ahead.some((age) => age <= w.age))
      throw new TabletError("DEADLOCK", "an older transaction holds the write lock or is ahead in its queue, while this one holds another shard; retry the transaction");
  }

  #wait(w: Wish, shared: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        w.signal.removeEventListener("abort", cancel);
      };
      const leave = (error: Error) => {
        end();
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        // Whoever is behind may share what this one couldn't.
        if (this.#shared) this.#next();
        reject(error);
      };
      const waiter: Waiter = {
        age: w.age,
        shared,
        got: () => {
          end();
          resolve();
        },
      };
      const cancel = () => leave(interrupted(w.signal));
      const timer = setTimeout(() => leave(tooLate(w.wait)), w.wait);
      w.signal.addEventListener("abort", cancel);
      this.#queue.push(waiter);
    });
  }
}

export function tooLate(wait: number): TabletError {
  return new TabletError("LOCK_WAIT_TIMEOUT", `the write lock did not come free in ${wait} ms; retry the transaction`);
}

export function interrupted(signal: AbortSignal): TabletError {
  const why = signal.reason instanceof Error ? signal.reason.message : "it was canceled";
  return new TabletError("CANCELED", "the statement was interrupted: " + why);
}

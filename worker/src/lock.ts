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
  got(): void;
}

export class Lock {
  #holder: Age | undefined;
  readonly #queue: Waiter[] = [];

  get taken(): boolean {
    return this.#holder !== undefined;
  }

  /** Takes the lock. */
  async acquire(w: Wish): Promise<void> {
    if (w.signal.aborted) throw interrupted(w.signal);
    if (this.#holder === undefined) {
      this.#holder = w.age;
      return;
    }
    this.refuse(w, [this.#holder, ...this.#queue.map((q) => q.age)]);
    await this.#wait(w);
  }

  /** Takes the lock for whom it was found held by when the object started. */
  retake(age: Age): void {
    this.#holder = age;
  }

  /** Gives the lock to the next in the queue. */
  release(): void {
    const next = this.#queue.shift();
    this.#holder = next?.age;
    next?.got();
  }

  /** Refuses who can't wait for others of the given ages. */
  refuse(w: Wish, ahead: Age[]): void {
    if (w.wait < 0) throw new TabletError("LOCK_NOT_FREE", "the write lock is held by another transaction, and NOWAIT is set");
    if (w.holds && ahead.some((age) => age <= w.age))
      throw new TabletError("DEADLOCK", "an older transaction holds the write lock or is ahead in its queue, while this one holds another shard; retry the transaction");
  }

  #wait(w: Wish): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        w.signal.removeEventListener("abort", cancel);
      };
      const leave = (error: Error) => {
        end();
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(error);
      };
      const waiter: Waiter = {
        age: w.age,
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

// A gate ends a transaction, or a result that is read in parts, of which it hears
// nothing for a while, as its client may be dead. A client that lives says so: its
// program may take its time between two statements, or two rows.

/** Milliseconds after which a gate hears of what is idle; it waits 30 s, unless it was told otherwise. */
export const defaultKeepAlive = 10_000;

/** Says that something is wanted, while no request of it says that. */
export class Wanted {
  #timer: ReturnType<typeof setInterval> | undefined;
  #running = 0;
  #heard = true;

  /** Begins to; with 0 milliseconds it says nothing. */
  constructor(every: number, say: () => Promise<unknown>) {
    if (every <= 0) return;
    this.#timer = setInterval(() => {
      if (this.#running === 0 && !this.#heard) say().catch(() => {}); // the next request will tell
      this.#heard = false;
    }, every);
    (this.#timer as { unref?(): void }).unref?.(); // it keeps no program from ending
  }

  /** Runs a request of it. */
  async during<T>(request: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await request();
    } finally {
      this.#running--;
      this.#heard = true;
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

// The tablet's end of results that are read by and by from the store. A write may
// come before a result is read: what is left of it is taken over first, so that
// the reader sees one state, keeps nobody from writing, and needs the store no more,
// which may be open for a transaction from then on.

import type { Settings } from "./env";
import { type Reply, type TabletError, unwrap } from "./failure";
import type { Left, Opened } from "./readings";
import { maxResultBytes } from "./sql/limits";
import type { Chunk } from "./sql/reading";
import { Stock } from "./stock";

/** The store, as those see it who read: it takes their calls in the order in which they are made. */
export interface Source {
  next(name: string): Promise<Reply<Chunk>>;
  close(name: string): Promise<void>;
  rest(room: number): Promise<Reply<Map<string, Left>>>;
}

/** The rows behind the first ones of a result. */
export interface Stream {
  next(): Promise<Chunk>;
  /** Ends it. What couldn't be done by that is thrown; a second time it does nothing. */
  close(): Promise<void>;
}

/** An answer's rows, and the stream of those that didn't fit. */
export interface Answer {
  columns: string[];
  rows: Opened["rows"];
  more?: Stream | undefined;
}

export class Streams {
  readonly #source: Source;
  readonly #settings: Settings;
  /** Fails the reader whose rest a write couldn't wait for. */
  readonly #overtaken: () => TabletError;
  /** How many results the store may have open. */
  #open = 0;
  /** What was taken over; undefined where it was too much. */
  readonly #taken = new Map<string, { stock: Stock; bytes: number } | undefined>();
  /** How many bytes may be taken over. */
  #room = maxResultBytes;
  #taking: Promise<void> = Promise.resolve();

  constructor(source: Source, settings: Settings, overtaken: () => TabletError) {
    this.#source = source;
    this.#settings = settings;
    this.#overtaken = overtaken;
  }

  /** Runs a query in the store, by which a result may be opened. */
  async opening<T extends { rows: Opened }>(query: () => Promise<Reply<T>>): Promise<Omit<T, "rows"> & { answer: Answer }> {
    this.#open++;
    let more: string | undefined;
    try {
      const { rows, ...others } = unwrap(await query());
      more = rows.more;
      return { ...others, answer: { columns: rows.columns, rows: rows.rows, more: more === undefined ? undefined : this.#stream(more) } };
    } finally {
      if (more === undefined) this.#open--;
    }
  }

  /** Is called right before anything is sent to the store that writes, and says when the store has answered. */
  overtake(): Promise<void> {
    if (this.#open === 0) return this.#taking;
    const rest = this.#source.rest(this.#room).catch(() => undefined);
    return (this.#taking = Promise.all([rest, this.#taking]).then(([r]) => {
      if (r && !r.failure) this.#take(r.value); // else the store, started anew, doesn't know them
    }));
  }

  #take(rest: Map<string, Left>): void {
    for (const [name, left] of rest) {
      this.#open--;
      this.#room -= left?.bytes ?? 0;
      this.#taken.set(name, left && { stock: new Stock(left.rows), bytes: left.bytes });
    }
  }

  /** Waits until nothing is being taken over. */
  async #settled(): Promise<void> {
    for (let seen; seen !== this.#taking; await seen) seen = this.#taking;
  }

  #stream(name: string): Stream {
    let over = false;
    /** Forgets it, and says whether the store may have it open still. */
    const end = (): boolean => {
      if (over) return false;
      over = true;
      this.#room += this.#taken.get(name)?.bytes ?? 0;
      if (this.#taken.delete(name)) return false;
      this.#open--;
      return true;
    };
    return {
      next: async () => {
        await this.#settled();
        if (this.#taken.has(name)) {
          const left = this.#taken.get(name);
          if (!left) throw this.#overtaken();
          const rows = left.stock.take(this.#settings);
          if (left.stock.empty) end();
          return { rows, end: over };
        }
        const chunk = unwrap(await this.#source.next(name));
        if (chunk.end) end();
        return chunk;
      },
      close: async () => {
        await this.#settled();
        if (end()) await this.#source.close(name).catch(() => undefined);
      },
    };
  }
}

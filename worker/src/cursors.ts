// Results that didn't fit into their answer, until they are read, closed or
// forgotten.

import type { Settings } from "./env";
import { TabletError } from "./failure";
import type { Fields } from "./message";
import { Stock } from "./stock";
import type { Answer, Stream } from "./streams";

interface Cursor {
  /** Rows that are here already. */
  stock: Stock;
  /** Where the others are. */
  more: Stream | undefined;
  /** Ends it when nobody has asked for rows, nor said that they are wanted, for long. */
  idle: ReturnType<typeof setTimeout> | undefined;
  /** A session has it, and ends it. */
  held: boolean;
}

export class Cursors {
  readonly #settings: Settings;
  readonly #open = new Map<string, Cursor>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The fields of an answer with rows: all of them, or the first and a cursor. */
  answer(a: Answer): Fields {
    const c: Cursor = { stock: new Stock(a.rows), more: a.more, idle: undefined, held: false };
    const rows = c.stock.take(this.#settings);
    if (isOver(c)) return { columns: a.columns, rows };
    const cursor = crypto.randomUUID();
    this.#open.set(cursor, c);
    this.#wait(cursor, c);
    return { columns: a.columns, rows, cursor };
  }

  async fetch(id: string): Promise<Fields> {
    const c = this.#known(id);
    clearTimeout(c.idle ?? null);
    try {
      if (c.stock.empty && c.more) {
        const { rows, end } = await c.more.next();
        c.stock = new Stock(rows);
        if (end) c.more = undefined;
      }
    } catch (error) {
      await this.close(id).catch(() => undefined); // why it has failed is what matters
      throw error;
    }
    const rows = c.stock.take(this.#settings);
    if (isOver(c)) {
      this.#open.delete(id);
      return { rows, end: true };
    }
    this.#wait(id, c);
    return { rows };
  }

  /** Says that rows are wanted still. */
  touch(id: string): void {
    this.#wait(id, this.#known(id));
  }

  /** Lets it wait for as long as its session lives, which closes it. */
  hold(id: string): void {
    const c = this.#open.get(id);
    if (!c) return;
    clearTimeout(c.idle ?? null);
    c.held = true;
  }

  /** Ends it; of a write, that its work is done. */
  async close(id: string): Promise<void> {
    const c = this.#open.get(id);
    if (!c) return;
    clearTimeout(c.idle ?? null);
    this.#open.delete(id);
    await c.more?.close();
  }

  #known(id: string): Cursor {
    const c = this.#open.get(id);
    if (!c) throw new TabletError("CLOSED", "the cursor isn't known: it was read to its end, or nobody has read it for long");
    return c;
  }

  /** Lets it wait for its next request from now on, unless it was closed meanwhile. */
  #wait(id: string, c: Cursor): void {
    clearTimeout(c.idle ?? null);
    if (!c.held && this.#open.has(id)) c.idle = setTimeout(() => void this.close(id).catch(() => undefined), this.#settings.idle);
  }
}

function isOver(c: Cursor): boolean {
  return c.stock.empty && !c.more;
}

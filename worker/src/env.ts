// What the Worker is deployed with.

import type { Reply } from "./failure";
import type { Fields, Request, Target } from "./message";
import { nameOf } from "./message";

export interface Env {
  TABLET: DurableObjectNamespace;
  STORE: DurableObjectNamespace;
  /** The secret with the bearer tokens; see auth.ts. */
  TOKENS?: string;
  /** Milliseconds; each has a default. */
  LOCK_WAIT?: string;
  ASK_AFTER?: string;
  IDLE?: string;
  SOCKET_IDLE?: string;
  REMEMBER?: string;
  TRANSACTION_TIME?: string;
  /** The most rows that travel together. */
  CHUNK_ROWS?: string;
}

/** The settings of a tablet. */
export class Settings {
  /** How long a write lock is waited for. */
  readonly lockWait: number;
  /** After which silence of a coordinator the holder of a decision is asked. */
  readonly askAfter: number;
  /** How long a cursor, or a transaction over HTTP, waits for its next request. */
  readonly idle: number;
  /** The same for a transaction over a WebSocket. */
  readonly socketIdle: number;
  /** How long a request that changes something can be sent again; 0 is not at all. */
  readonly remember: number;
  /** How long a transaction that writes may last: an object that takes no calls for 30 s is reset. */
  readonly transactionTime: number;
  /** How long one that only reads, by a token for reading, may keep the lock. */
  readonly readerTime = 2_000;
  readonly chunkRows: number;
  readonly chunkBytes = 256 << 10;

  constructor(env: Env) {
    this.lockWait = Number(env.LOCK_WAIT ?? 10_000);
    this.askAfter = Number(env.ASK_AFTER ?? 2_000);
    this.idle = Number(env.IDLE ?? 30_000);
    this.socketIdle = Number(env.SOCKET_IDLE ?? 600_000);
    this.remember = Number(env.REMEMBER ?? 300_000);
    this.transactionTime = Math.min(Number(env.TRANSACTION_TIME ?? 20_000), 25_000);
    this.chunkRows = Number(env.CHUNK_ROWS ?? 1_000);
  }
}

/** A tablet as others see it. */
export interface TabletStub {
  call(r: Request, socket: boolean): Promise<Reply<Fields>>;
  /** Gives what ends a transaction, or a cursor, when nobody holds it any more. A stream waits for its reader that long. */
  hold(name: string, stream: boolean): Promise<Disposable> & Disposable;
}

/** The tablet of a shard. */
export function tabletOf(env: Env, t: Target): TabletStub {
  return env.TABLET.get(env.TABLET.idFromName(nameOf(t))) as unknown as TabletStub;
}

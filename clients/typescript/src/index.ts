import { Client, type Settings } from "./client.js";
import { HttpConnection, SocketConnection, type WebSocketClass } from "./connection.js";
import { defaultRetry, type RetryOptions } from "./retry.js";
import { defaultKeepAlive } from "./wanted.js";

export { Client, Runner, Transaction, VitessdoError } from "./client.js";
export type { Result, Row, Statement, StatementOptions, Status, Table, TransactionOptions, Written } from "./client.js";
export type { Param, Value } from "./messages.js";
export type { RetryOptions } from "./retry.js";

export interface ClientOptions {
  /** The gate's address: http, https, ws or wss. */
  endpoint: string;
  /** The database of statements that don't name another; the gate's own otherwise. */
  keyspace?: string;
  /**
   * The language that statements are written in: "mysql", "postgres" or "sqlite", as far
   * as the gate knows it; the gate's own otherwise.
   */
  dialect?: string;
  /** The bearer token that the gate asks for. */
  token?: string;
  /** Milliseconds after which a statement is interrupted. */
  timeout?: number;
  /**
   * How BIGINT columns come: "auto" (the default) gives a number up to 2⁵³-1 and a
   * bigint beyond, "bigint" always a bigint.
   */
  integers?: "auto" | "bigint";
  /** How reads, and transactions of which nothing was done, are tried again. */
  retry?: RetryOptions;
  /**
   * Milliseconds after which the gate is told that an idle transaction, or a result that
   * is read slowly, is wanted still: 10,000, and 0 never tells. A gate ends what it hears
   * nothing of, after 30 s unless it was told otherwise.
   */
  keepAlive?: number;
  /** The class of WebSockets, where there is no global one: that of package ws. */
  WebSocket?: WebSocketClass;
}

/** Gives a client of a gate. It connects when it is used. */
export function createClient(options: ClientOptions): Client {
  const settings: Settings = {
    connection: connect(options), integers: options.integers ?? "auto", retry: { ...defaultRetry, ...options.retry },
    keepAlive: options.keepAlive ?? defaultKeepAlive,
  };
  if (options.keyspace !== undefined) settings.keyspace = options.keyspace;
  if (options.dialect !== undefined) settings.dialect = options.dialect;
  if (options.timeout !== undefined) settings.timeout = options.timeout;
  return new Client(settings);
}

function connect(options: ClientOptions): HttpConnection | SocketConnection {
  const { protocol } = new URL(options.endpoint);
  switch (protocol) {
    case "http:": case "https:":
      return new HttpConnection(options.endpoint, options.token);
    case "ws:": case "wss:": {
      const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
      if (WebSocket === undefined) throw new TypeError("there is no WebSocket here: give the option WebSocket, as the one of package ws, or an endpoint http:// or https://");
      return new SocketConnection(options.endpoint, options.token, WebSocket);
    }
  }
  throw new TypeError(`endpoint ${options.endpoint}: the scheme must be http, https, ws or wss`);
}

import { newHttpBatchRpcSession, RpcSession, type RpcTransport } from "capnweb";
import { Unsent } from "./errors.js";
import type { Answer, Message } from "./messages.js";

/** What carries messages to the gate. */
export interface Connection {
  /** Rows may come as a stream. */
  readonly streams: boolean;
  send(message: Message): Promise<Answer>;
  close(): void;
}

/** The gate's main object. */
interface Main {
  call(message: Message): Promise<Answer>;
  onRpcBroken(told: () => void): void;
}

/** Each message in a request of its own. */
export class HttpConnection implements Connection {
  readonly streams = false;
  #endpoint: string;
  #headers: Record<string, string>;

  constructor(endpoint: string, token: string | undefined) {
    this.#endpoint = endpoint;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async send(message: Message): Promise<Answer> {
    const main = newHttpBatchRpcSession(new Request(this.#endpoint, { headers: this.#headers })) as unknown as Main;
    return await main.call(message);
  }

  close(): void {}
}

export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocket;

/**
 * A WebSocket as a transport. That of capnweb needs a global class WebSocket, which
 * Node.js 20 doesn't have.
 */
class SocketTransport implements RpcTransport {
  readonly #socket: WebSocket;
  readonly #open: Promise<void>;
  readonly #received: string[] = [];
  #waiting: { resolve(message: string): void; reject(reason: unknown): void } | undefined;
  #broken: Error | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    let opened = false;
    this.#open = new Promise((resolve, reject) => {
      socket.addEventListener("open", () => { opened = true; resolve(); });
      const gone = () => {
        this.#fail(opened ? new Error("the WebSocket was lost") : new Unsent("the WebSocket can't be opened; is the gate there, and the token right?"));
        reject(this.#broken);
      };
      socket.addEventListener("close", gone);
      socket.addEventListener("error", gone);
    });
    this.#open.catch(() => {}); // receive tells
    socket.addEventListener("message", event => {
      const { data } = event as MessageEvent<unknown>;
      if (typeof data !== "string") return this.#fail(new Error("the gate sends what is no text"));
      if (this.#waiting === undefined) this.#received.push(data);
      else this.#waiting.resolve(data);
      this.#waiting = undefined;
    });
  }

  #fail(reason: Error): void {
    this.#broken ??= reason;
    this.#waiting?.reject(this.#broken);
    this.#waiting = undefined;
  }

  async send(message: string): Promise<void> {
    await this.#open;
    this.#socket.send(message);
  }

  async receive(): Promise<string> {
    const next = this.#received.shift();
    if (next !== undefined) return next;
    if (this.#broken !== undefined) throw this.#broken;
    return await new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
  }

  abort(): void {
    this.#socket.close();
  }
}

/** One WebSocket, which is opened when it is needed, and again when it is lost. */
export class SocketConnection implements Connection {
  readonly streams = true;
  #open: () => WebSocket;
  #main: Main | undefined;
  #socket: WebSocket | undefined;
  #closed = false;

  constructor(endpoint: string, token: string | undefined, WebSocket: WebSocketClass) {
    if (token !== undefined && !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(token)) {
      throw new TypeError("the token holds characters that a WebSocket's subprotocol can't: use an endpoint https:// instead");
    }
    const protocols = token === undefined ? ["vitessdo"] : ["vitessdo", `bearer.${token}`];
    this.#open = () => new WebSocket(endpoint, protocols);
  }

  async send(message: Message): Promise<Answer> {
    return await this.#session().call(message);
  }

  #session(): Main {
    if (this.#closed) throw new Error("the client is closed");
    if (this.#main === undefined) {
      const socket = this.#open();
      const main = new RpcSession(new SocketTransport(socket)).getRemoteMain() as unknown as Main;
      main.onRpcBroken(() => {
        if (this.#main === main) this.#main = undefined;
      });
      this.#main = main;
      this.#socket = socket;
    }
    return this.#main;
  }

  close(): void {
    this.#closed = true;
    this.#main = undefined;
    this.#socket?.close();
  }
}

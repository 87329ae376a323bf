// The WebSocket of a client, as Cap'n Web's transport; and numbers that keep
// their type on the way in.

import type { RpcTransport } from "capnweb";

const numbers = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const mayHoldReals = /\d[.eE][-+\d]/;

/**
 * Writes {"real":3.0} for 3.0 in a message's text, since a JavaScript number
 * doesn't tell it from 3.
 */
export function markReals(json: string): string {
  if (!mayHoldReals.test(json)) return json;
  return json.replace(numbers, (token) => (token[0] !== '"' && /[.eE]/.test(token) ? `{"real":${token}}` : token));
}

export class SocketTransport implements RpcTransport {
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  #waiting: PromiseWithResolvers<string> | undefined;
  #error: Error | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (e) => {
      if (this.#error) return;
      if (typeof e.data !== "string") return this.#fail(new Error("a message is no text"));
      const text = markReals(e.data);
      if (this.#waiting) {
        this.#waiting.resolve(text);
        this.#waiting = undefined;
      } else this.#received.push(text);
    });
    socket.addEventListener("close", (e) => this.#fail(new Error(`the client has closed its WebSocket: ${e.code} ${e.reason}`)));
    socket.addEventListener("error", () => this.#fail(new Error("the WebSocket has failed")));
  }

  async send(message: string): Promise<void> {
    this.#socket.send(message);
  }

  async receive(): Promise<string> {
    const next = this.#received.shift();
    if (next !== undefined) return next;
    if (this.#error) throw this.#error;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  abort(reason: unknown): void {
    const text = reason instanceof Error ? reason.message : String(reason);
    try {
      this.#socket.close(3000, new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 120)));
    } catch {
      // It is closed already.
    }
    this.#fail(reason instanceof Error ? reason : new Error(text));
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#waiting?.reject(this.#error);
    this.#waiting = undefined;
  }
}

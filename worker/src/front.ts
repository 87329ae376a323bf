// The Worker in front of the objects. It has the clients' connections, knows
// their tokens, and keeps nothing else.

import "./clock";
import { RpcSession, newHttpBatchRpcResponse } from "capnweb";
import { type Grant, grantOf } from "./auth";
import type { Env } from "./env";
import { Session } from "./session";
import { SocketTransport, markReals } from "./transport";

/** As much as a message over a WebSocket may have. */
const maxBody = 32 << 20;

export async function serve(request: Request, env: Env): Promise<Response> {
  if (!env.TOKENS?.trim()) return text(503, "no tokens are set: put them into the secret TOKENS");
  const grant = await grantOf(request.headers, env.TOKENS);
  if (!grant) return text(401, "no valid token");
  if (request.headers.get("Upgrade")?.toLowerCase() === "websocket") return socket(env, grant);
  if (request.method === "POST") return batch(request, env, grant);
  return text(405, "this address takes POST requests and WebSockets");
}

function socket(env: Env, grant: Grant): Response {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ours.accept();
  new RpcSession(new SocketTransport(ours), new Session(env, grant, true));
  return new Response(null, { status: 101, webSocket: theirs });
}

async function batch(request: Request, env: Env, grant: Grant): Promise<Response> {
  const received = await textOf(request, maxBody);
  if (received === undefined) return text(413, `a request may have ${maxBody} bytes`);
  const lines = received.split("\n").filter((line) => line.trim() !== "");
  const body = markReals(lines.join("\n"));
  return newHttpBatchRpcResponse(new Request(request.url, { method: "POST", body }), new Session(env, grant, false));
}

/** Reads a request's body; undefined when it is longer than it may be. */
async function textOf(request: Request, max: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let out = "";
  let size = 0;
  for await (const chunk of request.body ?? []) {
    if ((size += chunk.byteLength) > max) return undefined;
    out += decoder.decode(chunk, { stream: true });
  }
  return out + decoder.decode();
}

function text(status: number, message: string): Response {
  return new Response(message + "\n", { status });
}

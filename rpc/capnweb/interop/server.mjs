// Serves Service over HTTP batch and WebSocket on a free port, which it prints.
import { createServer } from "node:http";
import { nodeHttpBatchRpcResponse, RpcSession, WebSocketTransport } from "capnweb";
import { WebSocket, WebSocketServer } from "ws";
import { Service } from "./service.mjs";

globalThis.WebSocket = WebSocket;
process.on("unhandledRejection", () => {});
const http = createServer((req, res) => {
  nodeHttpBatchRpcResponse(req, res, new Service()).catch(err => { res.writeHead(500); res.end(String(err)); });
});
new WebSocketServer({ server: http }).on("connection", ws => {
  const service = new Service();
  service.session(new RpcSession(new WebSocketTransport(ws), service));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.resume().on("end", () => process.exit(0));

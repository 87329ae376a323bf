// Package workerd runs the Worker of folder worker in Cloudflare's own runtime,
// for tests: real Durable Objects, whose databases are files of a folder, and which
// can be killed and started again.
//
//	Start ──▶ npm ci, bundle ──▶ workerd serve ──▶ an address for rpc.NewClient
package workerd

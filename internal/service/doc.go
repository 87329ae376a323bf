// Package service holds what every server of the project needs beside its
// protocol: who may come in, encryption, numbers for monitoring, and an end in
// good order.
//
//	request ──▶ Tokens.Check ──▶ Grant: a name, and what it may do
//	what happens ──▶ Metrics ──▶ GET /metrics, in Prometheus's text format
//	listener ──▶ Serve ──▶ the handler, until the context ends
package service

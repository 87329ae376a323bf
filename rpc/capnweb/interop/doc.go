// Package interop holds the tests of package capnweb against the protocol's own
// implementation, the npm package capnweb, in both roles and over both
// transports:
//
//	client_test.go    a Go client against server.mjs
//	server_test.go    client.mjs against a Go server
//	messages_test.go  messages.mjs, in the words of package rpc, against a tablet server
//
// They need node and npm, and install the packages of package-lock.json into
// the user's cache folder once. Where there is no node, the build tag nonode
// leaves them out: go test -tags nonode ./...
package interop
